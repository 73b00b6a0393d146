"""Cohen's kappa with quadratic weights, of many emotions at once.

One minus the mean squared difference of two raters over the mean squared difference of ratings that are
paired at random. The sums are whole numbers, so equal kappas are equal to the last digit, as rank tests need.
The tests compare it with scikit-learn, which takes 9 s for the 9,240 kappas of EmoNet-Face HQ where this
takes 0.2 s.
"""

from itertools import combinations

import numpy as np

from budew.statistics.arrays import FloatArray

_FEWEST = 2
"""Images that two raters must share."""


def weighted_kappa(first: FloatArray, second: FloatArray) -> FloatArray:
    """Cohen's kappa of two raters by emotion.

    Args:
        first, second: (images, emotions), whole numbers, NaN where not rated.

    Returns:
        (emotions,); NaN where the two share fewer than two images, or all their ratings are the same.
    """
    shared = np.isfinite(first) & np.isfinite(second)
    images = shared.sum(axis=0)
    a, b = np.where(shared, first, 0.0), np.where(shared, second, 0.0)
    expected = images * (a**2 + b**2).sum(axis=0) - 2 * a.sum(axis=0) * b.sum(axis=0)
    ratio = np.full(expected.shape, np.nan)
    observed = images * ((a - b) ** 2).sum(axis=0)
    np.divide(observed, expected, out=ratio, where=(expected > 0) & (images >= _FEWEST))
    return 1.0 - ratio


def pooled_kappa(first: FloatArray, second: FloatArray | None = None) -> FloatArray:
    """Cohen's kappa by emotion over the ratings of all pairs of raters together.

    Args:
        first, second: (raters, images, emotions): each rater of one with each of the other; of `first` alone,
            each rater with the later ones.

    Returns:
        (emotions,).
    """
    if second is None:
        pairs = list(combinations(first, 2))
    else:
        pairs = [(one, other) for one in first for other in second]
    return weighted_kappa(np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs]))
