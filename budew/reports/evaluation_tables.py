"""An evaluation as terminal tables: means beside the permutation baseline, then one row an emotion."""

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from budew.correlation import Estimate
from budew.evaluation.metrics import METRICS
from budew.evaluation.results import Evaluation

LABELS = {
    "spearman": "Spearman ρ",
    "pearson": "Pearson r",
    "mae": "MAE (0–10)",
    "rmse": "RMSE (0–10)",
    "top1": "Strongest correct",
}


def summary_table(evaluation: Evaluation) -> Table:
    """Return the mean of every metric with its 95 % interval, beside the permutation baseline."""
    table = Table(
        box=SIMPLE_HEAD, title=f"{evaluation.model} on {len(evaluation.pairs)} clips of {evaluation.corpus}"
    )
    table.add_column("mean over emotions")
    for heading in ("value", "95 % interval", "permutation baseline"):
        table.add_column(heading, justify="right")
    for metric, label in LABELS.items():
        estimate = evaluation.mean[metric]
        interval = "–" if estimate.low is None else f"{written(estimate.low)} … {written(estimate.high)}"
        table.add_row(label, written(estimate.value), interval, written(evaluation.baseline[metric].value))
    return table


def emotion_table(evaluation: Evaluation) -> Table:
    """Return one row an emotion, best Spearman first, undefined ones last."""
    table = Table(box=SIMPLE_HEAD)
    table.add_column("emotion", no_wrap=True)
    for heading in ("clips", "predicted", "ρ", "r", "MAE", "RMSE"):
        table.add_column(heading, justify="right", no_wrap=True, min_width=5)
    for row in sorted(evaluation.emotions, key=lambda row: _rank(row.estimates["spearman"])):
        values = (written(row.estimates[metric].value) for metric in METRICS)
        table.add_row(row.emotion, str(row.support), str(row.predicted_support), *values)
    return table


def tables(evaluation: Evaluation) -> RenderableType:
    """Return both tables and what they leave out, for `rich.print`."""
    return Group(summary_table(evaluation), emotion_table(evaluation), Text("\n".join(_remarks(evaluation))))


def written(value: float | None) -> str:
    """Format a metric with two decimals; a dash where it is undefined."""
    return "–" if value is None else f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def _rank(estimate: Estimate) -> float:
    return 2.0 if estimate.value is None else -estimate.value


def _remarks(evaluation: Evaluation) -> list[str]:
    """Return what was not counted, a line each."""
    counts = {
        "captions in which nothing was understood": evaluation.unparsed,
        "clips with an emotion for which none was predicted": evaluation.emotionless,
        "emotions whose label never varies: no correlation, left out of the mean": len(evaluation.undefined),
        "emotions predicted the same for every clip: correlation 0": len(evaluation.unvaried),
        "clips skipped": len(evaluation.skipped),
    }
    return [f"{count:5d} {what}" for what, count in counts.items() if count]
