"""Every command shows an example, and what help and pages call is there, options and all."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from budew.cli import app

ROOT = Path(__file__).parents[2]
COMMANDS: Any = typer.main.get_command(app)
_BLOCK = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"(?:\$ )?(?:\w+=\S+ )*(?:budew |[^$]*\| budew )")
_BEHIND = {"|", "||", "&&", ";", "&", ">", ">>", "<", "2>"}


def leaves(command: Any, *path: str) -> Iterator[tuple[str, str]]:
    """Give each command with its help."""
    if not hasattr(command, "commands"):
        yield " ".join(path), command.help or ""
    for name, inner in getattr(command, "commands", {}).items():
        yield from leaves(inner, *path, name)


def calls(line: str) -> Iterator[list[str]]:
    """Give the arguments of each call of `budew` in a line of a shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    for place, word in enumerate(words):
        if word == "budew":
            rest = words[place + 1 :]
            end = next((number for number, other in enumerate(rest) if other in _BEHIND), len(rest))
            yield rest[:end]


def in_pages() -> Iterator[tuple[str, str]]:
    """Give each line of the pages that calls `budew`, with the page."""
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


@pytest.mark.parametrize(("command", "help"), [*leaves(COMMANDS)])
def test_every_command_shows_an_example_that_it_understands(command, help):
    shown = [line.strip() for line in help.splitlines() if line.strip().startswith("Example: ")]
    assert len(shown) == 1
    (arguments,) = calls(shown[0].removeprefix("Example: "))
    assert " ".join(arguments).startswith(command)
    parse(arguments)


@pytest.mark.parametrize(("page", "line"), [*in_pages()])
def test_what_the_pages_call_is_there(page, line):
    for arguments in calls(line):
        parse(arguments)


@pytest.mark.parametrize(
    "line", ["budew corpus select a b --splts x", "budew corpus train a", "budew demo x"]
)
def test_a_call_of_what_is_not_there_is_noticed(line):
    (arguments,) = calls(line)
    with pytest.raises(Exception, match=r"No such|Missing|unexpected"):
        parse(arguments)
