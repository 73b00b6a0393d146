"""How close predicted intensities are to the true ones: four figures an emotion, with intervals and a floor.

Spearman's ρ and Pearson's r of each emotion over clips; mean absolute and root mean square error on the
0–10 scale of the EmoNet-Voice papers; and how often the strongest emotion is right. Each comes with a
percentile bootstrap interval over clips, and its mean over emotions with the same figure for predictions
dealt to the wrong clips (the floor), which keeps how often each level is said and forgets whom it was said
of.

Two conventions, because captions often leave an emotion out altogether:

- The truth of an emotion never varies: its correlation is undefined (NaN here, null in JSON), counted, and
  left out of the mean.
- The truth varies and the prediction does not: its correlation counts as 0, because a constant says nothing
  about the clip. Leaving it out instead would reward a model for keeping silent about what it does not
  hear.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from budew.correlation import FloatArray, pearson, spearman
from budew.evaluation.confusion import top1_credit
from budew.taxonomy.scales import from_intensity

METRICS = ("spearman", "pearson", "mae", "rmse")
REPORT_MAXIMUM = from_intensity(1.0, "report")
"""Errors are reported on 0–10, as the EmoNet-Voice papers do (their ratings of 0, 1, 2 times five)."""

_CELLS_AT_A_TIME = 1_000_000
"""Resamples × clips held at once: about 8 MB an array."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Metrics of many weightings of the same clips.

    `by_emotion` maps a metric to (rows, emotions); `mean` maps it, and "top1", to (rows,). NaN is undefined.
    """

    by_emotion: Mapping[str, FloatArray]
    mean: Mapping[str, FloatArray]


def score(truth: FloatArray, predicted: FloatArray, counts: FloatArray | None = None) -> Scores:
    """Compute every metric for each of many weightings of the clips.

    Args:
        truth, predicted: (clips, emotions), intensities in [0, 1].
        counts: (rows, clips), how often each clip counts; one row, each clip once, where it is left out.
    """
    if counts is None:
        counts = np.ones((1, len(truth)))
    error = (predicted - truth) * REPORT_MAXIMUM
    total = counts.sum(axis=1, keepdims=True)
    by_emotion = {
        "spearman": _columns(spearman, truth, predicted, counts),
        "pearson": _columns(pearson, truth, predicted, counts),
        "mae": counts @ np.abs(error) / total,
        "rmse": np.sqrt(counts @ np.square(error) / total),
    }
    mean = {metric: mean_over_emotions(values) for metric, values in by_emotion.items()}
    return Scores(by_emotion, mean | {"top1": _top1(truth, predicted, counts)})


def bootstrap(truth: FloatArray, predicted: FloatArray, *, resamples: int, seed: int) -> Scores:
    """Score `resamples` samples of the clips, drawn with replacement; ranks are those within each sample."""
    clips = len(truth)
    draws = np.random.default_rng(seed).multinomial(clips, np.full(clips, 1 / clips), size=resamples)
    size = max(1, _CELLS_AT_A_TIME // clips)
    chunks = (draws[start : start + size].astype(float) for start in range(0, resamples, size))
    return _stack([score(truth, predicted, chunk) for chunk in chunks])


def shuffled_floor(truth: FloatArray, predicted: FloatArray, *, shuffles: int, seed: int) -> Scores:
    """Score the predictions after dealing them to random clips, `shuffles` times; one row each."""
    generator = np.random.default_rng(seed)
    return _stack([score(truth, predicted[generator.permutation(len(truth))]) for _ in range(shuffles)])


def mean_over_emotions(values: FloatArray) -> FloatArray:
    """Mean over the emotions that are defined; (rows, emotions) → (rows,), NaN where none is."""
    defined = np.isfinite(values)
    total = np.where(defined, values, 0.0).sum(axis=1)
    counted = defined.sum(axis=1).astype(np.float64)
    return _divided(total, counted)


def _columns(
    correlation: Callable[[FloatArray, FloatArray, FloatArray], FloatArray],
    truth: FloatArray,
    predicted: FloatArray,
    counts: FloatArray,
) -> FloatArray:
    columns = [correlation(truth[:, e], predicted[:, e], counts) for e in range(truth.shape[1])]
    return np.stack(columns, axis=1)


def _top1(truth: FloatArray, predicted: FloatArray, counts: FloatArray) -> FloatArray:
    """Share of the clips with an emotion whose strongest is right; (rows,), NaN where no clip has one."""
    credit = top1_credit(truth, predicted)
    judged = counts @ np.isfinite(credit)
    right = counts @ np.nan_to_num(credit)
    return _divided(right, judged)


def _divided(total: FloatArray, count: FloatArray) -> FloatArray:
    """Divide, with NaN where there is nothing to divide by."""
    result = np.full(len(total), np.nan)
    np.divide(total, count, out=result, where=count > 0)
    return result


def _stack(parts: Sequence[Scores]) -> Scores:
    return Scores(
        {name: np.concatenate([part.by_emotion[name] for part in parts]) for name in parts[0].by_emotion},
        {name: np.concatenate([part.mean[name] for part in parts]) for name in parts[0].mean},
    )
