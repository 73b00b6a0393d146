"""An evaluation as terminal tables (`evaluation_tables`) and as one HTML page (`evaluation_html`).

The tables have means beside the permutation baseline, a row an emotion, then what is in the captions besides
emotions (`budew.reports.evaluation_sections`); the page adds bars, heat maps and clips to listen to: with
twelve players of three seconds a file of 320 kB, written in half a second.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from budew.evaluation.pairs import Pair
from budew.evaluation.results import EmotionScore, Evaluation
from budew.reports.evaluation_sections import evaluation_sections
from budew.reports.page import by_family, percent, players, render_page
from budew.reports.plots import Axis
from budew.reports.section_tables import terminal_table
from budew.reports.sections import Section, page_parts
from budew.reports.tables import table, written
from budew.statistics.arrays import FloatArray
from budew.taxonomy import EMOTIONS, LEVEL_NAMES, LEVELS, emotion_group

if TYPE_CHECKING:
    from budew.evaluation.parity import Parity

LABELS = {
    "spearman": "Spearman ρ",
    "pearson": "Pearson r",
    "mae": "MAE (0–10)",
    "rmse": "RMSE (0–10)",
    "auc": "Area under ROC",
    "top1": "Strongest correct",
}
_COLUMNS = {"spearman": "ρ", "pearson": "r", "mae": "MAE", "rmse": "RMSE"}
LISTED_SKIPS = 50
"""Skipped clips that are listed one by one."""
FEW_CLIPS = 40
"""With no more, metrics are uncertain, and the page begins with the clips themselves."""


def summary_table(evaluation: Evaluation) -> Table:
    """Return the mean of every metric with its 95 % interval, beside the permutation baseline."""
    title = f"{evaluation.model} on {len(evaluation.pairs)} clips of {evaluation.corpus}"
    made = table("mean over emotions", "value", "95 % interval", "permutation baseline", title=title)
    for metric, label in LABELS.items():
        estimate = evaluation.mean[metric]
        interval = "–" if estimate.low is None else f"{written(estimate.low)} … {written(estimate.high)}"
        made.add_row(label, written(estimate.value), interval, written(evaluation.baseline[metric].value))
    return made


def parity_table(found: "Parity") -> Table:
    """Return how the captions of an exported checkpoint compare with the original's."""
    made = table(f"{found.clips} clips", "")
    made.add_row("same captions", f"{found.same:.3f}")
    made.add_row("mean Spearman", written(found.spearman))
    made.add_row("that of the original", written(found.reference_spearman))
    made.add_row("largest difference of a logit", f"{found.logits:.2g}")
    return made


def evaluation_tables(evaluation: Evaluation) -> RenderableType:
    """Return the means, a row an emotion (best Spearman first), the other sections, and what is left out."""
    made = table("emotion", "clips", "predicted", *_COLUMNS.values())
    for column in made.columns[1:]:
        column.min_width = 5
    for row in _listed(evaluation):
        values = (written(row.estimates[metric].value) for metric in _COLUMNS)
        made.add_row(row.emotion, str(row.support), str(row.predicted_support), *values)
    counts = {
        "captions without any parsed emotion, burst or trait": evaluation.unparsed,
        "clips with an emotion for which none was predicted": evaluation.emotionless,
        "emotions whose label never varies: no correlation, left out of the mean": len(
            [row for row in evaluation.emotions if row.emotion in evaluation.undefined and row.rated]
        ),
        "emotions that no label and no caption has: not listed": sum(map(_absent, evaluation.emotions)),
        "emotions that are nowhere rated": sum(not row.rated for row in evaluation.emotions),
        "emotions predicted the same for every clip: correlation 0": len(evaluation.unvaried),
        "clips in which only some emotions are rated: each emotion is scored where it is": (
            evaluation.partly_rated
        ),
        "clips in which no emotion is rated": len(evaluation.pairs) - evaluation.rated,
        "clips skipped": len(evaluation.skipped),
    }
    remarks = [f"{count:5d} {what}" for what, count in counts.items() if count]
    if evaluation.refused:
        remarks.append(f"{evaluation.refused:5.1f} % of the rated emotions have no prediction: left out")
    emotions = [summary_table(evaluation), made] if evaluation.rated else []
    others = filter(None, map(terminal_table, evaluation_sections(evaluation, heat_maps=False)))
    return Group(*emotions, *others, Text("\n".join(remarks)))


def _absent(row: EmotionScore) -> bool:
    """Return whether there are clips with label and prediction of an emotion, and none of them has it."""
    return row.rated > row.refused and not (row.support or row.predicted_support)


def _listed(evaluation: Evaluation) -> list[EmotionScore]:
    """Return the rated emotions that are not absent, best Spearman's ρ first."""
    return sorted((row for row in evaluation.emotions if row.rated and not _absent(row)), key=_worst_last)


def _worst_last(row: EmotionScore) -> float:
    """Return the key that sorts emotions by Spearman's ρ, undefined ones last."""
    value = row.estimates["spearman"].value
    return 2.0 if value is None else -value


def evaluation_html(evaluation: Evaluation, *, examples: int = 12, published: Section | None = None) -> str:
    """Return the report of an evaluation as HTML.

    Args:
        evaluation: any.
        examples: clips that are shown at most, those that have audio first.
        published: results of the model elsewhere, shown before the clips.
    """
    chosen = sorted(evaluation.pairs, key=lambda pair: pair.audio is None)[: max(examples, 0)]
    rated = [row for row in evaluation.emotions if row.rated]
    axis = _axis(evaluation)
    sources = players((pair.id, pair.audio) for pair in chosen)
    return render_page(
        "evaluation_page",
        **page_parts(evaluation_sections(evaluation)),
        published=page_parts([published] if published else [])["sections"],
        evaluation=evaluation,
        resampled="speakers" if evaluation.speakers else "clips",
        unpredicted=[row.emotion for row in rated if row.refused == row.rated],
        absent=[row.emotion for row in evaluation.emotions if _absent(row)],
        summary=[_card(evaluation, metric) for metric in LABELS if evaluation.mean[metric].value is not None],
        axis=axis,
        groups=by_family(
            (row.emotion, {"row": row, "bar": axis.bar(**row.estimates["spearman"].to_dict())})
            for row in _listed(evaluation)
        ),
        levels=_level_map(evaluation),
        confusion=_group_map(evaluation),
        examples=[_example(pair, *source) for pair, source in zip(chosen, sources, strict=True)],
        skipped=evaluation.skipped[:LISTED_SKIPS],
        players_first=len(evaluation.pairs) <= FEW_CLIPS,
    )


def _card(evaluation: Evaluation, metric: str) -> Mapping[str, Any]:
    """Return one summary metric; positions are percentages of a track from 0 to 1, or to beyond an error."""
    mean, baseline = evaluation.mean[metric], evaluation.baseline[metric]
    is_error = metric in ("mae", "rmse")
    top = 1.25 * max(mean.high or 0.0, baseline.high or 0.0, 0.01) if is_error else 1.0
    marks = {"value": mean.value, "low": mean.low, "high": mean.high, "baseline": baseline.value}
    at = {name: None if mark is None else _percent(max(mark, 0) / top) for name, mark in marks.items()}
    return {
        "label": LABELS[metric],
        "mean": mean,
        "baseline": baseline,
        "at": at,
        "lower_is_better": is_error,
    }


def _axis(evaluation: Evaluation) -> Axis:
    """Return the range of the bars: from the lowest interval bound, at most 0, in steps of 0.2, to 1."""
    bounds = [row.estimates["spearman"].low for row in evaluation.emotions]
    low = min([0.0, *(bound for bound in bounds if bound is not None)])
    return Axis(max(-1.0, float(np.floor(low * 5) / 5)), 1.0, 0.2)


def _level_map(evaluation: Evaluation) -> Mapping[str, Any]:
    """Return clips × rated emotions by labelled (row) and predicted (column) level, as shares of each row."""
    edges = np.array([(low + high) / 2 for low, high in pairwise(LEVELS)])
    counts = np.zeros((len(LEVELS), len(LEVELS)))
    for pair in evaluation.pairs:
        both = np.stack([pair.reference.vector(), pair.predicted.vector()])
        rows, columns = np.digitize(both[:, ~np.isnan(both).any(axis=0)], edges)
        np.add.at(counts, (rows, columns), 1)
    return _heat_map(LEVEL_NAMES, counts)


def _group_map(evaluation: Evaluation) -> Mapping[str, Any]:
    """Return clips by group of the strongest emotion of label and prediction, as shares of each row."""
    groups = [*map(emotion_group, EMOTIONS), "none"]
    names = tuple(dict.fromkeys(groups))
    member = np.array([[group == name for name in names] for group in groups], float)
    return _heat_map(names, member.T @ evaluation.confusion @ member)


def _heat_map(names: tuple[str, ...], counts: FloatArray) -> Mapping[str, Any]:
    totals = counts.sum(axis=1)
    shares = np.divide(counts, totals[:, None], out=np.zeros_like(counts), where=totals[:, None] > 0)
    cells = [[_percent(share) for share in row] for row in shares]
    return {"names": names, "rows": list(zip(names, totals.tolist(), cells, strict=True))}


def _example(pair: Pair, source: str, why: str) -> Mapping[str, Any]:
    """Return one clip: its player and the emotions of label and prediction, strongest label first."""
    label, predicted = pair.reference.emotions, pair.predicted.emotions
    order = [(-label.get(name, 0), -predicted.get(name, 0), name) for name in {*label, *predicted}]
    bars = [(name, label.get(name, 0.0), predicted.get(name, 0.0)) for *_, name in sorted(order)]
    return {"pair": pair, "source": source, "why": why, "bars": bars}


def _percent(share: float) -> float:
    return percent(float(share), 1, 1)
