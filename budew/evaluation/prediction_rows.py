"""Rows of predictions made elsewhere: JSON Lines, CSV and TSV, or a folder with a JSON file for each clip.

Fields are found by their usual names (`predictions` in `budew/corpora/forms.yaml`) and emotions in any
spelling, with or without a group before it (`Joy|Elation`), at the top level of a row or in an object in it:
`{"model": "…", "predictions": {"Anger": 2}}`. Labels of Hume Voice are mapped to emotions (hume_labels.yaml).
"""

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

from budew.corpora.column_names import answer_in, label_layout, number_in
from budew.corpora.csv_tables import DELIMITED, delimited_rows
from budew.corpora.folders import list_files
from budew.corpora.labels.words import named_emotion
from budew.corpora.manifests import MANIFESTS
from budew.corpora.text_files import check_file, file_lines, json_object
from budew.errors import BudewWarning, CorpusError, InputError
from budew.io import strict_json
from budew.io.resources import packaged_table
from budew.profile import VoiceProfile
from budew.taxonomy import emotion, find_attribute, find_emotion, misspelt_emotion

RATED_ATTRIBUTES = ("Authenticity", "Arousal")
"""Voice attributes that EmoNet-Voice Bench rates like emotions, on the same scale."""
_SHOWN = 8
_ANSWER = "predictions"
_INTENSITY = "intensity"
_NUMBERS = (_INTENSITY, "rating")
"""Field with the number of a score that is an object, as `budew face score` and language models write it."""
_HUME = "Empathic Pain"
"""Label that only Hume Voice has."""
_FENCE = re.compile(r"^```\w*|```$")


@dataclass(frozen=True, slots=True)
class PredictionRow:
    """The prediction for one clip, read from a row.

    Attributes:
        where: file and line, for errors.
        id: id as written in the row, often a file name.
        caption: caption; None if it is missing or empty.
        scores: canonical name of an emotion or of one of `RATED_ATTRIBUTES` → number, None for null (in CSV:
            an empty field). An empty mapping if the row has an empty object for them; None if it has no
            scores.
        profile: profile in the format of this package; None without one.
        empty: whether the row has no known field for a caption, scores or a profile.
        intensities: whether the scores are in [0, 1], as `budew face score` writes them, or answers in words
            ("mildly present": 0.5), whatever scale is given for the other rows.
    """

    where: str
    id: str
    caption: str | None
    scores: Mapping[str, float | None] | None
    profile: VoiceProfile | None = None
    empty: bool = False
    intensities: bool = False


def read_rows(path: Path, *, value: str | None = None) -> Iterator[PredictionRow]:
    """Read the rows of a file, of all tables in a folder, or of its JSON files, whose names are the ids.

    Args:
        path: a folder, a `.csv` or `.tsv` file, or any other file, which is read as JSON Lines (`.gz` too).
        value: if each score is an object, the name of its field with the number; default: `intensity`, else
            `rating`.

    Raises:
        InputError: the file cannot be read, or a line is invalid; the error names the line.
    """
    unknown: dict[str, str] = {}
    try:
        for where, default, row in _objects(path):
            try:
                yield _row(where, default, row, value)
                unknown.update(_unknown(row))
            except (InputError, CorpusError) as error:
                raise InputError(f"{where}: {error}") from error
    except CorpusError as error:
        raise InputError(str(error)) from error
    if unknown:
        named = ", ".join(f"{key!r} (nearest: {name})" for key, name in islice(unknown.items(), _SHOWN))
        fault = f"{path}: scores are ignored under these names, which are not emotions: {named}: rename them"
        warnings.warn(BudewWarning(fault), stacklevel=2)


def _unknown(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield unknown names of numbers that may be misspelt emotions, each with the nearest emotion."""
    for place in _places(_with_answer(row)):
        for key, given in place.items():
            is_score = isinstance(given, Mapping) or {number_in(given), answer_in(given)} != {None}
            if _named(key) is None and is_score:
                nearest = named_emotion(key) or misspelt_emotion(key)
                if nearest:
                    yield key, nearest


def _objects(path: Path) -> Iterator[tuple[str, str | None, Mapping[str, Any]]]:
    """Yield the place of each row, its id if the row is a file (else None), and its fields."""
    files = list_files(path) if path.is_dir() else []
    tables = [file for file in files if file.name.lower().endswith(MANIFESTS)]
    for table in tables if path.is_dir() else [path]:
        yield from ((where, None, row) for where, row in _of_table(table))
    if path.is_dir() and not tables:
        found = [file for file in files if file.suffix.lower() == ".json"]
        if not found:
            raise InputError(
                f"{path}: the folder has no JSON file and no table: give predictions as one of these"
            )
        for file in found:
            id = file.relative_to(path).with_suffix("").as_posix()
            yield str(file), id, json_object(file.read_bytes(), str(file))


def _of_table(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    check_file(path)
    if path.suffix.lower() in DELIMITED:
        rows = list(delimited_rows(path))  # without empty fields, which are null here
        columns = dict.fromkeys(name for _, row in rows for name in row)
        yield from ((f"{path} line {number}", columns | row) for number, row in rows)
    else:
        for number, line in file_lines(path):
            yield f"{path} line {number}", json_object(line, f"{path} line {number}")


def _row(where: str, default: str | None, row: Mapping[str, Any], value: str | None) -> PredictionRow:
    id, places = default or _id(row), list(_places(_with_answer(row)))
    scores = _scores(places, value)
    caption = _text(places, "caption") or (None if scores else _text(places, "text"))
    profile = VoiceProfile.from_dict(row["profile"]) if isinstance(row.get("profile"), Mapping) else None
    empty = len(places) == 1 and scores is None and profile is None and not _caption_fields() & row.keys()
    given = [one[key] for one in places for key in one if _named(key) and one[key] is not None]
    in_words = any(answer_in(score) is not None for score in given)
    if in_words and None in map(answer_in, given):
        raise InputError("the scores are numbers and answers in words: give one kind in a row")
    intense = in_words or (value is None and any(map(_has_intensities, places)))
    return PredictionRow(where, id, caption, scores, profile, empty, intense)


def _with_answer(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a row in which a text that is a JSON object, as language models answer, is read as one."""
    for name in _caption_fields() & row.keys():
        text = row[name].strip() if isinstance(row[name], str) else ""
        if text.startswith(("{", "```")):
            try:
                answer = strict_json.loads(_FENCE.sub("", text))
            except InputError as error:
                raise InputError(f"{name!r} looks like a JSON object, but {error}") from error
            return {**row, name: None, _ANSWER: answer}
    return row


@cache
def _caption_fields() -> frozenset[str]:
    return frozenset((*label_layout("predictions")["caption"], *label_layout("predictions")["text"]))


def _id(row: Mapping[str, Any]) -> str:
    names = label_layout("predictions")["id"]
    found = next((row[name] for name in names if row.get(name) not in (None, "")), None)
    if not isinstance(found, str | int):
        raise InputError("the clip is not named: add its id, or the name of its file, as `id`")
    return str(found)


def _places(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the row and the objects in it that may hold caption or scores.

    Raises:
        InputError: a list stands where an object belongs, or `emotions` names something else.
    """
    row = _without_hume_labels(row)
    yield row
    for name in label_layout("predictions")["under"]:
        inner = row.get(name)
        if isinstance(inner, list):
            raise InputError(f"{name!r} is a list: give an object, emotion → number")
        if isinstance(inner, Mapping):
            inner = _without_hume_labels(inner)
            if name == "emotions":
                _ = [_named(key) or emotion(key) for key in inner]
            yield from _places(inner)


def _without_hume_labels(place: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return scores of Hume Voice as scores of emotions; of two labels of one emotion, the higher."""
    if _HUME not in place:
        return place
    scores: dict[str, Any] = {}
    for label, score in place.items():
        name = _hume_labels().get(label, label)
        if name is not None:
            scores[name] = max(score, scores.get(name, score), key=lambda given: number_in(given) or 0.0)
    return scores


@cache
def _hume_labels() -> dict[str, str | None]:
    table: dict[str, str | None] = packaged_table(__package__, "hume_labels")
    return table


def _text(places: Sequence[Mapping[str, Any]], kind: str) -> str | None:
    """Return the first text under a name of this kind; None without one."""
    for place in places:
        for name in label_layout("predictions")[kind]:
            text = place.get(name)
            if isinstance(text, str) and text.strip():
                return text
            if kind == "caption" and not isinstance(text, str | None):
                raise InputError(
                    f"{name!r} is {repr(text)[:40]}, which is no text: write the caption in quotation marks"
                )
    return None


def _has_intensities(place: Mapping[str, Any]) -> bool:
    """Return whether scores are objects with an intensity, as `budew face score` writes them."""
    return any(
        _named(key) and isinstance(given, Mapping) and _INTENSITY in given for key, given in place.items()
    )


def _scores(places: Sequence[Mapping[str, Any]], value: str | None) -> dict[str, float | None] | None:
    """Return the scores of the first place that has any; {} if only an empty object is there, else None."""
    for place in places:
        found: dict[str, float | None] = {}
        for key, given in place.items():
            if (name := _named(key)) is not None:
                if name in found:
                    raise InputError(f"{key!r} is a second score of {name!r}: keep one")
                found[name] = _number(_inner_number(given, value), name)
        if found:
            return found
    return {} if any(not place for place in places[1:]) else None


def _inner_number(given: Any, value: str | None) -> Any:
    """Return the number in a score that is an object, from the field `value`; other scores unchanged."""
    if isinstance(given, Mapping):
        field = value or next((name for name in _NUMBERS if name in given), None)
        return given.get(field) if field else given
    return given


@lru_cache(maxsize=4096)
def _named(key: str) -> str | None:
    attribute = find_attribute(key)
    return find_emotion(key.rpartition("|")[2]) or (attribute if attribute in RATED_ATTRIBUTES else None)


def _number(given: Any, name: str) -> float | None:
    """Return a score as a float, also from text as in CSV; an answer in words as a share; None for null."""
    if given is None or (share := answer_in(given)) is not None:
        return None if given is None else share
    with suppress(ValueError, OverflowError):
        if isinstance(given, str | float | int) and not isinstance(given, bool) and isfinite(float(given)):
            return float(given)
    fault = f"the score of {name!r} is {str(given)[:40]!r}"
    raise InputError(f"{fault}: give a number, an answer such as 'mildly present', or null without a score")
