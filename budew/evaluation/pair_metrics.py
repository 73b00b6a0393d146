"""Pearson, Spearman, MAE and RMSE over pairs of a label and a prediction, with bootstrap intervals.

Pairs of all emotions are pooled, as EmoNet-Voice Bench does. Equal pairs are counted instead of repeated, in
an order of their own: captions have five levels, so 12,000 pairs are about 60 different ones and 1,000
resamples take 0.15 s on one core, those of different pairs 1.2 s (benchmarks/evaluation.py). The order of the
pairs does not matter.

Where the label is constant, correlations are undefined; where only the prediction is, they are 0, see
`budew.correlation.pearson`.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from budew.correlation import Estimate, FloatArray, pearson, spearman, summarize

PAIR_METRICS = ("pearson", "spearman", "mae", "rmse")
_CELLS_AT_A_TIME = 1_000_000
"""Resamples × pairs held at once: about 8 MB an array."""
IntArray = npt.NDArray[np.intp]


def pair_metrics(reference: FloatArray, predicted: FloatArray, counts: FloatArray) -> dict[str, FloatArray]:
    """Compute the metrics of every resample; errors have the unit of the values.

    Args:
        reference, predicted: (pairs,).
        counts: (resamples, pairs), how often each pair was drawn.

    Returns:
        `PAIR_METRICS` → (resamples,); NaN where undefined.
    """
    error, total = predicted - reference, counts.sum(axis=1)
    return {
        "pearson": pearson(reference, predicted, counts),
        "spearman": spearman(reference, predicted, counts),
        "mae": counts @ np.abs(error) / total,
        "rmse": np.sqrt(counts @ np.square(error) / total),
    }


def pair_estimates(
    reference: FloatArray,
    predicted: FloatArray,
    *,
    clusters: Sequence[str] | None = None,
    resamples: int = 1_000,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Compute the metrics with 95 % intervals.

    Args:
        reference, predicted: (pairs,).
        clusters: of each pair, such as its voice: whole clusters are drawn. Pairs are drawn where left out.
        resamples, seed: of the bootstrap.

    Returns:
        `PAIR_METRICS` → estimate; its numbers are None where there are no pairs.
    """
    if not len(reference):
        return dict.fromkeys(PAIR_METRICS, Estimate(None, None, None))
    labels, values, cell, times = _cells(reference, predicted)
    point = pair_metrics(labels, values, times[None])
    generator, size = np.random.default_rng(seed), max(1, _CELLS_AT_A_TIME // len(cell))
    rows = [min(size, resamples - start) for start in range(0, resamples, size)]
    if clusters is None:
        drawn = (_drawn_pairs(np.sort(cell), len(times), count, generator) for count in rows)
    else:
        table = _by_cluster(clusters, cell, len(times))
        drawn = (_drawn_pairs(np.arange(len(table)), len(table), count, generator) @ table for count in rows)
    sampled = [pair_metrics(labels, values, counts) for counts in drawn]
    return {
        name: summarize(float(value[0]), np.concatenate([one[name] for one in sampled]))
        for name, value in point.items()
    }


def permuted_estimates(
    reference: FloatArray, predicted: FloatArray, *, permutations: int = 100, seed: int = 0
) -> dict[str, Estimate]:
    """Return mean and 95 % range of the metrics of the predictions permuted over the labels."""
    if not len(reference):
        return dict.fromkeys(PAIR_METRICS, Estimate(None, None, None))
    generator, once = np.random.default_rng(seed), np.ones((1, len(reference)))
    reference, predicted = np.sort(reference), np.sort(predicted)
    found = [pair_metrics(reference, generator.permutation(predicted), once) for _ in range(permutations)]
    values = {name: np.concatenate([one[name] for one in found]) for name in PAIR_METRICS}
    return {name: summarize(float(sampled.mean()), sampled) for name, sampled in values.items()}


def _cells(
    reference: FloatArray, predicted: FloatArray
) -> tuple[FloatArray, FloatArray, IntArray, FloatArray]:
    """Return the different pairs: labels, predictions, (cells,); the cell of each pair; their numbers."""
    pairs = np.column_stack([reference, predicted])
    different, cell, times = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    return different[:, 0], different[:, 1], cell.reshape(-1), times.astype(np.float64)


def _by_cluster(clusters: Sequence[str], cell: IntArray, cells: int) -> FloatArray:
    """Count the pairs of each cluster in each cell: (clusters, cells)."""
    names, cluster = np.unique(np.asarray(clusters), return_inverse=True)
    table = np.bincount(cluster * cells + cell, minlength=len(names) * cells)
    return table.reshape(len(names), cells).astype(np.float64)


def _drawn_pairs(cell: IntArray, cells: int, rows: int, generator: np.random.Generator) -> FloatArray:
    """Draw pairs with replacement, given their cells: (rows, cells), how often each was drawn."""
    draws = cell[generator.integers(len(cell), size=(rows, len(cell)))]
    counts = np.bincount((draws + cells * np.arange(rows)[:, None]).ravel(), minlength=rows * cells)
    return counts.reshape(rows, cells).astype(np.float64)
