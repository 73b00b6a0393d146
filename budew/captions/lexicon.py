"""The lexicon of a caption language: one YAML file of phrases, compiled for parsing and for rendering.

A second file in the same format can give the renderer other words and sentence frames; what is parsed stays
the same. Loading takes 80 ms and happens once a process. Which forms an emotion is rendered in ("noun": "a
hint of fear"; "adjective": "slightly afraid"), and how a degree and a word are put together in each, stands
in the data file, under `forms`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from zlib import crc32

from budew.captions.idioms import with_idioms
from budew.captions.phrases import (
    MODERATE,
    Entry,
    own_levels,
    phrases_of,
    shifted,
    spelled_out,
    verb_forms,
    without_article,
)
from budew.captions.speaker import PeopleWords, people_words
from budew.captions.tokens import PhraseTrie, tokenize
from budew.errors import InputError
from budew.resources import data_folder, read_yaml
from budew.taxonomy import ACCENTS, ATTRIBUTES, CATEGORIES, LEVEL_NAMES, LEVELS, burst, emotion

RENDERED_ATTRIBUTES = tuple(name for name in ATTRIBUTES if name not in ("Age", "Gender"))
"""Voice attributes that are rendered; age and gender are rendered in words."""
_DEGREES = 32
"""Bits for the degrees of a level."""

Words = Mapping[str, tuple[str, ...]]
"""Phrases by name; of an emotion or a level by form, such as "noun" and "adverb", or by their own level."""
ByPair = Mapping[tuple[str, str], tuple[str, ...]]


class Sounds(NamedTuple):
    """Beginnings of words that decide their article against the first letter: "an hour", "a one-time"."""

    vowel: tuple[str, ...]
    consonant: tuple[str, ...]


class Wordings(NamedTuple):
    """All phrases for one emotion at one level in one form.

    Attributes:
        plain: the first word with the first degree, which the plain wording takes.
        before: with a degree: all words with the first degree, then all with the next.
        degrees: a bit for the degree of each of these.
        after: with a degree behind the word.
        bare: without a degree, as the word has the level in itself.
        listed: without a degree, where the list carries one: words that are moderate in themselves.
        carrying: those of `before` whose degree a list carries: not "full of joy".
        step: from a phrase of `before` to the same word with the next degree.
    """

    plain: str
    before: tuple[str, ...]
    degrees: tuple[int, ...]
    after: tuple[str, ...]
    bare: tuple[str, ...]
    listed: tuple[str, ...]
    carrying: frozenset[str]
    step: int


Book = Mapping[str, Mapping[tuple[str, float], Wordings]]
"""Every phrase for an emotion and level, by form."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A compiled caption language."""

    language: str  # its code
    table: Mapping[str, Any]  # the file, with the additions of a second one
    words: PhraseTrie[Entry]  # what each phrase means, without idioms
    phrases: PhraseTrie[Entry]  # the same with idioms
    sounds: Sounds  # for the choice of an article
    emotions: Mapping[str, Words]  # words for each, by form
    intensities: Mapping[float, Words]  # words for each level, by form
    neutral: Words  # what is rendered in place of an emotion, by form
    book: Book  # by form, and by emotion and level: every phrase for it
    bursts: Words  # phrases for each
    plain_bursts: Words  # the one for the plain wording
    burst_verbs: (
        Words  # what somebody does, where there is a verb, with a place for "her": "clears {} throat"
    )
    burst_infinitives: Words  # the same as "clear {} throat"
    burst_participles: Words  # the same as "clearing {} throat"
    traits: ByPair  # phrases for each (key, value)
    timbres: ByPair  # phrases for each, of a "voice" ("bright timbre") and of a "speaker" ("bright voice")
    paces: Words  # as a manner, such as "slowly"
    plain_paces: Words  # the one for the plain wording
    manners: ByPair  # phrases for each style, of a "speaker" and of "words"
    style_tags: Words  # one or two words for each style
    speaks: Words  # what a "person" does, and a "speaker"
    people: ByPair  # phrases by gender and age
    voices: ByPair  # the same of a voice
    pronouns: Words  # "she" and "her" for a gender that has them
    attributes: Mapping[tuple[str, float], tuple[str, ...]]  # near the poles (0.25, 0.75) and at them (0, 1)
    plain_attributes: Mapping[tuple[str, float], tuple[str, ...]]  # the one for the plain wording
    accent: str  # what is rendered of an accent, with a place for it
    accent_word: str  # the last word of that
    speaking: frozenset[str]  # words that introduce what is spoken
    names: frozenset[str]  # first names that are emotion words
    known: frozenset[str]  # words that name no emotion wherever they stand
    people_words: PeopleWords  # whose gender and age is meant
    kindless: Mapping[
        str, Mapping[str, str]
    ]  # for each sound of no kind, the burst that it is with an emotion


def load_lexicon(language: str = "en", additions: Path | None = None) -> Lexicon:
    """Return the lexicon of `language`, a file of `caption_templates`.

    Args:
        language: its code.
        additions: a file in the same format with what is rendered instead. Words under `emotions` and
            `bursts` are added, those under `without` are not rendered, nor any in the forms under `not_as`;
            `intensity`, `style`, `pace`, `timbre` and `neutral` are replaced by form; anything else is
            replaced as a whole. The parser knows only the words of the language.

    Raises:
        InputError: there is no such language.
        SettingsError: a phrase of the file has two meanings.
    """
    return _loaded(language, additions)


@cache  # here, as it would keep load_lexicon() and load_lexicon("en") apart
def _loaded(language: str, additions: Path | None) -> Lexicon:
    installed = {path.stem: path for path in sorted(data_folder("caption_templates").glob("*.yaml"))}
    if language not in installed:
        raise InputError(f"unknown caption language {language!r}: installed are {', '.join(installed)}")
    if additions is None:
        table = read_yaml(installed[language])
        words = phrases_of(table)
        idioms = installed[language].parent / "idioms" / installed[language].name
        return _compiled(table, words, with_idioms(words, read_yaml(idioms)) if idioms.exists() else words)
    base = load_lexicon(language)
    return _compiled(_with_additions(base.table, read_yaml(additions)), base.words, base.phrases)


def _with_additions(table: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**table, **added}
    for section, canonical in (("emotions", emotion), ("bursts", burst)):
        more = {canonical(name): row for name, row in added.get(section, {}).items()}
        merged[section] = {
            name: _joined(row, more.get(canonical(name), {})) for name, row in table[section].items()
        }
    for section in ("intensity", "style", "pace", "timbre"):
        more = added.get(section, {})
        merged[section] = {name: {**row, **more.get(name, {})} for name, row in table[section].items()}
    merged["neutral"] = {**table["neutral"], **added.get("neutral", {})}
    return merged


def _joined(row: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, **{form: [*row.get(form, ()), *words] for form, words in more.items()}}


def _compiled(table: Mapping[str, Any], words: PhraseTrie[Entry], phrases: PhraseTrie[Entry]) -> Lexicon:
    sounds = Sounds(tuple(table["vowel_sounds"]), tuple(table["consonant_sounds"]))
    emotions = {emotion(name): _tuples(row) for name, row in table["emotions"].items()}
    levels = {LEVELS[LEVEL_NAMES.index(name)]: _tuples(row) for name, row in table["intensity"].items()}
    bursts = {burst(name): row for name, row in table["bursts"].items()}
    traits = {(key, value): tuple(row["say"]) for key in CATEGORIES for value, row in table[key].items()}
    accents = {("accent", value): (table["accent"].format(value),) for value in ACCENTS}
    return Lexicon(
        language=table["language"],
        table=table,
        words=words,
        phrases=phrases,
        sounds=sounds,
        emotions=emotions,
        intensities=levels,
        neutral=_tuples(table["neutral"]),
        book={
            form: MappingProxyType(
                {
                    (name, level): _wordings(
                        () if form in words.get("not_as", ()) else ways, words, level, degrees, sounds
                    )
                    for name, words in emotions.items()
                    for level, degrees in levels.items()
                }
            )
            for form, ways in table["forms"].items()
        },
        bursts={name: tuple(row["say"]) for name, row in bursts.items()},
        plain_bursts={name: (row.get("plain", row["say"][0]),) for name, row in bursts.items()},
        burst_verbs=_verbs(bursts, form=1),
        burst_infinitives=_verbs(bursts, form=0),
        burst_participles=_verbs(bursts, form=2),
        traits=traits | accents,
        timbres={
            (value, of): tuple(pattern.format(word) for pattern in patterns for word in row["say"])
            for value, row in table["timbre"].items()
            for of, patterns in table["timbre_as"].items()
        },
        paces={value: tuple(row["manner"]) for value, row in table["pace"].items()},
        plain_paces={
            value: (table["pace_as"].format(with_article(row["say"][0], sounds)),)
            for value, row in table["pace"].items()
        },
        manners={
            (style, of): tuple(row.get(of, row["speaker"]))
            for style, row in table["style"].items()
            for of in ("speaker", "words")
        },
        style_tags={style: tuple(row["tag"]) for style, row in table["style"].items()},
        speaks=_tuples(table["speaks"]),
        people=_people(table["people"]),
        voices=_people(table["voices"]),
        pronouns=_tuples(table["pronouns"]),
        attributes=_attributes(table, sounds, "varied"),
        plain_attributes=_attributes(table, sounds, "say"),
        accent=table["accent"],
        accent_word=tokenize(table["accent"])[-1],
        speaking=frozenset(table["speaking"]),
        names=frozenset(table["names"]),
        known=frozenset(table["known"]),
        people_words=people_words(table),
        kindless={
            sound: {emotion(name): burst(kind) for name, kind in row.get("with", {}).items()}
            for sound, row in table["kindless"].items()
        },
    )


def _tuples(table: Mapping[str, Any]) -> Words:
    return {name: tuple(words) for name, words in table.items()}


def _verbs(bursts: Mapping[str, Mapping[str, Sequence[str]]], *, form: int) -> Words:
    """Return one of the `verb_forms` of the verbs of bursts; what stands behind them is kept."""
    return {
        name: tuple(" ".join((verb_forms(verb.split()[0])[form], *verb.split()[1:])) for verb in row["verb"])
        for name, row in bursts.items()
        if "verb" in row
    }


def _wordings(
    ways: Sequence[Mapping[str, Any]], words: Words, level: float, degrees: Words, sounds: Sounds
) -> Wordings:
    """Put words and degrees together in each of the ways of a form.

    A way has `words` and `degrees` (forms of the word and of the degree), `say` (pattern with {degree} and
    {word}, or {a} for both with their article), and maybe `after` (pattern with the degree behind the word),
    `bare` (false: the word needs a degree), `state` (form of words that take none), `without` (words or
    listed phrases), `phrases` (form of phrases such as "deep sorrow", listed for levels, in place of words
    with degrees) or `more` (the same besides them). The first moderate degree is for the plain wording alone,
    as nobody writes "moderate joy". With listed phrases, moderate words that have no other degree go without
    one, and words that are strong in themselves have degrees only as listed.
    """
    own, unlike, plain = own_levels(words), words.get("unlike", ()), ""
    before: list[str] = []
    bits: list[int] = []
    after: list[str] = []
    bare: list[str] = []
    listed: list[str] = []
    carrying, step = frozenset[str](), 0
    level_name = LEVEL_NAMES[LEVELS.index(level)]
    for way in ways:
        left_out = {*way.get("without", ()), *words.get("without", ())}
        if level > MODERATE:
            left_out.update(words.get("mild", ()))
        states = words.get(way.get("state", ""), ())
        able = [word for word in words.get(way.get("words", ""), ()) if word not in left_out]
        fitting = [w for w in able if w not in states and shifted(own.get(w, MODERATE), level) == level]
        listing = "phrases" in way or "more" in way
        usual = [word for word in fitting if not (listing and own.get(word, MODERATE) > MODERATE)]
        known = degrees.get(way.get("degrees", ""), ())
        if known and way is ways[0] and words.get(way["words"]):
            plain = _graded_as(way, known[0], words[way["words"]][0], sounds)
        instead = words.get(f"{way['phrases']}_{level_name}", ()) if "phrases" in way else ()
        listed_here = instead or (words.get(f"{way['more']}_{level_name}", ()) if "more" in way else ())
        listed_here = tuple(phrase for phrase in listed_here if phrase not in left_out)
        degrees_here = () if instead else known
        if level == MODERATE:
            degrees_here = known[1:] or (() if listing else known)
        pairs = [pair for pair in product(degrees_here, usual) if pair[0] not in unlike]
        graded = [_graded_as(way, *pair, sounds) for pair in pairs]
        carrying = carrying or frozenset(graded)
        before += [*graded, *listed_here]
        first_words = (*(degree for degree, _ in pairs), *(_degree_of(phrase) for phrase in listed_here))
        bits += [1 << _DEGREES * LEVELS.index(level) + _bit_of(word, degrees) for word in first_words]
        step = step or (len(usual) if graded else 1)
        if "after" in way:
            behind = product(degrees["after"], (word for word in fitting if word not in own))
            after += [way["after"].format(degree=degree, word=word) for degree, word in behind]
        if way.get("bare", True):
            bare += [word for word in dict.fromkeys((*able, *states)) if own.get(word, MODERATE) == level]
            listed += [word for word in able if word not in own and word not in states]
    return Wordings(
        plain, tuple(before), tuple(bits), tuple(after), tuple(bare), tuple(listed), carrying, step or 1
    )


def _degree_of(phrase: str) -> str:
    """Return the first word of a phrase such as "deep sorrow"."""
    return without_article(phrase).partition(" ")[0]


def _bit_of(degree: str, degrees: Words) -> int:
    """Return a number for a degree; "full of", "filled with" and the like share one."""
    full = degrees.get("full", ())
    return crc32((full[0] if degree in full else degree).encode()) % _DEGREES


def _graded_as(way: Mapping[str, Any], degree: str, word: str, sounds: Sounds) -> str:
    both = with_article(f"{degree} {word}", sounds)
    return str(way["say"].format(degree=degree, word=word, a=both))


def _attributes(
    table: Mapping[str, Any], sounds: Sounds, form: str
) -> dict[tuple[str, float], tuple[str, ...]]:
    """Return the phrases for each voice attribute near its poles (0.25, 0.75) and at them (0, 1): those of a
    form where it has them, else all that it says.
    """
    found: dict[tuple[str, float], tuple[str, ...]] = {}
    for name, row in table["attributes"].items():
        for pole, words in ((0.0, row["low"]), (1.0, row["high"])):
            near = words.get(form, words["say"])
            found[name, 0.25 + pole / 2] = tuple(near)
            found[name, pole] = tuple(
                _graded(degree, phrase, sounds) for phrase in near for degree in table["far"]
            )
    return found


def _graded(degree: str, phrase: str, sounds: Sounds) -> str:
    bare = without_article(phrase)
    graded = f"{degree} {bare}"
    return graded if bare == phrase else with_article(graded, sounds)


def _people(rows: Mapping[str, Mapping[str, Iterable[str]]]) -> ByPair:
    """Return the phrases for a person, or a voice, by gender and age; each may be "unknown"."""
    return {
        (gender, age): tuple(phrase for pattern in patterns for phrase in spelled_out(pattern))
        for gender, row in rows.items()
        for age, patterns in row.items()
    }


def with_article(phrase: str, sounds: Sounds) -> str:
    """Put "a" or "an" before a phrase, by the sound of its beginning."""
    folded = phrase.lower()
    if folded.startswith(sounds.vowel):
        return f"an {phrase}"
    vowel = folded.startswith(("a", "e", "i", "o", "u")) and not folded.startswith(sounds.consonant)
    return f"an {phrase}" if vowel else f"a {phrase}"


def joined(phrases: Sequence[str]) -> str:
    """Join phrases as prose: "this", "this and that", "this, that and more"."""
    if len(phrases) < 2:
        return "".join(phrases)
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"
