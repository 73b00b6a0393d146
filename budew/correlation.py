"""Correlations of one column with another under many weightings at once, ranks included.

A bootstrap resample is a vector of multiplicities: how often each clip was drawn. Pearson's r and
Spearman's ρ of a resample are then weighted sums, and the ranks that a resample would get follow from
cumulative multiplicities, ties included. So nothing is gathered and nothing is sorted again: all metrics of
1,000 resamples of 400 clips × 40 emotions take 1.3 s on one core, ranks alone a quarter of what sorting
each resample takes (benchmarks/evaluation.py), and the results equal `scipy.stats` on the drawn clips.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

CONFIDENCE = 0.95
_CONSTANT = 1e-14
"""A variance below this is rounding: intensities differ by far more, and ranks by at least one half."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric with the bounds of its 95 % interval; all None where the metric is undefined."""

    value: float | None
    low: float | None
    high: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return the three numbers, ready for JSON."""
        return {"value": self.value, "low": self.low, "high": self.high}


def mean_ranks(values: FloatArray, counts: FloatArray) -> FloatArray:
    """Rank `values` within every resample, ties sharing the mean of their ranks.

    Args:
        values: (clips,).
        counts: (resamples, clips), how often each clip was drawn.

    Returns:
        (resamples, clips), from 1; the entry of a clip that was not drawn carries no meaning.
    """
    if not len(values):
        return counts
    _, group = np.unique(values, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    drawn = np.add.reduceat(counts[:, order], starts, axis=1)
    below = np.cumsum(drawn, axis=1) - drawn
    ranks: FloatArray = (below + (drawn + 1) / 2)[:, group]
    return ranks


def pearson(reference: FloatArray, predicted: FloatArray, counts: FloatArray) -> FloatArray:
    """Pearson's r of every resample.

    Args:
        reference, predicted: (clips,) or (resamples, clips).
        counts: (resamples, clips).

    Returns:
        (resamples,). NaN where the reference is constant or no clip is drawn: there is nothing to predict. 0
        where only the prediction is constant: it says nothing about a reference that varies.
    """
    total = np.maximum(counts.sum(axis=1), 1.0)
    reference = reference - (_weighted_sum(reference, counts) / total)[:, None]
    predicted = predicted - (_weighted_sum(predicted, counts) / total)[:, None]
    reference_variance = _weighted_sum(reference * reference, counts) / total
    variance = _weighted_sum(predicted * predicted, counts) / total
    covariance = _weighted_sum(reference * predicted, counts) / total
    varied = (reference_variance > _CONSTANT) & (variance > _CONSTANT)
    r = np.divide(covariance, np.sqrt(reference_variance * variance), out=np.zeros(len(counts)), where=varied)
    return np.where(reference_variance > _CONSTANT, r.clip(-1.0, 1.0), np.nan)


def spearman(reference: FloatArray, predicted: FloatArray, counts: FloatArray) -> FloatArray:
    """Spearman's ρ of every resample, by the conventions of `pearson`; the columns are (clips,)."""
    return pearson(mean_ranks(reference, counts), mean_ranks(predicted, counts), counts)


def summarize(value: float, sampled: FloatArray) -> Estimate:
    """Join a metric and its resampled values, (rows,), to an estimate; samples without one are left out."""
    defined = sampled[np.isfinite(sampled)]
    if not np.isfinite(value) or not len(defined):
        return Estimate(None, None, None)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(defined, [tail, 1 - tail])
    return Estimate(float(value), float(low), float(high))


def _weighted_sum(values: FloatArray, counts: FloatArray) -> FloatArray:
    """Sum `values`, (clips,) or (resamples, clips), with the multiplicities; (resamples,)."""
    if values.ndim == 1:
        return counts @ values
    result: FloatArray = np.einsum("rc,rc->r", values, counts)
    return result
