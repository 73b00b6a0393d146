"""Commands that listen: caption, evaluate, demo, doctor."""

import os
from pathlib import Path
from typing import Any

import typer

from budew.cli import options
from budew.terminal import output, print_table, progress_bar, refuse_to_replace, say_error

app = typer.Typer()


@app.command(no_args_is_help=True)
def caption(
    paths: options.Paths,
    format: options.CaptionFormat = options.Format.text,
    scores: options.Scores = False,
    model: options.Model = None,
    beams: options.Beams = None,
    listeners: options.Listeners = 0,
    batch_size: options.BatchSize = 16,
    device: options.Device = None,
    output_file: options.Output = None,
) -> None:
    """Caption speech: wav, flac, mp3, ogg, opus, m4a or webm, of any rate, channels and length.

    Long recordings are captioned window by window. A bad file is one line on
    stderr and the others are captioned; of a damaged one, what can be heard is.
    Exit status 1 tells of either.

    Example: budew caption talk.mp3 interviews/ --format jsonl --scores > captions.jsonl
    """
    from budew.inference import Captioner
    from budew.reports.caption_output import show_captions

    refuse_to_replace(paths, output_file)
    captioner = Captioner.from_pretrained(
        model, device=device, batch_size=batch_size, beams=beams, listeners=listeners
    )
    named = len(paths) > 1 or os.path.isdir(paths[0])
    with output(output_file) as file, progress_bar("captioning", shown=not file.isatty()) as bar:
        results = captioner.caption_files(paths, progress=bar)
        fine = show_captions(results, file, format=format.value, scores=scores, named=named)
    raise typer.Exit(0 if fine else 1)


@app.command(no_args_is_help=True)
def evaluate(
    corpus: options.Corpus,
    model: options.Model = None,
    predictions: options.Predictions = None,
    scale: options.RatingScale = "intensity",
    json: options.FiguresFile = None,
    html: options.ReportFile = None,
    device: options.Device = None,
    batch_size: options.BatchSize = 16,
    listeners: options.Listeners = 0,
) -> None:
    """Judge captions against the true profiles of a corpus, emotion by emotion, with 95 % intervals.

    Clips that cannot be judged are left out and told on stderr; then the exit
    status is 1.

    Example: budew evaluate 'data/test/*.tar' --html report.html
    """
    from budew.corpora.sources import files_read
    from budew.evaluation import evaluate_corpus
    from budew.reports.evaluation_page import write_html
    from budew.reports.evaluation_table import tables

    refuse_to_replace([*files_read(corpus), *filter(None, [predictions])], json, html)
    for path in filter(None, (json, html)):
        path.parent.mkdir(parents=True, exist_ok=True)
    with progress_bar("evaluating") as bar:
        evaluation = evaluate_corpus(
            corpus,
            model=model,
            predictions=predictions,
            scale=scale,
            device=device,
            batch_size=batch_size,
            listeners=listeners,
            progress=lambda done: bar(done, None),
        )
    print_table(tables(evaluation))
    if json is not None:
        json.write_text(evaluation.to_json(), encoding="utf-8")
        print(f"figures: {json}")
    if html is not None:
        print(f"report:  {write_html(evaluation, html).resolve().as_uri()}")
    for clip in evaluation.skipped:
        say_error(f"left out: {clip.id}: {clip.reason}")
    raise typer.Exit(1 if evaluation.skipped else 0)


@app.command()
def demo(
    out: options.DemoFolder = Path("runs/demo"),
) -> None:
    """Caption the bundled clips, compare with the truth and write a report. Needs no network.

    Example: budew demo --out runs/demo
    """
    from budew.demo import run_demo
    from budew.reports.evaluation_table import summary_table

    with progress_bar("captioning") as bar:
        made = run_demo(out, progress=lambda done: bar(done, None))
    for pair in made.evaluation.pairs:
        print(f"{pair.id}\n  caption  {pair.caption}")
        print(
            f"  scores   {_strongest(pair.predicted.emotions)}\n  truth    {_strongest(pair.truth.emotions)}"
        )
    print_table(summary_table(made.evaluation))
    print(f"figures: {made.figures}\nreport:  {made.report.resolve().as_uri()}")


def _strongest(emotions: Any, most: int = 4) -> str:
    ranked = sorted(emotions.items(), key=lambda item: -item[1])[:most]
    return ", ".join(f"{name} {intensity:.2f}" for name, intensity in ranked) or "none"


@app.command()
def doctor() -> None:
    """Try what this installation can do here, and tell the remedy for each thing that it cannot.

    FAIL is needed for captioning and evaluation; -- is optional.

    Example: budew doctor
    """
    from budew.doctor import examine

    lacking = 0
    for finding in examine():
        mark = "ok" if finding.ok else "FAIL" if finding.needed else "--"
        print(f"{mark:>4}  {finding.subject:<20} {finding.detail}", flush=True)
        if not finding.ok:
            lacking += finding.needed
            print(f"      {'':<20} → {finding.remedy}")
    print(f"{lacking} to repair, see FAIL" if lacking else "captioning, parsing and evaluation work here")
    raise typer.Exit(1 if lacking else 0)
