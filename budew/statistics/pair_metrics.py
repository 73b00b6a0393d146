"""Pearson, Spearman, MAE and RMSE over pairs of a label and a prediction, with bootstrap intervals.

Pairs of all emotions are pooled, as EmoNet-Voice Bench does. Equal pairs are counted instead of repeated, in
an order of their own: captions have five levels, so 12,000 pairs are about 60 different ones and 1,000
resamples take 0.15 s on one core, those of different pairs 1.2 s (benchmarks/evaluation.py). The order of the
pairs does not matter.

Where the label is constant, correlations are undefined; where only the prediction is, they are 0, see
`budew.statistics.correlation.pearson`.
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
"""Held at once for the metrics of a resample."""


def pair_metrics(reference: FloatArray, predicted: FloatArray, counts: FloatArray) -> dict[str, FloatArray]:
    """Compute the metrics of every resample; errors have the unit of the values.

    Args:
        reference, predicted: (pairs,).
        counts: (resamples, pairs), how often each pair was drawn.

    Returns:
        `PAIR_METRICS` → (resamples,); NaN where undefined.

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
    """Compute the metrics with 95 % intervals.

    Args:
        reference, predicted: (pairs,).
        settings: resamples and seed.
        clusters: of each pair, such as its voice: whole clusters are drawn. Pairs are drawn where left out.

    Returns:
        `PAIR_METRICS` → interval; undefined where there are no pairs.

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
    """Return mean and 95 % range of the metrics of the predictions permuted over the labels.

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
