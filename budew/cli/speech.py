"""Commands that run the model, or make it run elsewhere: evaluate, export, demo, app; and doctor."""

import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path
from signal import SIGTERM, signal
from threading import Event
from typing import Annotated, Any, Literal

import typer
from typer import Argument, Option

from budew.cli import options
from budew.terminal import as_json, output, print_table, progress_bar, refuse_to_replace, say_error

app = typer.Typer()


@app.command(no_args_is_help=True)
def evaluate(
    corpus: options.Corpus,
    model: options.Model = None,
    predictions: Annotated[
        Path | None,
        Option(
            metavar="PATH",
            help="Evaluate these instead of a model: JSON Lines or CSV with captions or scores, a folder "
            "with JSON for each clip, or a corpus with profiles.",
        ),
    ] = None,
    scale: Annotated[
        str,
        Option(
            metavar="NAME",
            help="Scale of the scores in --predictions: its ends, such as 0-4, or a name: emonet-voice.",
        ),
    ] = "intensity",
    json: options.JsonFile = None,
    html: options.HtmlFile = None,
    backend: options.Backend = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    batch_size: options.WindowBatch = 16,
    samples: options.Samples = 0,
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

    refuse_to_replace([*files_read(corpus), *filter(None, [predictions])], json, html)
    with progress_bar("evaluating") as bar:
        evaluation = evaluate_corpus(
            corpus,
            model=model,
            predictions=predictions,
            scale=scale,
            backend=backend,
            device=device,
            dtype=dtype,
            batch_size=batch_size,
            num_samples=samples,
            progress=bar,
        )
    with options.results(evaluation.to_dict(), json, html, lambda: render_html(evaluation)):
        print_table(tables(evaluation))
    for clip in evaluation.skipped:
        say_error(f"left out: {clip.id}: {clip.reason}")
    raise typer.Exit(1 if evaluation.skipped else 0)


@app.command(no_args_is_help=True)
def export(
    to: Annotated[
        Literal["merged", "ct2", "onnx", "openvino"],
        Argument(
            metavar="FORMAT",
            help="merged: a plain transformers checkpoint, with an adapter merged. ct2: CTranslate2 and "
            "faster-whisper. onnx: ONNX Runtime. openvino: OpenVINO.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, Argument(metavar="OUT", help="Folder that is made.")],
    model: options.Model = None,
    dtype: Annotated[
        Literal["float32", "bfloat16", "float16", "int8"],
        Option(
            help="Precision of the weights: ct2 has all, merged no int8, onnx float32 and int8, "
            "openvino float32 and float16."
        ),
    ] = "float32",
    corpus: Annotated[
        str | None,
        Option(metavar="CORPUS", help="Clips whose captions are compared. Default: the bundled ones."),
    ] = None,
    clips: Annotated[int, Option(metavar="N", min=0, help="Compare so many clips. 0: none.")] = 100,
) -> None:
    """Write a checkpoint in the format of another library, and compare its captions with the original's.

    The comparison is printed and kept in OUT/parity.json. budew caption --model OUT
    runs any of the formats.

    Example: budew export onnx onnx-int8/ --model runs/mine/checkpoint --dtype int8
    """
    from budew.corpora import read
    from budew.evaluation.parity import parity
    from budew.inference.backends import load_backend
    from budew.model.checkpoint import load_checkpoint
    from budew.model.exporting import export as write
    from budew.reports.evaluation_report import parity_table
    from budew.resources import data_folder

    write(out, to=to, model=model, dtype=dtype)
    if not clips:
        return
    source = corpus or data_folder("demo_clips") / "clips.tar"
    original = load_checkpoint(model, device="cpu", dtype="float32")
    computed = None if to == "onnx" else "int8" if dtype == "int8" else "float32"
    exported = load_backend(out, device="cpu", dtype=computed)
    found = parity(original, exported, list(islice(read(source), clips)))
    (out / "parity.json").write_text(as_json(found.to_dict()) + "\n", encoding="utf-8")
    print_table(parity_table(found))


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
    from budew.model.card import read_card
    from budew.reports.evaluation_report import render_html, summary_table
    from budew.reports.evaluation_sections import card_section
    from budew.reports.page import write_page
    from budew.reports.section_tables import terminal_table
    from budew.resources import data_folder

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


@app.command("app")
def serve_page(
    model: Annotated[
        list[str] | None,
        Option(
            metavar="DIR|HUB-ID",
            help="Checkpoint: a folder, or a name on the Hugging Face hub. Several are a choice on the page. "
            "Default: that of the environment variable BUDEW_MODEL, else the one in this package.",
        ),
    ] = None,
    backend: options.Backend = None,
    device: options.Device = None,
    dtype: options.Dtype = None,
    host: Annotated[
        str,
        Option(
            metavar="ADDRESS",
            help="Where to listen; 0.0.0.0 for all interfaces. There is no login, and browsers allow "
            "recording only over https or on this machine.",
        ),
    ] = "127.0.0.1",
    port: Annotated[int, Option(metavar="N", min=1, max=65_535, help="Port to listen on.")] = 7860,
) -> None:
    """Serve a page in the browser: record or upload speech, parse and render captions.

    The page loads nothing from elsewhere. Recordings stay on this machine and are
    deleted after an hour, or when the command ends (Ctrl-C).

    Example: budew app --model laion/BUD-E-Whisper --port 8000
    """
    from budew.app.server import served

    with served(model or (), backend=backend, device=device, dtype=dtype, host=host, port=port) as address:
        print(f"page: {address}", flush=True)
        signal(SIGTERM, lambda *_: sys.exit(143))  # so that the recordings are deleted
        Event().wait()


@app.command()
def doctor() -> None:
    """Check the installation, and print how to fix each problem.

    FAIL: captioning or evaluation will not work. --: optional, not installed.

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
    print(f"{lacking} problems, see FAIL" if lacking else "captioning, parsing and evaluation work")
    raise typer.Exit(1 if lacking else 0)
