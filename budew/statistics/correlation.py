"""Correlations, and the area under the ROC curve, of many bootstrap resamples at once.

In all functions, values and scores are (clips,), and `counts` (resamples, clips) is how often each clip was
drawn in each resample, see `budew.statistics.resampling`. Pearson's r and Spearman's ρ of a resample are
weighted sums, and ranks within a resample follow from cumulative multiplicities, ties included. This takes a
quarter of the time of sorting each resample (benchmarks/evaluation.py), and the results equal those of
`scipy.stats` for the drawn clips.
"""

import numpy as np

from budew.statistics.arrays import BoolArray, FloatArray, divide

_CONSTANT = 1e-14
"""A variance below this is a rounding error of constant values."""


def mean_ranks(values: FloatArray, counts: FloatArray) -> FloatArray:
    """Rank `values` within every resample; ties share the mean of their ranks.

    Returns:
        Ranks (resamples, clips), from 1; entries of clips that were not drawn are undefined.

    Example:
        >>> mean_ranks(np.array([0.5, 0.0, 0.5]), np.ones((1, 3)))
        array([[2.5, 1. , 2.5]])
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
    """Pearson's r of every resample; the values may also be ranks within each resample, (resamples, clips).

    Returns:
        Correlation (resamples,). NaN where the reference is constant or no clip was drawn; 0 where only the
        prediction is constant.

    Example:
        >>> pearson(np.array([0.0, 0.5, 1.0]), np.array([0.0, 0.25, 0.5]), np.ones((1, 3)))
        array([1.])
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
    """Spearman's ρ of every resample.

    Returns:
        Correlation (resamples,); NaN or 0 for constant values, as `pearson` returns.

    Example:
        >>> spearman(np.array([0.0, 0.5, 1.0]), np.array([0.1, 0.2, 0.9]), np.ones((1, 3)))
        array([1.])
    """
    return pearson(mean_ranks(reference, counts), mean_ranks(predicted, counts), counts)


def roc_auc(positive: BoolArray, scores: FloatArray, counts: FloatArray) -> FloatArray:
    """Area under the ROC curve of every resample: how well scores separate positive from negative clips.

    Args:
        positive: whether each clip is positive, (clips,).
        scores: score of each clip; higher means positive.

    Returns:
        Area (resamples,), 0.5 is chance; NaN where a resample has no positive or no negative clip.

    Example:
        >>> roc_auc(np.array([True, True, False]), np.array([0.9, 0.2, 0.4]), np.ones((1, 3)))
        array([0.5])
    """
    positives = counts @ positive.astype(np.float64)
    negatives = counts.sum(axis=1) - positives
    ranks = (mean_ranks(scores, counts) * counts) @ positive.astype(np.float64)
    return divide(ranks - positives * (positives + 1) / 2, positives * negatives)


def _weighted_sum(values: FloatArray, counts: FloatArray) -> FloatArray:
    """Sum `values`, (clips,) or (resamples, clips), with the multiplicities; (resamples,)."""
    if values.ndim == 1:
        return counts @ values
    result: FloatArray = np.einsum("rc,rc->r", values, counts)
    return result
