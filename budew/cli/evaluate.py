"""`budew evaluate` and `budew demo`: captions of a model against the labels of a corpus."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Option

from budew import corpora, evaluation, reports
from budew import model as models
from budew.cli import options
from budew.cli.options import option_groups
from budew.cli.terminal import (
    as_json,
    output,
    print_skipped,
    print_table,
    progress_bar,
    refuse_to_replace,
    results,
)
from budew.io.resources import data_folder

app = typer.Typer()


@app.command("evaluate", no_args_is_help=True)
@option_groups()
def evaluate_command(
    corpus: options.Corpus,
    source: options.Predictions,
    model: options.ModelChoice,
    writing: options.SampledWriting,
    json: options.JsonFile = None,
    html: options.HtmlFile = None,
) -> None:
    """Score a captioner against the profiles of a corpus: emotions, bursts, gender, age and style.

    Each emotion, burst and trait is scored on the clips that have a label for it. Intervals are 95 %
    bootstrap intervals, over speakers where all are known. Clips that cannot be
    compared are left out and listed on stderr; then the exit status is 1.

    Example: budew evaluate 'data/test/*.tar' --html report.html
    """
    refuse_to_replace([*corpora.files_read(corpus), source.predictions], json, html)
    predictor = source.predictor(model, writing)
    with progress_bar("evaluating") as bar:
        scored = evaluation.evaluate_corpus(corpus, predictor, progress=bar)
    with results(
        scored.to_dict(), json, html, lambda: reports.report_html(reports.evaluation_report(scored))
    ):
        print_table(reports.report_tables(reports.evaluation_summary(scored)))
    raise typer.Exit(print_skipped(scored.skipped))


@app.command("demo")
def demo_command(
    out: Annotated[Path, Option(metavar="DIR", help="Folder for the report, metrics and captions.")] = Path(
        "runs/demo"
    ),
) -> None:
    """Caption the bundled clips, compare with their labels and write a report. Needs no network.

    Published results of the checkpoint on human speech are printed too.

    Example: budew demo --out runs/demo
    """
    card = models.read_card()
    with progress_bar("captioning") as bar:
        found = evaluation.evaluate_corpus(
            data_folder("demo_clips") / "clips.tar", examples=100, progress=bar
        )
    scored = replace(found, corpus="synthetic speech")
    for pair in scored.pairs:
        print(f"{pair.id}\n  caption  {pair.caption}")
        print(f"  scores   {_strongest(pair.predicted.emotions)}")
        print(f"  label    {_strongest(pair.reference.emotions)}")
    published = reports.card_section(card)
    report = reports.evaluation_report(scored, examples=len(scored.pairs), published=published)
    print_table(reports.card_table(report))
    if published:
        print_table(reports.section_table(published))
    print(f"The {len(scored.pairs)} clips are synthetic speech, and too few to measure a checkpoint.")
    if card.training:
        print(card.training)
    metrics = out / "evaluation.json"
    with output(metrics) as file:
        print(as_json(scored.to_dict(), indent=2), file=file)
    evaluation.write_predictions(out / "predictions.jsonl", scored.pairs)
    page = reports.write_page(reports.report_html(report), out / "report.html")
    print(f"metrics: {metrics}\nreport:  {page.resolve().as_uri()}")


def _strongest(emotions: Any, most: int = 4) -> str:
    ranked = sorted(emotions.items(), key=lambda item: -item[1])[:most]
    return ", ".join(f"{name} {intensity:.2f}" for name, intensity in ranked) or "none"
