"""The command `budew`: each command is one call of the library, with its result printed.

Results go to stdout, everything else to stderr. Exit status: 0 success, 1 a reported failure,
2 invalid arguments, 130 stopped by Ctrl-C. `BUDEW_DEBUG=1` prints tracebacks. The module of a command is
imported when the command is called, so that `budew --help` takes 0.2 s.
"""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Option
from typer.core import TyperCommand

from budew.cli.options import SETTINGS
from budew.cli.spellings import CommandGroup, respelled
from budew.cli.terminal import (
    finish_output,
    one_line_for,
    plain_warnings,
    print_log_lines,
    say_error,
    tolerant_output,
)
from budew.version import __version__

COMMANDS = {
    "caption": (
        "caption",
        "Caption speech: audio files of any format and length, folders of them, corpora, or your own voice.",
    ),
    "evaluate": (
        "evaluate",
        "Score a captioner against the profiles of a corpus: emotions, bursts, gender, age and style.",
    ),
    "export": (
        "export",
        "Write a checkpoint in the format of another library, and compare its captions with the original's.",
    ),
    "demo": (
        "evaluate",
        "Caption the bundled clips, compare with their labels and write a report. Needs no network.",
    ),
    "app": (
        "app_command",
        "Serve a page in the browser: record or upload speech, parse and render captions.",
    ),
    "doctor": ("doctor", "Check the installation, and print how to fix each problem."),
    "parse": (
        "captions",
        "Parse a caption: emotions (0 to 1), vocal bursts and traits, as JSON. Needs no model.",
    ),
    "render": ("captions", "Render a profile as captions, one per line. Needs no model."),
    "lint": (
        "captions",
        "Check captions: leaked numbers and field names, repetitions, contradictions, overused phrases, "
        "length.",
    ),
    "captions": (
        "captions",
        "Measure the coverage of the lexicon, and the size of the caption language.",
    ),
    "corpus": ("corpus", "Make, annotate, inspect and export corpora: clips of speech with profiles."),
    "corpora": ("corpora", "List the corpora that are read by name, or explain one: budew corpora NAME."),
    "paraphrase": (
        "paraphrase",
        "Paraphrase captions by an LLM or an offline grammar; a gate checks that the meaning is kept.",
    ),
    "benchmark": ("benchmark", "Score models on published benchmarks, next to the published results."),
    "recipes": ("train", "List the included recipes, or explain all fields of one recipe."),
    "train": ("train", "Fine-tune a Whisper into a captioner, or train one from scratch, by a recipe."),
    "train-heads": (
        "train",
        "Train regression heads on the encoder of a Whisper checkpoint, for corpus annotate heads.",
    ),
    "face": (
        "face",
        "Emotions of faces: score images, train heads, annotate by a language model, describe a corpus."
        " For research on synthetic faces; docs/ethics.md explains what the scores do not mean.",
    ),
}
"""Module in this package and help line of each command or group, in the order of `budew --help`."""


class LazyGroup(CommandGroup):
    """Command group of `COMMANDS`, which imports the module of a command only when the command is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = {name: TyperCommand(name, help=line) for name, (_, line) in COMMANDS.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the name of the called command, the command, and its arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        command = load_command(name) if name else command
        return name, command, respelled(rest, command)


def load_command(name: str) -> Any:
    """Import and return the command or group with this name, a key of `COMMANDS`."""
    group = typer.main.get_group(import_module(f"{__name__}.{COMMANDS[name][0]}").app)
    return group if group.name == name else group.commands[name]


app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Caption speech: emotions, vocal bursts, the speaker. Render and parse captions, train captioners.",
    epilog="Start with: budew demo, or budew caption FILE. To check the installation: budew doctor.",
    **{**SETTINGS, "cls": LazyGroup},
)


def run_cli() -> None:
    """Run the command line. Errors are printed as one line, and end the process with exit status 1."""
    tolerant_output()
    plain_warnings()
    try:
        try:
            app(prog_name="budew")
        finally:
            finish_output()
    except SystemExit as ended:
        if isinstance(
            getattr(ended.__context__, "__cause__", None), KeyboardInterrupt
        ):  # typer prints nothing on Ctrl-C
            say_error("stopped")
        raise
    except Exception as error:
        if os.environ.get("BUDEW_DEBUG") == "1":
            raise
        say_error(one_line_for(error))
        sys.exit(1)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"budew {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
    audio_root: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            envvar="BUDEW_AUDIO_ROOT",
            help="Allow manifests to refer to audio files below this folder, not only below the folder of "
            "the manifest.",
        ),
    ] = None,
) -> None:
    print_log_lines()
    if audio_root is not None:
        os.environ["BUDEW_AUDIO_ROOT"] = str(audio_root)
