"""Labels of faces, from the rows of EmoNet-Face Big, Binary and HQ.

On the hub a row has the image, and some of `prompt`, `demographics`, `annotations` or `label` (a list of
answers by rater, or its text; HQ: four experts, 40 emotions on 0–7; Binary: up to three, present or absent;
Big: weak labels by models), or `emotion` with one rater's `value` or `label`, in which 0 and 1 are no and yes
(`rating` is on 0–7). An emotion that a rater omits counts as 0 if the rater rated many emotions, as in the
published analysis. Images that this package annotated are read in the same way.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from budew.corpora.clip import Clip
from budew.corpora.column_names import number_in
from budew.corpora.labels.ratings import plain_values, share_in_words
from budew.curation.rating_tables import FEWEST_OF_FACE, field_of, value_of
from budew.errors import CorpusError
from budew.io.resources import packaged_table
from budew.taxonomy import EMOTIONS, find_emotion
from budew.taxonomy.rating_scales import Scale

_AGE = re.compile(r"\b(\d{2})(?:[ -]years?\b|[ -]?y(?:ear)?s?[ -]old)")


@cache
def taxonomy() -> Mapping[str, Any]:
    """Return the names of the EmoNet-Face project: groups of emotions, dimensions, ethnicities, genders."""
    table: Mapping[str, Any] = packaged_table(__package__, "taxonomy")
    return table


@cache
def groups() -> dict[str, str]:
    """Return canonical name of an emotion → its group, in the order of `EMOTIONS`."""
    found = {find_emotion(name): group for group, names in taxonomy()["groups"].items() for name in names}
    return {name: found[name] for name in EMOTIONS}


@cache
def face_names() -> dict[str, str]:
    """Return canonical name → name in the EmoNet-Face project, for each emotion and dimension."""
    written = (name for names in taxonomy()["groups"].values() for name in names)
    return {find_emotion(name) or name: name for name in (*written, *taxonomy()["dimensions"])}


@cache
def scale_of(name: str) -> Scale:
    """Return the scale of ratings of an emotion or dimension."""
    row = taxonomy()["dimensions"].get(name, {"low": 0, "high": 7})
    return Scale(name, float(row["low"]), float(row["high"]))


def canonical_name(written: str) -> str:
    """Return the canonical name of an emotion (given with or without its group before `|`) or dimension.

    Raises:
        CorpusError: there is no such emotion or dimension.

    Example:
        >>> canonical_name("Positive High-Energy Emotions|Elation"), canonical_name("valence")
        ('Elation', 'Valence')
    """
    last = str(written).rpartition("|")[2].strip()
    known = {name.casefold(): name for name in taxonomy()["dimensions"]}
    name = known.get(last.casefold().replace("_", " ")) or find_emotion(last)
    if name is None:
        raise CorpusError(f"{str(written)[:60]!r} is not an emotion of the taxonomy or a dimension")
    return name


def face_answers(clip: Clip) -> list[dict[str, float]]:
    """Return the rating of each rated emotion and dimension by each rater; the scale is `scale_of` its name.

    Raises:
        CorpusError: the labels cannot be read; the error names the image.
    """
    try:
        return [_with_zeros(answer) for answer in _by_rater(clip.metadata)]
    except CorpusError as error:
        raise CorpusError(f"image {clip.id!r}: {error}") from error


def face_ratings(clip: Clip) -> dict[str, float]:
    """Return the mean over raters of `face_answers`."""
    return mean_ratings(face_answers(clip))


def newest_ratings(clip: Clip) -> dict[str, float]:
    """Return the ratings of the last model that annotated an image (`budew face annotate`); {} without one.

    Names, scales and errors are those of `face_ratings`.

    Example:
        >>> given = {"model": "a", "predictions": {"Joy|Elation": 3}}
        >>> newest_ratings(Clip("1", b"", "png", metadata={"annotations": [given]}))
        {'Elation': 3.0}
    """
    given = clip.metadata.get("annotations")
    last = given[-1:] if isinstance(given, list) else []
    by_model = [one for one in last if isinstance(one, Mapping) and {"model", "predictions"} <= one.keys()]
    return face_ratings(replace(clip, metadata={"annotations": by_model}))


def _with_zeros(ratings: dict[str, float]) -> dict[str, float]:
    """Add 0 for each emotion that a rater of many emotions omitted."""
    many = sum(name in EMOTIONS for name in ratings) > FEWEST_OF_FACE
    return {**dict.fromkeys(EMOTIONS, 0.0), **ratings} if many else ratings


def agreed_ratings(answers: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return the ratings on which raters of EmoNet-Face Binary agree: those of three or more; and a no of one
    if several were asked about another emotion of the image, which is thus of the contrastive batch.

    Example:
        >>> agreed_ratings([{"Awe": 7.0}, {"Awe": 7.0}, {"Awe": 7.0}, {"Pain": 0.0}])
        {'Awe': 7.0, 'Pain': 0.0}
    """
    given = _by_name(answers)
    several = any(len(values) > 1 for values in given.values())
    return {
        name: values[0]
        for name, values in given.items()
        if len({*values}) == 1 and (len(values) > 2 or (several and values == [0.0]))
    }


def mean_ratings(answers: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean rating of each name, over the answers that have it."""
    return {name: sum(values) / len(values) for name, values in _by_name(answers).items()}


def _by_name(answers: Iterable[Mapping[str, float]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for answer in answers:
        for name, value in answer.items():
            found.setdefault(name, []).append(value)
    return found


def _by_rater(row: Mapping[str, Any]) -> Iterator[dict[str, float]]:
    emotion, value, answers = field_of(row, "emotion"), value_of(row), field_of(row, "answers")
    if emotion is not None and value is not None:
        is_binary = number_in(value) in (0, 1) and {"rating", "score"}.isdisjoint(row)
        yield _answers({str(emotion): bool(number_in(value)) if is_binary else value})
    elif answers is not None and answers is not value:
        read = plain_values(answers) if isinstance(answers, str) else answers
        for person in read if isinstance(read, list) else [read]:
            yield from _answers_of(person)


def _answers_of(person: Any) -> Iterator[dict[str, float]]:
    if not isinstance(person, Mapping):
        raise CorpusError(
            f"expected the answers of a rater as an object, such as {{'Shame': 2}}, not {str(person)[:60]!r}"
        )
    if isinstance(person.get("predictions"), Mapping):
        person = person["predictions"]
    inner = [value for value in person.values() if isinstance(value, Mapping)]
    if {"emotions", "extra_dimensions"} & set(person):
        yield _answers({name: value for part in inner for name, value in part.items()})
    elif inner and "rating" not in inner[0]:  # by rater
        yield from (_answers(one) for one in inner)
    else:
        raters = {"rater", "annotator", "username", "expert", "model"}
        yield _answers({name: value for name, value in person.items() if name not in raters})


def _answers(given: Mapping[str, Any]) -> dict[str, float]:
    ratings = {}
    for written, value in given.items():
        rating = value.get("rating", value) if isinstance(value, Mapping) else value
        if rating is not None:
            name = canonical_name(written)
            ratings[name] = _number(name, rating)
    return ratings


def _number(name: str, value: Any) -> float:
    scale, share = scale_of(name), share_in_words(value)
    if share is not None:
        return scale.low + share * (scale.high - scale.low)
    if not isinstance(value, int | float) or not scale.low <= value <= scale.high:
        raise CorpusError(
            f"{name} is {str(value)[:40]!r}: give a number from {scale.low:g} to {scale.high:g}"
        )
    return float(value)


@dataclass(frozen=True, slots=True)
class Demographics:
    """Demographics that a prompt asks for: ethnicity, gender, and age in years; None if it names none."""

    ethnicity: str | None = None
    gender: str | None = None
    age: int | None = None

    @property
    def group(self) -> str | None:
        """Group of the ethnicity according to FairFace; None if unknown."""
        groups = taxonomy()["ethnicities"].items()
        return next((str(group) for group, names in groups if self.ethnicity in names), None)


def demographics_of(clip: Clip) -> Demographics:
    """Read the metadata `demographics`, or `ethnicity`, `gender` and `age`, or `prompt`, in any case.

    `demographics` is an object or its text. An unknown ethnicity or gender in a field of its own is kept.
    """
    row = _lower(clip.metadata)
    given = row.get("demographics", "")
    if isinstance(given, str) and given.lstrip().startswith("{"):
        given = plain_values(given)
    fields = _lower(given) if isinstance(given, Mapping) else row
    ethnicity, gender, age = (str(fields.get(name, "")).strip() for name in ("ethnicity", "gender", "age"))
    text = f"{ethnicity} {gender} {age} {given} {row.get('prompt', '')}"
    names = (name for names in taxonomy()["ethnicities"].values() for name in names)
    if not (age := age.removesuffix(".0")).isdecimal():
        written = _AGE.search(text)
        age = written[1] if written else ""
    words = taxonomy()["gender_words"].get(gender.casefold()) or _first(gender or text, taxonomy()["genders"])
    return Demographics(
        _first(ethnicity or text, names) or ethnicity or None,
        words or gender or None,
        int(age) if age else None,
    )


def _lower(row: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).strip().lower(): value for name, value in row.items() if value is not None}


def _first(text: str, names: Any) -> str | None:
    """Return the longest of the names that the text has as words, in any case."""
    longest = sorted(names, key=len, reverse=True)
    return next((name for name in longest if re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE)), None)
