"""Commands `budew benchmark`: score any model as in the papers, next to the published results.

Emotions of speech on EmoNet-Voice, EmoDB and RAVDESS; emotions of faces on EmoNet-Face, FERD and AffectNet.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer import Argument, Option

from budew import corpora, evaluation, reports
from budew.cli import options
from budew.cli.options import SETTINGS, Reporting, option_groups
from budew.cli.terminal import print_skipped, print_table, progress_bar, refuse_to_replace, results, say_error
from budew.evaluation import benchmarks
from budew.reports.formatting import LISTED, visible_name
from budew.statistics.resampling import Resampling

AudioFolder = Annotated[
    Path,
    Option(
        metavar="DIR",
        help="Folder of the corpus (searched recursively), or NAME@SPLIT:FOLDER for one split of it.",
    ),
]
PictureScores = Annotated[
    Path, Option("--predictions", metavar="FILE", help="Scores of the pictures: JSON Lines or CSV.")
]
PictureLabels = Annotated[
    Path | None,
    Option(
        metavar="FILE",
        help="Table of image and label, if the file names do not contain the class: JSON Lines or CSV.",
    ),
]
RatedFaces = Annotated[
    str,
    Option(metavar="PATH", help="Published ratings: a .csv, .tsv, .jsonl or .parquet; of HQ also a folder."),
]
FacePredictions = Annotated[
    Path | None,
    Option(
        metavar="FILE|DIR",
        help="Captions or scores by your model, whose ids are names of images; or the output of "
        "budew face annotate.",
    ),
]
FaceScale = Annotated[
    str,
    Option(metavar="NAME", help="Scale of the scores in --predictions: its range, such as 0-7, or a name."),
]

app = typer.Typer(
    name="benchmark", help="Score models on published benchmarks, next to the published results.", **SETTINGS
)


@app.command("emonet-voice", no_args_is_help=True)
@option_groups()
def emonet_voice_command(
    data: Annotated[
        str,
        Option(metavar="PATH|HUB-ID", help="EmoNet-Voice Bench: parquet files, their folder, or OWNER/NAME."),
    ],
    source: options.Predictions,
    model: options.ModelChoice,
    writing: options.SampledWriting,
    reporting: Reporting,
    consensus: Annotated[
        Literal["all", "exact"],
        Option(
            help="Clips whose results come first. all: every clip; exact: those on which all raters, at "
            "least three, give the same answer. Both are reported.",
        ),
    ] = "all",
    calibration: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Calibrate the predictions with this file of budew benchmark calibrate; clips to which it "
            "was fitted are left out.",
        ),
    ] = None,
    compare_decoding: Annotated[
        bool,
        Option(
            "--compare-decoding",
            help="Also score greedy search, 4 beams, and the mean over 4, 16 and 64 sampled captions.",
        ),
    ] = False,
    others: Annotated[
        list[Path] | None,
        Argument(metavar="FILE", help="Further predictions to show beside, on the same --scale."),
    ] = None,
) -> None:
    """Score a model on EmoNet-Voice Bench, where each clip is rated for one emotion, on 0 to 10.

    Prints Pearson, Spearman, MAE and RMSE with bootstrap intervals, next to the published results
    and the human ceiling; also by emotion, language, voice and arousal: of all clips, and of those
    on which at least three raters agree exactly. Clips without a prediction are left out, as in the
    paper; results in which they count as 0 are printed too.

    Example: budew benchmark emonet-voice --data bench/ --predictions scores.jsonl --html report.html
    """
    json, html = reporting.json, reporting.html
    refuse_to_replace([data, source.predictions, calibration, *(others or ())], json, html)
    predictor = source.predictor(model, writing)
    with progress_bar("captioning") as bar:
        scored = benchmarks.score_emonet_voice(
            data,
            predictor,
            calibration=calibration,
            compared=evaluation.COMPARED if compare_decoding else (),
            consensus=consensus,
            others=[evaluation.FilePredictor(path, scale=source.scale) for path in others or ()],
            settings=Resampling(resamples=reporting.resamples, seed=reporting.seed),
            progress=bar,
        )
    result = scored.to_dict()
    report = reports.emonet_voice_report(result)
    with results(result, json, html, lambda: reports.report_html(report)):
        print_table(reports.report_tables(reports.emonet_voice_summary(report)))
    if bare := scored.sets[consensus].missing["without_prediction"]:
        say_error(f"{bare:,} clips have no prediction: they count as refused by the model")
    raise typer.Exit(print_skipped(scored.skipped))


@dataclass(frozen=True, slots=True)
class HeldOutOptions:
    """Options for the reliability of the probabilities on clips of other people."""

    test: Annotated[
        str | None,
        Option(
            metavar="PATH|HUB-ID",
            help="Rated clips of other people: print calibration error and Brier score of the probability "
            "that an emotion is present, before and after calibration.",
        ),
    ] = None
    html: options.HtmlFile = None


@app.command("calibrate", no_args_is_help=True)
@option_groups()
def calibrate_command(
    data: Annotated[
        str,
        Option(metavar="PATH|HUB-ID", help="EmoNet-Voice Bench, or any corpus of clips with human ratings."),
    ],
    output: Annotated[
        Path, Option("--output", "-o", metavar="FILE", dir_okay=False, help="File for the calibration.")
    ],
    source: options.Predictions,
    model: options.ModelChoice,
    writing: options.SampledWriting,
    held_out: HeldOutOptions,
    share: Annotated[
        float,
        Option(
            metavar="X",
            min=0,
            max=1,
            help="Share of the clips to which the curve is fitted; benchmarks leave these clips out.",
        ),
    ] = 0.2,
    seed: Annotated[int, Option(metavar="S", help="Random seed for the choice of these clips.")] = 0,
) -> None:
    """Fit a monotone curve from predicted intensities to human ratings (isotonic regression).

    The curve is valid for one model and one way of decoding. The file lists the clips
    to which it was fitted; a benchmark with --calibration scores the other clips.
    It also has logistic curves for the probability that an emotion is present, which
    --test measures. For heads, give the clips that they annotated as --predictions.

    Example: budew benchmark calibrate --data bench/ --samples 16 -o calibration.json
    """
    refuse_to_replace([data, held_out.test, source.predictions], output, held_out.html)
    predictor = source.predictor(model, writing)
    with progress_bar("captioning") as bar:
        calibration, skipped = evaluation.calibrate(data, predictor, share=share, seed=seed, progress=bar)
    evaluation.write_calibration(output, calibration)
    print(
        f"{visible_name(output)}: fitted to {calibration.ratings} ratings of {len(calibration.clips)} clips"
    )
    if held_out.test is not None:
        with progress_bar("captioning") as bar:
            found, more = evaluation.measure_presence(held_out.test, predictor, calibration, progress=bar)
        skipped += more
        report = reports.presence_report(found, held_out.test)
        with results(found, None, held_out.html, lambda: reports.report_html(report)):
            print_table(reports.report_tables(replace(report, sections=())))  # the diagram is for pages
    raise typer.Exit(print_skipped(skipped))


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

    The rule of the EmoNet papers may accept several classes for a clip. Also printed:
    argmax accuracy, unweighted average recall, accepted classes and a permutation
    baseline. The softmax is computed on --scale; captions and intensities are scaled
    to 0-4. Files left out are listed on stderr; then the exit status is 1.

    The packaged checkpoint was trained on 6 of the speakers. Score it on emodb@test:FOLDER,
    whose 2 speakers were used neither for training nor for model selection.

    Example: budew benchmark emodb --data emodb@test:emodb/wav --html emodb.html
    """
    refuse_to_replace([data, source.predictions], reporting.json, reporting.html)
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

    The rule of the EmoNet papers may accept several classes for a clip. Also printed:
    argmax accuracy, unweighted average recall, accepted classes and a permutation
    baseline. The softmax is computed on --scale; captions and intensities are scaled
    to 0-4. Files left out are listed on stderr; then the exit status is 1.

    Example: budew benchmark ravdess --data ravdess/ --predictions gemini.jsonl --scale 0-10
    """
    refuse_to_replace([data, source.predictions], reporting.json, reporting.html)
    _score_speech("ravdess", data, source.predictor(model, writing), reporting)


@app.command("ferd", no_args_is_help=True)
@option_groups()
def ferd_command(predictions: PictureScores, reporting: Reporting, labels: PictureLabels = None) -> None:
    """Score predicted emotions of faces on FERD: 8 classes.

    The softmax is computed on the scores without scaling; in the published files, on
    the scores mean_subtracted.

    Example: budew benchmark ferd --predictions ferd.jsonl --html ferd.html
    """
    _score_faces("ferd", predictions, labels, reporting)


@app.command("affectnet", no_args_is_help=True)
@option_groups()
def affectnet_command(predictions: PictureScores, reporting: Reporting, labels: PictureLabels = None) -> None:
    """Score predicted emotions of faces on AffectNet: 8 classes.

    The softmax is computed on the scores without scaling; in the published files, on
    the scores mean_subtracted. The published files also have the class of each picture,
    under label: give the same file as --labels.

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
    _show_classes(result, reporting)


def _score_faces(
    corpus: "benchmarks.Expressions", predictions: Path, labels: Path | None, reporting: Reporting
) -> None:
    refuse_to_replace([predictions, labels], reporting.json, reporting.html)
    result = benchmarks.score_facial_expressions(
        corpus, predictions, labels=labels, settings=_settings(reporting)
    )
    _show_classes(result, reporting)


def _settings(reporting: Reporting) -> Resampling:
    return Resampling(resamples=reporting.resamples, permutations=reporting.resamples, seed=reporting.seed)


def _show_classes(result: "benchmarks.CoarseResult", reporting: Reporting) -> None:
    """Write and print a result, and exit: with status 1 if files were left out."""
    report = reports.coarse_report(result.to_dict())
    with results(result.to_dict(), reporting.json, reporting.html, lambda: reports.report_html(report)):
        print_table(reports.report_tables(report))
    raise typer.Exit(print_skipped(result.skipped, most=LISTED))


@app.command("emonet-face-hq", no_args_is_help=True)
def emonet_face_hq_command(
    data: RatedFaces,
    predictions: FacePredictions = None,
    scale: FaceScale = "intensity",
    demographics: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Images with their prompts, or ethnicity, gender and age, if --data has none.",
        ),
    ] = None,
    json: options.JsonFile = None,
    html: options.HtmlFile = None,
) -> None:
    """Compare models with experts on EmoNet-Face HQ: images rated 0 to 7 for 40 emotions.

    Prints the weighted kappa of each rater with the experts, by group, and whether a model could
    replace an annotator; Krippendorff's alpha of the experts; Spearman's rho with their median.
    The models in the table are scored, and your predictions too. With demographics in the rows or
    --demographics, your model (or the best one) is scored by ethnicity, gender and age.

    Example: budew benchmark emonet-face-hq --data hq.csv --predictions mine.jsonl --html hq.html
    """
    refuse_to_replace([data, predictions, demographics], json, html)
    predictor = _face_predictor(predictions, scale)
    result = benchmarks.score_emonet_face_hq(data, predictor, demographics=demographics)
    found = {"data": data, **result.to_dict()}
    _show_agreement(found, reports.emonet_face_hq_report(found), json, html)


@app.command("emonet-face-binary", no_args_is_help=True)
def emonet_face_binary_command(
    data: RatedFaces,
    predictions: FacePredictions = None,
    scale: FaceScale = "intensity",
    threshold: Annotated[
        float,
        Option(metavar="X", min=0, max=1, help="Least intensity of an emotion that counts as present."),
    ] = 0.5,
    json: options.JsonFile = None,
    html: options.HtmlFile = None,
) -> None:
    """Measure agreement of experts on EmoNet-Face Binary, and score a model where they agree.

    With predictions: balanced accuracy and ROC AUC for the pairs of image and emotion that
    three experts call present, against those that no expert does.

    Example: budew benchmark emonet-face-binary --data binary.csv --json agreement.json
    """
    refuse_to_replace([data, predictions], json, html)
    predictor = _face_predictor(predictions, scale)
    result = benchmarks.score_emonet_face_binary(data, predictor, threshold=threshold)
    found = {"data": str(data), **result.to_dict()}
    _show_agreement(found, reports.emonet_face_binary_report(found), json, html)


def _face_predictor(path: Path | None, scale: str) -> "evaluation.FilePredictor | None":
    return None if path is None else evaluation.FilePredictor(path, scale=scale, media=corpora.IMAGE)


def _show_agreement(
    found: dict[str, Any], report: "reports.Report", json: Path | None, html: Path | None
) -> None:
    brief = [section for section in report.sections if not isinstance(section, reports.StackedBars)]
    with results(found, json, html, lambda: reports.report_html(report)):
        print_table(reports.report_tables(replace(report, sections=brief)))
