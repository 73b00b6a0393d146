"""The libraries that `budew/` imports, pyproject.toml declares and docs/libraries.md lists are the same."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = {name: rows for name, rows in PROJECT["optional-dependencies"].items() if name != "dev"}
NEEDED_BY_OTHERS = {"onnx", "onnxscript", "setuptools", "tensorboard"}
"""Libraries that only other libraries import."""


def libraries(requirements: Iterable[str]) -> set[str]:
    """Return the names of the required libraries, those of `budew[extra]` included."""
    found = set()
    for requirement in requirements:
        name, extra = re.match(r"([\w.-]+)(?:\[(.*)\])?", requirement).groups()
        found |= libraries(EXTRAS[extra]) if name == "budew" else {normalized(name)}
    return found


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


distributions = cache(packages_distributions)


def library_of(module: str) -> str:
    top = module.partition(".")[0]
    return normalized(distributions().get(top, [top])[0])


def imported() -> Iterator[tuple[str, str | None]]:
    """Yield each imported library with the extra that `require` names, None for a plain import."""
    for file in (ROOT / "budew").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((alias.name, None) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                yield node.module, None
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("require", "locate_library"):
                extras = [key.value for key in node.keywords if key.arg == "extra"]
                if isinstance(node.args[0], ast.Constant):
                    yield node.args[0].value, extras[0].value if extras else None


@pytest.fixture(scope="module")
def used() -> set[tuple[str, str | None]]:
    """Each library that is imported, with the extra that the code names."""
    return {
        (library_of(module), extra)
        for module, extra in imported()
        if module.partition(".")[0] not in {*sys.stdlib_module_names, "budew"}
    }


BASE = libraries(PROJECT["dependencies"])
DECLARED = BASE.union(*map(libraries, EXTRAS.values()))


def test_imported_libraries_are_declared_and_declared_ones_are_imported(used):
    names = {library for library, _ in used} - {"pydantic-core"}  # a part of pydantic
    assert names - DECLARED == set()
    assert DECLARED - names == NEEDED_BY_OTHERS


def test_the_extra_that_a_message_names_installs_the_library(used):
    named = {(library, extra) for library, extra in used if extra is not None}
    wrong = {(library, extra) for library, extra in named if library not in libraries(EXTRAS[extra])}
    assert wrong == set()


def test_the_documentation_lists_each_library_with_its_extras():
    page = (ROOT / "docs/libraries.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| ") and "---" not in line]
    listed = {
        (library, extra.strip(" |`"))
        for names, _, extras in rows[1:]
        for library in re.findall(r"[\w-]+", names)
        for extra in extras.split(",")
    }
    own = {
        name: libraries(row for row in rows if not row.startswith("budew")) for name, rows in EXTRAS.items()
    }
    declared = {(library, "base") for library in BASE}
    declared |= {(library, extra) for extra, names in own.items() for library in names}
    assert listed == declared
