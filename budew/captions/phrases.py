"""What the phrases of a caption language mean: the table of a lexicon as a trie of entries, for parsing.

The kind of an entry says what the phrase does, its form what else is known. A pattern of the table stands for
several phrases; adverbs and comparatives are derived from adjectives. The forms are for parsing only: one
that does not exist ("hopefuller") does no harm.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import product
from typing import Any

from budew.captions.tokens import PhraseTrie
from budew.taxonomy import ACCENTS, ATTRIBUTES, CATEGORIES, LEVEL_NAMES, LEVELS, age_group, burst, emotion


class Kind(StrEnum):
    """What a phrase does in a caption."""

    EMOTION = "emotion"
    BURST = "burst"
    TRAIT = "trait"
    ATTRIBUTE = "attribute"
    INTENSITY = "intensity"  # before what it governs
    RATING = "rating"  # a number after what it rates
    AFTER = "after"  # an intensity after what it governs
    NEGATION = "negation"
    PEAK = "peak"  # a negation, but before a comparative as much as can be
    UNREAL = "unreal"  # before what is feigned, or only thought of
    CONDITIONAL = "conditional"  # the same, where the sentence has an "if"
    CONDITION = "condition"  # the same, or before an intensity a concession
    TOPIC = "topic"  # before what is spoken of
    CONTENT = "content"  # after an emotion of what is read or sung, or of any other thing
    ADDRESSING = "addressing"  # before somebody else: "talks to", "imitates"
    OTHERS = "others"  # somebody else, where a possessive is before
    ABSENT = "absent"  # a negation after what it governs
    HEDGE = "hedge"
    MORE = "more"
    LESS = "less"
    THAN = "than"
    LEAVING = "leaving"  # before what is left behind
    LEFT = "left"  # after it, before what comes
    FADING = "fading"  # right after it
    NOW = "now"  # after what was
    FROM = "from"
    TO = "to"
    LINK = "link"
    EXCESS = "excess"  # a link that denies what follows "to"
    NAMING = "naming"  # a link that an emotion follows
    CONJUNCTION = "conjunction"
    PASSING = "passing"
    QUALITY = "quality"
    ORIGIN = "origin"  # an accent, right before a person or a voice
    BREAKING = "breaking"
    SUBJECT = "subject"  # the same, but where it follows what governs its clause
    INERT = "inert"
    COMMA = "comma"
    STOP = "stop"  # a mark that ends a sentence
    UNKNOWN = "unknown"  # a word without a meaning


class Form(StrEnum):
    """What else is known of some phrases."""

    NONE = ""
    ADVERB = "adverb"
    COMPARATIVE = "comparative"
    STANCE = "stance"  # an adverb that at the head of a sentence is the writer's
    DEGREE = "degree"  # an adverb that before an emotion is its intensity
    ELLIPTIC = "elliptic"  # a negation that may follow what it denies
    NOBODY = "nobody"  # a negation of what somebody does
    CLAUSAL = "clausal"  # a negation of the clause after it
    PREFIX = "prefix"  # a negation of the next word alone
    PRESENT = "present"  # a copula
    PAST = "past"  # one of what was
    FINITE = "finite"  # a verb after which an emotion is named
    OR = "or"  # a conjunction of alternatives
    BE = "be"  # after "to"
    PARTICIPLE = "participle"  # leaves behind what comes before a comma, too
    PERSON = "person"  # has an origin
    IDIOM = "idiom"  # a figure of speech for an emotion, which may hold a sound: "groans in pain"
    POSSESSIVE = "possessive"  # before what somebody has
    OWNED = "owned"  # somebody else, with the possessive
    VOCAL = "vocal"  # an intensity that describes voices, too
    KINDLESS = "kindless"  # a burst that may be another one of its group


FORMS = {
    Form.ELLIPTIC: Kind.NEGATION, Form.NOBODY: Kind.NEGATION, Form.CLAUSAL: Kind.NEGATION,
    Form.PREFIX: Kind.NEGATION,
    Form.PRESENT: Kind.LINK, Form.PAST: Kind.LINK, Form.FINITE: Kind.NAMING, Form.OR: Kind.CONJUNCTION,
    Form.BE: Kind.TO, Form.PARTICIPLE: Kind.LEFT, Form.PERSON: Kind.INERT,
    Form.POSSESSIVE: Kind.LINK,
}  # fmt: skip
"""Forms that a lexicon lists under their own name, and the kind of these phrases."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The meaning of a phrase.

    Attributes:
        kind: what it does.
        name: canonical name of an emotion, burst or attribute, key of a trait, name of an intensity.
        level: of an intensity, and the own one of an emotion word, which an intensity shifts; of an
            attribute 0 for the low pole of its scale, 1 for the high one.
        value: word of a trait; of a burst of no kind, which sound it is.
        either: an emotion that may be no feeling: a voice quality among voice qualities, or what `form` says.
        form: what else is known of the phrase.
        phrase: as the lexicon spells it.
        second: what the phrase says besides: "grandmother" a gender and an age, "sighed with
            relief" a burst and an emotion.
    """

    kind: Kind
    name: str = ""
    level: float = 0.0
    value: str = ""
    either: bool = False
    form: Form = Form.NONE
    phrase: str = field(default="", compare=False)
    second: "Entry | None" = None

    def spelled(self, phrase: str) -> "Entry":
        """Return the entry of another phrase with the same meaning: `replace` takes four times as long."""
        return Entry(
            self.kind, self.name, self.level, self.value, self.either, self.form, phrase, self.second
        )


Item = tuple[int, int, Entry]
"""A phrase of a text: the tokens from the first number to before the second, and its meaning."""

PERSONAL = ("gender", "age")
"""Traits of a person."""
UNKNOWN = Entry(Kind.UNKNOWN)
COMMA = Entry(Kind.COMMA, ",")
STOP = Entry(Kind.STOP, ".")
QUESTION = Entry(Kind.STOP, "?")
"""The stop that asks: what is asked may be rejected."""
COLON = Entry(Kind.PASSING, ":")
"""A mark between a feeling and its intensity: "fear: strong", "fear (strong)"."""
MARK = Entry(Kind.BREAKING, "mark")
"""Any mark that is not in `MARKS`: it ends what is governed."""
QUOTED = Entry(Kind.INERT, "quoted")
"""Words that are spoken."""
MARKS = {
    **dict.fromkeys(",\n", COMMA), **dict.fromkeys(".!;", STOP), "?": QUESTION,
    **dict.fromkeys(":()=", COLON), **dict.fromkeys('"“”', Entry(Kind.LINK, '"')),
}  # fmt: skip
"""Marks with a meaning of their own; quotation marks are those around a so-called "happy" voice."""

_VOWELS = "aeiou"
_SINGLE_VOWEL_END = re.compile(r"[^aeiou][aeiou][bdgmnpt]$")
_SHORT_VERB = re.compile(r"^[^aeiou]*[aeiou][bdgmnpt]$")
_LONGEST_COMPARED = 8
"""Letters. Longer adjectives are compared with "more" and "most"."""
_PATTERN = re.compile(r"\(([^()|]*\|[^()]*)\)|([^\W\d_]+)\*")
MODERATE = 0.5
OWN_LEVELS = tuple(zip(LEVEL_NAMES, LEVELS, strict=True))[1:]
_WORDS_OF_EMOTION = ("noun", "adjective", "also", "either", *(name for name, _ in OWN_LEVELS))
_DERIVED_FORMS = (Form.ADVERB, Form.COMPARATIVE, Form.NONE)


def phrases_of(table: Mapping[str, Any]) -> PhraseTrie[Entry]:
    """Return the meaning of every phrase that a lexicon lists, and of the forms derived from its adjectives.

    Raises:
        ValueError: a phrase has two meanings; names it.
        InputError: an emotion, burst or attribute that the taxonomy lacks.
    """
    phrases = PhraseTrie(UNKNOWN)
    for kind in Kind:
        if isinstance(table.get(kind.value), list) and kind is not Kind.OTHERS:  # phrases and nothing more
            _add(phrases, table[kind.value], Entry(kind))
    for form, kind in FORMS.items():
        _add(phrases, table[form.value], Entry(kind, form=form))
    for words in table["neutral"].values():
        _add(phrases, words, Entry(Kind.INERT))
    _add_emotions(phrases, table)
    for name, row in table["intensity"].items():
        level = LEVELS[LEVEL_NAMES.index(name)]
        _add(phrases, (*row["after"], *row.get("behind", ())), Entry(Kind.AFTER, name, level))
        words = (*row.get("also", ()), *row["noun"], *row["adjective"])
        _add(phrases, words, Entry(Kind.INTENSITY, name, level))
        _add(phrases, table["rating"][name], Entry(Kind.RATING, name, level))
    for word in table[Form.VOCAL.value]:
        phrases.replace(word, replace(phrases.get(word), form=Form.VOCAL))
    for given, row in table["bursts"].items():
        name = burst(given)
        _add(phrases, (*row["say"], *row.get("also", ()), name), Entry(Kind.BURST, name))
        _add(phrases, [row["plain"]] if "plain" in row else (), Entry(Kind.BURST, name))
        for felt, patterns in row.get("felt", {}).items():
            feeling = Entry(Kind.EMOTION, emotion(felt), MODERATE)
            for phrase in (phrase for pattern in patterns for phrase in spelled_out(pattern)):
                phrases.setdefault(phrase, Entry(Kind.BURST, name, phrase=phrase, second=feeling))
    _add_kindless(phrases, table["kindless"])
    for key in CATEGORIES:
        for value, row in table[key].items():
            _add(phrases, (*row["say"], *row.get("also", ())), Entry(Kind.TRAIT, key, value=value))
    for row in table["people_of_age"]:
        age = Entry(Kind.TRAIT, "age", value=row["age"])
        _add(phrases, row["words"], Entry(Kind.TRAIT, "gender", value=row["gender"], second=age))
    _add_ages(phrases, table)
    _add_accents(phrases, table)
    _add_others(phrases, table)
    for name, row in table["attributes"].items():
        for pole, words in ((0.0, row["low"]), (1.0, row["high"])):
            entry = Entry(Kind.ATTRIBUTE, ATTRIBUTES[name].name, pole)
            _add(phrases, (*words["say"], *words.get("also", ())), entry)
    return phrases


def without_article(phrase: str) -> str:
    """Return a phrase without a leading "a", "an" or "the"."""
    first, _, rest = phrase.partition(" ")
    return rest if rest and first.lower() in ("a", "an", "the") else phrase


def _add(phrases: PhraseTrie[Entry], patterns: Iterable[str], entry: Entry) -> None:
    """Give each phrase, without a leading article, this meaning; a pattern stands for several phrases."""
    for pattern in patterns:
        for phrase in spelled_out(pattern):
            phrases.add(without_article(phrase), entry.spelled(phrase))


def _add_emotions(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> None:
    """Add the words of the emotions; those listed under "stance" and "degree" are ambiguous everywhere."""
    ambiguous = {word: form for form in (Form.STANCE, Form.DEGREE) for word in table[form.value]}
    rows = [
        (row, own_levels(row), Entry(Kind.EMOTION, emotion(given)))
        for given, row in table["emotions"].items()
    ]
    for row, levels, entry in rows:
        forms = {**_adverbs(row), **ambiguous}
        either = {*row.get("either", ()), *ambiguous}
        for pattern in dict.fromkeys(word for part in _WORDS_OF_EMOTION for word in row.get(part, ())):
            known = replace(entry, either=pattern in either, form=forms.get(pattern, Form.NONE))
            for word in spelled_out(pattern):
                _add(phrases, [word], replace(known, level=levels.get(word, MODERATE)))
    for row, levels, entry in rows:
        for word in (*row["adjective"], *row.get("either", ())):
            own = levels.get(word, MODERATE)
            for derived, form in zip(inflected(word), _DERIVED_FORMS, strict=False):
                phrases.setdefault(derived, replace(entry, level=own, form=form, phrase=word))


def own_levels(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the level of each word of an emotion that is not moderate in itself, and of its adverb."""
    listed = {
        word: level
        for name, level in OWN_LEVELS
        for pattern in row.get(name, ())
        for word in spelled_out(pattern)
    }
    return {derived: level for word, level in listed.items() for derived in inflected(word)[:1]} | listed


def shifted(own: float, intensity: float) -> float:
    """Return the level of a word that has its own under an intensity: "slightly furious" is moderate. No
    intensity makes a word absent, and 0 is a negation.
    """
    if own == MODERATE or not intensity:
        return intensity
    return min(max(own + intensity - MODERATE, LEVELS[1]), LEVELS[-1])


def _adverbs(row: Mapping[str, Sequence[str]]) -> dict[str, Form]:
    """Return the adverbs of all words of an emotion; those that it lists are among them."""
    return {adverb: Form.ADVERB for part in row.values() for word in part for adverb in inflected(word)[:1]}


def _add_kindless(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> None:
    """Add sounds of no kind; phrases that name an emotion keep it, and the sound is their second meaning."""
    for sound, row in table.items():
        entry = Entry(Kind.BURST, burst(row["is"]), value=sound, form=Form.KINDLESS)
        _add(phrases, row["words"], entry)
        for phrase in (phrase for pattern in row.get("heard_in", ()) for phrase in spelled_out(pattern)):
            known = phrases.get(phrase)
            if known.kind is Kind.EMOTION:
                phrases.replace(phrase, replace(known, second=replace(entry, phrase=phrase)))


def _add_ages(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> None:
    """Add ages in words: "forty-five years old", "aged nine"."""
    numbers = table["numbers"]
    for years in range(1, 100):
        tens, ones = divmod(years, 10) if years >= len(numbers["ones"]) + 1 else (0, years)
        words = (
            *([numbers["tens"][tens - 2]] if tens else ()),
            *([numbers["ones"][ones - 1]] if ones else ()),
        )
        age = age_group(years) or ""
        _add(
            phrases,
            [pattern.format(" ".join(words)) for pattern in numbers["ages"]],
            Entry(Kind.TRAIT, "age", value=age),
        )


def _add_accents(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> None:
    for value in (*ACCENTS, *table["regions"]):
        entry = Entry(Kind.TRAIT, "accent", value=value)
        if value in ACCENTS:
            _add(phrases, [table["accent"].format(value)], entry)
            _add(phrases, [value], replace(entry, kind=Kind.ORIGIN))
        _add(phrases, [pattern.format(value) for pattern in table["accent_also"]], entry)


def _add_others(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> None:
    """Add the nouns of somebody else with each possessive, and alone where they mean nothing else."""
    for noun in (noun for pattern in table["others"] for noun in spelled_out(pattern)):
        phrases.setdefault(noun, Entry(Kind.OTHERS, phrase=noun))
        for possessive in table["possessive"]:
            phrases.add(f"{possessive} {noun}", Entry(Kind.OTHERS, form=Form.OWNED, phrase=noun))


def inflected(adjective: str) -> tuple[str, ...]:
    """Return the adverb of an adjective of one word, and of a short one the comparative and superlative."""
    if not adjective.isalpha():
        return ()
    stem = _stem(adjective)
    compared = (f"{stem}er", f"{stem}est") if len(adjective) <= _LONGEST_COMPARED else ()
    return (_adverb(adjective), *compared)


def spelled_out(pattern: str) -> tuple[str, ...]:
    """Return the phrases that a pattern stands for: "(her|his) fear" for two, "sigh* in relief" for four.

    A star is for the forms of a verb: sigh, sighs, sighing, sighed.
    """
    if "|" not in pattern and "*" not in pattern:
        return (pattern,)
    pieces: list[tuple[str, ...]] = []
    at = 0
    for match in _PATTERN.finditer(pattern):
        pieces.append((pattern[at : match.start()],))
        pieces.append(_alternatives(match[1]) if match[1] is not None else verb_forms(match[2]))
        at = match.end()
    pieces.append((pattern[at:],))
    return tuple(" ".join("".join(chosen).split()) for chosen in product(*pieces))


def _alternatives(patterns: str) -> tuple[str, ...]:
    return tuple(phrase for pattern in patterns.split("|") for phrase in spelled_out(pattern))


def verb_forms(verb: str) -> tuple[str, ...]:
    """Return a regular verb, its third person, its participle and its past: hum, hums, humming, hummed."""
    if verb.endswith("e"):
        return verb, f"{verb}s", f"{verb[:-1]}ing", f"{verb}d"
    stem = verb + verb[-1] if _SHORT_VERB.search(verb) else verb
    third = f"{verb}es" if verb.endswith(("s", "sh", "ch", "x", "z")) else f"{verb}s"
    return verb, third, f"{stem}ing", f"{stem}ed"


def _adverb(adjective: str) -> str:
    if adjective.endswith("y") and adjective[-2:-1] not in _VOWELS:
        return f"{adjective[:-1]}ily"
    if adjective.endswith("le") and adjective[-3:-2] not in _VOWELS:
        return f"{adjective[:-1]}y"
    if adjective.endswith("ic"):
        return f"{adjective}ally"
    return f"{adjective}ly"


def _stem(adjective: str) -> str:
    if adjective.endswith("e"):
        return adjective[:-1]
    if adjective.endswith("y") and adjective[-2:-1] not in _VOWELS:
        return f"{adjective[:-1]}i"
    return adjective + adjective[-1] if _SINGLE_VOWEL_END.search(adjective) else adjective
