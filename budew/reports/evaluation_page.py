"""Report of an evaluation: means, emotions, speaker, vocal bursts, false emotions, clips to listen to.

With twelve players of three seconds the page is a file of 320 kB, written in half a second.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from budew.evaluation.burst_metrics import BurstScores
from budew.evaluation.pairs import Pair
from budew.evaluation.results import EmotionScore, Evaluation, FalseEmotions
from budew.evaluation.trait_metrics import TRAIT_METRICS, TraitScore
from budew.reports.formatting import written
from budew.reports.page import confusion_map, page_notes, players, section_note
from budew.reports.sections import (
    BarRow,
    Bars,
    Card,
    Cell,
    ClipCard,
    ClipCards,
    EmotionBar,
    HeatMap,
    Metric,
    Report,
    Section,
    Table,
    with_content,
)
from budew.statistics.resampling import ConfidenceInterval
from budew.taxonomy import EMOTIONS, LEVEL_NAMES, LEVELS, emotion_group
from budew.taxonomy.rating_scales import level_name

if TYPE_CHECKING:
    from budew.evaluation.parity import Parity
    from budew.model.card import CheckpointCard

LISTED_SKIPS = 50
"""Number of skipped clips that are listed."""
FEW_CLIPS = 40
"""Up to this number of clips, metrics are uncertain, and the page begins with the clips themselves."""
_LABELS = {
    "spearman": "Spearman ρ",
    "pearson": "Pearson r",
    "mae": "MAE (0–10)",
    "rmse": "RMSE (0–10)",
    "auc": "Area under ROC",
    "top1": "Strongest correct",
}
_PER_CENT = (0.0, 100.0)
_UNIT = (0.0, 1.0)


def evaluation_report(
    evaluation: Evaluation, *, examples: int = 12, published: Section | None = None
) -> Report:
    """Report an evaluation.

    Args:
        evaluation: result to report.
        examples: largest number of clips that are shown; clips with audio come first.
        published: section with published results of the model, shown before the clips; None for no section.
    """
    sections: list[Section] = [_by_emotion(evaluation), _level_map(evaluation)] if evaluation.rated else []
    if evaluation.mean["top1"].value is not None:
        sections.append(_family_map(evaluation))
    sections += _label_sections(evaluation)
    clips = _clips(evaluation, examples)
    few = len(evaluation.pairs) <= FEW_CLIPS
    resampled = "speakers" if evaluation.speakers else "clips"
    notes = page_notes("evaluation", settings=evaluation.settings, resampled=resampled)
    return _report(evaluation, notes, published, *([clips, *sections] if few else [*sections, clips]))


def evaluation_summary(evaluation: Evaluation) -> Report:
    """Report an evaluation for a terminal: more metrics per emotion, but no confusion and no clips."""
    columns = {"spearman": "ρ", "pearson": "r", "mae": "MAE", "rmse": "RMSE"}
    listed, note = _listed_emotions(evaluation)
    rows = [
        (row.emotion, row.support, row.predicted_support, *(row.estimates[name].value for name in columns))
        for row in listed
    ]
    headings = ("emotion", "clips", "predicted", *columns.values())
    table = Table("By emotion", headings, rows, note=note)
    return _report(evaluation, [], table, *_label_sections(evaluation))


def _report(evaluation: Evaluation, notes: Sequence[tuple[str, str]], *sections: Section | None) -> Report:
    speakers = f" of {evaluation.speakers} speakers" if evaluation.speakers else ""
    return Report(
        f"{evaluation.model} on {evaluation.corpus}",
        f"{len(evaluation.pairs)} clips{speakers}. Every predicted profile is compared with the label.",
        [_card(evaluation, metric) for metric in _LABELS if evaluation.mean[metric].value is not None],
        with_content(*sections),
        [*notes, *_remarks(evaluation)],
        str(evaluation.trained_on or ""),
    )


def parity_report(found: "Parity") -> Report:
    """Report how the captions of an exported checkpoint compare with those of the original."""
    cards = [
        Card("same captions", found.same, digits=3),
        Card("mean Spearman", found.spearman),
        Card("mean Spearman of the original", found.reference_spearman),
        Card("largest difference of a logit", f"{found.logits:.2g}"),
    ]
    return Report(f"{found.clips} clips", "", cards, ())


def card_section(card: "CheckpointCard") -> Bars | None:
    """Return the published results of a checkpoint beside chance level; None if it has none."""
    if not card.results:
        return None
    rows = [
        BarRow(one.subject, ConfidenceInterval(one.value, one.low, one.high), {"chance": one.chance})
        for one in card.results
    ]
    sources = ", ".join(dict.fromkeys(one.source for one in card.results))
    note = f"{card.training} Measured with {sources}.".lstrip()
    return Bars(f"Published results of {card.name}", rows, axis=_UNIT, note=note, digits=3)


def _card(evaluation: Evaluation, metric: str) -> Card:
    """Return a mean on a line from 0 to 1; of an error, to beyond its largest bound."""
    mean, baseline = evaluation.mean[metric], evaluation.baseline[metric]
    note = f"permutation baseline: {written(baseline.value)}"
    track = 1.0
    if metric in ("mae", "rmse"):
        note += "; lower is better"
        track = 1.25 * max(mean.high or 0.0, baseline.high or 0.0, 0.01)
    return Card(_LABELS[metric], mean, note=note, track=track, baseline=baseline.value)


def _by_emotion(evaluation: Evaluation) -> Bars:
    rows, absent = _listed_emotions(evaluation)
    clips = [f"{row.support} of {row.rated}" if evaluation.partly_rated else row.support for row in rows]
    confused = [
        f"{row.confused_with[0]}, {100 * row.confused_with[1]:.0f} %" if row.confused_with else ""
        for row in rows
    ]
    of_rated = ", of those in which it is rated" if evaluation.partly_rated else ""
    note = section_note("evaluation", "by_emotion", of_rated=of_rated, absent=absent)
    return Bars(
        "By emotion",
        [BarRow(row.emotion, row.estimates["spearman"]) for row in rows],
        axis=_UNIT,
        note=note,
        measure=_LABELS["spearman"],
        columns={
            "clips": clips,
            "MAE": [row.estimates["mae"].value for row in rows],
            "most often predicted instead": confused,
        },
    )


def _level_map(evaluation: Evaluation) -> HeatMap:
    """Return clips × rated emotions by labelled (row) and predicted (column) level, in per cent of a row."""
    edges = np.array([(low + high) / 2 for low, high in pairwise(LEVELS)])
    counts = np.zeros((len(LEVELS), len(LEVELS)))
    for pair in evaluation.pairs:
        both = np.stack([pair.reference.vector(), pair.predicted.vector()])
        rows, columns = np.digitize(both[:, ~np.isnan(both).any(axis=0)], edges)
        np.add.at(counts, (rows, columns), 1)
    rated = "rated " if evaluation.partly_rated else ""
    note = f"All clips × {rated}emotions, their number in brackets. Each row with any sums to 100 %."
    return confusion_map(
        "Level: label and prediction", LEVEL_NAMES, counts.tolist(), axes=("label", "predicted"), note=note
    )


def _family_map(evaluation: Evaluation) -> HeatMap:
    """Return clips by family of the strongest emotion of label and prediction, in per cent of a row."""
    families = [*map(emotion_group, EMOTIONS), "none"]
    names = tuple(dict.fromkeys(families))
    member = np.array([[family == name for name in names] for family in families], float)
    note = "Strongest emotion of each clip, by family. Each row sums to 100 %; ties are shared."
    counts = (member.T @ evaluation.confusion @ member).tolist()
    return confusion_map("Confusion of families", names, counts, axes=("label", "predicted"), note=note)


def _clips(evaluation: Evaluation, number: int) -> ClipCards:
    chosen = sorted(evaluation.pairs, key=lambda pair: pair.audio is None)[: max(number, 0)]
    sources = players((pair.id, pair.audio) for pair in chosen)
    none = "no emotion, neither in the label nor predicted"
    clips = [
        ClipCard(pair.id, source, why, pair.caption or "", bars=_emotion_bars(pair), without_bars=none)
        for pair, (source, why) in zip(chosen, sources, strict=True)
    ]
    return ClipCards("Listen", clips, legend=("predicted", "label"))


def _emotion_bars(pair: Pair) -> list[EmotionBar]:
    """Return the emotions of label and prediction, strongest label first."""
    label, predicted = pair.reference.emotions, pair.predicted.emotions
    bars = []
    for name in sorted(
        {*label, *predicted}, key=lambda name: (-label.get(name, 0), -predicted.get(name, 0), name)
    ):
        both = predicted.get(name, 0), label.get(name, 0)
        meaning = "predicted {}, label {}".format(*map(level_name, both))
        bars.append(EmotionBar(name, both, meaning))
    return bars


def _listed_emotions(evaluation: Evaluation) -> tuple[list[EmotionScore], str]:
    """Return the rated emotions, best Spearman's ρ first, undefined ones last; and how many are left out."""

    def occurs(row: EmotionScore) -> bool:
        return row.refused == row.rated or row.support > 0 or row.predicted_support > 0

    def rank(row: EmotionScore) -> float:
        value = row.estimates["spearman"].value
        return 2.0 if value is None else -value

    rated = [row for row in evaluation.emotions if row.rated]
    listed = sorted(filter(occurs, rated), key=rank)
    absent = len(rated) - len(listed)
    note = f"{absent} emotions occur in no label and no prediction, and are not listed." if absent else ""
    return listed, note


def _label_sections(evaluation: Evaluation) -> list[Section]:
    """Return speaker, vocal bursts and false emotions, as far as clips have labels for them."""
    confused = [row for row in evaluation.traits if len(row.words) > 1]
    sections: list[Section] = [_traits(evaluation), *map(_trait_map, confused)]
    if evaluation.bursts:
        sections += [_burst_groups(evaluation.bursts), _each_burst(evaluation.bursts)]
    if evaluation.false_emotions:
        sections.append(_false_emotions(evaluation.false_emotions))
    return sections


def _traits(evaluation: Evaluation) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for row in evaluation.traits:
        own = (row.metrics[name] if row.metrics else None for name in TRAIT_METRICS)
        rows.append((row.trait, row.n, row.coverage, *own))
        if row.baseline:
            permuted = (row.baseline[name] for name in TRAIT_METRICS)
            rows.append((f"{row.trait}, permuted labels", row.mentioned, None, *permuted))
    note = section_note("evaluation", "traits")
    columns = ("", "clips", "mentioned, %", "accuracy, %", "UAR, %", "macro F1, %")
    return Table("Speaker", columns, rows, note=note, digits=1)


def _trait_map(row: TraitScore) -> HeatMap:
    heading = f"Confusion of {row.trait}, % of each label"
    return confusion_map(heading, row.words, row.confusion.tolist(), refused="not mentioned")


def _burst_groups(scores: BurstScores) -> Bars:
    """Return recall as bars and precision as marks: of all, then of each group that occurs."""
    found, permuted = scores.groups.overall, scores.groups.baseline
    rows = []
    for kind in ("micro", "macro"):
        marks = {
            "precision": found[f"{kind}_precision"].value,
            "permuted recall": permuted[f"{kind}_recall"].value,
        }
        rows.append(BarRow(f"all groups, {kind}", found[f"{kind}_recall"], marks))
    for row in scores.groups.rows:
        if row.support or row.predicted:
            label = f"{row.name.replace('_', ' ')} ({row.support:,})"
            rows.append(BarRow(label, row.recall, {"precision": row.precision.value}))
    note = section_note("evaluation", "burst_groups", found=scores)
    return Bars("Vocal bursts by group, %", rows, axis=_PER_CENT, note=note, measure="recall", digits=1)


def _each_burst(scores: BurstScores) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (row.name, row.support, row.predicted, row.recall, row.precision)
        for row in scores.bursts.rows
        if row.support or row.predicted
    ]
    note = section_note("evaluation", "each_burst")
    columns = ("", "clips", "predicted", "recall, %", "precision, %")
    return Table("Vocal bursts one by one", columns, rows, note=note, digits=1)


def _false_emotions(found: FalseEmotions) -> Bars:
    shares: dict[str, Metric] = {"any emotion": found.share, **found.emotions}
    rows = [BarRow(name, share) for name, share in shares.items()]
    note = f"Share of the {found.n:,} clips without any emotion (all 40 rated) whose caption names one."
    return Bars("False emotions, %", rows, axis=_PER_CENT, note=note, measure="share of the clips", digits=1)


def _remarks(evaluation: Evaluation) -> Iterable[tuple[str, str]]:
    """Yield remarks on undefined and left-out values."""
    if names := ", ".join(evaluation.undefined):
        yield from page_notes("evaluation_undefined", number=len(evaluation.undefined), names=names)
    if names := ", ".join(evaluation.unvaried):
        yield from page_notes("evaluation_unvaried", number=len(evaluation.unvaried), names=names)
    if evaluation.partly_rated:
        yield from page_notes("evaluation_partly_rated", number=evaluation.partly_rated)
    if unrated := len(evaluation.pairs) - evaluation.rated:
        yield from page_notes("evaluation_unrated", number=unrated)
    if evaluation.refused:
        never = [row.emotion for row in evaluation.emotions if row.rated and row.refused == row.rated]
        names = ", ".join(never) or "none"
        yield from page_notes("evaluation_refused", share=evaluation.refused, names=names)
    yield from page_notes("evaluation_empty", found=evaluation)
    if skipped := len(evaluation.skipped):
        listed = [f"{clip.id}: {clip.reason}" for clip in evaluation.skipped[:LISTED_SKIPS]]
        more = [f"… and {skipped - LISTED_SKIPS} more"] if skipped > LISTED_SKIPS else []
        yield f"{skipped} clips skipped", "\n".join([*listed, *more])
