"""Metrics of predicted intensities against reference ones, for many bootstrap resamples at once.

Spearman's ρ and Pearson's r of each emotion over clips; mean absolute and root mean square error on the
0–10 scale of the EmoNet-Voice papers; the area under the ROC curve between clips that have the emotion and
clips that do not; how often the strongest emotion is right; a confusion matrix.

Two conventions, because captions often leave an emotion out altogether:

- The reference of an emotion is constant: its correlation is undefined (NaN here, null in JSON), counted, and
  left out of the mean.
- The reference varies and the prediction is constant: its correlation counts as 0, and the area as 0.5.
  Leaving it out instead would reward a model for never predicting what it does not recognize.

The metrics of an emotion are over the clips in which it is rated and predicted; in others its reference or
prediction is NaN. Predictions of unrated emotions change no metric. Strongest emotions are compared in clips
in which all emotions are rated and predicted.

Captions have five levels, so ties are common: a clip's unit of weight is split evenly over its tied strongest
emotions, so that the order of the emotions has no effect.
"""

import numpy as np

from budew.statistics.arrays import BoolArray, FloatArray, divide, nanmean
from budew.statistics.correlation import pearson, roc_auc, spearman
from budew.taxonomy.rating_scales import from_intensity

METRICS = ("spearman", "pearson", "mae", "rmse", "auc")
REPORT_MAXIMUM = from_intensity(1.0, "report")
"""Maximum of the scale of reported errors, 0–10, as in the EmoNet-Voice papers (their ratings of 0, 1, 2
times five)."""


def score_emotions(
    reference: FloatArray, predicted: FloatArray, counts: FloatArray | None = None
) -> dict[str, FloatArray]:
    """Compute every metric for each of many resamples of the clips.

    Args:
        reference, predicted: (clips, emotions), intensities in [0, 1], NaN where not rated or not predicted.
        counts: (resamples, clips), how often each clip is drawn; default: one row in which each clip counts
            once.

    Returns:
        Each of `METRICS` by name, (resamples, emotions), and its mean over the emotions as `mean_spearman`
        and so on, (resamples,). The means leave out emotions whose reference is constant, unless all are.
        `top1`, (resamples,): of the clips with an emotion, the share whose strongest emotion is also the
        strongest predicted one. NaN: undefined.

    Example:
        >>> reference, predicted = np.array([[0.0, 1.0], [0.5, 0.0]]), np.array([[0.25, 1.0], [0.5, 0.0]])
        >>> found = score_emotions(reference, predicted)
        >>> found["mae"], found["mean_spearman"]
        (array([[1.25, 0.  ]]), array([1.]))
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
        "mae": divide(counts @ np.abs(error), total),
        "rmse": np.sqrt(divide(counts @ np.square(error), total)),
        "auc": correlations[2],
    }
    constant = constant_emotions(reference, rated)
    kept = constant if constant.all() else ~constant
    means = {f"mean_{name}": nanmean(values[:, kept]) for name, values in by_emotion.items()}
    return {**by_emotion, **means, "top1": _top1(reference, predicted, counts)}


def constant_emotions(values: FloatArray, rated: BoolArray) -> BoolArray:
    """Return for each emotion whether its values in the clips that rate it are all equal, (emotions,).

    Args:
        values: (clips, emotions).
        rated: (clips, emotions). An emotion that is never rated counts as constant.
    """
    low = np.where(rated, values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(rated, values, -np.inf).max(axis=0, initial=-np.inf)
    constant: BoolArray = low >= high
    return constant


def strongest(intensities: FloatArray) -> FloatArray:
    """Split each clip's weight of 1 evenly over its strongest emotions.

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
    reference: FloatArray, predicted: FloatArray, rated: BoolArray, counts: FloatArray
) -> FloatArray:
    """Return Spearman's ρ, Pearson's r and the area under the ROC curve of one emotion, (3, rows).

    The metrics are over the clips in which it is rated.
    """
    if not rated.all():
        reference, predicted, counts = reference[rated], predicted[rated], counts[:, rated]
    return np.stack(
        [
            spearman(reference, predicted, counts),
            pearson(reference, predicted, counts),
            roc_auc(reference > 0, predicted, counts),
        ]
    )


def _top1(reference: FloatArray, predicted: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the share of clips with an emotion whose strongest emotion is right; ties count in part.

    Returns:
        (rows,) in [0, 1]; NaN if no clip with all emotions rated and predicted has an emotion.
    """
    whole = ~np.isnan(reference + predicted).any(axis=1)
    if not whole.any():
        return np.full(len(counts), np.nan)
    counts, right = counts[:, whole], strongest(reference[whole])[:, :-1] > 0
    credit = (strongest(predicted[whole])[:, :-1] * right).sum(axis=1)
    return divide(counts @ credit, counts @ right.any(axis=1))
