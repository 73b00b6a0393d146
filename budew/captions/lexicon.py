"""The lexicon of a caption language: one YAML file of phrases, checked once and compiled for both directions.

A phrase that means two things, a name that the taxonomy lacks or a sense that nothing can express is an error
when the file is loaded, not a misreading later. Loading takes 80 ms and happens once a process.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from budew.captions.english import Sounds, with_article
from budew.captions.entry import FORMS, GOVERNING, Entry, Form, Kind
from budew.captions.grammar import Frame, FrameError, compile_frame
from budew.captions.inflection import inflected, spelled_out
from budew.captions.tokens import PhraseTrie, tokenize
from budew.malformed import fault_in
from budew.resources import data_folder
from budew.taxonomy import (
    ACCENTS,
    ATTRIBUTES,
    BURSTS,
    CATEGORIES,
    EMOTIONS,
    LEVEL_NAMES,
    LEVELS,
    UnknownNameError,
    burst,
    emotion,
)

if TYPE_CHECKING:
    from yaml import SafeLoader
else:
    SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # seven times as fast, where it is built

STRONG = 0.75
"""The level from which words that are strong in themselves are rendered."""
_DEGREES = 32
"""Bits for the intensities of a level."""
SAID_ATTRIBUTES = tuple(name for name in ATTRIBUTES if name not in ("Age", "Gender"))
"""Voice attributes that captions speak of; age and gender they say in words."""


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


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A compiled caption language.

    Attributes:
        language: its code.
        phrases: what each phrase means.
        emotions: words for each.
        intensities: words for each level.
        neutral: what is said in place of an emotion, as "noun" and as "adjective".
        book: by form, "noun" or "adjective", and by emotion and level: every phrase that says it.
        bursts: phrases for each.
        plain_bursts: the phrase for each in the plain wording.
        traits: phrases for each (key, value).
        manners: those of a style that are said of a speaker, and of words: by style and "speaker" or "words".
        speaks: what a person does; the first is not said of a speaker.
        attributes: phrases for each attribute near its low and high pole (0.25, 0.75) and at it (0, 1).
        accent: what is said of an accent, with a place for it.
        accent_word: the last word of that.
        frames: sentence frames by their name.
        without_feelings: frames that say nothing of emotions.
        speaking: words that introduce what is spoken.
        known: words that name no emotion wherever they stand.
        ages: the last year of each age, and its name.
        sounds: for the choice of an article.
    """

    language: str
    phrases: PhraseTrie[Entry]
    emotions: Mapping[str, Forms]
    intensities: Mapping[float, Forms]
    neutral: Mapping[str, tuple[str, ...]]
    book: Mapping[str, Mapping[tuple[str, float], Wordings]]
    bursts: Mapping[str, tuple[str, ...]]
    plain_bursts: Mapping[str, str]
    traits: Mapping[tuple[str, str], tuple[str, ...]]
    manners: Mapping[tuple[str, str], tuple[str, ...]]
    speaks: tuple[str, ...]
    attributes: Mapping[tuple[str, float], tuple[str, ...]]
    accent: str
    accent_word: str
    frames: Mapping[str, Frame]
    without_feelings: tuple[Frame, ...]
    speaking: frozenset[str]
    known: frozenset[str]
    ages: tuple[tuple[int, str], ...]
    sounds: Sounds


@cache
def load_lexicon(language: str = "en") -> Lexicon:
    """Return the lexicon of `language`, a file of `caption_templates`.

    Raises:
        LexiconError: there is no such file, or it breaks a rule; names the phrase or frame.
    """
    installed = {path.stem: path for path in sorted(data_folder("caption_templates").glob("*.yaml"))}
    if language not in installed:
        raise LexiconError(f"no caption language {language!r}: installed are {', '.join(installed)}")
    return read_lexicon(installed[language])


def read_lexicon(path: Path) -> Lexicon:
    """Read and check one lexicon file.

    Raises:
        LexiconError: it breaks a rule; names the file and the phrase or frame.
    """
    try:
        return _compile(yaml.load(path.read_text(encoding="utf-8"), _StrictLoader))  # noqa: S506  # a SafeLoader
    except (LexiconError, FrameError, UnknownNameError, yaml.YAMLError) as error:
        raise LexiconError(f"{path.name}: {error}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise LexiconError(f"{path.name}: {fault_in(error)}: correct it") from error


class _StrictLoader(SafeLoader):
    """Safe YAML in which a key that comes twice in one mapping is an error, not a silent replacement."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            raise LexiconError(f"a key comes twice in the mapping at line {node.start_mark.line + 1}")
        return mapping


def _compile(table: dict[str, Any]) -> Lexicon:
    phrases: PhraseTrie[Entry] = PhraseTrie()
    _add_function_words(phrases, table)
    apart = {word: form for form in (Form.STANCE, Form.DEGREE) for word in table[form.value]}
    emotions = _emotions(phrases, table["emotions"], apart)
    intensities = _intensities(phrases, table["intensity"])
    rules = table["rules"]
    sounds = Sounds(tuple(table["vowel_sounds"]), tuple(table["consonant_sounds"]))
    lexicon = Lexicon(
        language=table["language"],
        phrases=phrases,
        emotions=emotions,
        intensities=intensities,
        neutral=MappingProxyType({form: tuple(words) for form, words in table["neutral"].items()}),
        book=MappingProxyType({form: _book(emotions, intensities, form) for form in ("noun", "adjective")}),
        bursts=_bursts(phrases, table["bursts"]),
        plain_bursts=_plain_bursts(phrases, table["bursts"]),
        traits=_traits(phrases, table),
        manners=_manners(table),
        speaks=tuple(table["speaks"]),
        attributes=_attributes(phrases, table["attributes"], table["far"], sounds),
        accent=table["accent"],
        accent_word=tokenize(table["accent"])[-1],
        frames=MappingProxyType(
            {name: compile_frame(name, **row, rules=rules) for name, row in table["frames"].items()}
        ),
        without_feelings=tuple(
            compile_frame(name, **row, rules=rules, feelings=False)
            for name, row in table["frames_without_feelings"].items()
        ),
        speaking=frozenset(table["speaking"]),
        known=frozenset(table["known"]),
        ages=tuple((int(last), str(name)) for last, name in table["ages"]),
        sounds=sounds,
    )
    _check_complete(lexicon)
    return lexicon


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


def _add_function_words(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> None:
    for kind in GOVERNING:
        _add(phrases, table[kind.value], Entry(kind))
    for form, kind in FORMS.items():
        _add(phrases, table[form.value], Entry(kind, form=form))
    for words in table["neutral"].values():
        _add(phrases, words, Entry(Kind.INERT))


def _emotions(
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


def _intensities(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> Mapping[float, Forms]:
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


def _bursts(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> Mapping[str, tuple[str, ...]]:
    said = {}
    for given, row in table.items():
        name = burst(given)
        if name in said:
            raise LexiconError(f"the burst {name!r} has two entries: join them")
        said[name] = _add(phrases, row["say"], Entry(Kind.BURST, name))
        _add(phrases, (*row.get("also", ()), name), Entry(Kind.BURST, name))
    return MappingProxyType(said)


def _plain_bursts(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> Mapping[str, str]:
    plain = {burst(given): row.get("plain", row["say"][0]) for given, row in table.items()}
    for name, phrase in plain.items():
        _add(phrases, [phrase], Entry(Kind.BURST, name))
    return MappingProxyType(plain)


def _manners(table: Mapping[str, Any]) -> Mapping[tuple[str, str], tuple[str, ...]]:
    manners = {}
    for style, row in table["style"].items():
        for of, beginnings in table["manner_not_of"].items():
            said = tuple(phrase for phrase in row["say"] if phrase.split()[0] not in beginnings)
            if not said:
                raise LexiconError(f"nothing says the style {style!r} of {of}: add a phrase")
            manners[style, of] = said
    return MappingProxyType(manners)


def _traits(
    phrases: PhraseTrie[Entry], table: Mapping[str, Any]
) -> Mapping[tuple[str, str], tuple[str, ...]]:
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


def _attributes(
    phrases: PhraseTrie[Entry], table: Mapping[str, Any], far: Sequence[str], sounds: Sounds
) -> Mapping[tuple[str, float], tuple[str, ...]]:
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


def _book(
    emotions: Mapping[str, Forms], intensities: Mapping[float, Forms], form: str
) -> Mapping[tuple[str, float], Wordings]:
    book = {}
    for name, forms in emotions.items():
        for level, degrees in intensities.items():
            words: tuple[str, ...] = getattr(forms, form)
            words += getattr(forms, f"strong_{form}" if level >= STRONG else f"mild_{form}")
            book[name, level] = Wordings(
                before=tuple(f"{degree} {word}" for degree in getattr(degrees, form) for word in words),
                after=tuple(f"{word} {degree}" for degree in degrees.after for word in words)
                if form == "noun"
                else (),
                bare=words,
                bit=1 << _DEGREES * LEVELS.index(level),
            )
    return MappingProxyType(book)


def _check_complete(lexicon: Lexicon) -> None:
    wanted = {(key, value) for key, values in CATEGORIES.items() for value in values}
    missing = [
        *(set(EMOTIONS) - set(lexicon.emotions)),
        *(set(BURSTS) - set(lexicon.bursts)),
        *(set(LEVELS[1:]) - set(lexicon.intensities)),
        *(wanted - set(lexicon.traits)),
        *(set(SAID_ATTRIBUTES) - {name for name, _ in lexicon.attributes}),
    ]
    if missing:
        raise LexiconError(f"nothing says {missing[0]!r}: add a phrase")
    unknown = [key for key in lexicon.traits if key[0] != "accent" and key not in wanted]
    if unknown:
        raise LexiconError(f"the taxonomy has no {unknown[0][0]} {unknown[0][1]!r}: take it out")
