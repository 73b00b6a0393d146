"""The table of EmoNet-Face HQ as one array: ratings of images on 0–7 by people and by models.

A row has the answers of one rater (a person, or a model if `human` is false) for one image. The name of each
emotion follows the name of its group:

    image,annotator,human,annotations
    0001.jpg,human-1,True,"{'Joy|Elation': 5, 'Extra Dimensions|Arousal': 3, …}"

As in the published analysis, answers to "Extra Dimensions" are dropped, an emotion that a row leaves out
counts as 0, and rows of the same rater and image are averaged. The 44,763 rows of 40 emotions take 16 s to
read, most of it for parsing the answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from budew.corpora.clip import Clip
from budew.corpora.labels.ratings import plain_values
from budew.curation.rating_tables import FACE_SCALE, field_of, is_by_model, item_name, table_rows
from budew.errors import CorpusError, InputError
from budew.evaluation.predictors import FilePredictor
from budew.faces.face_labels import Demographics, demographics_of
from budew.io.resources import packaged_table
from budew.profile import VoiceProfile, intensity_matrix
from budew.statistics.arrays import FloatArray, divide
from budew.taxonomy import EMOTIONS, find_emotion
from budew.taxonomy.rating_scales import SCALES

HUMAN, PREDICTIONS = "human", "predictions"
GROUPS = (HUMAN, PREDICTIONS, "own", "proprietary", "multi-shot", "zero-shot", "random")
"""Groups of raters in the order of the paper; "own" are the models of its authors, Empathic Insight-Face."""
MODEL_GROUPS = GROUPS[2:]
"""Groups that the column `group` of a table may name, in upper or lower case."""
HIGHEST = SCALES[FACE_SCALE].high
"""Highest rating; the lowest is 0."""
_DIGITS = 9
"""Digits to which predictions on 0–7 are rounded: a whole number that became an intensity is whole again."""


@dataclass(frozen=True, slots=True)
class FaceTable:
    """Ratings of images on 0–7. Images and raters are sorted by name, with people before models.

    Attributes:
        raters: names of the raters.
        groups: group of each rater, one of `GROUPS`.
        images: names of the images, without folder and suffix.
        ratings: (raters, images, 40), NaN where not rated. Ratings of models may be outside 0–7.
        rows: (raters, images), number of the row in the table; infinity if there is no such row.
        counts: number of `rows` of the table; of `repeated` rows, which are averaged with an earlier one; of
            `filled` ratings: emotions that a row omits, which count as 0.
    """

    raters: tuple[str, ...]
    groups: tuple[str, ...]
    images: tuple[str, ...]
    ratings: FloatArray
    rows: FloatArray
    counts: Mapping[str, int]

    @property
    def people(self) -> list[int]:
        """Indices in `raters` of the people."""
        return [place for place, group in enumerate(self.groups) if group == HUMAN]


@dataclass(frozen=True, slots=True)
class _Row:
    """Ratings of one image by one rater, by the place of the emotion; NaN for null."""

    rater: str
    group: str
    image: str
    ratings: dict[int, float]


def read_face_table(path: str | Path) -> FaceTable:
    """Read a table of EmoNet-Face HQ: CSV, TSV, JSON Lines or parquet.

    Raises:
        CorpusError: a row is invalid (named in the error), or the table has no rating by people.
    """
    rows = []
    for where, default, parse in table_rows(path):
        try:
            rows.append(_row(parse(), default))
        except CorpusError as error:
            raise CorpusError(f"{path}: {where}: {error}") from error
    if not any(row.group == HUMAN for row in rows):
        raise CorpusError(f"{path} has no rating by people: add rows whose `human` is true")
    groups: dict[str, str] = {}
    for row in rows:
        if groups.setdefault(row.rater, row.group) != row.group:
            raise CorpusError(
                f"{path}: {row.rater!r} is in two groups: give its rows the same `human` and `group`"
            )
    return _arranged(rows)


def read_demographics(path: str | Path, images: Sequence[str]) -> list[Demographics]:
    """Return the demographics of images from a table with their names and what `demographics_of` reads.

    Raises:
        CorpusError: the table cannot be read, or has the demographics of none of the images.
    """
    found = dict.fromkeys(images, Demographics())
    for _, default, parse in table_rows(path):
        if found.get(image := item_name(row := parse(), default)) == Demographics():
            found[image] = demographics_of(Clip(image, b"", "", metadata=row))
    if set(found.values()) == {Demographics()}:
        raise CorpusError(f"{path} has no demographics of images such as {images[0]!r}: add a column prompt")
    return list(found.values())


def _row(row: Mapping[str, Any], default: str) -> _Row:
    rater, answers = field_of(row, "rater"), field_of(row, "answers")
    if rater is None or answers is None:
        raise CorpusError("a row needs image, annotator and annotations: add the missing column")
    answers = plain_values(answers) if isinstance(answers, str) else answers
    if not isinstance(answers, Mapping):
        raise CorpusError(
            f"annotations are {str(answers)[:60]!r}: give an object such as {{'Joy|Elation': 5}}"
        )
    rater = str(rater)
    group = _group_of(rater, str(row.get("group") or "")) if is_by_model(row) else HUMAN
    ratings = {}
    for written, value in answers.items():
        if not isinstance(value, int | float | None):
            raise CorpusError(f"{written!r} is rated {str(value)[:40]!r}: give a number")
        if written.startswith("Extra Dimensions|"):
            continue
        if group == HUMAN and value is not None and not 0 <= value <= HIGHEST:
            raise CorpusError(f"{rater} gives a rating outside 0 to 7: correct it")
        ratings[_place(written)] = np.nan if value is None else value * _factor(rater)
    return _Row(rater, group, item_name(row, default), ratings)


@cache
def _place(written: str) -> int:
    """Return the place of an emotion written as `Family|Name`."""
    name = find_emotion(written.rpartition("|")[2])
    if name is None:
        raise CorpusError(f"{written[:80]!r} is not an emotion: use a name of the taxonomy")
    return EMOTIONS.index(name)


@cache
def _group_of(rater: str, given: str) -> str:
    """Return the group of a model: the one in the column `group`, else that of its name."""
    if (group := given.strip().casefold()) in MODEL_GROUPS:
        return group
    if not given:
        for group, patterns in packaged_table(__package__, "face_raters")["groups"].items():
            if any(fnmatchcase(rater, pattern) for pattern in patterns):
                return str(group)
    fault = f"the group {given[:40]!r} of the model {rater!r} is unknown"
    raise CorpusError(f"{fault}: add a column `group` with one of {', '.join(MODEL_GROUPS)}")


@cache
def _factor(rater: str) -> float:
    factors = packaged_table(__package__, "face_raters")["factors"]
    return next((float(by) for pattern, by in factors.items() if fnmatchcase(rater, pattern)), 1.0)


def _arranged(rows: Sequence[_Row]) -> FaceTable:
    groups = {row.rater: row.group for row in rows}
    raters = sorted(groups, key=lambda name: (groups[name] != HUMAN, name))
    images = sorted({row.image for row in rows})
    place = {name: number for number, name in enumerate(images)}
    at = np.array([raters.index(row.rater) for row in rows]), np.array([place[row.image] for row in rows])
    values = np.zeros((len(rows), len(EMOTIONS)))
    for numbers, row in zip(values, rows, strict=True):
        numbers[list(row.ratings)] = list(row.ratings.values())
    sums = np.zeros((len(raters), len(images), len(EMOTIONS)))
    times, first = np.zeros(sums.shape[:2]), np.full(sums.shape[:2], np.inf)
    np.add.at(sums, at, values)
    np.add.at(times, at, 1)
    np.minimum.at(first, at, np.arange(len(rows)))
    ratings = divide(sums, np.broadcast_to(times[:, :, None], sums.shape))
    named = set().union(*(row.ratings for row in rows))
    ratings[:, :, sorted(set(range(len(EMOTIONS))) - named)] = np.nan
    counts = {
        "rows": len(rows),
        "repeated": int((times - 1).clip(0).sum()),
        "filled": len(rows) * len(named) - sum(len(row.ratings) for row in rows),
    }
    return FaceTable(
        tuple(raters), tuple(groups[name] for name in raters), tuple(images), ratings, first, counts
    )


def with_predictions(table: FaceTable, predictor: FilePredictor) -> FaceTable:
    """Return the table with the predictions as its last rater, of the group "predictions".

    Intensities are multiplied by 7; images and emotions without a prediction count as not rated. `counts`
    also has the number of `unused_predictions`, which are for no image.

    Raises:
        InputError: the file of predictions has the name of a rater, or no prediction is for an image.
    """
    name = Path(predictor.name).stem
    if name in table.raters:
        raise InputError(f"{name!r} is the name of a rater of the table: rename the file of predictions")
    intensities = predicted_intensities(predictor, table.images)
    return replace(
        table,
        raters=(*table.raters, name),
        groups=(*table.groups, PREDICTIONS),
        ratings=np.concatenate([table.ratings, (HIGHEST * intensities).round(_DIGITS)[None]]),
        rows=np.concatenate([table.rows, np.full((1, len(table.images)), np.inf)]),
        counts={**table.counts, "unused_predictions": predictor.unused},
    )


def predicted_intensities(predictor: FilePredictor, images: Sequence[str]) -> FloatArray:
    """Return the predicted intensities of images, (images, 40), NaN where not predicted.

    Raises:
        InputError: no prediction is for an image.
    """
    found = list(predictor.predict((Clip(image, b"", "") for image in images), []))
    if not any(found):
        raise InputError(f"no prediction is for an image of the table, such as {images[0]!r}: check the ids")
    return intensity_matrix(VoiceProfile(None) if one is None else one.profile for one in found)
