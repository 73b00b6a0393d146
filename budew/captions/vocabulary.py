"""Vocabulary: the phrases that captions are rendered with, compiled from the table of a lexicon.

There is one vocabulary for each wording. The varied wording chooses among synonyms; the plain wording uses
the first phrase. The section `forms` of the data file defines the forms in which an emotion is rendered
("noun": "a hint of fear"; "adjective": "slightly afraid"), and how each combines a degree with a
word.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal, NamedTuple
from zlib import crc32

from budew.captions.phrases import (
    FULL,
    MODERATE,
    own_levels,
    shifted,
    spelled_out,
    verb_forms,
    without_article,
)
from budew.taxonomy import CATEGORIES, LEVEL_NAMES, LEVELS, RECORDING_TRAITS, burst, emotion

Wording = Literal["varied", "plain"]
"""Whether a caption draws among synonyms ("varied"), or uses the first synonym ("plain")."""

Phrases = tuple[str, ...]
ByName = Mapping[str, Phrases]
ByPair = Mapping[tuple[str, str], Phrases]
ByPlace = Mapping[tuple[str, float], Phrases]
"""Phrases by voice attribute and place on its scale: near a pole (0.25, 0.75) or at it (0, 1)."""

BURST_FORMS = ("infinitive", "verb", "participle")
"""Forms of verbs for bursts: "clear {} throat", "clears {} throat", "clearing {} throat"."""
UNKNOWN_TRAIT = "unknown"
"""Key for a gender or an age that a profile does not have."""
_DEGREE_KEYS = 32
"""The degrees of one level are numbered from 0 to below this."""
_PERSON = {"female": "woman", "male": "man"}


class Sounds(NamedTuple):
    """Beginnings of words whose article does not follow from the first letter: "an hour", "a one-time"."""

    vowel: Phrases
    consonant: Phrases


class EmotionPhrases(NamedTuple):
    """All phrases for one emotion at one level in one form.

    Sadness at 0.75 as an adjective: `before` is "very sad", "very sorrowful" and four others with "very",
    then "deeply sad"…, "full of sadness"…; `step` is 6. "heartbroken" is `bare`. After "very angry and",
    whose "very" carries, "sad" alone is enough: it is `under_carried`.

    Attributes:
        in_plain: phrase of the plain wording: the first word with the first degree.
        before: phrases with a degree before the word: all words with the first degree, then all words with
            the next one, then phrases that the data file lists ("deep sorrow"). If the form has several ways
            to combine word and degree ("very angry", "full of anger"), those of the first way come first.
        degrees: number of the degree of each phrase in `before`; the same degree has the same number,
            and by chance two may share one.
        bare: words without a degree that mean this level by themselves.
        under_carried: words without a degree for a list whose first word has the degree; moderate by
            themselves.
        carrying: phrases of `before` whose degree also applies to later words of a list: those of a word and
            a degree ("very sad"), not listed ones ("deeply sad") nor those of other ways ("full of joy").
        step: number of words with each degree in the first way: as long as `before[place + step]` is a word
            with a degree of this way too, it has the same word as `before[place]`, with the next degree.
    """

    in_plain: str = ""
    before: Phrases = ()
    degrees: tuple[int, ...] = ()
    bare: Phrases = ()
    under_carried: Phrases = ()
    carrying: frozenset[str] = frozenset()
    step: int = 1


class _Way(NamedTuple):
    """One way to combine an emotion word and a degree: a row of `forms` in the data file.

    Attributes:
        say: pattern with {degree} and {word}, or {a} for both with their article.
        words: form of the word.
        degrees: form of the degree.
        state: form of words that take no degree.
        phrases: form of phrases such as "deep sorrow", listed by level, that replace words with degrees.
        more: form of phrases, listed by level, that are used in addition to words with degrees.
        without: words or listed phrases to leave out.
        bare: whether the word may be used without a degree.
    """

    say: str
    words: str = ""
    degrees: str = ""
    state: str = ""
    phrases: str = ""
    more: str = ""
    without: Sequence[str] = ()
    bare: bool = True

    @property
    def has_lists(self) -> bool:
        """Whether the data file lists phrases of this way by emotion and level."""
        return bool(self.phrases or self.more)


class _SortedWords(NamedTuple):
    """Words of an emotion at one level: those that take a degree, and `bare` ones as in `EmotionPhrases`."""

    gradable: Phrases
    bare: Phrases = ()
    under_carried: Phrases = ()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Phrases of one wording. Tags are phrases between commas, in the varied wording without articles."""

    is_plain: bool
    sounds: Sounds  # for the choice of an article
    emotions: Mapping[str, Mapping[tuple[str, float], EmotionPhrases]]  # by form, and by emotion and level
    neutral: ByName  # phrases for a voice without emotions, by form
    denied: Mapping[str, ByName]  # words for an absent emotion, after "no" or "not", by form and emotion
    bursts: ByName
    burst_tags: ByName
    burst_verbs: Mapping[str, ByName]  # by form, for bursts that have a verb, with {} for "her"
    people: ByPair  # by gender and age
    voices: ByPair  # by gender and age
    pronouns: ByName  # by gender: "she" and "her"
    traits: ByPair  # adjectives of gender and age, timbre, pace and style, by (key, value)
    accent: str  # pattern with {} for the accent
    timbres: ByPair  # of a "voice" ("bright timbre") and of a "speaker" ("bright voice")
    timbre_tags: ByName
    paces: ByName  # adverbs such as "slowly"
    manners: ByPair  # each style, of a "speaker" and of "words"
    style_tags: ByName
    speaks: ByName  # verbs after a "person" and after a "speaker"
    attributes: ByPlace  # adjectives of a voice or a person
    qualities: ByPlace  # adjectives in a list of all attributes, and phrases for those of the recording
    quality_tags: ByPlace


def varied_vocabulary(table: Mapping[str, Any]) -> Vocabulary:
    """Compile the vocabulary of the varied wording from the table of a lexicon."""
    sounds = Sounds(tuple(table["vowel_sounds"]), tuple(table["consonant_sounds"]))
    rows = {burst(name): row for name, row in table["bursts"].items()}
    bursts = {name: tuple(row["say"]) for name, row in rows.items()}
    timbres = {
        (value, of): tuple(pattern.format(word) for pattern in patterns for word in row["say"])
        for value, row in table["timbre"].items()
        for of, patterns in table["timbre_as"].items()
    }
    attributes = _attributes(table, sounds, "varied")
    emotions = _emotions(table, sounds)
    return Vocabulary(
        is_plain=False,
        sounds=sounds,
        emotions=emotions,
        neutral=tuples(table["neutral"]),
        denied={form: _denied(emotions[form], table["not_denied"]) for form in ("noun", "adjective")},
        bursts=bursts,
        burst_tags=_without_articles(bursts),
        burst_verbs={form: _verbs(rows, place) for place, form in enumerate(BURST_FORMS)},
        people=_by_gender_and_age(table["people"]),
        voices=_by_gender_and_age(table["voices"]),
        pronouns=tuples(table["pronouns"]),
        traits={
            (key, value): tuple(row["say"])
            for key in (*CATEGORIES, *RECORDING_TRAITS)
            for value, row in table[key].items()
        },
        accent=table["accent"],
        timbres=timbres,
        timbre_tags={value: phrases for (value, of), phrases in timbres.items() if of == "speaker"},
        paces={value: tuple(row["manner"]) for value, row in table["pace"].items()},
        manners={
            (style, of): tuple(row.get(of, row["speaker"]))
            for style, row in table["style"].items()
            for of in ("speaker", "words")
        },
        style_tags={style: tuple(row["tag"]) for style, row in table["style"].items()},
        speaks=tuples(table["speaks"]),
        attributes=attributes,
        qualities=attributes,
        quality_tags=_without_articles(attributes),
    )


def plain_vocabulary(table: Mapping[str, Any], varied: Vocabulary) -> Vocabulary:
    """Compile the vocabulary of the plain wording. It must not change: models are trained on it."""
    traits = varied.traits
    bursts = {burst(name): (row.get("plain", row["say"][0]),) for name, row in table["bursts"].items()}
    qualities = _attributes(table, varied.sounds, "say")
    styles = {style: traits["style", style] for style in table["style"]}
    people: dict[tuple[str, str], Phrases] = {}
    voices: dict[tuple[str, str], Phrases] = {}
    for pair in product((*CATEGORIES["gender"], UNKNOWN_TRAIT), (*CATEGORIES["age"], UNKNOWN_TRAIT)):
        gender, age = (traits.get(key, ("",))[0] for key in zip(("gender", "age"), pair, strict=True))
        person = "speaker" if pair[1] == "child" else _PERSON.get(gender, "speaker")
        voices[pair] = (" ".join(filter(None, (age, gender, "voice"))),)
        people[pair] = (" ".join(filter(None, (age, gender if person == "speaker" else "", person))),)
    return replace(
        varied,
        is_plain=True,
        bursts=bursts,
        burst_tags=bursts,
        people=people,
        voices=voices,
        timbre_tags={value: varied.timbres[value, "voice"] for value in table["timbre"]},
        paces={
            value: (table["pace_as"].format(with_article(row["say"][0], varied.sounds)),)
            for value, row in table["pace"].items()
        },
        manners={(style, of): styles[style] for style, of in varied.manners},
        style_tags=styles,
        qualities=qualities,
        quality_tags=qualities,
    )


def tuples(table: Mapping[str, Iterable[str]]) -> dict[str, Phrases]:
    """Return a copy of a table in which each list is a tuple."""
    return {name: tuple(phrases) for name, phrases in table.items()}


def _without_articles(table: Mapping[Any, Phrases]) -> dict[Any, Phrases]:
    return {key: tuple(map(without_article, phrases)) for key, phrases in table.items()}


def _emotions(table: Mapping[str, Any], sounds: Sounds) -> dict[str, dict[tuple[str, float], EmotionPhrases]]:
    emotions = {emotion(name): tuples(row) for name, row in table["emotions"].items()}
    ways = {form: [_Way(**row) for row in rows] for form, rows in table["forms"].items()}
    degrees = {LEVELS[LEVEL_NAMES.index(name)]: tuples(row) for name, row in table["intensity"].items()}
    return {
        form: {
            (name, level): EmotionPhrases()
            if form in words.get("not_as", ())
            else _in_form(ways[form], words, level, degrees[level], sounds)
            for name, words in emotions.items()
            for level in degrees
        }
        for form in ways
    }


def _denied(emotions: Mapping[tuple[str, float], EmotionPhrases], left_out: Sequence[str]) -> ByName:
    """Return the words of each emotion that are moderate by themselves: "no fury" would not deny anger."""
    return {
        name: tuple(word for word in phrases.under_carried if word not in left_out)
        for (name, level), phrases in emotions.items()
        if level == MODERATE
    }


def _in_form(
    ways: Sequence[_Way], words: ByName, level: float, degrees: ByName, sounds: Sounds
) -> EmotionPhrases:
    """Return the phrases of an emotion in one form, which combines words and degrees in one or more ways."""
    first, *others = [_in_way(way, words, level, degrees, sounds) for way in ways]
    for other in others:
        first = first._replace(
            before=first.before + other.before,
            degrees=first.degrees + other.degrees,
            bare=first.bare + other.bare,
            under_carried=first.under_carried + other.under_carried,
            carrying=first.carrying or other.carrying,  # of the first way that has any
        )
    return first


def _in_way(way: _Way, words: ByName, level: float, degrees: ByName, sounds: Sounds) -> EmotionPhrases:
    """Combine the words of an emotion with the degrees of a level in one way."""
    left_out = _left_out(way, words, level)
    sorted_words = _sort_words(way, words, level, left_out)
    fitting_degrees = _fitting_degrees(way, words, level, degrees)
    unlike = words.get("unlike", ())
    pairs = [pair for pair in product(fitting_degrees, sorted_words.gradable) if pair[0] not in unlike]
    graded = [_graded_as(way, *pair, sounds) for pair in pairs]
    listed = [phrase for phrase in _listed_phrases(way, words, level) if phrase not in left_out]
    used_degrees = [degree for degree, _ in pairs]
    used_degrees += [without_article(phrase).partition(" ")[0] for phrase in listed]

    all_degrees, all_words = degrees.get(way.degrees, ()), words.get(way.words, ())
    has_both = bool(all_degrees and all_words)
    return EmotionPhrases(
        in_plain=_graded_as(way, all_degrees[0], all_words[0], sounds) if has_both else "",
        before=(*graded, *listed),
        degrees=tuple(_degree_key(degree, level, degrees) for degree in used_degrees),
        bare=sorted_words.bare,
        under_carried=sorted_words.under_carried,
        carrying=frozenset(graded),
        step=len(sorted_words.gradable) if graded else 1,
    )


def _left_out(way: _Way, words: ByName, level: float) -> frozenset[str]:
    """Return the words and phrases that are not rendered at a level, such as mild ones above moderate."""
    mild = words.get("mild", ()) if level > MODERATE else ()
    return frozenset((*way.without, *words.get("without", ()), *mild))


def _sort_words(way: _Way, words: ByName, level: float, left_out: Set[str]) -> _SortedWords:
    """Sort the words of an emotion by whether they take a degree at a level.

    If phrases are listed, words that are strong by themselves take only the listed degrees.
    """
    own = own_levels(words)
    states = words.get(way.state, ())
    able = [word for word in words.get(way.words, ()) if word not in left_out]
    strongest = MODERATE if way.has_lists else FULL
    gradable = [
        word
        for word in able
        if word not in states
        and own.get(word, MODERATE) <= strongest
        and shifted(own.get(word, MODERATE), level) == level
    ]
    if not way.bare:
        return _SortedWords(tuple(gradable))
    bare = [word for word in dict.fromkeys((*able, *states)) if own.get(word, MODERATE) == level]
    under_carried = [word for word in able if word not in own and word not in states]
    return _SortedWords(tuple(gradable), tuple(bare), tuple(under_carried))


def _fitting_degrees(way: _Way, words: ByName, level: float, degrees: ByName) -> Phrases:
    """Return the degrees that words get in the varied wording.

    The first moderate degree is for the plain wording only, as nobody writes "moderate joy". If phrases are
    listed, moderate words without another degree have no degree.
    """
    known = degrees.get(way.degrees, ())
    if level == MODERATE:
        return known[1:] or (() if way.has_lists else known)
    return () if way.phrases and _listed_phrases(way, words, level) else known


def _listed_phrases(way: _Way, words: ByName, level: float) -> Phrases:
    """Return the phrases that the emotion lists for a level, such as "deep sorrow"."""
    level_name = LEVEL_NAMES[LEVELS.index(level)]
    in_place = words.get(f"{way.phrases}_{level_name}", ()) if way.phrases else ()
    return in_place or (words.get(f"{way.more}_{level_name}", ()) if way.more else ())


def _degree_key(degree: str, level: float, degrees: ByName) -> int:
    """Return a number for a degree of a level; "full of", "filled with" and the like share one.

    Existing corpora were rendered with these numbers, so two degrees with the same number must stay one.
    """
    full = degrees.get("full", ())
    key = crc32((full[0] if degree in full else degree).encode()) % _DEGREE_KEYS
    return _DEGREE_KEYS * LEVELS.index(level) + key


def _graded_as(way: _Way, degree: str, word: str, sounds: Sounds) -> str:
    both = with_article(f"{degree} {word}", sounds)
    return str(way.say.format(degree=degree, word=word, a=both))


def _attributes(table: Mapping[str, Any], sounds: Sounds, key: str) -> dict[tuple[str, float], Phrases]:
    """Return the phrases for each voice attribute: those under a key where it has them, else all of `say`."""
    found: dict[tuple[str, float], Phrases] = {}
    for name, row in table["attributes"].items():
        for pole, words in ((0.0, row["low"]), (1.0, row["high"])):
            near = words.get(key, words["say"])
            found[name, 0.25 + pole / 2] = tuple(near)
            at_pole = []
            for phrase in near:
                bare = without_article(phrase)
                intensified = [f"{degree} {bare}" for degree in table["far"]]
                has_article = bare != phrase
                at_pole += [with_article(one, sounds) for one in intensified] if has_article else intensified
            found[name, pole] = tuple(at_pole)
    return found


def _verbs(bursts: Mapping[str, Mapping[str, Sequence[str]]], place: int) -> dict[str, Phrases]:
    """Return the form at a place in `verb_forms` of the verbs of bursts, with the words after the verb."""
    found = {}
    for name, row in bursts.items():
        if "verb" in row:
            pairs = [verb.partition(" ") for verb in row["verb"]]
            found[name] = tuple(f"{verb_forms(verb)[place]}{space}{rest}" for verb, space, rest in pairs)
    return found


def _by_gender_and_age(rows: Mapping[str, Mapping[str, Iterable[str]]]) -> dict[tuple[str, str], Phrases]:
    """Return the phrases for a person, or a voice, by gender and age; each may be `UNKNOWN_TRAIT`."""
    return {
        (gender, age): spelled_out(*patterns) for gender, row in rows.items() for age, patterns in row.items()
    }


def with_article(phrase: str, sounds: Sounds) -> str:
    """Put "a" or "an" before a phrase, depending on its first sound; an empty phrase stays empty."""
    if not phrase:
        return ""
    folded = phrase.lower()
    if folded.startswith(sounds.vowel):
        return f"an {phrase}"
    vowel = folded.startswith(("a", "e", "i", "o", "u")) and not folded.startswith(sounds.consonant)
    return f"an {phrase}" if vowel else f"a {phrase}"


def joined(phrases: Sequence[str], conjunction: str = "and") -> str:
    """Join phrases as prose: "this", "this and that", "this, that and more"."""
    if len(phrases) < 2:
        return "".join(phrases)
    return f"{', '.join(phrases[:-1])} {conjunction} {phrases[-1]}"
