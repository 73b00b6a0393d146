"""EmoNet-Face Binary: up to three experts decide whether a face shows an emotion (arXiv:2505.20033).

A second expert is asked if the first says yes, and a third if both do. In a contrastive batch, for true
negatives, one expert is asked whether each image shows another emotion (`contrast_pairs`). The published
agreement table (statistics/analysis-binary.ipynb in LAION-AI/emonet-face) has, for each emotion, the (image,
emotion) pairs with at least two ratings:

- full agreement: the share for which all raters give the same answer (with this design: three times yes);
- 2:1 and 1:1: the shares for which one of three, or one of two, disagrees;
- the shares with two and with three ratings.

A model is scored on the pairs with high agreement, three times yes against never yes: balanced accuracy and
area under the ROC curve. Intervals resample images, because an image has several pairs with emotions. A
resample is a vector of counts, from which ranks are computed without sorting (`budew.statistics`): 1,000
resamples of 31,366 pairs, by emotion and together, take 3 s on one core. scikit-learn would sort each one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from budew.curation.rating_tables import read_ratings
from budew.errors import CorpusError
from budew.evaluation.benchmarks.face_agreement import SETTINGS
from budew.evaluation.benchmarks.face_table import predicted_intensities
from budew.evaluation.predictors import FilePredictor
from budew.io.resources import packaged_table
from budew.statistics.arrays import BoolArray, FloatArray, IntArray, divide, nanmean
from budew.statistics.correlation import roc_auc
from budew.statistics.resampling import ConfidenceInterval, bootstrap_intervals, plain_fields
from budew.taxonomy import EMOTIONS

THRESHOLD = 0.5
METRICS = ("balanced_accuracy", "roc_auc")
FEWEST = 5
"""If an emotion has fewer present or fewer absent pairs, it has no metrics and is left out of the mean."""


@dataclass(frozen=True, slots=True)
class BinaryTable:
    """Number of ratings of each (image, emotion) pair, sorted by name of the image and order of the taxonomy.

    Attributes:
        images: names of the images, without folder and suffix.
        raters: number of people.
        image, emotion: (pairs,), places of the pair's image in `images` and of its emotion in `EMOTIONS`.
        ratings, yes: (pairs,), number of ratings, and number of those that say that the emotion is present.
        contrast: (pairs,), whether the pair is of the contrastive batch.
    """

    images: tuple[str, ...]
    raters: int
    image: IntArray
    emotion: IntArray
    ratings: IntArray
    yes: IntArray
    contrast: BoolArray


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Agreement on one emotion, over its pairs with two or more ratings.

    Attributes:
        pairs: number of these pairs; without any, the shares are None.
        two, three: share with two ratings, and with three.
        agreement: share on which all raters agree.
        two_to_one, one_to_one: share on which one of three raters, or one of two, disagrees.
    """

    pairs: int
    two: float | None
    three: float | None
    agreement: float | None
    two_to_one: float | None
    one_to_one: float | None


@dataclass(frozen=True, slots=True)
class PresenceScores:
    """How well predictions separate pairs whose emotion is present from pairs whose emotion is absent.

    Attributes:
        yes, no: number of scored pairs where the emotion is present, and where it is absent.
        balanced_accuracy, roc_auc: undefined if one of the two kinds is missing; for a single emotion, if one
            kind has fewer than `FEWEST` pairs.
    """

    yes: int
    no: int
    balanced_accuracy: ConfidenceInterval
    roc_auc: ConfidenceInterval


@dataclass(frozen=True, slots=True)
class PresenceResult:
    """Scores of one model.

    Attributes:
        name: name of the model.
        threshold: lowest intensity at which an emotion counts as present, for the balanced accuracy.
        missing: number of pairs without a prediction, which are left out.
        all: scores over the pairs of all emotions together.
        mean: each of `METRICS` → mean over the emotions for which it is defined.
        by_emotion: emotion → scores.
    """

    name: str
    threshold: float
    missing: int
    all: PresenceScores
    mean: Mapping[str, ConfidenceInterval]
    by_emotion: Mapping[str, PresenceScores]


@dataclass(frozen=True, slots=True)
class BinaryResult:
    """Agreement of the raters, and the scores of a model, if there is one.

    Attributes:
        counts: number of `ratings`, `images`, `people` and `pairs`; of pairs that are `all_yes` (three
            ratings or more, all yes), `never_yes` and `other`; of those never yes, of the contrastive batch
            (`contrast_no`) and of others (`first_no`); with a model, of `unused_predictions`, for no
            image.
        by_emotion: emotion → agreement, in the order of the taxonomy.
        predicted: per cent of all pairs with a prediction; None without predictions.
        model: scores of the predictions; None without predictions.
    """

    counts: Mapping[str, int]
    by_emotion: Mapping[str, PairAgreement]
    predicted: ConfidenceInterval | None = None
    model: PresenceResult | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, with the published results."""
        published = packaged_table(__package__, "emonet_face_binary")
        return {"benchmark": "emonet-face-binary", **plain_fields(self), "published": published}


def read_binary_table(path: str | Path) -> BinaryTable:
    """Read a table of EmoNet-Face Binary, with one rating per row: `path,annotator,value,emotion`.

    65,686 ratings take 2 s. The table may be CSV, TSV, JSON Lines or parquet; rows whose `human` is false are
    left out.

    Raises:
        CorpusError: a row is invalid, a rating is neither yes nor no, a rater rates the same pair twice, or
            there is no rating by people; the error names the row or the pair.
    """
    answers: dict[tuple[str, int], dict[str, int]] = {}
    for rating in read_ratings(path, scale="0-1"):
        pair = f"{path}: {rating.emotion} of {rating.item!r}"
        if rating.value not in (0.0, 1.0) or rating.emotion not in EMOTIONS:
            raise CorpusError(f"{pair} is not rated as an emotion, present or not: correct the table")
        given = answers.setdefault((rating.item, EMOTIONS.index(rating.emotion)), {})
        if rating.rater in given:
            raise CorpusError(f"{pair} is rated twice by {rating.rater}: keep one")
        given[rating.rater] = int(rating.value)
    if not answers:
        raise CorpusError(f"{path}: contains no rating by people: check the file")
    pairs, contrast = sorted(answers), contrast_pairs(answers)
    images, place = np.unique([image for image, _ in pairs], return_inverse=True)
    return BinaryTable(
        tuple(images.tolist()),
        len({rater for given in answers.values() for rater in given}),
        place,
        np.array([emotion for _, emotion in pairs]),
        np.array([len(answers[pair]) for pair in pairs]),
        np.array([sum(answers[pair].values()) for pair in pairs]),
        np.array([pair in contrast for pair in pairs]),
    )


def contrast_pairs(raters: Mapping[tuple[str, int], Collection[str]]) -> set[tuple[str, int]]:
    """Return the (image, emotion) pairs of the contrastive batch, of images with two emotions.

    Such a pair has one rating. If the other emotion, the target, has one too, their raters tell, who are
    known from images whose target has several. If one rater gave both, the target comes first, as in 2,462 of
    2,462 such images of the published table. There, all 19,999 images have a contrast pair, and each emotion
    is the target of 498 to 504 of them.

    Args:
        raters: pair → its raters, in the order of rows.

    Example:
        >>> asked = {("1", 0): ["a", "b"], ("1", 5): ["c"], ("2", 5): ["c"], ("2", 0): ["a"]}
        >>> sorted(contrast_pairs(asked))
        [('1', 5), ('2', 5)]
    """
    of_image: dict[str, list[tuple[str, int]]] = {}
    for pair in raters:
        of_image.setdefault(pair[0], []).append(pair)
    two = [pairs for pairs in of_image.values() if len(pairs) == 2]
    known = [(a, b) for pairs in two for a, b in (pairs, pairs[::-1]) if len(raters[a]) > len(raters[b]) == 1]
    of_targets = {rater for target, _ in known for rater in raters[target]}
    of_batch = {rater for _, other in known for rater in raters[other]}

    def order(pair: tuple[str, int]) -> tuple[int, int]:
        return -len(raters[pair]), sum((rater in of_batch) - (rater in of_targets) for rater in raters[pair])

    targets_first = (sorted(pairs, key=order) for pairs in two)
    recognized = ((a, b) for a, b in targets_first if order(a) < order(b) or [*raters[a]] == [*raters[b]])
    return {other for _, other in recognized if len(raters[other]) == 1}


def score_emonet_face_binary(
    data: str | Path, predictor: FilePredictor | None = None, *, threshold: float = THRESHOLD
) -> BinaryResult:
    """Measure rater agreement by emotion; score predictions on pairs (image, emotion) with clear ratings.

    A pair is scored if three or more raters all say yes, or if no rater says yes. 20,000 images with 1,000
    resamples take 3 s on one core.

    Args:
        data: table of ratings, see `read_binary_table`.
        predictor: predictions whose ids are names of images; without it, only the agreement is measured.
        threshold: lowest predicted intensity, in [0, 1], at which an emotion counts as present.

    Raises:
        CorpusError: the table cannot be read.
        InputError: no prediction is for an image of the table.

    Example:
        >>> rows = [f"{name}.png,r{n},{name == 'glad'},Elation" for name in ("glad", "sad") for n in range(3)]
        >>> _ = Path("binary.csv").write_text("\\n".join(["path,annotator,value,emotion", *rows]))
        >>> found = score_emonet_face_binary("binary.csv")
        >>> found.counts["all_yes"], found.counts["never_yes"], found.by_emotion["Elation"].agreement
        (1, 1, 1.0)
    """
    table = read_binary_table(data)
    high, never = (table.yes == table.ratings) & (table.ratings >= 3), table.yes == 0
    counts = {
        "ratings": int(table.ratings.sum()),
        "images": len(table.images),
        "people": table.raters,
        "pairs": len(table.image),
        "all_yes": int(high.sum()),
        "never_yes": int(never.sum()),
        "other": int((~high & ~never).sum()),
        "contrast_no": int((never & table.contrast).sum()),
        "first_no": int((never & ~table.contrast).sum()),
    }
    agreement = {emotion: _agreement(table, place) for place, emotion in enumerate(EMOTIONS)}
    if predictor is None:
        return BinaryResult(counts, agreement)
    scores = predicted_intensities(predictor, table.images)[table.image, table.emotion]
    counts["unused_predictions"] = predictor.unused
    predicted = ConfidenceInterval(float(100 * np.isfinite(scores).mean()), None, None)
    used, name = high | never, Path(predictor.name).stem
    model = score_presence(
        table.image[used], table.emotion[used], high[used], scores[used], name=name, threshold=threshold
    )
    return BinaryResult(counts, agreement, predicted, model)


def _agreement(table: BinaryTable, emotion: int) -> PairAgreement:
    chosen = (table.emotion == emotion) & (table.ratings > 1)
    ratings, yes, pairs = table.ratings[chosen], table.yes[chosen], int(chosen.sum())
    unanimous = (yes == 0) | (yes == ratings)

    def share(of: BoolArray) -> float | None:
        return float(of.sum() / pairs) if pairs else None

    return PairAgreement(
        pairs=pairs,
        two=share(ratings == 2),
        three=share(ratings == 3),
        agreement=share(unanimous),
        two_to_one=share((ratings == 3) & ~unanimous),
        one_to_one=share((ratings == 2) & ~unanimous),
    )


def score_presence(
    image: IntArray, emotion: IntArray, yes: BoolArray, scores: FloatArray, *, name: str, threshold: float
) -> PresenceResult:
    """Score predicted intensities of (image, emotion) pairs.

    The arrays are (pairs,): number of the image, place of the emotion in `EMOTIONS`, whether it is present,
    and its predicted intensity, NaN without a prediction.
    """
    used = np.isfinite(scores)
    emotion, yes, scores = emotion[used], yes[used], scores[used]
    images, number = np.unique(image[used], return_inverse=True)
    parts = [np.flatnonzero(emotion == place) for place in range(len(EMOTIONS))]

    def of_pairs(part: IntArray, counts: FloatArray, fewest: int) -> FloatArray:
        """Return `METRICS` of some pairs, (resamples, 2)."""
        drawn, present = counts[:, number[part]], yes[part]
        if min(present.sum(), (~present).sum()) < fewest:
            return np.full((len(counts), len(METRICS)), np.nan)
        accuracy = balanced_accuracy(present, scores[part] >= threshold, drawn)
        return np.stack([accuracy, roc_auc(present, scores[part], drawn)], axis=1)

    def metrics(counts: FloatArray) -> dict[str, FloatArray]:
        """Return `METRICS` by emotion, of all pairs, and their means over the emotions."""
        scored = [of_pairs(part, counts, FEWEST) for part in parts]
        whole = of_pairs(np.arange(len(yes)), counts, 1)
        columns = np.stack([*scored, whole, nanmean(np.stack(scored, axis=1), axis=1)], axis=1)
        return {name: columns[:, :, at] for at, name in enumerate(METRICS)}

    found = bootstrap_intervals(metrics, len(images), SETTINGS, width=len(number))
    *by_emotion, whole, mean = zip(*(found[name] for name in METRICS), strict=True)

    def presence(part: IntArray, intervals: tuple[ConfidenceInterval, ...]) -> PresenceScores:
        return PresenceScores(int(yes[part].sum()), int((~yes[part]).sum()), *intervals)

    return PresenceResult(
        name=name,
        threshold=threshold,
        missing=int((~used).sum()),
        all=presence(np.arange(len(yes)), whole),
        mean=dict(zip(METRICS, mean, strict=True)),
        by_emotion=dict(zip(EMOTIONS, map(presence, parts, by_emotion), strict=True)),
    )


def balanced_accuracy(yes: BoolArray, present: BoolArray, counts: FloatArray) -> FloatArray:
    """Return the mean of sensitivity and specificity, (resamples,); NaN where a resample lacks a class.

    `yes` and `present`, (pairs,), are the reference and the prediction; `counts` are (resamples, pairs).
    """
    rates = [
        divide(counts @ (kind & right).astype(np.float64), counts @ kind.astype(np.float64))
        for kind, right in ((yes, present), (~yes, ~present))
    ]
    return (rates[0] + rates[1]) / 2
