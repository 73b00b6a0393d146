"""Commands `budew benchmark`: score any model as the papers do, beside the published figures."""

from pathlib import Path
from typing import Annotated

import typer
from typer import Option

from budew import evaluation, reports
from budew.cli import benchmark_faces, benchmark_transfer, options
from budew.cli.option_groups import option_groups
from budew.cli.options import SETTINGS, Reporting
from budew.cli.terminal import print_table, progress_bar, refuse_to_replace, results, say_error
from budew.evaluation import benchmarks
from budew.reports.formatting import visible_name
from budew.statistics.resampling import Resampling

app = typer.Typer(
    name="benchmark", help="Score models on published benchmarks, beside the published figures.", **SETTINGS
)
for commands in (benchmark_transfer, benchmark_faces):
    app.add_typer(commands.app)


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
    calibration: Annotated[
        Path | None,
        Option(
            metavar="FILE",
            help="Calibrate the predictions with what budew benchmark calibrate wrote; the clips that it was "
            "fitted to are left out.",
        ),
    ] = None,
    compare_decoding: Annotated[
        bool,
        Option(
            "--compare-decoding",
            help="Score greedy search, 4 beams, and the mean over 4, 16 and 64 sampled captions besides.",
        ),
    ] = False,
) -> None:
    """Score a model on EmoNet-Voice Bench: the one emotion that each clip was rated for, on 0 to 10.

    Pearson, Spearman, MAE and RMSE with bootstrap intervals, beside the published results; by
    emotion, language, voice and arousal; beside the human ceiling. Clips without a prediction
    are left out, as published, and scored as 0 besides.

    Example: budew benchmark emonet-voice --data bench/ --predictions scores.jsonl --html report.html
    """
    json, html = reporting.json, reporting.html
    refuse_to_replace([data, *filter(None, [source.predictions, calibration])], json, html)
    predictor = source.predictor(model, writing)
    with progress_bar("captioning") as bar:
        scored = benchmarks.score_emonet_voice(
            data,
            predictor,
            calibration=calibration,
            compared=evaluation.COMPARED if compare_decoding else (),
            settings=Resampling(resamples=reporting.resamples, seed=reporting.seed),
            progress=bar,
        )
    result = scored.to_dict()
    report = reports.emonet_voice_report(result)
    with results(result, json, html, lambda: reports.report_html(report)):
        print_table(reports.report_tables(reports.emonet_voice_summary(report)))
    if bare := scored.missing["without_prediction"]:
        say_error(f"{bare:,} clips have no prediction at all: they count as refused")
    for clip in scored.skipped:
        say_error(f"left out: {clip.id}: {clip.reason}")
    raise typer.Exit(1 if scored.skipped else 0)


@app.command("calibrate", no_args_is_help=True)
@option_groups()
def calibrate_command(
    data: Annotated[
        str, Option(metavar="PATH|HUB-ID", help="Rated clips, such as EmoNet-Voice Bench, or any corpus.")
    ],
    output: Annotated[
        Path, Option("--output", "-o", metavar="FILE", dir_okay=False, help="File for the calibration.")
    ],
    source: options.Predictions,
    model: options.ModelChoice,
    writing: options.SampledWriting,
    share: Annotated[
        float,
        Option(metavar="X", min=0, max=0.9, help="Share of the clips to fit to; benchmarks leave it out."),
    ] = 0.2,
    seed: Annotated[int, Option(metavar="S", help="Random seed of the choice of these clips.")] = 0,
) -> None:
    """Fit a monotone curve from predicted intensities to human ratings (isotonic regression).

    The curve holds for one model and decoding. The file lists the clips that it was
    fitted to: a benchmark with --calibration scores the others.

    Example: budew benchmark calibrate --data bench/ --samples 16 -o calibration.json
    """
    refuse_to_replace([data, *filter(None, [source.predictions])], output)
    predictor = source.predictor(model, writing)
    with progress_bar("captioning") as bar:
        calibration, skipped = evaluation.calibrate(data, predictor, share=share, seed=seed, progress=bar)
    evaluation.write_calibration(output, calibration)
    print(
        f"{visible_name(output)}: fitted to {calibration.ratings} ratings of {len(calibration.clips)} clips"
    )
    for clip in skipped:
        say_error(f"left out: {clip.id}: {clip.reason}")
    raise typer.Exit(1 if skipped else 0)
