"""The command as such: quick, at home in a pipe, and every error is one line on stderr and an exit status."""

import itertools
import os
import subprocess
import sys

import pytest

from budew.__main__ import main
from budew.io.resources import data_folder

DEMO = data_folder("demo_clips") / "clips.tar"

NOT_INSTALLED = """
from importlib.machinery import PathFinder

find = PathFinder.find_spec


def find_spec(cls, name, *rest):
    return None if name.partition(".")[0] == "{}" else find(name, *rest)


PathFinder.find_spec = classmethod(find_spec)
"""


@pytest.mark.parametrize(
    "arguments",
    [("parse", "a", "--jsonl", "b"), ("caption",), ("nonsense",), ("caption", "a.wav", "--format", "xml")],
)
def test_invalid_arguments_end_with_status_2(budew, arguments):
    assert budew(*arguments).status == 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("render", "missing.json"), "missing.json: No such file"),
        (("train", "tiny-synthetic", "--dry-run", "--set", "b"), "'b': a change has the form name=value"),
        (("parse", "--jsonl", "missing.jsonl"), "missing.jsonl: No such file"),
        (("evaluate", "missing", "--predictions", os.devnull), "missing: "),
        (("caption", "a.wav", "--model", "no/where/at/all"), "a.wav: no such file"),
        (("caption", __file__.replace(".py", ".wav"), "--json"), "test_errors.wav: no such file"),
        (("caption", str(DEMO), "--model", "no/where/at/all"), "no/where/at/all"),
    ],
)
def test_an_error_is_one_line(budew, arguments, named):
    outcome = budew(*arguments)
    assert outcome.status == 1
    assert outcome.err.startswith("budew: ")
    assert named in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_an_unexpected_error_is_one_line_with_a_hint_to_the_traceback(monkeypatch, capsys):
    def fail():
        raise KeyError("a")

    monkeypatch.setattr("budew.cli.doctor.examine", fail)
    monkeypatch.setattr(sys, "argv", ["budew", "doctor"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    err = capsys.readouterr().err
    assert err == "budew: KeyError: 'a' (BUDEW_DEBUG=1 shows where: please report it)\n"


def test_debug_shows_the_traceback(monkeypatch):
    monkeypatch.setenv("BUDEW_DEBUG", "1")
    monkeypatch.setattr(sys, "argv", ["budew", "render", "missing.json"])
    with pytest.raises(FileNotFoundError):
        main()


@pytest.mark.parametrize(
    ("command", "library"),
    [
        ("corpus synthesize {} --clips 2 --seed 1", "espeakng_loader"),
        ("train tiny-synthetic --out {}", "accelerate"),
    ],
)
def test_a_missing_extra_is_one_line_with_the_remedy(tmp_path, command, library):
    (tmp_path / "sitecustomize.py").write_text(NOT_INSTALLED.format(library))
    ran = subprocess.run(
        [sys.executable, "-m", "budew", *command.format(tmp_path / "o").split()],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
    )
    purpose = " ".join(itertools.takewhile(str.isalpha, command.split()[:2]))
    assert ran.stderr.startswith(f"budew: budew {purpose} needs {library}, ")
    assert 'pip install "budew[train]"' in ran.stderr
    assert (ran.returncode, ran.stdout, len(ran.stderr.splitlines())) == (1, "", 1)
    assert not (tmp_path / "o").exists()


def test_version_and_help_are_quick_and_load_no_torch(shell):
    program = (
        "import sys, budew.cli; print(sorted({'torch', 'transformers', 'scipy', 'numpy'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"
    assert shell("budew --version").stdout.startswith("budew ")


def test_a_reader_that_stops_early_is_no_error(tmp_path, shell):
    (tmp_path / "c.jsonl").write_text('{"caption": "A sad man."}\n' * 20_000)
    ran = shell(f"budew parse --jsonl {tmp_path}/c.jsonl | head -n 1")
    assert "Traceback" not in ran.stderr
    assert ran.stderr == ""
    assert len(ran.stdout.splitlines()) == 1


def test_a_terminal_without_utf_8_gets_replacements(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ran = subprocess.run(
        [sys.executable, "-m", "budew", "parse", "--jsonl", "-"],
        input='{"caption": "é"}\n'.encode(),
        capture_output=True,
        env=environment,
    )
    assert ran.returncode == 0
    assert ran.stderr == b""
