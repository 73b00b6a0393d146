"""The table of EmoNet-Face HQ as one array: ratings of images on 0–7 by people and by models.

There are two layouts. In the repository, a row has the answers of one rater (a person, or a model if `human`
is false) for one image. The name of each emotion may follow the name of its group:

    image,annotator,human,annotations
    0001.jpg,human-1,True,"{'Joy|Elation': 5, 'Extra Dimensions|Arousal': 3, …}"

On the hub, a row has one image with the demographics of its prompt, and `annotations` is a list with an
object for each expert, see `answers_by_rater`. Names of columns may be in any case.

As in the published analysis, answers to extra dimensions are dropped, an emotion that a rater leaves out
counts as 0, and answers of the same rater to the same image are averaged. The 44,763 rows of 40 emotions take
16 s to read, most of it for parsing the answers.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from budew.corpora.clip import Clip
from budew.corpora.labels.ratings import answers_by_rater, plain_values
from budew.corpora.media import IMAGE
from budew.corpora.reading import ReadOptions
from budew.corpora.sources import matches, read_one
from budew.curation.rating_tables import FACE_SCALE, field_of, is_by_model, item_name, table_rows
from budew.errors import CorpusError, InputError
from budew.evaluation.predictors import FilePredictor
from budew.faces.face_labels import Demographics, demographics_of, taxonomy
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
_TEXTS, _ARROW = (".csv", ".tsv", ".jsonl", ".ndjson"), (".parquet", ".arrow")
_OF_IMAGE = {"prompt", "demographics", "ethnicity", "gender", "age"}
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
        counts: number of `rows`, one for each rater of each image; of `repeated` rows, which are averaged
            with an earlier one; of `filled` ratings: emotions that a row omits, which count as 0.
        demographics: image → demographics in its row, for the images that have them.
        ids: image → id that `budew.read` gives to it.
    """

    raters: tuple[str, ...]
    groups: tuple[str, ...]
    images: tuple[str, ...]
    ratings: FloatArray
    rows: FloatArray
    counts: Mapping[str, int]
    demographics: Mapping[str, Demographics] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)

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
    """Read EmoNet-Face HQ: CSV, TSV, JSON Lines, parquet, Arrow, a folder of these, or what `read` reads.

    Raises:
        CorpusError: a row is invalid (named in the error), or the table has no rating by people.
    """
    rows: list[_Row] = []
    demographics: dict[str, Demographics] = {}
    ids: dict[str, str] = {}
    for where, default, parse in _table(path):
        try:
            row = parse()
            rated = list(_rated(row, image := _image(row, default)))
        except CorpusError as error:
            raise CorpusError(f"{path}: {where}: {error}") from error
        rows += rated
        ids.setdefault(image, default)
        _add_demographics(demographics, image, row)
    if not any(row.group == HUMAN for row in rows):
        raise CorpusError(f"{path} has no rating by people: add rows whose `human` is true")
    groups: dict[str, str] = {}
    for rating in rows:
        if groups.setdefault(rating.rater, rating.group) != rating.group:
            raise CorpusError(
                f"{path}: {rating.rater!r} is in two groups: give its rows the same `human` and `group`"
            )
    return replace(_arranged(rows), demographics=demographics, ids=ids)


def read_demographics(path: str | Path, images: Sequence[str]) -> dict[str, Demographics]:
    """Return the demographics of images from a table with their names and what `demographics_of` reads.

    Raises:
        CorpusError: the table cannot be read, or has the demographics of none of the images.
    """
    found: dict[str, Demographics] = {}
    for _, default, parse in _table(path):
        _add_demographics(found, _image(row := parse(), default), row)
    if found.keys().isdisjoint(images):
        raise CorpusError(f"{path} has no demographics of images such as {images[0]!r}: add a column prompt")
    return found


def _add_demographics(found: dict[str, Demographics], image: str, row: Mapping[str, Any]) -> None:
    if image not in found and not _OF_IMAGE.isdisjoint(row):
        person = demographics_of(Clip(image, b"", "", metadata=row))
        if person != Demographics():
            found[image] = person


def _table(path: str | Path) -> Iterator[tuple[str, str, Callable[[], dict[str, Any]]]]:
    """Yield rows as `table_rows` does, with names of columns in lower case, words separated by `_`."""
    folder = Path(path)
    files = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
    if tables := [one for one in files if one.suffix.lower() in (*_TEXTS, *_ARROW)]:
        for table in tables:
            for where, default, parse in table_rows(table):
                place = where if table == folder else f"{table.relative_to(folder)}, {where}"
                yield place, default, partial(_named, parse, nulls=table.suffix.lower() in _TEXTS)
        return
    for entry in matches(path, ReadOptions(media=IMAGE)):
        for clip in read_one(entry, ReadOptions(media=IMAGE, audio=False)):
            yield f"image {clip.id!r}", clip.id, partial(_named, partial(dict, clip.metadata), nulls=False)


def _named(parse: Callable[[], Mapping[str, Any]], *, nulls: bool) -> dict[str, Any]:
    row = parse() if nulls else _without_nulls(parse())
    return {"_".join(re.split(r"[\s_-]+", name.strip().casefold())): value for name, value in row.items()}


def _without_nulls(value: Any) -> Any:
    """Leave out what parquet fills in where an object has fewer fields than that of another row."""
    if isinstance(value, Mapping):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [*map(_without_nulls, value)] if isinstance(value, list) else value


def _image(row: Mapping[str, Any], default: str) -> str:
    """Return the name of the image of a row: that of its file, also in an object with `path`."""
    file = field_of(row, "item")
    return item_name({"image": file.get("path")} if isinstance(file, Mapping) else row, default)


def _rated(row: Mapping[str, Any], image: str) -> Iterator[_Row]:
    """Yield the ratings of each rater in a row."""
    rater, answers = field_of(row, "rater"), field_of(row, "answers")
    answers = plain_values(answers) if isinstance(answers, str) else answers
    is_flat = isinstance(answers, Mapping) and not any(isinstance(one, Mapping) for one in answers.values())
    if answers is None or (rater is None and is_flat):
        raise CorpusError("a row needs image, annotator and annotations: add the missing column")
    for name, given in answers_by_rater(answers, rater=None if rater is None else str(rater)):
        group = _group_of(name, str(row.get("group") or "")) if is_by_model(row) else HUMAN
        yield _Row(name, group, image, _ratings(name, group, given))


def _ratings(rater: str, group: str, answers: Mapping[str, Any]) -> dict[int, float]:
    ratings = {}
    for written, value in answers.items():
        if not isinstance(value, int | float | None):
            raise CorpusError(f"{written!r} is rated {str(value)[:40]!r}: give a number")
        if (place := _place(written)) is None:
            continue
        if group == HUMAN and value is not None and not 0 <= value <= HIGHEST:
            raise CorpusError(f"{rater} gives a rating outside 0 to 7: correct it")
        ratings[place] = np.nan if value is None else value * _factor(rater)
    return ratings


@cache
def _place(written: str) -> int | None:
    """Return the place of an emotion written as `Family|Name` or `Name`; None for an extra dimension."""
    group, _, last = written.rpartition("|")
    name = find_emotion(last)
    if group == "Extra Dimensions" or last.strip().replace("_", " ").title() in taxonomy()["dimensions"]:
        return None
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
    intensities = predicted_intensities(predictor, table.images, table.ids)
    return replace(
        table,
        raters=(*table.raters, name),
        groups=(*table.groups, PREDICTIONS),
        ratings=np.concatenate([table.ratings, (HIGHEST * intensities).round(_DIGITS)[None]]),
        rows=np.concatenate([table.rows, np.full((1, len(table.images)), np.inf)]),
        counts={**table.counts, "unused_predictions": predictor.unused},
    )


def predicted_intensities(
    predictor: FilePredictor, images: Sequence[str], ids: Mapping[str, str] | None = None
) -> FloatArray:
    """Return the intensities predicted for names of images or their `ids`, (images, 40), NaN where missing.

    Raises:
        InputError: no prediction is for an image.
    """
    files = {image: {"file_name": f"{(ids or {}).get(image, image)}.png"} for image in images}
    clips = (Clip(image, b"", "", metadata=named) for image, named in files.items())
    found = list(predictor.predict(clips, []))
    if not any(found):
        raise InputError(f"no prediction is for an image of the table, such as {images[0]!r}: check the ids")
    return intensity_matrix(VoiceProfile(None) if one is None else one.profile for one in found)
