"""An evaluation as terminal tables: means beside the permutation baseline, then one row an emotion."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from budew.evaluation.metrics import METRICS
from budew.evaluation.results import EmotionScore, Evaluation
from budew.reports.tables import table, written

LABELS = {
    "spearman": "Spearman ρ",
    "pearson": "Pearson r",
    "mae": "MAE (0–10)",
    "rmse": "RMSE (0–10)",
    "top1": "Strongest correct",
}


def summary_table(evaluation: Evaluation) -> Table:
    """Return the mean of every metric with its 95 % interval, beside the permutation baseline."""
    title = f"{evaluation.model} on {len(evaluation.pairs)} clips of {evaluation.corpus}"
    made = table("mean over emotions", "value", "95 % interval", "permutation baseline", title=title)
    for metric, label in LABELS.items():
        estimate = evaluation.mean[metric]
        interval = "–" if estimate.low is None else f"{written(estimate.low)} … {written(estimate.high)}"
        made.add_row(label, written(estimate.value), interval, written(evaluation.baseline[metric].value))
    return made


def emotion_table(evaluation: Evaluation) -> Table:
    """Return one row an emotion, best Spearman first, undefined ones last."""
    made = table("emotion", "clips", "predicted", "ρ", "r", "MAE", "RMSE")
    for column in made.columns[1:]:
        column.min_width = 5
    for row in sorted(evaluation.emotions, key=worst_last):
        values = (written(row.estimates[metric].value) for metric in METRICS)
        made.add_row(row.emotion, str(row.support), str(row.predicted_support), *values)
    return made


def tables(evaluation: Evaluation) -> RenderableType:
    """Return both tables and what they leave out, for `rich.print`."""
    return Group(summary_table(evaluation), emotion_table(evaluation), Text("\n".join(_remarks(evaluation))))


def worst_last(row: EmotionScore) -> float:
    """Return the key that sorts emotions by Spearman's ρ, undefined ones last."""
    value = row.estimates["spearman"].value
    return 2.0 if value is None else -value


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
