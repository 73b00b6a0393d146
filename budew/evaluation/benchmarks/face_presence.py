"""Presence of emotions against predicted intensities: balanced accuracy and area under the ROC curve.

Intervals resample images, because an image has several pairs with emotions. A resample is a vector of
multiplicities, and ranks follow from it (`budew.statistics`), so 1,000 resamples of 31,366 pairs, by emotion
and together, take 3 s on one core. scikit-learn, which the tests compare the values with, would sort each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from budew.evaluation.benchmarks.face_agreement import nanmean
from budew.statistics.arrays import BoolArray, FloatArray, IntArray, divide
from budew.statistics.correlation import roc_auc
from budew.statistics.resampling import ConfidenceInterval, Resampling, bootstrap_intervals, plain_data
from budew.taxonomy import EMOTIONS

SETTINGS = Resampling(seed=42)
THRESHOLD = 0.5
METRICS = ("balanced_accuracy", "roc_auc")
FEWEST = 5
"""Pairs of either kind below which an emotion has no metrics, and takes no part in the mean."""


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
    metrics: Mapping[str, ConfidenceInterval]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        metrics = plain_data(self.metrics)
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
    mean: Mapping[str, ConfidenceInterval]
    by_emotion: Mapping[str, PresenceScores]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "name": self.name,
            "threshold": self.threshold,
            "missing": self.missing,
            "all": self.all.to_dict(),
            "mean": plain_data(self.mean),
            "by_emotion": plain_data(self.by_emotion),
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
    found = bootstrap_intervals(pairs.metrics, len(images), SETTINGS, width=len(number))
    return PresenceResult(
        name=name,
        threshold=threshold,
        missing=int((~used).sum()),
        all=_presence(pairs.yes, {metric: found[metric][-1] for metric in METRICS}),
        mean={metric: found[f"mean_{metric}"][0] for metric in METRICS},
        by_emotion={
            name: _presence(
                pairs.yes[pairs.emotion == place], {metric: found[metric][place] for metric in METRICS}
            )
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

    def metrics(self, counts: FloatArray) -> dict[str, FloatArray]:
        """Metrics by emotion, and of all pairs together in the last place; and their means over emotions.

        Args:
            counts: (resamples, images), how often each image was drawn.

        Returns:
            `METRICS` → (resamples, 41), and `mean_…` → (resamples,).
        """
        parts = [np.flatnonzero(self.emotion == place) for place in range(len(EMOTIONS))]
        scored = [self._of(part, counts, FEWEST) for part in parts]
        values = np.stack([*scored, self._of(np.arange(len(self.yes)), counts, 1)], axis=1)
        means = nanmean(values[:, :-1], axis=1)
        found = {}
        for at, name in enumerate(METRICS):
            found[name] = values[:, :, at]
            found[f"mean_{name}"] = means[:, at]
        return found

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
        divide(counts @ (kind & right).astype(np.float64), counts @ kind.astype(np.float64))
        for kind, right in ((yes, present), (~yes, ~present))
    ]
    return (rates[0] + rates[1]) / 2


def _presence(yes: BoolArray, metrics: Mapping[str, ConfidenceInterval]) -> PresenceScores:
    return PresenceScores(int(yes.sum()), int((~yes).sum()), metrics)
