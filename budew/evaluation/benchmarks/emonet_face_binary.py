"""EmoNet-Face Binary: is an emotion present in a face, by up to three experts in turn? (arXiv:2505.20033)

A second expert is asked where the first says yes, a third where both do. The published agreement table
(statistics/analysis-binary.ipynb in LAION-AI/emonet-face) has, for each emotion, the (image, emotion) pairs
with at least two ratings:

- full agreement: the share on which all raters say the same (with this design: three times yes);
- 2:1 and 1:1: the shares where one of three, or of two, says otherwise;
- the shares with two and with three ratings.

A model is scored on the pairs with high agreement, three times yes against never yes: see `face_presence`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from budew.curation.rating_tables import read_ratings
from budew.errors import CorpusError
from budew.evaluation.benchmarks.face_presence import THRESHOLD, PresenceResult, score_presence
from budew.evaluation.benchmarks.face_table import predicted_intensities
from budew.evaluation.predictions import Prediction
from budew.io.resources import packaged_table
from budew.statistics.arrays import IntArray
from budew.statistics.resampling import ConfidenceInterval, plain_data
from budew.taxonomy import EMOTIONS

_HIGH_AGREEMENT = 3
"""Raters who all say yes."""


@dataclass(frozen=True, slots=True)
class BinaryTable:
    """Ratings by (image, emotion) pair, by name of the image and order of the taxonomy.

    Attributes:
        images: names without folder and suffix.
        raters: number of people.
        image, emotion: (pairs,), places in `images` and `EMOTIONS`.
        ratings, yes: (pairs,), how many were given, and how many of them say that it is present.
    """

    images: tuple[str, ...]
    raters: int
    image: IntArray
    emotion: IntArray
    ratings: IntArray
    yes: IntArray


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """The pairs of one emotion with at least two ratings: their number, and shares of it (None of nothing).

    Attributes:
        two, three: with two, and with three ratings.
        agreement: all raters say the same.
        two_to_one, one_to_one: one of three, or one of two, says otherwise.
    """

    pairs: int
    two: float | None
    three: float | None
    agreement: float | None
    two_to_one: float | None
    one_to_one: float | None

    def to_dict(self) -> dict[str, float | int | None]:
        """Return plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class BinaryResult:
    """The agreement table, and the scores of a model, if there is one.

    Attributes:
        counts: ratings, images, people and pairs; of the pairs `all_yes` (three ratings or more, all yes),
            `never_yes`, and `other`; `unused_predictions`, which are for no image.
        by_emotion: by name, in the order of the taxonomy.
        predicted: per cent of all pairs with a prediction; None without predictions.
        model: of the predictions.
    """

    counts: Mapping[str, int]
    by_emotion: Mapping[str, PairAgreement]
    predicted: ConfidenceInterval | None = None
    model: PresenceResult | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "benchmark": "emonet-face-binary",
            "counts": dict(self.counts),
            "by_emotion": plain_data(self.by_emotion),
            "predicted": None if self.predicted is None else self.predicted.to_dict(),
            "model": None if self.model is None else self.model.to_dict(),
            "published": packaged_table(__package__, "emonet_face_binary"),
        }


def read_binary_table(path: str | Path) -> BinaryTable:
    """Read a table of EmoNet-Face Binary: a row a rating, `path,annotator,value,emotion`.

    65,686 ratings take 2 s. CSV, TSV, JSON Lines and parquet; rows whose `human` is false are left out.

    Raises:
        CorpusError: names the row and what is wrong with it, or a rating that is neither yes nor no or is
            given twice by the same rater; or there is none.
    """
    seen: set[tuple[str, str, str]] = set()
    said: dict[tuple[str, int], list[int]] = {}
    for rating in read_ratings(path):
        told = f"{path}: {rating.emotion} of {rating.item!r}"
        if rating.value not in (0.0, 1.0) or rating.emotion not in EMOTIONS:
            raise CorpusError(f"{told} is not rated as an emotion, present or not: correct the table")
        who = rating.item, rating.emotion, rating.rater
        if who in seen:
            raise CorpusError(f"{told} is rated twice by {rating.rater}: keep one")
        seen.add(who)
        said.setdefault((rating.item, EMOTIONS.index(rating.emotion)), []).append(int(rating.value))
    if not said:
        raise CorpusError(f"{path}: contains no rating by people: check the file")
    pairs = sorted(said)
    images = sorted({image for image, _ in pairs})
    place = {name: number for number, name in enumerate(images)}
    return BinaryTable(
        tuple(images),
        len({rater for _, _, rater in seen}),
        np.array([place[image] for image, _ in pairs]),
        np.array([emotion for _, emotion in pairs]),
        np.array([len(said[pair]) for pair in pairs]),
        np.array([sum(said[pair]) for pair in pairs]),
    )


def score_emonet_face_binary(
    table: BinaryTable,
    predictions: Mapping[str, Prediction] | None = None,
    *,
    name: str = "predictions",
    threshold: float = THRESHOLD,
) -> BinaryResult:
    """Compute the agreement table, and score predictions on the pairs with high agreement.

    20,000 images with 1,000 resamples take 3 s on one core.

    Args:
        table: ratings.
        predictions: by image; an emotion counts as present from `threshold` on.
        name: of the model.
        threshold: intensity in [0, 1].

    Raises:
        InputError: no prediction is for an image of the table.
    """
    high, never = (table.yes == table.ratings) & (table.ratings >= _HIGH_AGREEMENT), table.yes == 0
    counts = {
        "ratings": int(table.ratings.sum()),
        "images": len(table.images),
        "people": table.raters,
        "pairs": len(table.image),
        "all_yes": int(high.sum()),
        "never_yes": int(never.sum()),
        "other": int((~high & ~never).sum()),
    }
    agreement = {emotion: _agreement(table, place) for place, emotion in enumerate(EMOTIONS)}
    predicted = model = None
    if predictions is not None:
        intensities, counts["unused_predictions"] = predicted_intensities(predictions, table.images)
        scores, used = intensities[table.image, table.emotion], high | never
        predicted = ConfidenceInterval(float(100 * np.isfinite(scores).mean()), None, None)
        model = score_presence(
            table.image[used], table.emotion[used], high[used], scores[used], name=name, threshold=threshold
        )
    return BinaryResult(counts, agreement, predicted, model)


def _agreement(table: BinaryTable, emotion: int) -> PairAgreement:
    chosen = (table.emotion == emotion) & (table.ratings > 1)
    ratings, yes, pairs = table.ratings[chosen], table.yes[chosen], int(chosen.sum())
    unanimous = (yes == 0) | (yes == ratings)

    def share(of: npt.NDArray[np.bool_]) -> float | None:
        return float(of.sum() / pairs) if pairs else None

    return PairAgreement(
        pairs=pairs,
        two=share(ratings == 2),
        three=share(ratings == 3),
        agreement=share(unanimous),
        two_to_one=share((ratings == 3) & ~unanimous),
        one_to_one=share((ratings == 2) & ~unanimous),
    )
