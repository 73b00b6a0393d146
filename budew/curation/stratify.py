"""Assign whole groups to parts of given shares so that each part has its share of every stratum.

Exact answers are a knapsack problem; this is the greedy one of scikit-learn's `StratifiedGroupKFold` and of
iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011), for several labels a clip and parts of any
size; then groups change parts while that helps. The objective is Pearson's χ² between what each part holds
and its share of the whole, which weighs a clip too many by how few were expected: a rare emotion in a small
part counts most. 10 µs for each group and sweep.
"""

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.integer]
Floats = NDArray[np.float64]

MOST_SWEEPS = 10
_GAIN = 1e-6  # least gain of a change, so that rounding errors decide nothing


def stratify(
    counts: Counts, shares: Floats, *, order: NDArray[np.intp] | None = None, taken: Counts | None = None
) -> NDArray[np.intp]:
    """Assign each group to a part.

    Args:
        counts: clips of each group in each stratum, shape (groups, strata); the first stratum is all clips.
        shares: of the parts, above 0, adding up to 1.
        order: of the groups; the largest should be placed first.
        taken: what the parts hold already, shape (parts, strata).

    Returns:
        The number of the part of each group, shape (groups,). No part is empty if there are groups enough.
    """
    order = np.arange(len(counts)) if order is None else order
    filled = np.zeros((len(shares), counts.shape[1])) if taken is None else taken.astype(np.float64)
    targets = np.outer(shares, counts.sum(axis=0) + filled.sum(axis=0))
    weights = 1 / np.maximum(targets, 1)
    parts = np.full(len(counts), -1, dtype=np.intp)
    for _ in range(1 + MOST_SWEEPS):
        if not _sweep(order, parts, counts, filled, targets, weights):
            break
    if taken is None:
        _fill_empty(order, parts, len(shares))
    return parts


def _sweep(
    order: NDArray[np.intp],
    parts: NDArray[np.intp],
    counts: Counts,
    filled: Floats,
    targets: Floats,
    weights: Floats,
) -> int:
    """Put each group where it costs least; return how many changed their part."""
    changed = 0
    for number in order:
        row, at = counts[number], parts[number]
        if at >= 0:
            filled[at] -= row
        costs = (weights * row * (2 * (filled - targets) + row)).sum(axis=1)
        best = int(np.argmin(costs))
        if at < 0 or costs[best] < costs[at] - _GAIN:
            changed += 1
        else:
            best = int(at)
        parts[number] = best
        filled[best] += row
    return changed


def _fill_empty(order: NDArray[np.intp], parts: NDArray[np.intp], count: int) -> None:
    """Give each empty part the last group of the part that has most groups."""
    for part in range(count):
        sizes = np.bincount(parts, minlength=count)
        if sizes[part] == 0 and sizes.max() > 1:
            parts[order[parts[order] == sizes.argmax()][-1]] = part
