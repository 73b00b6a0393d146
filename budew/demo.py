"""`budew demo`: a first look, offline. Bundled clips → captions → scores → a report with their labels.

The clips are synthetic speech with known profiles, of voices that the embedded checkpoint was not trained on.
"""

from dataclasses import dataclass
from pathlib import Path

from budew.corpora.sources import Progress
from budew.evaluation import Evaluation, evaluate_corpus, write_predictions
from budew.reports.evaluation_report import write_html
from budew.resources import data_folder


@dataclass(frozen=True, slots=True)
class Demo:
    """The evaluation of the demo, and the files that it was written to."""

    evaluation: Evaluation
    report: Path
    metrics: Path
    predictions: Path


def run_demo(out: str | Path, *, model: str | Path | None = None, progress: Progress | None = None) -> Demo:
    """Caption the bundled clips and write `report.html`, `evaluation.json` and `predictions.jsonl` to `out`.

    Args:
        out: folder, made if need be.
        model: folder or hub id of a checkpoint; None for the embedded one.
        progress: called with the number of clips done.

    Raises:
        CheckpointError: the checkpoint cannot be loaded.
        FileNotFoundError: the installation is incomplete.
        OSError: `out` cannot be written.
    """
    folder = Path(out)
    clips = data_folder("demo_clips") / "clips.tar"
    evaluation = evaluate_corpus(clips, model=model, examples=100, progress=progress)
    report = write_html(evaluation, folder / "report.html", examples=len(evaluation.pairs))
    made = Demo(evaluation, report, folder / "evaluation.json", folder / "predictions.jsonl")
    made.metrics.write_text(evaluation.to_json(), encoding="utf-8")
    write_predictions(made.predictions, evaluation.pairs)
    return made
