"""Metrics of predicted intensities against reference ones, with bootstrap samples and a permutation baseline.

Spearman's ρ and Pearson's r of each emotion over clips; mean absolute and root mean square error on the
0–10 scale of the EmoNet-Voice papers; the area under the ROC curve between clips that have the emotion and
clips that do not; how often the strongest emotion is right; a confusion matrix. The permutation baseline
scores the same predictions, assigned to random clips: it keeps how often each level is predicted.

Two conventions, because captions often leave an emotion out altogether:

- The reference of an emotion is constant: its correlation is undefined (NaN here, null in JSON), counted, and
  left out of the mean.
- The reference varies and the prediction is constant: its correlation counts as 0, and the area as 0.5.
  Leaving it out instead would reward a model for never predicting what it does not recognize.

An emotion counts over the clips in which it is rated and predicted; elsewhere its reference or prediction is
NaN. What is predicted where it is not rated changes no metric. Strongest emotions are compared in clips in
which all are rated and predicted.

Captions have five levels, so ties are common: a clip's unit of weight is split evenly over its tied strongest
emotions, so that the order of the emotions decides nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from budew.correlation import FloatArray, mean_ranks, pearson, spearman
from budew.evaluation.pairs import IntArray
from budew.taxonomy.scales import from_intensity

METRICS = ("spearman", "pearson", "mae", "rmse", "auc")
REPORT_MAXIMUM = from_intensity(1.0, "report")
"""Errors are reported on 0–10, as the EmoNet-Voice papers do (their ratings of 0, 1, 2 times five)."""
_CELLS_AT_A_TIME = 1_000_000
"""Resamples × clips held at once: about 8 MB an array."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Metrics of many weightings of the same clips.

    `by_emotion` maps a metric to (rows, emotions); `mean` maps it, and "top1", to (rows,). NaN is undefined.
    Means leave out emotions whose label never varies, if others' do: there is nothing to predict of them.
    """

    by_emotion: Mapping[str, FloatArray]
    mean: Mapping[str, FloatArray]


def score_emotions(reference: FloatArray, predicted: FloatArray, counts: FloatArray | None = None) -> Scores:
    """Compute every metric for each of many weightings of the clips.

    Args:
        reference, predicted: (clips, emotions), intensities in [0, 1], NaN where not rated or predicted.
        counts: (rows, clips), how often each clip counts; one row, each clip once, where it is left out.
    """
    if counts is None:
        counts = np.ones((1, len(reference)))
    rated = ~np.isnan(reference + predicted)
    error = np.where(rated, predicted - reference, 0.0) * REPORT_MAXIMUM
    total = counts @ rated
    columns = zip(reference.T, predicted.T, rated.T, strict=True)
    correlations = np.stack([_correlations(*column, counts) for column in columns], axis=2)
    by_emotion = {
        "spearman": correlations[0],
        "pearson": correlations[1],
        "mae": _divided(counts @ np.abs(error), total),
        "rmse": np.sqrt(_divided(counts @ np.square(error), total)),
        "auc": correlations[2],
    }
    constant = constant_emotions(reference, rated)
    kept = constant if constant.all() else ~constant
    mean = {metric: mean_over_emotions(values[:, kept]) for metric, values in by_emotion.items()}
    return Scores(by_emotion, mean | {"top1": _top1(reference, predicted, counts)})


def bootstrap(
    reference: FloatArray,
    predicted: FloatArray,
    *,
    resamples: int,
    seed: int,
    clusters: IntArray | None = None,
) -> Scores:
    """Score `resamples` samples of the clips, drawn with replacement; ranks are those within each sample.

    Args:
        reference, predicted: as for `score_emotions`, of at least one clip.
        resamples, seed: of the draws.
        clusters: number of each clip's cluster, such as its speaker, from 0: whole clusters are drawn.
    """
    clusters = np.arange(len(reference)) if clusters is None else clusters
    count = int(clusters.max()) + 1
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    size = max(1, _CELLS_AT_A_TIME // len(reference))
    starts = range(0, resamples, size)
    chunks = (draws[start : start + size, clusters].astype(float) for start in starts)
    return _stack([score_emotions(reference, predicted, chunk) for chunk in chunks])


def permutation_baseline(
    reference: FloatArray, predicted: FloatArray, *, permutations: int, seed: int
) -> Scores:
    """Score the predictions after permuting them over the clips; one row for each of `permutations`."""
    generator = np.random.default_rng(seed)
    orders = (generator.permutation(len(reference)) for _ in range(permutations))
    return _stack([score_emotions(reference, predicted[order]) for order in orders])


def mean_over_emotions(values: FloatArray) -> FloatArray:
    """Mean over the emotions that are defined; (rows, emotions) → (rows,), NaN where none is."""
    defined = np.isfinite(values)
    total = np.where(defined, values, 0.0).sum(axis=1)
    return _divided(total, defined.sum(axis=1).astype(np.float64))


def constant_emotions(values: FloatArray, rated: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return for each emotion whether all its values in rated clips are equal; shape (emotions,)."""
    low = np.where(rated, values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(rated, values, -np.inf).max(axis=0, initial=-np.inf)
    constant: npt.NDArray[np.bool_] = low >= high
    return constant


def strongest(intensities: FloatArray) -> FloatArray:
    """Share each clip's weight over its strongest emotions.

    Args:
        intensities: (clips, emotions) in [0, 1].

    Returns:
        (clips, emotions + 1), rows summing to one; the last column is "no emotion".
    """
    top = intensities.max(axis=1, keepdims=True)
    tied = (intensities == top) & (top > 0)
    rows = np.concatenate([tied, top <= 0], axis=1).astype(float)
    shares: FloatArray = rows / rows.sum(axis=1, keepdims=True)
    return shares


def _correlations(
    reference: FloatArray, predicted: FloatArray, rated: npt.NDArray[np.bool_], counts: FloatArray
) -> FloatArray:
    """Return Spearman's ρ, Pearson's r and the area under the ROC curve of one emotion, (3, rows).

    They are over the clips in which it is rated.
    """
    if not rated.all():
        reference, predicted, counts = reference[rated], predicted[rated], counts[:, rated]
    return np.stack([measure(reference, predicted, counts) for measure in (spearman, pearson, _auc)])


def _auc(reference: FloatArray, predicted: FloatArray, counts: FloatArray) -> FloatArray:
    """Area under the ROC curve between clips with and without an emotion, (rows,); NaN without both."""
    drawn = counts * (reference > 0)
    present = drawn.sum(axis=1)
    absent = counts.sum(axis=1) - present
    ranks = (drawn * mean_ranks(predicted, counts)).sum(axis=1)
    return _divided(ranks - present * (present + 1) / 2, present * absent)


def _top1(reference: FloatArray, predicted: FloatArray, counts: FloatArray) -> FloatArray:
    """Share of the clips with an emotion whose strongest is right, ties broken at random.

    Returns:
        (rows,) in [0, 1]; NaN where no clip with all emotions rated and predicted has one.
    """
    whole = ~np.isnan(reference + predicted).any(axis=1)
    if not whole.any():
        return np.full(len(counts), np.nan)
    counts, right = counts[:, whole], strongest(reference[whole])[:, :-1] > 0
    credit = (strongest(predicted[whole])[:, :-1] * right).sum(axis=1)
    return _divided(counts @ credit, counts @ right.any(axis=1))


def _divided(total: FloatArray, count: FloatArray) -> FloatArray:
    """Divide, with NaN where there is nothing to divide by."""
    result = np.full(total.shape, np.nan)
    np.divide(total, count, out=result, where=count > 0)
    return result


def _stack(parts: Sequence[Scores]) -> Scores:
    return Scores(
        {name: np.concatenate([part.by_emotion[name] for part in parts]) for name in parts[0].by_emotion},
        {name: np.concatenate([part.mean[name] for part in parts]) for name in parts[0].mean},
    )
