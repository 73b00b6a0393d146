"""`evaluate` compares predicted with reference profiles; `Evaluation` has the metrics with intervals."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise
from typing import Any

import numpy as np

from budew.errors import InputError
from budew.evaluation.burst_metrics import BurstScores, score_bursts
from budew.evaluation.emotion_metrics import METRICS, constant_emotions, score_emotions, strongest
from budew.evaluation.pairs import Pair, Skipped, clusters_of
from budew.evaluation.trait_metrics import TraitScore, score_traits
from budew.model.trained_clips import TrainingOverlap
from budew.profile import intensity_matrix
from budew.statistics.arrays import FloatArray, IntArray
from budew.statistics.resampling import (
    ConfidenceInterval,
    Resampling,
    bootstrap_intervals,
    cluster_intervals,
    permutation_baseline,
    plain_data,
    plain_fields,
)
from budew.taxonomy import EMOTIONS
from budew.taxonomy.rating_scales import nearest_level

_ARRAYS = 4
"""Arrays of all clips that the metrics of a resample hold at once."""
_Intervals = Mapping[str, Sequence[ConfidenceInterval]]


@dataclass(frozen=True, slots=True)
class EmotionScore:
    """Metrics of one emotion.

    Attributes:
        emotion: its name.
        rated: number of clips in which it is rated.
        refused: number of these clips in which it is not predicted; the fields below are over the other
            clips.
        support, predicted_support: number of clips that have it, and number of clips for which it was
            predicted.
        estimates: name of the metric → value and interval.
        confused_with: the other emotion that is most often predicted as strongest in clips where this one is
            strongest, and its share of these clips; None if there is no confusion.
    """

    emotion: str
    rated: int
    refused: int
    support: int
    predicted_support: int
    estimates: Mapping[str, ConfidenceInterval]
    confused_with: tuple[str, float] | None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON; the metrics are top-level keys, beside the counts."""
        confused = self.confused_with and dict(zip(("emotion", "share"), self.confused_with, strict=True))
        numbers = plain_fields(self, "estimates", "confused_with")
        return {**numbers, **plain_data(self.estimates), "confused_with": confused}


@dataclass(frozen=True, slots=True)
class FalseEmotions:
    """Emotions predicted for clips without emotion: all 40 are rated, and no emotion is present.

    Attributes:
        n: number of these clips that have a prediction of all emotions.
        share: per cent of these clips for which an emotion is predicted at the level slight or above.
        emotions: emotion → per cent of these clips for which it is predicted, the most frequent first;
            emotions that are never predicted are left out.
    """

    n: int
    share: ConfidenceInterval
    emotions: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics over a corpus.

    Attributes:
        model, corpus: names of the model and of the corpus.
        pairs: the scored clips, ordered by id.
        skipped: clips left out of the metrics.
        speakers: number of speakers, if intervals resample speakers; None if they resample clips.
        emotions: one entry per emotion, with metrics over the clips in which it is rated and predicted.
        mean: metric → mean over the emotions; also "top1", see `score_emotions`.
        baseline: the same metrics for predictions that are permuted over the clips.
        undefined: emotions whose reference is constant or never rated (no correlation).
        unvaried: emotions whose reference varies and whose prediction is constant (correlation 0).
        confusion: (41, 41), number of clips by strongest reference emotion (row) and strongest predicted
            emotion (column); the last row and column are "no emotion". Only clips in which all emotions are
            rated and predicted are counted.
        traits: one entry per trait that is labelled in at least one clip.
        bursts: metrics of vocal bursts; None if no clip has a labelled burst.
        false_emotions: emotions predicted for clips without emotion; None if there is no such clip.
        settings: settings of the intervals and the baseline.
        trained_on: count of the clips that the model was trained on; None if there is none.
    """

    model: str
    corpus: str
    pairs: tuple[Pair, ...]
    skipped: tuple[Skipped, ...]
    speakers: int | None
    emotions: tuple[EmotionScore, ...]
    mean: Mapping[str, ConfidenceInterval]
    baseline: Mapping[str, ConfidenceInterval]
    undefined: tuple[str, ...]
    unvaried: tuple[str, ...]
    confusion: FloatArray
    traits: tuple[TraitScore, ...]
    bursts: BurstScores | None
    false_emotions: FalseEmotions | None
    settings: Resampling
    trained_on: TrainingOverlap | None = None

    @property
    def rated(self) -> int:
        """Number of clips in which at least one emotion is rated."""
        return sum(bool(pair.reference.rated) for pair in self.pairs)

    @property
    def unparsed(self) -> int:
        """Number of captions from which nothing was parsed: no emotion, no vocal burst, no trait."""
        predicted = [pair.predicted for pair in self.pairs if pair.caption is not None]
        return sum(not (profile.emotions or profile.bursts or profile.traits) for profile in predicted)

    @property
    def partly_rated(self) -> int:
        """Number of clips in which only some emotions are rated."""
        return sum(0 < len(pair.reference.rated) < len(EMOTIONS) for pair in self.pairs)

    @property
    def refused(self) -> float:
        """Per cent of the rated emotions (of all clips) without a prediction; metrics leave them out."""
        rated = sum(row.rated for row in self.emotions)
        return 100 * sum(row.refused for row in self.emotions) / max(1, rated)

    @property
    def emotionless(self) -> int:
        """Number of clips with an emotion for which the prediction, not a refusal, has no emotion."""
        answered = [pair for pair in self.pairs if pair.predicted.rated]
        return sum(bool(pair.reference.emotions) and not pair.predicted.emotions for pair in answered)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the pairs, ready for JSON; undefined metrics are None."""
        return {
            "model": self.model,
            "corpus": self.corpus,
            "clips": len(self.pairs),
            "speakers": self.speakers,
            "rated": self.rated,
            "partly_rated": self.partly_rated,
            "refused": self.refused,
            "skipped": plain_data(self.skipped),
            "unparsed": self.unparsed,
            "emotionless": self.emotionless,
            "mean": plain_data(self.mean),
            "baseline": plain_data(self.baseline),
            "undefined": list(self.undefined),
            "unvaried": list(self.unvaried),
            "settings": plain_data(self.settings),
            "emotions": plain_data(self.emotions),
            "traits": {row.trait: row.to_dict() for row in self.traits},
            "bursts": plain_data(self.bursts),
            "false_emotions": plain_data(self.false_emotions),
            "trained_on": self.trained_on and self.trained_on.to_dict(),
        }


def evaluate(
    pairs: Sequence[Pair],
    *,
    model: str = "predictions",
    corpus: str = "clips",
    skipped: Sequence[Skipped] = (),
    settings: Resampling | None = None,
) -> Evaluation:
    """Compute metrics of predicted profiles, over emotions, bursts and traits that have a reference label.

    An emotion that the prediction does not rate is a refusal, which is counted and left out of the metrics.
    The order of the pairs has no effect. Intervals resample speakers if all are known and there are several,
    else clips.

    Args:
        pairs: one per clip, with distinct ids.
        model, corpus: their names, for the report.
        skipped: clips that were left out, for the report.
        settings: number of bootstrap resamples and permutations, and seed; default: `Resampling()`.

    Raises:
        InputError: there are no pairs, or two with the same id.
    """
    settings = settings or Resampling()
    ordered = tuple(sorted(pairs, key=lambda pair: pair.id))
    _check(ordered, corpus, skipped)
    clusters, speakers = clusters_of([pair.speaker for pair in ordered])
    rated = np.array([bool(pair.reference.rated) for pair in ordered])
    reference = intensity_matrix(pair.reference for pair in compress(ordered, rated))
    predicted = intensity_matrix(pair.predicted for pair in compress(ordered, rated))
    found, baseline = _emotion_intervals(reference, predicted, clusters[rated], settings)
    paired = ~np.isnan(reference + predicted)
    whole = paired.all(axis=1)
    confusion = strongest(reference[whole]).T @ strongest(predicted[whole])
    constant, unvaried = constant_emotions(reference, paired), constant_emotions(predicted, paired)
    return Evaluation(
        model=model,
        corpus=corpus,
        pairs=ordered,
        skipped=tuple(skipped),
        speakers=speakers,
        emotions=_by_emotion(reference, predicted, found, confusion),
        mean=_means(found),
        baseline=_means(baseline),
        undefined=tuple(compress(EMOTIONS, constant)),
        unvaried=tuple(compress(EMOTIONS, ~constant & unvaried)),
        confusion=confusion,
        traits=score_traits(ordered, clusters, settings),
        bursts=score_bursts(ordered, clusters, settings),
        false_emotions=_false_emotions(ordered, clusters, settings),
        settings=settings,
    )


def _emotion_intervals(
    reference: FloatArray, predicted: FloatArray, clusters: IntArray, settings: Resampling
) -> tuple[_Intervals, _Intervals]:
    """Return the metrics of the emotions, and those of the predictions permuted over the clips."""
    names, number = np.unique(clusters, return_inverse=True)
    found = bootstrap_intervals(
        lambda counts: score_emotions(reference, predicted, counts[:, number]),
        len(names),
        settings,
        width=_ARRAYS * len(reference),
    )
    baseline = permutation_baseline(
        lambda order: score_emotions(reference, predicted[order]), len(reference), settings
    )
    return found, baseline


def _means(found: _Intervals) -> dict[str, ConfidenceInterval]:
    means = {name: found[f"mean_{name}"][0] for name in METRICS}
    return {**means, "top1": found["top1"][0]}


def _false_emotions(pairs: Sequence[Pair], clusters: IntArray, settings: Resampling) -> FalseEmotions | None:
    """Count predicted emotions on the clips that have none."""
    places = [
        place
        for place, pair in enumerate(pairs)
        if pair.reference.fully_rated and not pair.reference.emotions and pair.predicted.fully_rated
    ]
    if not places:
        return None
    named = [
        [name for name, intensity in pairs[place].predicted.emotions.items() if nearest_level(intensity)]
        for place in places
    ]
    _, numbers = np.unique(clusters[places], return_inverse=True)
    counts = [np.bincount(numbers), np.bincount(numbers, weights=[bool(names) for names in named])]
    share = cluster_intervals(
        np.stack(counts, axis=1).astype(np.float64),
        lambda sums: {"share": 100 * sums[:, 1] / sums[:, 0]},
        settings,
    )
    times = Counter(name for names in named for name in names)
    shares = {name: 100 * count / len(places) for name, count in times.most_common()}
    return FalseEmotions(len(places), share["share"][0], shares)


def _by_emotion(
    reference: FloatArray, predicted: FloatArray, found: _Intervals, confusion: FloatArray
) -> tuple[EmotionScore, ...]:
    rated, paired = ~np.isnan(reference), ~np.isnan(reference + predicted)
    return tuple(
        EmotionScore(
            emotion=name,
            rated=int(rated[:, column].sum()),
            refused=int((rated & ~paired)[:, column].sum()),
            support=int((reference[paired[:, column], column] > 0).sum()),
            predicted_support=int((predicted[paired[:, column], column] > 0).sum()),
            estimates={metric: found[metric][column] for metric in METRICS},
            confused_with=_confused_with(confusion, column),
        )
        for column, name in enumerate(EMOTIONS)
    )


def _confused_with(confusion: FloatArray, row: int) -> tuple[str, float] | None:
    """Return the wrong emotion most often predicted for clips of an emotion, and its share; or None."""
    wrong = confusion[row, :-1].copy()
    wrong[row] = 0
    if not wrong.any():
        return None
    return EMOTIONS[int(wrong.argmax())], float(wrong.max() / confusion[row].sum())


def _check(ordered: Sequence[Pair], corpus: str, skipped: Sequence[Skipped]) -> None:
    if not ordered:
        why = f"; all {len(skipped)} were skipped, the first because {skipped[0].reason}" if skipped else ""
        raise InputError(f"{corpus} has no clips to evaluate{why}: give a corpus whose clips have profiles")
    for before, after in pairwise(ordered):
        if before.id == after.id:
            raise InputError(f"{corpus} has two clips with the id {before.id!r}: give every clip its own id")
