"""An evaluation as a terminal table: the means against the floor, then one row an emotion."""

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
    "top1": "Strongest right",
}


def summary_table(evaluation: Evaluation) -> Table:
    """Return the mean of every metric with its 95 % interval, beside the shuffled floor."""
    table = Table(
        box=SIMPLE_HEAD, title=f"{evaluation.model} on {len(evaluation.pairs)} clips of {evaluation.corpus}"
    )
    table.add_column("mean over emotions")
    for heading in ("value", "95 % interval", "shuffled"):
        table.add_column(heading, justify="right")
    for metric, label in LABELS.items():
        estimate = evaluation.mean[metric]
        interval = "–" if estimate.low is None else f"{figure(estimate.low)} … {figure(estimate.high)}"
        table.add_row(label, figure(estimate.value), interval, figure(evaluation.baseline[metric].value))
    return table


def emotion_table(evaluation: Evaluation) -> Table:
    """Return one row an emotion, best Spearman first, undefined ones last."""
    table = Table(box=SIMPLE_HEAD)
    table.add_column("emotion", no_wrap=True)
    for heading in ("clips", "said", "ρ", "r", "MAE", "RMSE"):
        table.add_column(heading, justify="right", no_wrap=True, min_width=5)
    for row in sorted(evaluation.emotions, key=lambda row: _rank(row.estimates["spearman"])):
        figures = (figure(row.estimates[metric].value) for metric in METRICS)
        table.add_row(row.emotion, str(row.support), str(row.predicted_support), *figures)
    return table


def tables(evaluation: Evaluation) -> RenderableType:
    """Return both tables and what they leave out, for `rich.print`."""
    return Group(summary_table(evaluation), emotion_table(evaluation), Text("\n".join(_remarks(evaluation))))


def figure(value: float | None) -> str:
    """Format a figure with two decimals; a dash where it is undefined."""
    return "–" if value is None else f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def _rank(estimate: Estimate) -> float:
    return 2.0 if estimate.value is None else -estimate.value


def _remarks(evaluation: Evaluation) -> list[str]:
    """Say what was not counted, a line each."""
    counts = {
        "captions in which nothing was understood": evaluation.unparsed,
        "clips with an emotion for which none was predicted": evaluation.emotionless,
        "emotions whose truth never varies: no correlation, left out of the mean": len(evaluation.undefined),
        "emotions predicted the same for every clip: correlation 0": len(evaluation.unvaried),
        "clips skipped": len(evaluation.skipped),
    }
    return [f"{count:5d} {what}" for what, count in counts.items() if count]
