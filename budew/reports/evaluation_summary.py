"""An evaluation as terminal tables, and the sections that the terminal shares with the page.

Means beside the permutation baseline, a row for each emotion, then traits of the speaker, vocal bursts and
false emotions. The confusion of a trait is a heat map on the page and a table of clips in the terminal.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from budew.evaluation.burst_metrics import BurstScores
from budew.evaluation.results import EmotionScore, Evaluation, FalseEmotions
from budew.evaluation.trait_metrics import TRAIT_METRICS, TraitScore
from budew.reports.formatting import written
from budew.reports.page import confusion_map
from budew.reports.sections import BarRow, Bars, Cell, HeatMap, Section, Table
from budew.reports.terminal_tables import empty_table, section_table
from budew.statistics.resampling import ConfidenceInterval

if TYPE_CHECKING:
    from budew.evaluation.parity import Parity
    from budew.model.card import CheckpointCard

LABELS = {
    "spearman": "Spearman ρ",
    "pearson": "Pearson r",
    "mae": "MAE (0–10)",
    "rmse": "RMSE (0–10)",
    "auc": "Area under ROC",
    "top1": "Strongest correct",
}
_COLUMNS = {"spearman": "ρ", "pearson": "r", "mae": "MAE", "rmse": "RMSE"}

_NOT_MENTIONED = "not mentioned"
_PER_CENT = (0.0, 100.0)
_UNIT = (0.0, 1.0)


def summary_table(evaluation: Evaluation) -> RichTable:
    """Return the mean of every metric with its 95 % interval, beside the permutation baseline."""
    title = f"{evaluation.model} on {len(evaluation.pairs)} clips of {evaluation.corpus}"
    table = empty_table("mean over emotions", "value", "95 % interval", "permutation baseline", title=title)
    for metric, label in LABELS.items():
        estimate = evaluation.mean[metric]
        interval = "–" if estimate.low is None else f"{written(estimate.low)} … {written(estimate.high)}"
        table.add_row(label, written(estimate.value), interval, written(evaluation.baseline[metric].value))
    return table


def parity_table(found: "Parity") -> RichTable:
    """Return how the captions of an exported checkpoint compare with the original's."""
    table = empty_table(f"{found.clips} clips", "")
    table.add_row("same captions", f"{found.same:.3f}")
    table.add_row("mean Spearman", written(found.spearman))
    table.add_row("that of the original", written(found.reference_spearman))
    table.add_row("largest difference of a logit", f"{found.logits:.2g}")
    return table


def evaluation_tables(evaluation: Evaluation) -> RenderableType:
    """Return the means, a row for each emotion (best Spearman first), the other sections, and remarks."""
    table = empty_table("emotion", "clips", "predicted", *_COLUMNS.values())
    for column in table.columns[1:]:
        column.min_width = 5
    for row in listed_emotions(evaluation):
        values = (written(row.estimates[metric].value) for metric in _COLUMNS)
        table.add_row(row.emotion, str(row.support), str(row.predicted_support), *values)
    emotions = [summary_table(evaluation), table] if evaluation.rated else []
    others = filter(None, map(section_table, label_sections(evaluation, heat_maps=False)))
    return Group(*emotions, *others, Text("\n".join(_remarks(evaluation))))


def _remarks(evaluation: Evaluation) -> Iterable[str]:
    """Yield what is undefined or left out, with its count."""
    undefined = (row for row in evaluation.emotions if row.emotion in evaluation.undefined and row.rated)
    counts = {
        "captions without any parsed emotion, burst or trait": evaluation.unparsed,
        "clips with an emotion for which none was predicted": evaluation.emotionless,
        "emotions whose label never varies: no correlation, left out of the mean": len(list(undefined)),
        "emotions that no label and no caption has: not listed": sum(map(is_absent, evaluation.emotions)),
        "emotions that are nowhere rated": sum(not row.rated for row in evaluation.emotions),
        "emotions predicted the same for every clip: correlation 0": len(evaluation.unvaried),
        "clips in which only some emotions are rated: each emotion is scored where it is": (
            evaluation.partly_rated
        ),
        "clips in which no emotion is rated": len(evaluation.pairs) - evaluation.rated,
        "clips skipped": len(evaluation.skipped),
    }
    yield from (f"{count:5d} {what}" for what, count in counts.items() if count)
    if evaluation.refused:
        yield f"{evaluation.refused:5.1f} % of the rated emotions have no prediction: left out"


def is_absent(row: EmotionScore) -> bool:
    """Return whether there are clips with label and prediction of an emotion, and none of them has it."""
    return row.rated > row.refused and not (row.support or row.predicted_support)


def listed_emotions(evaluation: Evaluation) -> list[EmotionScore]:
    """Return the rated emotions that are not absent, best Spearman's ρ first, undefined ones last."""

    def rank(row: EmotionScore) -> float:
        value = row.estimates["spearman"].value
        return 2.0 if value is None else -value

    return sorted((row for row in evaluation.emotions if row.rated and not is_absent(row)), key=rank)


def label_sections(evaluation: Evaluation, *, heat_maps: bool = True) -> list[Section]:
    """Return speaker, vocal bursts and false emotions, as far as clips have labels for them.

    Args:
        evaluation: any.
        heat_maps: show confusions as such, for a page; else as tables.
    """
    sections: list[Section] = [_traits(evaluation)] if evaluation.traits else []
    confused = [row for row in evaluation.traits if len(row.words) > 1]
    sections += [_heat_map(row) if heat_maps else _clip_counts(row) for row in confused]
    if evaluation.bursts:
        sections += [_burst_groups(evaluation.bursts), _each_burst(evaluation.bursts)]
    if evaluation.false_emotions:
        sections.append(_false_emotions(evaluation.false_emotions))
    return sections


def card_section(card: "CheckpointCard") -> Bars | None:
    """Return the published results of a checkpoint beside chance, None where there are none."""
    if not card.results:
        return None
    rows = [
        BarRow(one.subject, ConfidenceInterval(one.value, one.low, one.high), {"chance": one.chance})
        for one in card.results
    ]
    sources = ", ".join(dict.fromkeys(one.source for one in card.results))
    note = f"{card.training} Measured with {sources}.".lstrip()
    return Bars(f"Published results of {card.name}", rows, axis=_UNIT, note=note, digits=3)


def _traits(evaluation: Evaluation) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for row in evaluation.traits:
        own = (row.metrics[name] if row.metrics else None for name in TRAIT_METRICS)
        rows.append((row.trait, row.n, row.coverage, *own))
        if row.baseline:
            permuted = (row.baseline[name] for name in TRAIT_METRICS)
            rows.append((f"{row.trait}, permuted labels", row.mentioned, None, *permuted))
    note = (
        "Over the clips whose label is known and whose caption mentions the trait. UAR and F1 are means "
        "over the words that occur as labels."
    )
    columns = ("", "clips", "mentioned, %", "accuracy, %", "UAR, %", "macro F1, %")
    return Table("Speaker", columns, rows, note=note, digits=1)


def _heat_map(row: TraitScore) -> HeatMap:
    heading = f"Confusion of {row.trait}, % of each label"
    return confusion_map(heading, row.words, row.confusion.tolist(), refused=_NOT_MENTIONED)


def _clip_counts(row: TraitScore) -> Table:
    counts = [
        (word, *map(round, of)) for word, of in zip(row.words, row.confusion.tolist(), strict=True) if any(of)
    ]
    return Table(f"Confusion of {row.trait}, clips", ("label", *row.words, _NOT_MENTIONED), counts)


def _burst_groups(scores: BurstScores) -> Bars:
    """Return recall as bars and precision as marks: of all, then of each group that occurs."""
    found, permuted = scores.groups.overall, scores.groups.baseline
    overall = [
        BarRow(
            f"all groups, {kind}",
            found[f"{kind}_recall"],
            marks={
                "precision": found[f"{kind}_precision"].value,
                "permuted recall": permuted[f"{kind}_recall"].value,
            },
        )
        for kind in ("micro", "macro")
    ]
    rows = [
        BarRow(
            f"{row.name.replace('_', ' ')} ({row.support:,})",
            row.recall,
            marks={"precision": row.precision.value},
        )
        for row in scores.groups.rows
        if row.support or row.predicted
    ]
    note = (
        f"Over the {scores.n:,} clips with a labelled burst. Micro: of all labels together; macro: mean over "
        f"the groups that are labelled. Of the {scores.unlabelled:,} other clips, {scores.named_there:,} got "
        "a burst, which may be there."
    )
    return Bars(
        "Vocal bursts by group, %", [*overall, *rows], axis=_PER_CENT, note=note, measure="recall", digits=1
    )


def _each_burst(scores: BurstScores) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (row.name, row.support, row.predicted, row.recall, row.precision)
        for row in scores.bursts.rows
        if row.support or row.predicted
    ]
    note = (
        "A caption that names a group (“laughs”) is parsed as one burst of it: the groups above count first."
    )
    columns = ("", "clips", "predicted", "recall, %", "precision, %")
    return Table("Vocal bursts one by one", columns, rows, note=note, digits=1)


def _false_emotions(found: FalseEmotions) -> Bars:
    rows = [
        BarRow("any emotion", found.share),
        *(BarRow(name, share) for name, share in found.emotions.items()),
    ]
    note = f"Of {found.n:,} clips with all 40 emotions rated and none present: how many captions name one."
    return Bars("False emotions, %", rows, axis=_PER_CENT, note=note, measure="share of the clips", digits=1)
