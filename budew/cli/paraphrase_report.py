"""The command that measures rewritten corpora."""

from pathlib import Path
from typing import Annotated

import typer

from budew.cli.printed_errors import PrintedErrors
from budew.terminal import as_json, output, print_table, progress_bar, refuse_to_replace

Corpora = Annotated[
    list[str],
    typer.Argument(
        metavar="CORPUS",
        help="Clips with paraphrases: folders, shards, parquet files, manifests, patterns in quotes.",
        show_default=False,
    ),
]
PageFile = Annotated[
    Path | None,
    typer.Option(
        "--html", metavar="FILE", dir_okay=False, help="Write a page here, with plots and examples."
    ),
]
MetricsFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", dir_okay=False, help="Write all metrics here.")
]
SampledClips = Annotated[
    int,
    typer.Option("--sample", metavar="N", min=1, help="Clips for diversity and fidelity."),
]
SampleSeed = Annotated[int, typer.Option(metavar="S", help="Draws these clips.")]
BanFile = Annotated[
    Path | None,
    typer.Option(
        "--ban",
        metavar="FILE",
        dir_okay=False,
        help="Write the over-used phrases here, for budew paraphrase run --ban.",
    ),
]


def report(
    corpora: Corpora,
    html: PageFile = None,
    json: MetricsFile = None,
    ban: BanFile = None,
    sample: SampledClips = 2000,
    seed: SampleSeed = 0,
) -> None:
    """Measure paraphrases: counts of candidates, diversity compared with templates, fidelity.

    Fidelity is measured on all candidates that the gate judged, and on the captions
    written. Exit status 1 if something cannot be read or counts do not add up.

    Example: budew paraphrase report paraphrased/ --html report.html --ban overused.yaml
    """
    from budew.corpora.sources import files_read
    from budew.paraphrase.metrics import paraphrase_report
    from budew.reports.paraphrase_tables import paraphrase_tables

    refuse_to_replace([file for corpus in corpora for file in files_read(corpus)], html, json, ban)
    bad = PrintedErrors()
    with progress_bar("reading") as bar:
        found = paraphrase_report(
            corpora, sample=sample, seed=seed, on_bad=bad, progress=lambda done: bar(done, None)
        )
    if json is not None:
        with output(json) as file:
            print(as_json(found.to_dict(), indent=1), file=file)
    print_table(paraphrase_tables(found))
    if html is not None:
        from budew.reports.paraphrase_page import write_paraphrase_page

        print(f"page: {write_paraphrase_page(found, html).resolve().as_uri()}")
    if ban is not None:
        from budew.paraphrase.metrics.report import write_ban

        print(f"{len(write_ban(found.overused.phrases, ban))} phrases to ban: {ban}")
    if found.candidates.wrong:
        bad(ValueError(f"the counts of {found.candidates.wrong:,} clips do not add up: see the report"))
    raise typer.Exit(bad.status)
