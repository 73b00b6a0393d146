"""Help fits a terminal, and every call of `budew` in help and pages is valid, options and all."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from budew.cli import app

ROOT = Path(__file__).parents[2]
COMMANDS: Any = typer.main.get_command(app)
_BLOCK = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"(?:\$ )?(?:\w+=\S+ )*(?:budew |[^$]*\| budew )")
SHARED = {"--workers", "--clips-per-shard", "--retry-failed", "--dry-run", "--executor", "--cluster", "--set"}
_BEHIND = {"|", "||", "&&", ";", "&", ">", ">>", "<", "2>"}


def leaves(command: Any, *path: str) -> Iterator[tuple[str, Any]]:
    """Yield each command after its name."""
    if not hasattr(command, "commands"):
        yield " ".join(path), command
    for name, inner in getattr(command, "commands", {}).items():
        yield from leaves(inner, *path, name)


def flags_of(command: Any) -> set[str]:
    """Return the options of a command, as they are typed."""
    return {flag for given in command.params for flag in given.opts + given.secondary_opts if flag[0] == "-"}


def calls(line: str) -> Iterator[list[str]]:
    """Yield the arguments of each call of `budew` in a line of a shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    for place, word in enumerate(words):
        if word == "budew":
            rest = words[place + 1 :]
            end = next((number for number, other in enumerate(rest) if other in _BEHIND), len(rest))
            yield rest[:end]


def in_pages() -> Iterator[tuple[str, str]]:
    """Yield each line of the pages that calls `budew`, with the page."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                if _CALL.match(line):
                    yield page.name, line.removeprefix("$ ")


def parse(arguments: list[str]) -> None:
    """Read arguments as the command line does, and run nothing."""
    command, context, rest = COMMANDS, None, arguments
    name = "budew"
    while True:
        context = command.make_context(name, list(rest), parent=context)
        if not hasattr(command, "commands") or not context._protected_args:
            return
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])


@pytest.mark.parametrize(("path", "command"), [*leaves(COMMANDS)])
def test_the_help_of_a_command_fits_with_few_options_and_a_correct_example(monkeypatch, path, command):
    monkeypatch.setenv("COLUMNS", "100")
    shown = CliRunner().invoke(app, [*path.split(), "--help"]).output
    flags = flags_of(command)
    own = (
        [option for option in command.params if option.opts[0] in flags - SHARED]
        if flags >= SHARED
        else flags
    )
    assert len(own) <= 15
    assert flags <= set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", shown))
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 100
    examples = [line.strip() for line in command.help.splitlines() if line.strip().startswith("Example: ")]
    assert len(examples) == 1
    (arguments,) = calls(examples[0].removeprefix("Example: "))
    assert " ".join(arguments).startswith(path)
    parse(arguments)


def test_every_job_has_the_shared_options():
    jobs = ["convert", "render", "segment", "transcribe", "select", "synthesize", "act", "measure"]
    jobs += [f"annotate {name}" for name in ("llm", "heads", "labels", "measures")]
    found = {path for path, command in leaves(COMMANDS) if flags_of(command) >= SHARED}
    assert found == {"paraphrase run", *(f"corpus {job}" for job in jobs)}


@pytest.mark.parametrize(("page", "line"), [*in_pages()])
def test_every_call_in_the_pages_is_valid(page, line):
    for arguments in calls(line):
        parse(arguments)
