"""Commands `budew corpora`: the corpora that are known by name, compared and explained."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument
from typer.core import TyperGroup

from budew.cli import options
from budew.cli.options import SETTINGS, results
from budew.terminal import print_table

_EXPLAIN = "show"


class _NamedGroup(TyperGroup):
    """A group in which a word that is no command is the name of a corpus to explain."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        is_name = args[0] not in self.commands and not args[0].startswith("-")
        return super().resolve_command(ctx, [_EXPLAIN, *args] if is_name else args)


app = typer.Typer(
    cls=_NamedGroup,
    invoke_without_command=True,
    **{**SETTINGS, "no_args_is_help": False},
)


@app.callback()
def corpora(ctx: typer.Context, html: options.HtmlFile = None, json: options.JsonFile = None) -> None:
    """List the corpora that are read by name, or explain one: budew corpora NAME.

    Languages, hours, speakers, emotions, licence and source, as the first table of
    a paper compares data sets.

    Example: budew corpora --html corpora.html
    """
    if ctx.invoked_subcommand is not None:
        return
    from budew.corpora.named.definition import known_corpora
    from budew.reports.named_corpora_page import brief, corpora_report
    from budew.reports.section_tables import terminal
    from budew.reports.sections import render_sections

    known = known_corpora()
    report = corpora_report(known)
    table = {name: corpus.model_dump(mode="json") for name, corpus in known.items()}
    with results(table, json, html, lambda: render_sections(*report)):
        print_table(terminal(*brief(report)))


@app.command(_EXPLAIN, no_args_is_help=True)
def show(
    name: Annotated[str, Argument(metavar="NAME", help="Name of a corpus, or a YAML file that defines one.")],
    html: options.HtmlFile = None,
    json: options.JsonFile = None,
) -> None:
    """Explain a corpus: labels as emotions, file names, tables, licence, citation.

    Example: budew corpora show crema-d
    """
    from budew.corpora.named.definition import known_corpus, load_definition
    from budew.reports.named_corpora_page import corpus_report
    from budew.reports.section_tables import terminal
    from budew.reports.sections import render_sections

    file = Path(name) if name.endswith((".yaml", ".yml")) else None
    corpus = load_definition(file) if file else known_corpus(name.lower())
    report = corpus_report(name, corpus)
    with results(corpus.model_dump(mode="json"), json, html, lambda: render_sections(*report)):
        print_table(terminal(*report))
