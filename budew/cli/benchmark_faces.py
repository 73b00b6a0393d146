"""Commands `budew benchmark emonet-face-hq|emonet-face-binary`: agreement of experts and of models."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Option

from budew import evaluation, reports
from budew.cli import options
from budew.cli.terminal import print_table, refuse_to_replace, results
from budew.evaluation import benchmarks

Data = Annotated[
    Path, Option(metavar="FILE", help="Table of ratings as published: .csv, .tsv, .jsonl or .parquet.")
]
Predictions = Annotated[
    Path | None,
    Option(metavar="FILE|DIR", help="Captions or scores by your model; their ids are names of images."),
]
Scale = Annotated[
    str,
    Option(metavar="NAME", help="Scale of the scores in --predictions: its ends, such as 0-7, or a name."),
]
Threshold = Annotated[
    float, Option(metavar="X", min=0, max=1, help="Intensity from which on an emotion counts as present.")
]

app = typer.Typer()


@app.command("emonet-face-hq", no_args_is_help=True)
def emonet_face_hq_command(
    data: Data,
    predictions: Predictions = None,
    scale: Scale = "intensity",
    json: options.JsonFile = None,
    html: options.HtmlFile = None,
) -> None:
    """Compare models with experts on EmoNet-Face HQ: images rated 0 to 7 for 40 emotions.

    Weighted kappa of every rater with people, by group, and whether it could be an annotator;
    Krippendorff's alpha of the people; Spearman with their median. The models in the table
    are scored, and so are your predictions.

    Example: budew benchmark emonet-face-hq --data hq.csv --predictions mine.jsonl --html hq.html
    """
    refuse_to_replace(filter(None, [data, predictions]), json, html)
    predictor = _predictor(predictions, scale)
    found = {"data": str(data), **benchmarks.score_emonet_face_hq(data, predictor).to_dict()}
    _print(found, reports.emonet_face_hq_report(found), json, html)


@app.command("emonet-face-binary", no_args_is_help=True)
def emonet_face_binary_command(
    data: Data,
    predictions: Predictions = None,
    scale: Scale = "intensity",
    threshold: Threshold = 0.5,
    json: options.JsonFile = None,
    html: options.HtmlFile = None,
) -> None:
    """Measure agreement of experts on EmoNet-Face Binary, and score a model where they agree.

    With predictions: balanced accuracy and ROC AUC on the pairs of image and emotion with
    three times yes against those without any yes.

    Example: budew benchmark emonet-face-binary --data binary.csv --json agreement.json
    """
    refuse_to_replace(filter(None, [data, predictions]), json, html)
    predictor = _predictor(predictions, scale)
    result = benchmarks.score_emonet_face_binary(data, predictor, threshold=threshold)
    found = {"data": str(data), **result.to_dict()}
    _print(found, reports.emonet_face_binary_report(found), json, html)


def _predictor(path: Path | None, scale: str) -> "evaluation.FilePredictor | None":
    return None if path is None else evaluation.FilePredictor(path, scale=scale)


def _print(found: dict[str, Any], report: "reports.Report", json: Path | None, html: Path | None) -> None:
    brief = [section for section in report.sections if not isinstance(section, reports.StackedBars)]
    with results(found, json, html, lambda: reports.report_html(report)):
        print_table(reports.report_tables(replace(report, sections=brief)))
