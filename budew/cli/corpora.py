"""Commands `budew corpora`: list, explain and download the corpora that are read by name."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from budew import corpora, reports
from budew.cli import options
from budew.cli.options import SETTINGS
from budew.cli.spellings import CommandGroup
from budew.cli.terminal import print_table, progress_bar, results, say_error
from budew.errors import InputError
from budew.reports.formatting import visible_name

_EXPLAIN = "show"


class _NamedGroup(CommandGroup):
    """Command group that takes an unknown command as the name of a corpus to explain."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        is_name = args[0] not in self.commands and not args[0].startswith("-")
        return super().resolve_command(ctx, [_EXPLAIN, *args] if is_name else args)


app = typer.Typer(
    name="corpora",
    invoke_without_command=True,
    **{**SETTINGS, "cls": _NamedGroup, "no_args_is_help": False},
)


@app.callback()
def list_corpora(ctx: typer.Context, html: options.HtmlFile = None, json: options.JsonFile = None) -> None:
    """List the corpora that are read by name, or explain one: budew corpora NAME.

    The table compares languages, hours, speakers, emotions, licence and source.

    Example: budew corpora --html corpora.html
    """
    if ctx.invoked_subcommand is not None:
        return
    known = corpora.known_corpora()
    table = {name: corpus.model_dump(mode="json") for name, corpus in known.items()}
    with results(table, json, html, lambda: reports.report_html(reports.corpora_report(known))):
        print_table(reports.report_tables(reports.named_corpora_summary(known)))


@app.command(_EXPLAIN, no_args_is_help=True)
def show_corpus(
    name: Annotated[str, Argument(metavar="NAME", help="Name of a corpus, or a YAML file that defines one.")],
    html: options.HtmlFile = None,
    json: options.JsonFile = None,
) -> None:
    """Explain a corpus: labels as emotions, file names, tables, licence, citation.

    Example: budew corpora show crema-d
    """
    corpus = _definition(name)
    report = reports.corpus_report(name, corpus)
    with results(corpus.model_dump(mode="json"), json, html, lambda: reports.report_html(report)):
        print_table(reports.report_tables(report))


@app.command("get", no_args_is_help=True)
def get_command(
    name: Annotated[str, Argument(metavar="NAME", help="Name of a corpus, or a YAML file that defines one.")],
    out: Annotated[Path, Argument(metavar="OUT", help="Folder for its files; created if missing.")],
    accept_license: Annotated[
        bool, Option("--accept-license", help="Accept the printed licence without being asked.")
    ] = False,
) -> None:
    """Download a corpus that has a public address, and extract it.

    Run the same command again to continue an interrupted download. The
    licence is shown first; most corpora are not for commercial use.

    Example: budew corpora get emodb EmoDB/ --accept-license
    """
    corpus = _definition(name)
    say_error(
        f"{corpus.title}, licence: {corpus.licence or 'none stated'} ({corpus.address or 'no address'})"
    )
    if corpus.downloads and not accept_license:
        _ask()
    with progress_bar(f"downloading {corpus.title}", unit="bytes") as bar:
        count = corpora.get_corpus(corpus, out, bar)
    file = Path(name) if _is_file(name) else None
    clips = corpora.find_clips(corpora.named_folder(file or name.lower(), out)).clips
    print(f"{count:,} files, {len(clips):,} of them clips; read them as {name}:{visible_name(out)}")
    print(f"cite: {corpus.citation.strip() or corpus.source}")


def _ask() -> None:
    """Ask whether the user accepts the licence; end the command if not."""
    if not sys.stdin.isatty():
        raise InputError("read the licence, and accept it with --accept-license")
    typer.confirm("Do you accept its licence?", abort=True, err=True)


def _definition(name: str) -> "corpora.NamedCorpus":
    """Return the definition of a corpus, given by its name or as a YAML file."""
    return corpora.load_definition(Path(name)) if _is_file(name) else corpora.known_corpus(name.lower())


def _is_file(name: str) -> bool:
    return name.lower().endswith((".yaml", ".yml"))
