# Needs only make, Python 3.11 or newer and pip. `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# tests start many processes, which compile what is not kept as bytecode
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

.PHONY: help setup demo train-demo test test-fast test-slow test-long lint docs bench clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
	  printf '  make %-12s %s\n' "$$target" "$$text"; done

setup: $(STAMP) ## create .venv with everything that the demo, tests and checks need

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "budew needs Python 3.11 or newer: run make setup PYTHON=/path/to/it")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[dev]"
	@# only for the vocabulary that it ships: what it depends on has a gigabyte
	$(BIN)/python -m pip install --quiet --no-deps openai-whisper==20250625
	@touch $@

demo: $(STAMP) ## caption bundled clips, parse, score against labels, write a report (runs/demo)
	$(BIN)/budew demo --out runs/demo

train-demo: $(STAMP) ## all steps at a small size: synthesize, render, paraphrase, train, caption, evaluate (runs/train-demo)
	$(BIN)/python examples/train_demo.py runs/train-demo

test: $(STAMP) ## all tests but the long ones
	$(PYTEST)

test-fast: $(STAMP) ## the tests that take seconds
	$(PYTEST) -m "not slow and not long"

test-slow: $(STAMP) ## the tests that take minutes
	$(PYTEST) -m slow

test-long: $(STAMP) ## fine-tuning at its real size and killed processes, in half an hour
	$(PYTEST) -m long

lint: $(STAMP) docs ## format, style, types, imports between packages, names and phrases, links of the documentation
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/lint.py

docs: $(STAMP) ## make a site of the documentation that opens without a server (runs/site/index.html)
	@# the variable switches off a notice about other site generators
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(STAMP) ## run the benchmarks of speed
	for script in benchmarks/[a-z]*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

clean: ## remove the output of the targets above
	rm -rf $(VENV) runs dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
