"""Presence of emotions against predicted intensities: balanced accuracy and area under the ROC curve.

Intervals resample images, because an image has several pairs with emotions. A resample is a vector of
multiplicities, and ranks follow from it (`budew.correlation`), so 1,000 resamples of 31,366 pairs, by emotion
and together, take 3 s on one core. scikit-learn, which the tests compare the values with, would sort each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from budew.correlation import Estimate, FloatArray, mean_ranks, summarize
from budew.taxonomy import EMOTIONS

RESAMPLES, SEED = 1_000, 42
THRESHOLD = 0.5
METRICS = ("balanced_accuracy", "roc_auc")
FEWEST = 5
"""Pairs of either kind below which an emotion has no metrics, and takes no part in the mean."""
_AT_ONCE = 100
"""Resamples held at once: 16 MB of draws of 20,000 images."""
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PresenceScores:
    """How well predictions tell two kinds of pairs apart.

    Attributes:
        yes, no: scored pairs where the emotion is present, and where it is not.
        metrics: `METRICS`, undefined (None) where one of the two kinds is missing; of an emotion, where one
            has fewer than `FEWEST` pairs.
    """

    yes: int
    no: int
    metrics: Mapping[str, Estimate]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        metrics = {name: one.to_dict() for name, one in self.metrics.items()}
        return {"yes": self.yes, "no": self.no, **metrics}


@dataclass(frozen=True, slots=True)
class PresenceResult:
    """Scores of predictions.

    Attributes:
        name: of the model.
        threshold: an intensity from which on an emotion counts as present, for the balanced accuracy.
        missing: pairs without a prediction; left out.
        all: over the pairs of all emotions together.
        mean: of `METRICS` over the emotions where they are defined.
        by_emotion: by name.
    """

    name: str
    threshold: float
    missing: int
    all: PresenceScores
    mean: Mapping[str, Estimate]
    by_emotion: Mapping[str, PresenceScores]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "name": self.name,
            "threshold": self.threshold,
            "missing": self.missing,
            "all": self.all.to_dict(),
            "mean": {name: one.to_dict() for name, one in self.mean.items()},
            "by_emotion": {name: one.to_dict() for name, one in self.by_emotion.items()},
        }


def score_presence(
    image: IntArray, emotion: IntArray, yes: BoolArray, scores: FloatArray, *, name: str, threshold: float
) -> PresenceResult:
    """Score predicted intensities of (image, emotion) pairs.

    Args:
        image: (pairs,), number of the image.
        emotion: (pairs,), place in `EMOTIONS`.
        yes: (pairs,), whether the emotion is present.
        scores: (pairs,), intensity in [0, 1], NaN where there is no prediction.
        name: of the model.
        threshold: intensity from which on an emotion counts as present.
    """
    used = np.isfinite(scores)
    images, number = np.unique(image[used], return_inverse=True)
    pairs = _Pairs(number, emotion[used], yes[used], scores[used], threshold)
    values = pairs.metrics(np.ones((1, len(images))))
    generator, chances = np.random.default_rng(SEED), np.full(len(images), 1 / max(1, len(images)))
    draws = (generator.multinomial(len(images), chances, size=_AT_ONCE) for _ in range(RESAMPLES // _AT_ONCE))
    sampled = np.concatenate([pairs.metrics(some.astype(np.float64)) for some in draws])
    mean, sampled_mean = _mean(values)[0], _mean(sampled)
    return PresenceResult(
        name=name,
        threshold=threshold,
        missing=int((~used).sum()),
        all=_presence(pairs.yes, values[0, -1], sampled[:, -1]),
        mean={one: summarize(mean[at], sampled_mean[:, at]) for at, one in enumerate(METRICS)},
        by_emotion={
            name: _presence(pairs.yes[pairs.emotion == place], values[0, place], sampled[:, place])
            for place, name in enumerate(EMOTIONS)
        },
    )


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Scored pairs, (pairs,) each."""

    image: IntArray
    emotion: IntArray
    yes: BoolArray
    scores: FloatArray
    threshold: float

    def metrics(self, counts: FloatArray) -> FloatArray:
        """Metrics by emotion, and of all pairs together in the last place.

        Args:
            counts: (resamples, images), how often each image was drawn.

        Returns:
            (resamples, 41, 2), in the order of `METRICS`.
        """
        parts = [np.flatnonzero(self.emotion == place) for place in range(len(EMOTIONS))]
        scored = [self._of(part, counts, FEWEST) for part in parts]
        return np.stack([*scored, self._of(np.arange(len(self.yes)), counts, 1)], axis=1)

    def _of(self, part: IntArray, counts: FloatArray, fewest: int) -> FloatArray:
        drawn, yes, scores = counts[:, self.image[part]], self.yes[part], self.scores[part]
        if min(yes.sum(), (~yes).sum()) < fewest:
            return np.full((len(counts), len(METRICS)), np.nan)
        present = scores >= self.threshold
        return np.stack([balanced_accuracy(yes, present, drawn), roc_auc(yes, scores, drawn)], axis=1)


def balanced_accuracy(yes: BoolArray, present: BoolArray, counts: FloatArray) -> FloatArray:
    """Mean of sensitivity and specificity of every resample; NaN where it lacks one of the classes.

    Args:
        yes, present: (pairs,), reference and prediction.
        counts: (resamples, pairs), how often each was drawn.

    Returns:
        (resamples,).
    """
    rates = [
        _divided(counts @ (kind & right).astype(np.float64), counts @ kind.astype(np.float64))
        for kind, right in ((yes, present), (~yes, ~present))
    ]
    return (rates[0] + rates[1]) / 2


def roc_auc(yes: BoolArray, scores: FloatArray, counts: FloatArray) -> FloatArray:
    """Area under the ROC curve of every resample, from the ranks of the positives; arguments as above."""
    positives = counts @ yes.astype(np.float64)
    negatives = counts.sum(axis=1) - positives
    ranks = (mean_ranks(scores, counts) * counts) @ yes.astype(np.float64)
    return _divided(ranks - positives * (positives + 1) / 2, positives * negatives)


def _presence(yes: BoolArray, values: FloatArray, sampled: FloatArray) -> PresenceScores:
    found = {name: summarize(values[at], sampled[:, at]) for at, name in enumerate(METRICS)}
    return PresenceScores(int(yes.sum()), int((~yes).sum()), found)


def _mean(values: FloatArray) -> FloatArray:
    """Mean over the emotions that are defined, (resamples, 41, 2) → (resamples, 2)."""
    defined = np.isfinite(values[:, :-1])
    return _divided(
        np.where(defined, values[:, :-1], 0.0).sum(axis=1), defined.sum(axis=1).astype(np.float64)
    )


def _divided(total: FloatArray, count: FloatArray) -> FloatArray:
    result: FloatArray = np.full(total.shape, np.nan)
    np.divide(total, count, out=result, where=count > 0)
    return result
