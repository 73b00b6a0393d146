"""Ratings of images on 0–7 by people and by models: the table of EmoNet-Face HQ as one array.

A row holds the answers of one rater for one image, models included (`human` is false), with the family of
each emotion before its name:

    image,annotator,human,annotations
    0001.jpg,human-1,True,"{'Joy|Elation': 5, 'Extra Dimensions|Arousal': 3, …}"

As in the published analysis, "Extra Dimensions" are dropped, an emotion that a row leaves out counts as 0,
and rows of the same rater and image are averaged. The 44,763 rows of 40 emotions take 16 s to read, most of
it for parsing the answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from budew.corpora.labels.ratings import plain_values
from budew.corpora.text_files import check_file
from budew.curation.rating_tables import FACE_SCALE, field_of, is_by_model, item_name, table_rows
from budew.errors import CorpusError, InputError
from budew.evaluation.predictions import NamedClips, Prediction, key_of
from budew.io.resources import packaged_table
from budew.statistics.arrays import FloatArray
from budew.taxonomy import EMOTIONS, find_emotion
from budew.taxonomy.scales import SCALES

HUMAN, PREDICTIONS = "human", "predictions"
GROUPS = (HUMAN, PREDICTIONS, "own", "proprietary", "multi-shot", "zero-shot", "random")
"""Groups of raters in the order of the paper; its "own" models are Empathic Insight-Face."""
MODEL_GROUPS = GROUPS[2:]
"""Those that the column `group` may name, in any case."""
_DROPPED = "Extra Dimensions|"
_HIGHEST = SCALES[FACE_SCALE].high
_PLACES = {name: place for place, name in enumerate(EMOTIONS)}
_DIGITS = 9
"""Digits to which predictions on 0–7 are rounded: a whole number that became an intensity is whole again."""


@dataclass(frozen=True, slots=True)
class FaceTable:
    """Ratings on 0–7 of images by raters, people first, both by name.

    Attributes:
        raters: their names.
        groups: of each rater, one of `GROUPS`.
        images: names without folder and suffix.
        ratings: (raters, images, 40), NaN where not rated. Models may leave the scale.
        rows: (raters, images), number of the row in the table; infinity where there is none.
        counts: `rows` of the table; `repeated`, rows that are averaged with an earlier one; `filled`,
            emotions that a row leaves out, which count as 0.
    """

    raters: tuple[str, ...]
    groups: tuple[str, ...]
    images: tuple[str, ...]
    ratings: FloatArray
    rows: FloatArray
    counts: Mapping[str, int]

    @property
    def people(self) -> list[int]:
        """Places of the raters who are people."""
        return [place for place, group in enumerate(self.groups) if group == HUMAN]


@dataclass(slots=True)
class _Row:
    rater: str
    image: str
    group: str
    values: FloatArray
    named: FloatArray


def read_face_table(path: str | Path) -> FaceTable:
    """Read a table of EmoNet-Face HQ: CSV, TSV, JSON Lines or parquet.

    Raises:
        CorpusError: names the row and what is wrong with it, or the table has no rating by people.
    """
    path = Path(path)
    check_file(path)
    rows = []
    for where, default, parse in table_rows(path):
        try:
            rows.append(_row(parse(), default))
        except CorpusError as error:
            raise CorpusError(f"{path}: {where}: {error}") from error
    if not any(row.group == HUMAN for row in rows):
        raise CorpusError(f"{path}: has no rating by people: add rows whose `human` is true")
    return _arranged(rows)


def _row(row: Mapping[str, Any], default: str) -> _Row:
    rater, answers = field_of(row, "rater"), field_of(row, "answers")
    if rater is None or answers is None:
        raise CorpusError("a row needs image, annotator and annotations: add the missing column")
    answers = plain_values(answers) if isinstance(answers, str) else answers
    if not isinstance(answers, Mapping):
        raise CorpusError(f"annotations are {str(answers)[:60]!r}: give an object, emotion to rating")
    rater = str(rater)
    group = _group_of(rater, str(row.get("group") or "")) if is_by_model(row) else HUMAN
    values, named = _values(answers)
    if group == HUMAN and not (np.isnan(values) | ((values >= 0) & (values <= _HIGHEST))).all():
        raise CorpusError(f"{rater} gives a rating outside 0 to 7: correct it")
    return _Row(rater, item_name(row, default), group, values * _factor(rater), named)


def _values(answers: Mapping[str, Any]) -> tuple[FloatArray, FloatArray]:
    """Return the ratings, (40,), 0 where not named and NaN where null, and which are named."""
    values, named = np.zeros(len(EMOTIONS)), np.zeros(len(EMOTIONS))
    for written, value in answers.items():
        place = _place(written)
        if place is None:
            continue
        if named[place]:
            raise CorpusError(f"{written!r} gives a second rating of {EMOTIONS[place]!r}: keep one")
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise CorpusError(f"{written!r} is rated {str(value)[:40]!r}: give a number")
        values[place], named[place] = np.nan if value is None else value, 1
    return values, named


@cache
def _place(written: str) -> int | None:
    """Return the place of an emotion written as `Family|Name`; None for a dimension that is dropped."""
    if written.startswith(_DROPPED):
        return None
    name = find_emotion(written.rpartition("|")[2])
    if name is None:
        raise CorpusError(f"{written[:80]!r} is no emotion: use a name of the taxonomy")
    return _PLACES[name]


@cache
def _group_of(rater: str, given: str) -> str:
    """Return the group of a model: the one in the column `group`, else that of its name."""
    if given:
        if (group := given.strip().casefold()) in MODEL_GROUPS:
            return group
        raise CorpusError(f"the group {given[:40]!r} of {rater!r} is unknown: use {_one_of_groups()}")
    for group, patterns in packaged_table(__package__, "face_raters")["groups"].items():
        if any(fnmatchcase(rater, pattern) for pattern in patterns):
            return str(group)
    raise CorpusError(
        f"the group of the model {rater!r} is unknown: add a column `group` with {_one_of_groups()}"
    )


def _one_of_groups() -> str:
    *others, last = MODEL_GROUPS
    return f"{', '.join(others)} or {last}"


@cache
def _factor(rater: str) -> float:
    factors = packaged_table(__package__, "face_raters")["factors"]
    return next((float(by) for pattern, by in factors.items() if fnmatchcase(rater, pattern)), 1.0)


def _arranged(rows: list[_Row]) -> FaceTable:
    group_of = {row.rater: row.group for row in rows}
    for row in rows:
        if group_of[row.rater] != row.group:
            raise CorpusError(
                f"{row.rater!r} is in two groups: give all of its rows the same `human` and `group`"
            )
    raters = sorted(group_of, key=lambda name: (group_of[name] != HUMAN, name))
    images = sorted({row.image for row in rows})
    rater = {name: place for place, name in enumerate(raters)}
    image = {name: place for place, name in enumerate(images)}
    sums = np.zeros((len(raters), len(images), len(EMOTIONS)))
    times, first = np.zeros(sums.shape[:2]), np.full(sums.shape[:2], np.inf)
    for number, row in enumerate(rows):
        at = rater[row.rater], image[row.image]
        sums[at] += row.values
        times[at] += 1
        first[at] = min(first[at], number)
    with np.errstate(invalid="ignore"):
        ratings = sums / times[:, :, None]
    named = np.sum([row.named for row in rows], axis=0)
    ratings[:, :, named == 0] = np.nan
    counts = {
        "rows": len(rows),
        "repeated": int((times - 1).clip(0).sum()),
        "filled": int((len(rows) - named[named > 0]).sum()),
    }
    groups = tuple(group_of[name] for name in raters)
    return FaceTable(tuple(raters), groups, tuple(images), ratings, first, counts)


def with_predictions(table: FaceTable, predictions: Mapping[str, Prediction], name: str) -> FaceTable:
    """Return the table with predictions as one more rater, a group of its own.

    Intensities are multiplied by 7. Images without a prediction and emotions that are not predicted are not
    rated. `counts` also has `unused_predictions`, which are for no image of the table.

    Raises:
        InputError: a rater has this name already, or no prediction is for an image of the table.
    """
    if name in table.raters:
        raise InputError(f"{name!r} is the name of a rater of the table: rename the file of predictions")
    intensities, unused = predicted_intensities(predictions, table.images)
    return replace(
        table,
        raters=(*table.raters, name),
        groups=(*table.groups, PREDICTIONS),
        ratings=np.concatenate([table.ratings, (_HIGHEST * intensities).round(_DIGITS)[None]]),
        rows=np.concatenate([table.rows, np.full((1, len(table.images)), np.inf)]),
        counts={**table.counts, "unused_predictions": unused},
    )


def predicted_intensities(
    predictions: Mapping[str, Prediction], images: Sequence[str]
) -> tuple[FloatArray, int]:
    """Return the predictions of images, found as `by_id` does, and the number of those for no image.

    Returns:
        (images, 40), intensities, NaN where not predicted; a count.

    Raises:
        InputError: none is for an image.
    """
    named = NamedClips(predictions)
    keys = [key_of(named, image) for image in images]
    if not any(key is not None for key in keys):
        raise InputError(f"no prediction is for an image of the table, such as {images[0]!r}: check the ids")
    intensities = np.full((len(images), len(EMOTIONS)), np.nan)
    for row, key in zip(intensities, keys, strict=True):
        if key is not None:
            profile = named[key].profile
            for name in profile.rated:  # not `vector`, whose 32 bits would move a score of 0.7 below 0.7
                row[_PLACES[name]] = profile.emotions.get(name, 0.0)
    return intensities, len(named.keys() - set(keys))
