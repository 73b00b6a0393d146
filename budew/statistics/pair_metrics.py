"""Pearson, Spearman, MAE and RMSE over pairs of a label and a prediction, with bootstrap intervals.

Pairs of all emotions are pooled, as in EmoNet-Voice Bench. Equal pairs are counted instead of repeated:
captions have five levels, so 12,000 pairs have about 60 different values, and 1,000 resamples take 0.15 s on
one core (1.2 s if all pairs differ; benchmarks/evaluation.py). The order of the pairs does not matter.

If the labels are constant, correlations are undefined; if only the predictions are constant, correlations are
0, see `budew.statistics.correlation.pearson`.
"""

from collections.abc import Sequence

import numpy as np

from budew.statistics.arrays import FloatArray, divide
from budew.statistics.correlation import pearson, spearman
from budew.statistics.resampling import (
    ConfidenceInterval,
    Resampling,
    bootstrap_intervals,
    index_draws,
    permutation_baseline,
)

PAIR_METRICS = ("pearson", "spearman", "mae", "rmse")
_ARRAYS = 4
"""Number of arrays in memory at once while the metrics of a resample are computed."""


def pair_metrics(reference: FloatArray, predicted: FloatArray, counts: FloatArray) -> dict[str, FloatArray]:
    """Compute correlations and errors of predictions, for every resample.

    Args:
        reference, predicted: labels and predictions, (pairs,) each.
        counts: (resamples, pairs), how often each pair was drawn.

    Returns:
        Each of `PAIR_METRICS` to its values (resamples,), NaN where undefined; errors are in units of the
        labels.

    Example:
        >>> found = pair_metrics(np.array([0.0, 5.0]), np.array([1.0, 4.0]), np.ones((1, 2)))
        >>> {name: float(value[0]) for name, value in found.items()}
        {'pearson': 1.0, 'spearman': 1.0, 'mae': 1.0, 'rmse': 1.0}
    """
    error, total = predicted - reference, counts.sum(axis=1)
    return {
        "pearson": pearson(reference, predicted, counts),
        "spearman": spearman(reference, predicted, counts),
        "mae": divide(counts @ np.abs(error), total),
        "rmse": np.sqrt(divide(counts @ np.square(error), total)),
    }


def pair_intervals(
    reference: FloatArray,
    predicted: FloatArray,
    settings: Resampling,
    *,
    clusters: Sequence[str] | None = None,
) -> dict[str, ConfidenceInterval]:
    """Compute correlations and errors of predictions, with 95 % bootstrap intervals.

    Args:
        reference, predicted: labels and predictions, (pairs,) each.
        settings: number of resamples, and seed.
        clusters: cluster of each pair, such as its speaker; whole clusters are then drawn. None: pairs are
            drawn.

    Returns:
        Each of `PAIR_METRICS` to its interval, which is undefined (None) without pairs.

    Example:
        >>> labels, predicted = np.array([0.0, 5.0, 10.0]), np.array([1.0, 4.0, 9.0])
        >>> pair_intervals(labels, predicted, Resampling())["mae"]
        ConfidenceInterval(value=1.0, low=1.0, high=1.0)
    """
    pairs = np.column_stack([reference, predicted])
    cells, cell, times = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    labels, values = cells.T
    if clusters is None:
        units, starts = len(pairs), np.cumsum(times) - times

        def in_cells(counts: FloatArray) -> FloatArray:
            return np.add.reduceat(counts, starts, axis=1) if units else counts
    else:
        names, cluster = np.unique(np.asarray(clusters), return_inverse=True)
        units = len(names)
        places = cluster * len(cells) + cell.reshape(-1)
        table = np.bincount(places, minlength=units * len(cells)).reshape(units, -1).astype(np.float64)

        def in_cells(counts: FloatArray) -> FloatArray:
            return counts @ table

    found = bootstrap_intervals(
        lambda counts: pair_metrics(labels, values, in_cells(counts)),
        units,
        settings,
        draw=index_draws,
        width=_ARRAYS * len(pairs),
    )
    return {name: interval for name, (interval,) in found.items()}


def permuted_pairs(
    reference: FloatArray, predicted: FloatArray, settings: Resampling
) -> dict[str, ConfidenceInterval]:
    """Compute the permutation baseline: the metrics of predictions that are randomly assigned to the labels.

    Args:
        reference, predicted: labels and predictions, (pairs,) each.
        settings: number of permutations, and seed.

    Returns:
        Each of `PAIR_METRICS` to its mean over the permutations, with their 2.5 and 97.5 % quantiles.

    Example:
        >>> found = permuted_pairs(np.arange(100.0), np.arange(100.0), Resampling(permutations=50))
        >>> found["spearman"].low < 0 < found["spearman"].high
        True
    """
    once = np.ones((1, len(reference)))
    reference, predicted = np.sort(reference), np.sort(predicted)
    found = permutation_baseline(
        lambda order: pair_metrics(reference, predicted[order], once), len(reference), settings
    )
    return {name: interval for name, (interval,) in found.items()}
