"""Sections of an evaluation beyond emotions: traits of the speaker, vocal bursts, false emotions.

The terminal shows the same sections as tables; heat maps are left to the page, so the confusion of a trait is
a table of clips there.
"""

from typing import TYPE_CHECKING

from budew.evaluation.burst_metrics import BurstScores, BurstTable
from budew.evaluation.results import Evaluation, FalseEmotions
from budew.evaluation.trait_metrics import TRAIT_METRICS, TraitScore
from budew.reports.sections import BarRow, Bars, Cell, HeatMap, Section, Table

if TYPE_CHECKING:
    from budew.model.card import CheckpointCard

_NOT_MENTIONED = "not mentioned"
_PER_CENT = (0.0, 100.0)
_UNIT = (0.0, 1.0)


def evaluation_sections(evaluation: Evaluation, *, heat_maps: bool = True) -> list[Section]:
    """Return what there is to show, in order; nothing of what no clip has a label for.

    Args:
        evaluation: any.
        heat_maps: show confusions as such, for a page; else as tables.
    """
    sections: list[Section] = [_traits(evaluation)] if evaluation.traits else []
    confused = [row for row in evaluation.traits if len(row.words) > 1]
    sections += [_heat_map(row) if heat_maps else _confusion(row) for row in confused]
    if evaluation.bursts:
        sections += [_burst_groups(evaluation.bursts), _each_burst(evaluation.bursts)]
    if evaluation.false_emotions:
        sections.append(_false_emotions(evaluation.false_emotions))
    return sections


def card_section(card: "CheckpointCard") -> Bars | None:
    """Return the published results of a checkpoint beside chance, None where there are none."""
    if not card.results:
        return None
    rows = [BarRow(one.subject, one.value, one.low, one.high, {"chance": one.chance}) for one in card.results]
    sources = ", ".join(dict.fromkeys(one.source for one in card.results))
    note = f"{card.training} Measured with {sources}.".lstrip()
    return Bars(f"Published results of {card.name}", rows, axis=_UNIT, note=note, digits=3)


def _traits(evaluation: Evaluation) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for row in evaluation.traits:
        own = (row.metrics[name].to_dict() if row.metrics else None for name in TRAIT_METRICS)
        rows.append((row.trait, row.n, row.coverage.to_dict(), *own))
        if row.baseline:
            permuted = (row.baseline[name].to_dict() for name in TRAIT_METRICS)
            rows.append((f"{row.trait}, permuted labels", row.mentioned, None, *permuted))
    note = (
        "Over the clips whose label is known and whose caption mentions the trait. UAR and F1 are means "
        "over the words that occur as labels."
    )
    columns = ("", "clips", "mentioned, %", "accuracy, %", "UAR, %", "macro F1, %")
    return Table("Speaker", columns, rows, note=note, digits=1)


def _heat_map(row: TraitScore) -> HeatMap:
    totals = row.confusion.sum(axis=1)
    shares = [
        [100 * clips / total if total else None for clips in of]
        for of, total in zip(row.confusion.tolist(), totals.tolist(), strict=True)
    ]
    return HeatMap(
        f"Confusion of {row.trait}, % of each label",
        row.words,
        (*row.words, _NOT_MENTIONED),
        shares,
        high=100.0,
        axes=("label", "caption"),
        digits=0,
    )


def _confusion(row: TraitScore) -> Table:
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
            **found[f"{kind}_recall"].to_dict(),
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
            **row.recall.to_dict(),
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
    table: BurstTable = scores.bursts
    rows: list[tuple[Cell, ...]] = [
        (row.name, row.support, row.predicted, row.recall.to_dict(), row.precision.to_dict())
        for row in table.rows
        if row.support or row.predicted
    ]
    note = (
        "A caption that names a group (“laughs”) is parsed as one burst of it: the groups above count first."
    )
    columns = ("", "clips", "predicted", "recall, %", "precision, %")
    return Table("Vocal bursts one by one", columns, rows, note=note, digits=1)


def _false_emotions(found: FalseEmotions) -> Bars:
    rows = [
        BarRow("any emotion", found.share.value, found.share.low, found.share.high),
        *(BarRow(name, share) for name, share in found.emotions.items()),
    ]
    note = f"Of {found.n:,} clips with all 40 emotions rated and none present: how many captions name one."
    return Bars("False emotions, %", rows, axis=_PER_CENT, note=note, measure="share of the clips", digits=1)
