"""The command `budew`: each command is one call of the library, with its result printed.

Results go to stdout, everything else to stderr. Exit status: 0 success, 1 a reported failure,
2 invalid arguments, 130 stopped by Ctrl-C. `BUDEW_DEBUG=1` prints tracebacks. Each command imports what it
needs when it runs, so that help takes a tenth of a second and does not load torch.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from budew.cli import (
    annotation,
    benchmarking,
    captioning,
    captions,
    corpora,
    corpus_captioning,
    corpus_jobs,
    exporting,
    face_benchmarks,
    faces,
    making_speech,
    named_corpora,
    paraphrasing,
    speech,
    training,
    transfer_benchmarks,
)
from budew.cli.options import SETTINGS
from budew.terminal import finish_output, one_line_for, plain_warnings, say_error, tolerant_output
from budew.version import __version__

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Caption speech: emotions, vocal bursts, the speaker. Render and parse captions, train captioners.",
    epilog="Start with: budew demo, or budew caption FILE. To check the installation: budew doctor.",
    **SETTINGS,
)
app.add_typer(captioning.app)
app.add_typer(speech.app)
app.add_typer(captions.app)
app.add_typer(captions.captions_app, name="captions")
for commands in (making_speech, corpus_jobs, corpus_captioning, exporting):
    corpora.app.add_typer(commands.app)
corpora.app.add_typer(annotation.app, name="annotate")
corpora.app.add_typer(annotation.beside)
app.add_typer(corpora.app, name="corpus")
app.add_typer(named_corpora.app, name="corpora")
app.add_typer(paraphrasing.app, name="paraphrase")
for commands in (transfer_benchmarks, face_benchmarks):
    benchmarking.app.add_typer(commands.app)
app.add_typer(benchmarking.app, name="benchmark")
app.add_typer(training.app)
app.add_typer(faces.app, name="face")


def main() -> None:
    """Run the command line; the one place where an error becomes a line and an exit status."""
    tolerant_output()
    plain_warnings()
    try:
        try:
            app(prog_name="budew")
        finally:
            finish_output()
    except SystemExit as ended:
        if isinstance(getattr(ended.__context__, "__cause__", None), KeyboardInterrupt):  # typer says nothing
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
            help="Allow manifests to refer to audio below this folder, not only below their own.",
        ),
    ] = None,
) -> None:
    if audio_root is not None:
        os.environ["BUDEW_AUDIO_ROOT"] = str(audio_root)
