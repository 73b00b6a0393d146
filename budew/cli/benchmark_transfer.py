"""Commands `budew benchmark emodb|ravdess|ferd|affectnet`: transfer to the classes of other corpora."""

from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from budew import evaluation, reports
from budew.cli import options
from budew.cli.option_groups import option_groups
from budew.cli.options import Reporting
from budew.cli.terminal import print_table, progress_bar, refuse_to_replace, results, say_error
from budew.evaluation import benchmarks
from budew.reports.formatting import LISTED
from budew.statistics.resampling import Resampling

AudioFolder = Annotated[
    Path, Option(metavar="DIR", help="Folder of the corpus, with audio at any depth, or NAME@SPLIT:FOLDER.")
]
PictureScores = Annotated[
    Path, Option("--predictions", metavar="FILE", help="Scores of the pictures: JSON Lines or CSV.")
]
PictureLabels = Annotated[
    Path | None,
    Option(
        metavar="FILE",
        help="Table of image and label, where the file names do not carry the class: JSON Lines or CSV.",
    ),
]

app = typer.Typer()


@app.command("emodb", no_args_is_help=True)
@option_groups()
def emodb_command(
    data: AudioFolder,
    source: options.Predictions,
    model: options.ModelChoice,
    writing: options.SampledWriting,
    reporting: Reporting,
) -> None:
    """Score a model on EmoDB: German acted speech, 7 classes, 10 speakers.

    The published rule may accept several classes for a clip. Argmax accuracy,
    unweighted average recall, accepted classes and a permutation baseline are
    printed beside it. The softmax is computed on --scale; captions and intensities
    are brought to 0-4. Files left out are listed on stderr; then the exit status is 1.

    The checkpoint in the package was trained on 6 of the speakers: emodb@test: has
    the 2 that it has not heard and that chose nothing.

    Example: budew benchmark emodb --data emodb@test:emodb/wav --html emodb.html
    """
    refuse_to_replace([data, *filter(None, [source.predictions])], reporting.json, reporting.html)
    _score_speech("emodb", data, source.predictor(model, writing), reporting)


@app.command("ravdess", no_args_is_help=True)
@option_groups()
def ravdess_command(
    data: AudioFolder,
    source: options.Predictions,
    model: options.ModelChoice,
    writing: options.SampledWriting,
    reporting: Reporting,
) -> None:
    """Score a model on RAVDESS: English acted speech, 8 classes, 24 speakers.

    The published rule may accept several classes for a clip. Argmax accuracy,
    unweighted average recall, accepted classes and a permutation baseline are
    printed beside it. The softmax is computed on --scale; captions and intensities
    are brought to 0-4. Files left out are listed on stderr; then the exit status is 1.

    Example: budew benchmark ravdess --data ravdess/ --predictions gemini.jsonl --scale 0-10
    """
    refuse_to_replace([data, *filter(None, [source.predictions])], reporting.json, reporting.html)
    _score_speech("ravdess", data, source.predictor(model, writing), reporting)


@app.command("ferd", no_args_is_help=True)
@option_groups()
def ferd_command(predictions: PictureScores, reporting: Reporting, labels: PictureLabels = None) -> None:
    """Score predicted emotions of faces on FERD: 8 classes.

    The softmax is computed on the scores as they are; of the published files, on
    mean_subtracted.

    Example: budew benchmark ferd --predictions ferd.jsonl --html ferd.html
    """
    _score_faces("ferd", predictions, labels, reporting)


@app.command("affectnet", no_args_is_help=True)
@option_groups()
def affectnet_command(predictions: PictureScores, reporting: Reporting, labels: PictureLabels = None) -> None:
    """Score predicted emotions of faces on AffectNet: 8 classes.

    The softmax is computed on the scores as they are; of the published files, on
    mean_subtracted. Those have the class under label: give the file as --labels, too.

    Example: budew benchmark affectnet --predictions affectnet.jsonl --labels affectnet.jsonl
    """
    _score_faces("affectnet", predictions, labels, reporting)


def _score_speech(
    corpus: "benchmarks.ActedCorpus", data: Path, predictor: "evaluation.Predictor", reporting: Reporting
) -> None:
    with progress_bar("scoring") as bar:
        result = benchmarks.score_acted_speech(
            corpus, data, predictor, settings=_settings(reporting), progress=bar
        )
    _show(result, reporting)


def _score_faces(
    corpus: "benchmarks.Expressions", predictions: Path, labels: Path | None, reporting: Reporting
) -> None:
    refuse_to_replace([predictions, *filter(None, [labels])], reporting.json, reporting.html)
    _show(
        benchmarks.score_facial_expressions(
            corpus, predictions, labels=labels, settings=_settings(reporting)
        ),
        reporting,
    )


def _settings(reporting: Reporting) -> Resampling:
    return Resampling(resamples=reporting.resamples, permutations=reporting.resamples, seed=reporting.seed)


def _show(result: "benchmarks.CoarseResult", reporting: Reporting) -> None:
    """Write and print a result; list files that were left out on stderr, which makes the exit status 1."""
    report = reports.coarse_report(result.to_dict())
    with results(result.to_dict(), reporting.json, reporting.html, lambda: reports.report_html(report)):
        print_table(reports.report_tables(report))
    for file in result.skipped[:LISTED]:
        say_error(f"left out: {file.id}: {file.reason}")
    if len(result.skipped) > LISTED:
        say_error(f"left out: {len(result.skipped) - LISTED} more, see --json")
    raise typer.Exit(1 if result.skipped else 0)
