"""An evaluation as one HTML page: bars, heat maps and clips to listen to.

With twelve players of three seconds it is a file of 320 kB, written in half a second.
"""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from budew.evaluation.pairs import Pair
from budew.evaluation.results import Evaluation
from budew.reports.evaluation_summary import LABELS, is_absent, label_sections, listed_emotions
from budew.reports.formatting import written
from budew.reports.page import confusion_map, page_notes, players
from budew.reports.sections import (
    BarRow,
    Bars,
    Card,
    ClipCard,
    ClipCards,
    EmotionBar,
    HeatMap,
    Report,
    Section,
)
from budew.taxonomy import EMOTIONS, LEVEL_NAMES, LEVELS, emotion_group
from budew.taxonomy.scales import level_name

LISTED_SKIPS = 50
"""Skipped clips that are listed one by one."""
FEW_CLIPS = 40
"""With no more, metrics are uncertain, and the page begins with the clips themselves."""


def evaluation_report(
    evaluation: Evaluation, *, examples: int = 12, published: Section | None = None
) -> Report:
    """Return the report of an evaluation.

    Args:
        evaluation: any.
        examples: clips that are shown at most, those that have audio first.
        published: results of the model elsewhere, shown before the clips.
    """
    speakers = f" of {evaluation.speakers} speakers" if evaluation.speakers else ""
    emotions = _emotion_sections(evaluation) if evaluation.rated else []
    sections = [*emotions, *label_sections(evaluation)]
    clips = _clips(evaluation, examples)
    few = len(evaluation.pairs) <= FEW_CLIPS
    sections = [*clips, *sections] if few else [*sections, *clips]
    return Report(
        f"{evaluation.model} on {evaluation.corpus}",
        f"{len(evaluation.pairs)} clips{speakers}. Every predicted profile is compared with the label.",
        [_card(evaluation, metric) for metric in LABELS if evaluation.mean[metric].value is not None],
        [published, *sections] if published else sections,
        list(_notes(evaluation)),
    )


def _card(evaluation: Evaluation, metric: str) -> Card:
    """Return a mean on a line from 0 to 1; of an error, to beyond its largest bound."""
    mean, baseline = evaluation.mean[metric], evaluation.baseline[metric]
    note = f"permutation baseline: {written(baseline.value)}"
    track = 1.0
    if metric in ("mae", "rmse"):
        note += "; lower is better"
        track = 1.25 * max(mean.high or 0.0, baseline.high or 0.0, 0.01)
    return Card(LABELS[metric], mean, note=note, track=track, baseline=baseline.value)


def _emotion_sections(evaluation: Evaluation) -> list[Section]:
    sections: list[Section] = [_by_emotion(evaluation), _level_map(evaluation)]
    if evaluation.mean["top1"].value is not None:
        sections.append(_family_map(evaluation))
    return sections


def _by_emotion(evaluation: Evaluation) -> Bars:
    rows = listed_emotions(evaluation)
    clips = [f"{row.support} of {row.rated}" if evaluation.partly_rated else row.support for row in rows]
    confused = [
        f"{row.confused_with[0]}, {100 * row.confused_with[1]:.0f} %" if row.confused_with else ""
        for row in rows
    ]
    of_rated = ", of those in which it is rated" if evaluation.partly_rated else ""
    note = (
        "Spearman ρ between predicted and labelled intensity over the clips. “Clips” counts those that have "
        f"the emotion{of_rated}."
    )
    if absent := sum(map(is_absent, evaluation.emotions)):
        note += f" {absent} emotions occur in no label and no prediction, and are not listed."
    return Bars(
        "By emotion",
        [BarRow(row.emotion, row.estimates["spearman"]) for row in rows],
        axis=(0.0, 1.0),
        note=note,
        measure=LABELS["spearman"],
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


def _clips(evaluation: Evaluation, number: int) -> list[Section]:
    chosen = sorted(evaluation.pairs, key=lambda pair: pair.audio is None)[: max(number, 0)]
    sources = players((pair.id, pair.audio) for pair in chosen)
    clips = [
        ClipCard(
            pair.id,
            source,
            why,
            pair.caption or "",
            bars=_emotion_bars(pair),
            without_bars="no emotion, neither in the label nor predicted",
        )
        for pair, (source, why) in zip(chosen, sources, strict=True)
    ]
    return [ClipCards("Listen", clips, legend=("predicted", "label"))] if clips else []


def _emotion_bars(pair: Pair) -> list[EmotionBar]:
    """Return the emotions of label and prediction, strongest label first."""
    label, predicted = pair.reference.emotions, pair.predicted.emotions
    order = sorted((-label.get(name, 0), -predicted.get(name, 0), name) for name in {*label, *predicted})
    return [
        EmotionBar(
            name,
            (-negative_predicted, -negative_label),
            f"predicted {level_name(-negative_predicted)}, label {level_name(-negative_label)}",
        )
        for negative_label, negative_predicted, name in order
    ]


def _notes(evaluation: Evaluation) -> Iterable[tuple[str, str]]:
    """Yield what the metrics are, and what is undefined or left out."""
    settings = evaluation.settings
    yield from page_notes(
        "evaluation",
        resamples=settings.resamples,
        resampled="speakers" if evaluation.speakers else "clips",
        seed=settings.seed,
        permutations=settings.permutations,
    )
    if evaluation.undefined:
        yield (
            f"{len(evaluation.undefined)} emotions without a correlation",
            "Their label is the same for every clip, or they are nowhere rated, so there is nothing to "
            f"predict; they are left out of the means: {', '.join(evaluation.undefined)}.",
        )
    if evaluation.unvaried:
        yield (
            f"{len(evaluation.unvaried)} emotions with correlation 0",
            "They were predicted the same for every clip although the label varies, which says nothing about "
            f"the clip: {', '.join(evaluation.unvaried)}.",
        )
    if evaluation.partly_rated:
        yield (
            f"{evaluation.partly_rated} clips in which only some emotions are rated",
            "Each emotion is scored over the clips in which it is rated; the strongest emotion, over the "
            "clips in which all are.",
        )
    if unrated := len(evaluation.pairs) - evaluation.rated:
        yield (
            f"{unrated} clips in which no emotion is rated",
            "They count for the speaker and for vocal bursts only.",
        )
    if evaluation.refused:
        never = [row.emotion for row in evaluation.emotions if row.rated and row.refused == row.rated]
        yield (
            f"{evaluation.refused:.1f} % of the rated emotions have no prediction",
            f"They are left out. Emotions never predicted: {', '.join(never) or 'none'}.",
        )
    yield (
        "Empty predictions",
        f"{evaluation.unparsed} captions without any parsed emotion, burst or trait; "
        f"{evaluation.emotionless} clips with an emotion for which none was predicted. Both count as "
        "predictions of zero.",
    )
    if skipped := len(evaluation.skipped):
        listed = [f"{clip.id}: {clip.reason}" for clip in evaluation.skipped[:LISTED_SKIPS]]
        more = [f"… and {skipped - LISTED_SKIPS} more"] if skipped > LISTED_SKIPS else []
        yield f"{skipped} clips skipped", "\n".join([*listed, *more])
