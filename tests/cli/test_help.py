"""Help fits a terminal, and every call of `budew` in help and pages is valid, options and all."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from budew.cli import COMMANDS, app, load_command

ROOT = Path(__file__).parents[2]
ROOT_COMMAND: Any = typer.main.get_command(app)
ROOT_COMMAND.commands = {name: load_command(name) for name in COMMANDS}
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
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


def parse(arguments: list[str]) -> None:
    """Read arguments as the command line does, and run nothing."""
    command, context, rest = ROOT_COMMAND, None, arguments
    name = "budew"
    while True:
        context = command.make_context(name, list(rest), parent=context)
        if not hasattr(command, "commands") or not context._protected_args:
            return
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])


@pytest.mark.parametrize(("path", "command"), [*leaves(ROOT_COMMAND)])
def test_the_help_of_a_command_fits_with_few_options_and_a_correct_example(monkeypatch, path, command):
    monkeypatch.setenv("COLUMNS", "100")
    shown = CliRunner().invoke(app, [*path.split(), "--help"]).output
    flags = flags_of(command)
    own = (
        [option for option in command.params if option.opts[0] in flags - SHARED]
        if flags >= SHARED
        else flags
    )
    assert len(own) <= 21
    assert flags <= set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", shown))
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= 100
    examples = [line.strip() for line in command.help.splitlines() if line.strip().startswith("Example: ")]
    assert len(examples) == 1
    (arguments,) = calls(examples[0].removeprefix("Example: "))
    assert " ".join(arguments).startswith(path)
    parse(arguments)


def test_the_table_of_commands_has_the_first_paragraph_of_their_help():
    for name, (_, line) in COMMANDS.items():
        help = load_command(name).help
        assert " ".join(help.partition("\n\n")[0].split()) == line


def test_every_job_has_the_shared_options():
    jobs = ["convert", "render", "segment", "caption", "transcribe", "select", "synthesize"]
    jobs += ["resynthesize", "act", "measure"]
    jobs += [f"annotate {name}" for name in ("llm", "heads", "labels")]
    found = {path for path, command in leaves(ROOT_COMMAND) if flags_of(command) >= SHARED}
    assert found == {"paraphrase run", "face annotate", *(f"corpus {job}" for job in jobs)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_call_in_a_page_is_valid(page):
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.findall(text):
        for line in filter(_CALL.match, block.replace("\\\n", " ").splitlines()):
            for arguments in calls(line.removeprefix("$ ")):
                parse(arguments)
    for line in re.findall(r"`(budew [^`]+)`", _BLOCK.sub("", text)):
        words = shlex.split(line.replace("\\|", " ").replace("\n", " "))[1:]
        command = ROOT_COMMAND
        while words and hasattr(command, "commands") and not words[0].startswith("-"):
            assert words[0] in command.commands, line
            command, words = command.commands[words[0]], words[1:]
        named = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert named <= flags_of(command) | {"--help"}, line


DEFAULTS = """
caption --batch-size 16, corpus act --clips-per-shard 100, corpus act --format mp3
corpus act --max-wer 0.3, corpus annotate llm --max-seconds 60.0, corpus annotate llm --turns 2
corpus convert --clips-per-shard 500, corpus convert --max-seconds 600.0, corpus export --caption newest
corpus inspect --players 24, corpus ratings --consensus exact, corpus render --per-clip 1
corpus segment --clips-per-shard 10, corpus split --test 0.05, corpus split --train 0.9
corpus split --validation 0.05
corpus weights --cap 10.0, corpus weights --min-level 0.5, corpus weights --temperature 2.0
evaluate --scale intensity, paraphrase harvest --at-least 2, paraphrase harvest --top 30
paraphrase judge --tolerance 1, paraphrase report --sample 2000, paraphrase run --backend grammar
paraphrase run --per-clip 1, paraphrase run --tolerance 1, render --count 1
"""


def test_options_keep_their_defaults_and_flags_are_off_unless_they_can_be_switched_off():
    options = {
        (path, given.opts[0]): given for path, command in leaves(ROOT_COMMAND) for given in command.params
    }
    for row in DEFAULTS.strip().replace("\n", ", ").split(", "):
        path, option, value = row.rsplit(maxsplit=2)
        assert str(options[path, option].default) == value, (path, option)
    for given in options.values():
        if getattr(given, "is_flag", False):
            is_on = bool(given.secondary_opts) and given.opts[0] != "--decode"
            assert bool(given.default) == is_on, given.opts
