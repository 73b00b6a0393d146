"""Probability that an emotion is present: calibration of intensities on ratings, and its reliability.

An intensity of 0.5 says how strong an emotion is, not how likely raters perceive it. Logistic regression
(Platt 1999) maps one to the other, with a slope and an intercept for each emotion. These are shrunk towards
those of all emotions together by an L2 penalty, since most emotions have few ratings. The input is the score
of a head as intensity, or the share of sampled captions that name the emotion.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import Field

from budew.errors import require
from budew.io.settings import Settings
from budew.statistics.arrays import BoolArray, FloatArray

BINS = 10
_FREE = 100.0
"""Factor of the input for the slope of all emotions, which makes the penalty on it negligible."""


class PresenceCurves(Settings):
    """Logistic curves from intensity to the probability of presence, as logits: intercept and slope.

    Example:
        >>> curves = PresenceCurves(pooled=(-2.0, 4.0), emotions={"Anger": (0.0, 2.0)})
        >>> curves.applied_to({"Anger": 0.0, "Fear": 0.5})
        {'Anger': 0.5, 'Fear': 0.5}
    """

    pooled: tuple[float, float] = Field(description="curve of emotions without ratings")
    emotions: dict[str, tuple[float, float]] = Field(description="curve of each rated emotion")

    def applied_to(self, intensities: Mapping[str, float]) -> dict[str, float]:
        """Return the probability that each of these emotions is present."""
        curves = ((name, *self.emotions.get(name, self.pooled)) for name in intensities)
        logits = {name: intercept + slope * intensities[name] for name, intercept, slope in curves}
        return {name: round(float(1 / (1 + np.exp(-logit))), 4) for name, logit in logits.items()}


def fit_presence(names: Sequence[str], intensities: FloatArray, present: BoolArray) -> PresenceCurves:
    """Fit the curves to ratings, of which some are present and some are absent.

    Args:
        names: emotion of each rating.
        intensities: predicted intensity in [0, 1] of each rating, (ratings,).
        present: whether the emotion is present according to the raters, (ratings,).
    """
    columns, numbers = np.unique(names, return_inverse=True)
    one_hot = np.eye(len(columns))[numbers]
    inputs = np.column_stack([_FREE * intensities, one_hot, one_hot * intensities[:, None]])
    linear_model = require("sklearn.linear_model", extra="evaluate", purpose="calibration")
    fitted = linear_model.LogisticRegression(max_iter=10_000).fit(inputs, present)
    slope, *others = fitted.coef_[0].tolist()
    pooled = float(fitted.intercept_[0]), _FREE * slope
    own = zip(columns.tolist(), others[: len(columns)], others[len(columns) :], strict=True)
    return PresenceCurves(
        pooled=pooled, emotions={name: (pooled[0] + shift, pooled[1] + turn) for name, shift, turn in own}
    )


def reliability(probabilities: FloatArray, present: BoolArray) -> dict[str, Any]:
    """Compare probabilities with how often the emotion is present, in `BINS` bins of equal width.

    Returns:
        `ece`: expected calibration error, the mean difference between probability and share, weighted by the
        ratings of the bins (Guo et al. 2017); `brier`: mean squared error (Brier 1950); `bins`: `ratings`,
        mean `probability` and `share` present of each bin that is not empty.

    Example:
        >>> reliability(np.array([0.25, 0.25, 1.0, 1.0]), np.array([True, False, True, True]))["ece"]
        0.125
    """
    places = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    bins = []
    for place in np.unique(places):
        inside = places == place
        mean, share = float(probabilities[inside].mean()), float(present[inside].mean())
        bins.append({"ratings": int(inside.sum()), "probability": mean, "share": share})
    errors = [one["ratings"] / len(present) * abs(one["probability"] - one["share"]) for one in bins]
    return {"ece": sum(errors), "brier": float(np.square(probabilities - present).mean()), "bins": bins}
