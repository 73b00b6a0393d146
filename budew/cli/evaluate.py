"""`budew evaluate` and `budew demo`: captions of a model against the labels of a corpus."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Option

from budew.cli import options
from budew.cli.terminal import as_json, output, print_table, progress_bar, refuse_to_replace, say_error

app = typer.Typer()


@app.command(no_args_is_help=True)
@options.option_groups()
def evaluate(
    corpus: options.Corpus,
    source: options.Predictions,
    model: options.ModelChoice,
    writing: options.SampledWriting,
    json: options.JsonFile = None,
    html: options.HtmlFile = None,
) -> None:
    """Score a captioner against the profiles of a corpus: emotions, bursts, gender, age and style.

    Each is scored over the clips in which it is labelled. Intervals are 95 %
    bootstrap intervals, over speakers where all are known. Clips that cannot be
    compared are left out and listed on stderr; then the exit status is 1.

    Example: budew evaluate 'data/test/*.tar' --html report.html
    """
    from budew.corpora.sources import files_read
    from budew.evaluation import evaluate_corpus
    from budew.reports.evaluation_report import render_html, tables

    refuse_to_replace([*files_read(corpus), *filter(None, [source.predictions])], json, html)
    predictor = source.predictor(model, writing)
    with progress_bar("evaluating") as bar:
        evaluation = evaluate_corpus(corpus, predictor, progress=bar)
    with options.results(evaluation.to_dict(), json, html, lambda: render_html(evaluation)):
        print_table(tables(evaluation))
    for clip in evaluation.skipped:
        say_error(f"left out: {clip.id}: {clip.reason}")
    raise typer.Exit(1 if evaluation.skipped else 0)


@app.command()
def demo(
    out: Annotated[Path, Option(metavar="DIR", help="Folder for the report, metrics and captions.")] = Path(
        "runs/demo"
    ),
) -> None:
    """Caption the bundled clips, compare with their labels and write a report. Needs no network.

    Published results of the checkpoint are shown beside: how well it hears people.

    Example: budew demo --out runs/demo
    """
    from budew.evaluation import evaluate_corpus, write_predictions
    from budew.io.resources import data_folder
    from budew.model.card import read_card
    from budew.reports.evaluation_report import render_html, summary_table
    from budew.reports.evaluation_sections import card_section
    from budew.reports.page import write_page
    from budew.reports.section_tables import terminal_table

    card = read_card()
    with progress_bar("captioning") as bar:
        found = evaluate_corpus(data_folder("demo_clips") / "clips.tar", examples=100, progress=bar)
    evaluation = replace(found, corpus="synthetic speech")
    for pair in evaluation.pairs:
        print(f"{pair.id}\n  caption  {pair.caption}")
        print(f"  scores   {_strongest(pair.predicted.emotions)}")
        print(f"  label    {_strongest(pair.reference.emotions)}")
    print_table(summary_table(evaluation))
    published = card_section(card)
    if published and (made := terminal_table(published)):
        print_table(made)
    print(f"The {len(evaluation.pairs)} clips are synthetic speech, and too few to measure a checkpoint.")
    if card.training:
        print(card.training)
    metrics = out / "evaluation.json"
    with output(metrics) as file:
        print(as_json(evaluation.to_dict(), indent=2), file=file)
    write_predictions(out / "predictions.jsonl", evaluation.pairs)
    html = render_html(evaluation, examples=len(evaluation.pairs), published=published)
    report = write_page(html, out / "report.html")
    print(f"metrics: {metrics}\nreport:  {report.resolve().as_uri()}")


def _strongest(emotions: Any, most: int = 4) -> str:
    ranked = sorted(emotions.items(), key=lambda item: -item[1])[:most]
    return ", ".join(f"{name} {intensity:.2f}" for name, intensity in ranked) or "none"
