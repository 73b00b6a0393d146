"""The words of a lexicon: each phrase of its table is given one meaning, and kept under what it says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from budew.captions.english import Sounds, with_article
from budew.captions.entry import FORMS, GOVERNING, Entry, Form, Kind
from budew.captions.inflection import inflected, spelled_out
from budew.captions.tokens import PhraseTrie
from budew.taxonomy import ACCENTS, ATTRIBUTES, CATEGORIES, LEVEL_NAMES, LEVELS, burst, emotion

STRONG = 0.75
"""The level from which words that are strong in themselves are rendered."""
_DEGREES = 32
"""Bits for the intensities of a level."""


class LexiconError(ValueError):
    """A lexicon that is missing, malformed or contradicts itself."""


@dataclass(frozen=True, slots=True)
class Forms:
    """Phrases that say one thing: as or before a noun, as or before an adjective, or behind either;
    those of an emotion that is strong ("fury") apart.
    """

    noun: tuple[str, ...]
    adjective: tuple[str, ...]
    after: tuple[str, ...] = ()
    strong_noun: tuple[str, ...] = ()
    strong_adjective: tuple[str, ...] = ()
    mild_noun: tuple[str, ...] = ()
    mild_adjective: tuple[str, ...] = ()


class Wordings(NamedTuple):
    """All phrases for one emotion at one level: with the intensity before the word (all words with the first
    intensity, then all with the next), behind it, and without one; and a bit for the first intensity, before
    those for the others of its level.
    """

    before: tuple[str, ...]
    after: tuple[str, ...]
    bare: tuple[str, ...]
    bit: int


def _add(phrases: PhraseTrie[Entry], words: Iterable[str], entry: Entry) -> tuple[str, ...]:
    """Give each phrase, without a leading article, this meaning; return the phrases as they stand. A pattern
    of `spelled_out` gives it to all that it stands for.
    """
    said = tuple(words)
    for pattern in said:
        if not isinstance(pattern, str):
            raise LexiconError(
                f"the phrase {pattern!r} is no text: YAML wants on, off, yes, no and true in quotes"
            )
        if any(map(str.isdigit, pattern)):
            raise LexiconError(f"the phrase {pattern!r} holds a digit: spell it out")
        for phrase in spelled_out(pattern):
            there = phrases.add(without_article(phrase), replace(entry, phrase=phrase))
            if there != entry:
                raise LexiconError(f"the phrase {phrase!r} means both {there} and {entry}: keep one")
    return said


def without_article(phrase: str) -> str:
    """Return a phrase without a leading "a", "an" or "the"."""
    first, _, rest = phrase.partition(" ")
    return rest if rest and first.lower() in ("a", "an", "the") else phrase


def add_function_words(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> None:
    """Add the words of the grammar."""
    for kind in GOVERNING:
        _add(phrases, table[kind.value], Entry(kind))
    for form, kind in FORMS.items():
        _add(phrases, table[form.value], Entry(kind, form=form))
    for words in table["neutral"].values():
        _add(phrases, words, Entry(Kind.INERT))


def add_emotions(
    phrases: PhraseTrie[Entry], table: Mapping[str, Any], apart: Mapping[str, Form]
) -> Mapping[str, Forms]:
    """Add the words of the emotions; those of `apart` are no feeling everywhere."""
    forms = {}
    for given, row in table.items():
        name = emotion(given)
        if name in forms:
            raise LexiconError(f"the emotion {name!r} has two entries: join them")
        entry = Entry(Kind.EMOTION, name)
        forms_of = {**_adverbs(row), **apart}
        for word in (*row.get("either", ()), *row.get("also", ())):
            either, form = word in row.get("either", ()) or word in apart, forms_of.get(word, Form.NONE)
            _add(phrases, [word], replace(entry, either=either, form=form))
        forms[name] = Forms(
            noun=_add(phrases, row["noun"], entry),
            adjective=_add(phrases, row["adjective"], entry),
            strong_noun=_add(phrases, row.get("strong_noun", ()), entry),
            strong_adjective=_add(phrases, row.get("strong_adjective", ()), entry),
            mild_noun=_add(phrases, row.get("mild_noun", ()), entry),
            mild_adjective=_add(phrases, row.get("mild_adjective", ()), entry),
        )
    for given, (name, said) in zip(table, forms.items(), strict=True):
        for word in (*said.adjective, *said.strong_adjective, *table[given].get("either", ())):
            for derived, form in zip(
                inflected(word), (Form.ADVERB, Form.COMPARATIVE, Form.NONE), strict=False
            ):
                phrases.add(derived, Entry(Kind.EMOTION, name, form=form, phrase=word))
    return MappingProxyType(forms)


def _adverbs(row: Mapping[str, Sequence[str]]) -> dict[str, Form]:
    """Return the adverbs of all words of an emotion; those that it lists are among them."""
    words = [word for part in row.values() for word in part if isinstance(word, str)]
    return {adverb: Form.ADVERB for word in words for adverb in inflected(word)[:1]}


def add_intensities(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> Mapping[float, Forms]:
    """Add the words of each level."""
    forms = {}
    for name, row in table.items():
        level = LEVELS[LEVEL_NAMES.index(name)]
        before = Entry(Kind.INTENSITY, name, level)
        behind = Entry(Kind.AFTER, name, level)
        after = _add(phrases, row["after"], behind)
        _add(phrases, row.get("behind", ()), behind)
        _add(phrases, row.get("also", ()), before)
        forms[level] = Forms(
            _add(phrases, row["noun"], before), _add(phrases, row["adjective"], before), after
        )
    return MappingProxyType(forms)


def add_bursts(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    """Add the phrases of the bursts."""
    said = {}
    for given, row in table.items():
        name = burst(given)
        if name in said:
            raise LexiconError(f"the burst {name!r} has two entries: join them")
        said[name] = _add(phrases, row["say"], Entry(Kind.BURST, name))
        _add(phrases, (*row.get("also", ()), name), Entry(Kind.BURST, name))
    return MappingProxyType(said)


def add_plain_bursts(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> Mapping[str, str]:
    """Add the plain phrase of each burst."""
    plain = {burst(given): row.get("plain", row["say"][0]) for given, row in table.items()}
    for name, phrase in plain.items():
        _add(phrases, [phrase], Entry(Kind.BURST, name))
    return MappingProxyType(plain)


def manners(table: Mapping[str, Any]) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Return the phrases of each style that fit a speaker, and words."""
    found = {}
    for style, row in table["style"].items():
        for of, beginnings in table["manner_not_of"].items():
            said = tuple(phrase for phrase in row["say"] if phrase.split()[0] not in beginnings)
            if not said:
                raise LexiconError(f"nothing says the style {style!r} of {of}: add a phrase")
            found[style, of] = said
    return MappingProxyType(found)


def add_traits(
    phrases: PhraseTrie[Entry], table: Mapping[str, Any]
) -> Mapping[tuple[str, str], tuple[str, ...]]:
    """Add the phrases of the traits and accents."""
    said = {}
    for key in CATEGORIES:
        for value, row in table[key].items():
            entry = Entry(Kind.TRAIT, key, value=value)
            said[key, value] = _add(phrases, row["say"], entry)
            _add(phrases, row.get("also", ()), entry)
    for value in ACCENTS:
        entry = Entry(Kind.TRAIT, "accent", value=value)
        said["accent", value] = _add(phrases, [table["accent"].format(value)], entry)
        _add(phrases, [value], replace(entry, kind=Kind.ORIGIN))
    for value in (*ACCENTS, *table["regions"]):
        entry = Entry(Kind.TRAIT, "accent", value=value)
        _add(phrases, [pattern.format(value) for pattern in table["accent_also"]], entry)
    return MappingProxyType(said)


def add_attributes(
    phrases: PhraseTrie[Entry], table: Mapping[str, Any], far: Sequence[str], sounds: Sounds
) -> Mapping[tuple[str, float], tuple[str, ...]]:
    """Add the phrases of the voice attributes; those at a pole are graded."""
    said = {}
    for name, row in table.items():
        for pole, words in ((0.0, row["low"]), (1.0, row["high"])):
            entry = Entry(Kind.ATTRIBUTE, ATTRIBUTES[name].name, pole)
            near = _add(phrases, words["say"], entry)
            _add(phrases, words.get("also", ()), entry)
            said[name, 0.25 + pole / 2] = near
            said[name, pole] = tuple(_graded(degree, phrase, sounds) for phrase in near for degree in far)
    return MappingProxyType(said)


def _graded(degree: str, phrase: str, sounds: Sounds) -> str:
    bare = without_article(phrase)
    graded = f"{degree} {bare}"
    return graded if bare == phrase else with_article(graded, sounds)


def book(
    emotions: Mapping[str, Forms], intensities: Mapping[float, Forms], form: str
) -> Mapping[tuple[str, float], Wordings]:
    """Return every phrase for each emotion and level, in one form."""
    found = {}
    for name, forms in emotions.items():
        for level, degrees in intensities.items():
            words: tuple[str, ...] = getattr(forms, form)
            words += getattr(forms, f"strong_{form}" if level >= STRONG else f"mild_{form}")
            found[name, level] = Wordings(
                before=tuple(f"{degree} {word}" for degree in getattr(degrees, form) for word in words),
                after=tuple(f"{word} {degree}" for degree in degrees.after for word in words)
                if form == "noun"
                else (),
                bare=words,
                bit=1 << _DEGREES * LEVELS.index(level),
            )
    return MappingProxyType(found)
