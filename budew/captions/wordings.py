"""The words that captions are rendered with: what says an emotion at a level, a burst, a trait.

Which forms there are ("noun": "a hint of fear"; "adjective": "slightly afraid"), and how a degree and a word
are put together in each, stands in the data file, under `forms`.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from types import MappingProxyType
from typing import Any, NamedTuple

from budew.captions.english import Sounds, spelled_out, with_article
from budew.captions.phrases import without_article
from budew.taxonomy import ACCENTS, CATEGORIES, LEVEL_NAMES, LEVELS, burst, emotion

STRONG = 0.75
"""The level from which words that are strong in themselves are rendered."""
MODERATE = 0.5
_DEGREES = 32
"""Bits for the degrees of a level."""

Words = Mapping[str, tuple[str, ...]]
"""Words by their form, such as "noun", "strong_adjective", "adverb"."""


class Wordings(NamedTuple):
    """All phrases for one emotion at one level in one form.

    Attributes:
        before: with a degree: all words with the first degree, then all with the next.
        degrees: a bit for the degree of each of these.
        after: with a degree behind the word.
        bare: without a degree.
        step: from a phrase of `before` to the same word with the next degree.
    """

    before: tuple[str, ...]
    degrees: tuple[int, ...]
    after: tuple[str, ...]
    bare: tuple[str, ...]
    step: int


Book = Mapping[str, Mapping[tuple[str, float], Wordings]]
"""By form, and by emotion and level."""


def words_of(table: Mapping[str, Any]) -> Mapping[str, Words]:
    """Return the words of each emotion by form, as the table of a lexicon lists them."""
    return {
        emotion(name): {form: tuple(words) for form, words in row.items()}
        for name, row in table["emotions"].items()
    }


def degrees_of(table: Mapping[str, Any]) -> Mapping[float, Words]:
    """Return the words for each level by form."""
    return {
        LEVELS[LEVEL_NAMES.index(name)]: {form: tuple(words) for form, words in row.items()}
        for name, row in table["intensity"].items()
    }


def book_of(table: Mapping[str, Any], sounds: Sounds) -> Book:
    """Return every phrase for each emotion and level, in each form of the table."""
    emotions, levels = words_of(table), degrees_of(table)
    return {
        form: MappingProxyType(
            {
                (name, level): _wordings(ways, words, level, degrees, sounds)
                for name, words in emotions.items()
                for level, degrees in levels.items()
            }
        )
        for form, ways in table["forms"].items()
    }


def _wordings(
    ways: Sequence[Mapping[str, Any]], words: Words, level: float, degrees: Words, sounds: Sounds
) -> Wordings:
    """Put words and degrees together in each of the ways of a form.

    A way has `words` and `degrees` (forms of the word and of the degree), `say` (pattern with {degree} and
    {word}, or {a} for both with their article), and maybe `after` (pattern with the degree behind the word),
    `bare` (false: the word needs a degree), `state` (form of words that take none), `without` (words).
    """
    before: list[str] = []
    bits: list[int] = []
    after: list[str] = []
    bare: list[str] = []
    step = 1
    for way in ways:
        fitting = _fitting(words, way["words"], level, way.get("without", ()))
        step = len(fitting) if len(ways) == 1 else 1
        for at, (degree, word) in enumerate(product(degrees[way["degrees"]], fitting)):
            both = with_article(f"{degree} {word}", sounds)
            before.append(way["say"].format(degree=degree, word=word, a=both))
            bits.append(1 << _DEGREES * LEVELS.index(level) + at // len(fitting))
        if "after" in way:
            pairs = product(degrees["after"], fitting)
            after += [way["after"].format(degree=degree, word=word) for degree, word in pairs]
        if way.get("bare", True):
            bare += fitting
            bare += words.get(way.get("state", ""), ()) if level == MODERATE else ()
    return Wordings(tuple(before), tuple(bits), tuple(after), tuple(bare), step)


def _fitting(words: Words, form: str, level: float, without: Sequence[str]) -> list[str]:
    own = words.get(f"strong_{form}" if level >= STRONG else f"mild_{form}", ())
    left_out = {*without, *words.get("without", ())}
    return [word for word in (*words.get(form, ()), *own) if word not in left_out]


def bursts_of(table: Mapping[str, Any], part: str) -> Words:
    """Return the phrases for each burst: to `say`, as a `verb`, or the one that is `plain`."""
    rows = {burst(name): row for name, row in table["bursts"].items()}
    if part == "plain":
        return {name: (row.get("plain", row["say"][0]),) for name, row in rows.items()}
    return {name: tuple(row[part]) for name, row in rows.items() if part in row}


def traits_of(table: Mapping[str, Any]) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return the phrases for each trait and value."""
    said = {(key, value): tuple(row["say"]) for key in CATEGORIES for value, row in table[key].items()}
    return said | {("accent", value): (table["accent"].format(value),) for value in ACCENTS}


def timbres_of(table: Mapping[str, Any]) -> Words:
    """Return the phrases for each timbre: "bright timbre"."""
    return {
        value: tuple(pattern.format(word) for pattern in table["timbre_as"] for word in row["say"])
        for value, row in table["timbre"].items()
    }


def paces_of(table: Mapping[str, Any], sounds: Sounds) -> Words:
    """Return the phrases for each pace as a manner: "at a slow pace"."""
    return {
        value: tuple(
            row.get("manner") or (table["pace_as"].format(with_article(word, sounds)) for word in row["say"])
        )
        for value, row in table["pace"].items()
    }


def manners_of(table: Mapping[str, Any]) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return the phrases of each style that fit a speaker, and words: by style and "speaker" or "words"."""
    return {
        (style, of): tuple(
            row.get(of) or (phrase for phrase in row["say"] if phrase.split()[0] not in beginnings)
        )
        for style, row in table["style"].items()
        for of, beginnings in table["manner_not_of"].items()
    }


def attributes_of(table: Mapping[str, Any], sounds: Sounds) -> Mapping[tuple[str, float], tuple[str, ...]]:
    """Return the phrases for each voice attribute near its poles (0.25, 0.75) and at them (0, 1)."""
    said: dict[tuple[str, float], tuple[str, ...]] = {}
    for name, row in table["attributes"].items():
        for pole, near in ((0.0, row["low"]["say"]), (1.0, row["high"]["say"])):
            said[name, 0.25 + pole / 2] = tuple(near)
            said[name, pole] = tuple(
                _graded(degree, phrase, sounds) for phrase in near for degree in table["far"]
            )
    return said


def _graded(degree: str, phrase: str, sounds: Sounds) -> str:
    bare = without_article(phrase)
    graded = f"{degree} {bare}"
    return graded if bare == phrase else with_article(graded, sounds)


def people_of(rows: Mapping[str, Mapping[str, Iterable[str]]]) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return the phrases for a person, or a voice, by gender and age; each may be "unknown"."""
    return {
        (gender, age): tuple(phrase for pattern in patterns for phrase in spelled_out(pattern))
        for gender, row in rows.items()
        for age, patterns in row.items()
    }
