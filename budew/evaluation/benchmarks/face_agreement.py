"""Statistics of EmoNet-Face HQ: kappas of pairs of raters and their comparison, alpha, ρ with the median.

The computations are those of statistics/analysis-hq.ipynb in LAION-AI/emonet-face, except for the random
numbers: each interval has its own generator, so it does not depend on other raters or the order of rows.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from budew.errors import require
from budew.evaluation.benchmarks.face_table import HIGHEST, FaceTable
from budew.statistics.agreement import krippendorff_alpha, weighted_kappa
from budew.statistics.arrays import FloatArray, divide, nanmean
from budew.statistics.correlation import mean_ranks, pearson
from budew.statistics.resampling import (
    UNDEFINED,
    ConfidenceInterval,
    Resampling,
    bootstrap_intervals,
    percentile_interval,
    resampled_means,
)
from budew.taxonomy import EMOTIONS

SETTINGS = Resampling(seed=42)
FEWEST_IMAGES = 30
"""Groups with fewer images are marked: most emotions are rated above 0 in few or none of them."""
ByEmotion = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Difference of the means of two sets of kappas, and `p` of a two-sided Mann-Whitney test.

    `p` is None if a set has fewer than two values.
    """

    difference: ConfidenceInterval
    p: float | None


def compare(first: FloatArray, second: FloatArray) -> Comparison:
    """Compare two sets of kappas, arrays of any shape; NaN is ignored. The interval resamples both sets.

    Raises:
        MissingExtraError: scipy is not installed.
    """
    stats = require("scipy.stats", extra="evaluate", purpose="budew benchmark emonet-face-hq")
    first, second = first[np.isfinite(first)], second[np.isfinite(second)]
    if min(len(first), len(second)) < 2:
        return Comparison(UNDEFINED, None)
    generator = np.random.default_rng(SETTINGS.seed)
    means = [resampled_means(some, SETTINGS, generator) for some in (first, second)]
    p = stats.mannwhitneyu(first, second, alternative="two-sided").pvalue
    return Comparison(percentile_interval(first.mean() - second.mean(), means[0] - means[1]), float(p))


def pairwise_kappas(ratings: FloatArray) -> FloatArray:
    """Compute kappa for each emotion, (raters, raters, emotions); NaN where undefined, and on the diagonal.

    `ratings` are integers (raters, images, emotions), NaN where not rated.
    """
    raters, _, emotions = ratings.shape
    kappas = np.full((raters, raters, emotions), np.nan)
    for one, other in combinations(range(raters), 2):
        kappas[one, other] = kappas[other, one] = weighted_kappa(ratings[one], ratings[other])
    return kappas


def spearman_with_median(scores: FloatArray, median: FloatArray, counts: FloatArray) -> FloatArray:
    """Compute Spearman's ρ of each emotion, (resamples, emotions); NaN where one of the two is constant.

    Args:
        scores, median: scores of a model and median rating of people, (images, emotions), NaN where missing.
        counts: (resamples, images), how often each image was drawn.
    """
    found = np.full((len(counts), scores.shape[1]), np.nan)
    for emotion, (given, reference) in enumerate(zip(scores.T, median.T, strict=True)):
        both = np.isfinite(given) & np.isfinite(reference)
        given, reference, drawn = given[both], reference[both], counts[:, both]
        if len({*given}) > 1 and len({*reference}) > 1:
            ranks, reference_ranks = mean_ranks(given, drawn), mean_ranks(reference, drawn)
            both_ways = pearson(ranks, reference_ranks, drawn) + pearson(reference_ranks, ranks, drawn)
            found[:, emotion] = both_ways / 2  # NaN where either is constant
    return found


@dataclass(frozen=True, slots=True)
class GroupScore:
    """Scores of a model on the images of one demographic group, with intervals from resampling the images.

    Attributes:
        images: number of images of the group that the model and people rated.
        few: whether these are fewer than `FEWEST_IMAGES`.
        emotions: number of emotions that both vary in, over which `spearman` is a mean.
        spearman: Spearman's ρ with the median of the people, mean over these emotions.
        mae: mean absolute difference from this median over images and emotions, on 0–7.
    """

    images: int
    few: bool
    emotions: int
    spearman: ConfidenceInterval
    mae: ConfidenceInterval


def score_group(scores: FloatArray, median: FloatArray) -> GroupScore:
    """Score a model on the images of one group; 1,000 images take 7 s on one core.

    Scores and median ratings of people are (images, emotions), NaN where missing.

    Example:
        >>> found = score_group(np.array([[0.0, 5.0], [2.0, 5.0]]), np.array([[1.0, 5.0], [3.0, 4.0]]))
        >>> found.images, found.few, found.emotions, found.spearman.value, found.mae.value
        (2, True, 1, 1.0, 0.75)
    """
    both = np.isfinite(scores) & np.isfinite(median)
    used = both.any(axis=1)
    scores, median, both = scores[used], median[used], both[used]
    varied = np.isfinite(spearman_with_median(scores, median, np.ones((1, len(scores))))).sum()

    def metrics(counts: FloatArray) -> dict[str, FloatArray]:
        rhos = spearman_with_median(scores, median, counts)
        errors = np.where(both, np.abs(scores - median), 0.0).sum(axis=1)
        return {"spearman": nanmean(rhos), "mae": divide(counts @ errors, counts @ both.sum(axis=1))}

    found = bootstrap_intervals(metrics, len(scores), SETTINGS)
    (rho,), (mae,) = found["spearman"], found["mae"]
    return GroupScore(len(scores), len(scores) < FEWEST_IMAGES, int(varied), rho, mae)


def alphas(ratings: FloatArray) -> dict[str, ConfidenceInterval]:
    """Compute Krippendorff's alpha (interval scale) of each emotion; its intervals resample images.

    `ratings` are (people, images, emotions), NaN where not rated.
    """

    def by_column(counts: FloatArray) -> dict[str, FloatArray]:
        columns = [krippendorff_alpha(one, counts) for one in np.moveaxis(ratings, 2, 0)]
        return {"alpha": np.stack(columns, axis=1)}

    found = bootstrap_intervals(by_column, ratings.shape[1], SETTINGS)["alpha"]
    return dict(zip(EMOTIONS, found, strict=True))


def whole_ratings(ratings: FloatArray) -> FloatArray:
    """Truncate ratings to integers; those outside 0 to 7 become NaN, which kappa ignores."""
    whole = np.trunc(ratings)
    return np.where((whole >= 0) & (whole <= HIGHEST), whole, np.nan)


def matched_ratings(scores: FloatArray, reference: FloatArray) -> FloatArray:
    """Map scores of one emotion to integers 0–7, each as frequent as in the rounded reference.

    All are (images,), NaN where scores or mean ratings of people are missing; ties are ranked by index.
    """
    found = np.full(scores.shape, np.nan)
    both = np.flatnonzero(np.isfinite(scores) & np.isfinite(reference))
    order = both[np.argsort(scores[both], kind="stable")]
    found[order] = np.sort(np.clip(np.round(reference[both]), 0, HIGHEST))
    return found


def people_by_turn(table: FaceTable) -> FloatArray:
    """Return the whole ratings by the first, second … person of each image, in the order of the rows.

    Their shape is (largest number of people per image, images, emotions); NaN if an image has fewer people.
    """
    rows = table.rows[table.people]
    turns = np.argsort(rows, axis=0, kind="stable")[: np.isfinite(rows).sum(axis=0).max()]
    return whole_ratings(np.take_along_axis(table.ratings[table.people], turns[:, :, None], axis=0))


def by_emotion(values: FloatArray) -> dict[str, float | None]:
    """Map the names of the emotions to their values, (emotions,); None for NaN."""
    return dict(zip(EMOTIONS, numbers_or_none(values), strict=True))


def numbers_or_none(values: Iterable[float]) -> list[float | None]:
    """Convert numbers for JSON: None for NaN."""
    return [float(value) if np.isfinite(value) else None for value in values]


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that are not None; None if there are none."""
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None


def box(values: FloatArray) -> dict[str, float | int]:
    """Return `n`, `mean`, `lowest`, `lower_quartile`, `median`, `upper_quartile` and `highest`."""
    names = ("lowest", "lower_quartile", "median", "upper_quartile", "highest")
    quartiles = map(float, np.quantile(values, [0, 0.25, 0.5, 0.75, 1]))
    return {"n": len(values), "mean": float(values.mean()), **dict(zip(names, quartiles, strict=True))}


def rating_counts(ratings: FloatArray) -> dict[str, tuple[int, ...]]:
    """Count each rating from 0 to 7 of each emotion; `ratings` are (people, images, emotions)."""
    counts = [(ratings == level).sum(axis=(0, 1)) for level in range(int(HIGHEST) + 1)]
    return {name: tuple(map(int, row)) for name, row in zip(EMOTIONS, np.transpose(counts), strict=True)}
