"""Meanings of phrases: the table of a lexicon, compiled to a trie of entries for parsing.

The kind of an entry is the function of the phrase in a caption; its form has further properties. A pattern of
the table stands for several phrases; adverbs and comparatives are derived from adjectives. They are used for
parsing only, so derived words that do not exist ("hopefuller") do no harm.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import product
from typing import Any

from budew.captions.tokens import PhraseTrie
from budew.taxonomy import (
    ACCENTS,
    ATTRIBUTES,
    CATEGORIES,
    LEVEL_NAMES,
    LEVELS,
    RECORDING_TRAITS,
    age_group,
    burst,
    emotion,
)


class Kind(StrEnum):
    """Function of a phrase in a caption."""

    EMOTION = "emotion"
    BURST = "burst"
    TRAIT = "trait"
    ATTRIBUTE = "attribute"
    INTENSITY = "intensity"  # before what it governs
    RATING = "rating"  # a number, or an answer in words, after what it rates
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
    """Further property of a phrase."""

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
    NAME = "name"  # a name of the taxonomy, which has the intensity that is stated, whatever its own level
    VOCAL = "vocal"  # an intensity that describes voices, too
    KINDLESS = "kindless"  # a burst that may be another one of its group


FORMS = {
    Form.ELLIPTIC: Kind.NEGATION, Form.NOBODY: Kind.NEGATION, Form.CLAUSAL: Kind.NEGATION,
    Form.PREFIX: Kind.NEGATION,
    Form.PRESENT: Kind.LINK, Form.PAST: Kind.LINK, Form.FINITE: Kind.NAMING, Form.OR: Kind.CONJUNCTION,
    Form.BE: Kind.TO, Form.PARTICIPLE: Kind.LEFT, Form.PERSON: Kind.INERT,
    Form.POSSESSIVE: Kind.LINK,
}  # fmt: skip
"""Forms that have their own list in a lexicon, to the kind of the phrases in it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The meaning of a phrase.

    Attributes:
        kind: function of the phrase.
        name: canonical name of an emotion, burst or attribute; key of a trait; name of an intensity.
        level: level of an intensity; level of an emotion word by itself, which an intensity shifts; 0 (low
            pole) or 1 (high pole) for an attribute.
        value: word of a trait; for a sound whose kind is not named, which sound it is.
        either: whether an emotion word may mean something else: a voice quality, or what `form` states.
        form: further property of the phrase.
        phrase: the phrase as written in the lexicon.
        second: second meaning of the phrase: "grandmother" is a gender and an age, "sighed with relief" a
            burst and an emotion.
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
        """Return a copy for another phrase with the same meaning, four times as fast as `replace`."""
        return Entry(
            self.kind, self.name, self.level, self.value, self.either, self.form, phrase, self.second
        )


Item = tuple[int, int, Entry]
"""A phrase of a text: number of its first token, number after its last token, and its meaning."""

PERSONAL = ("gender", "age")
"""Traits of a person."""
UNKNOWN = Entry(Kind.UNKNOWN)
COMMA = Entry(Kind.COMMA, ",")
STOP = Entry(Kind.STOP, ".")
QUESTION = Entry(Kind.STOP, "?")
"""A question mark: the answer after it may deny what is asked."""
COLON = Entry(Kind.PASSING, ":")
"""A mark between an emotion and its intensity: "fear: strong", "fear (strong)", "fear | strong"."""
DASH = Entry(Kind.BREAKING, "dash")
SEMICOLON = Entry(Kind.STOP, ";")
"""Marks that may stand there, too: "fear – strong", "fear;0.8"."""
MARK = Entry(Kind.BREAKING, "mark")
"""Any mark that is not in `MARKS`; it ends the scope of what comes before it."""
QUOTE = Entry(Kind.LINK, '"')
"""A mark around a single word (a so-called "happy" voice) or a field of JSON; it has no effect."""
QUOTED = Entry(Kind.INERT, "quoted")
"""A phrase in quoted speech."""
MARKS = {
    **dict.fromkeys(",\n", COMMA), **dict.fromkeys(".!", STOP), "?": QUESTION,
    **dict.fromkeys(":()[]=|", COLON), **dict.fromkeys("–—", DASH), ";": SEMICOLON,
    **dict.fromkeys('"“”', QUOTE),
}  # fmt: skip
"""Marks to their meanings."""

_VOWELS = "aeiou"
_SINGLE_VOWEL_END = re.compile(r"[^aeiou][aeiou][bdgmnpt]$")
_SHORT_VERB = re.compile(r"^[^aeiou]*[aeiou][bdgmnpt]$")
_LONGEST_COMPARED = 8
"""Letters of an adjective that has "-er" and "-est"; longer ones take "more" and "most"."""
_PATTERN = re.compile(r"\(([^()|]*\|[^()]*)\)|([^\W\d_]+)\*")
_, SLIGHT, MODERATE, STRONG, FULL = LEVELS
STEP = 0.25
"""Difference between one level and the next."""
OWN_LEVELS = tuple(zip(LEVEL_NAMES, LEVELS, strict=True))[1:]
_WORDS_OF_EMOTION = ("noun", "adjective", "also", "either", *(name for name, _ in OWN_LEVELS))


def phrases_of(table: Mapping[str, Any]) -> PhraseTrie[Entry]:
    """Compile the table of a lexicon to a trie of phrases, with the forms derived from its adjectives.

    Raises:
        SettingsError: a phrase has two meanings.
        InputError: the taxonomy lacks an emotion, burst or attribute of the table.
    """
    phrases = PhraseTrie(UNKNOWN)
    for kind in Kind:
        if isinstance(table.get(kind.value), list) and kind is not Kind.OTHERS:  # a plain list of phrases
            _add(phrases, table[kind.value], Entry(kind))
    for form, kind in FORMS.items():
        _add(phrases, table[form.value], Entry(kind, form=form))
    for words in table["neutral"].values():
        _add(phrases, words, Entry(Kind.INERT))
    _add_emotions(phrases, table)
    for name, level in OWN_LEVELS:
        row = table["intensity"][name]
        _add(phrases, (*row["after"], *row.get("behind", ())), Entry(Kind.AFTER, name, level))
        words = (*row.get("also", ()), *row["noun"], *row["adjective"])
        _add(phrases, words, Entry(Kind.INTENSITY, name, level))
        _add(phrases, table["rating"][name], Entry(Kind.RATING, name, level))
    for name, answers in table["answer"].items():
        _add(phrases, answers, Entry(Kind.RATING, name, LEVELS[LEVEL_NAMES.index(name)]))
    for word in table[Form.VOCAL.value]:
        phrases.replace(word, replace(phrases.get(word), form=Form.VOCAL))
    _add_bursts(phrases, table)
    _add_traits(phrases, table)
    for noun in spelled_out(*table["others"]):
        phrases.setdefault(noun, Entry(Kind.OTHERS, phrase=noun))
        for possessive in table["possessive"]:
            phrases.add(f"{possessive} {noun}", Entry(Kind.OTHERS, form=Form.OWNED, phrase=noun))
    return phrases


def without_article(phrase: str) -> str:
    """Remove a leading "a", "an" or "the" from a phrase."""
    first, _, rest = phrase.partition(" ")
    return rest if rest and first.lower() in ("a", "an", "the") else phrase


def _add(phrases: PhraseTrie[Entry], patterns: Iterable[str], entry: Entry) -> None:
    """Add the phrases of patterns, without leading articles, with the meaning `entry`."""
    for phrase in spelled_out(*patterns):
        phrases.add(without_article(phrase), entry.spelled(phrase))


def _add_emotions(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> None:
    """Add the words of the emotions; words listed under "stance" and "degree" are always ambiguous."""
    ambiguous = {word: form for form in (Form.STANCE, Form.DEGREE) for word in table[form.value]}
    rows = [
        (row, own_levels(row), Entry(Kind.EMOTION, emotion(given)))
        for given, row in table["emotions"].items()
    ]
    for row, levels, entry in rows:
        adverbs = (adverb for part in row.values() for word in part for adverb in inflected(word)[:1])
        forms = {**dict.fromkeys(adverbs, Form.ADVERB), **ambiguous}
        either = {*row.get("either", ()), *ambiguous}
        for pattern in dict.fromkeys(word for part in _WORDS_OF_EMOTION for word in row.get(part, ())):
            known = replace(entry, either=pattern in either, form=forms.get(pattern, Form.NONE))
            for word in spelled_out(pattern):
                _add(phrases, [word], replace(known, level=levels.get(word, MODERATE)))
    for row, levels, entry in rows:
        for word in (*row["adjective"], *row.get("either", ())):
            own = levels.get(word, MODERATE)
            for derived, form in zip(
                inflected(word), (Form.ADVERB, Form.COMPARATIVE, Form.NONE), strict=False
            ):
                phrases.setdefault(derived, replace(entry, level=own, form=form, phrase=word))


def own_levels(row: Mapping[str, Any]) -> dict[str, float]:
    """Return the words (and adverbs) of an emotion that are not moderate by themselves, to their levels."""
    listed = {word: level for name, level in OWN_LEVELS for word in spelled_out(*row.get(name, ()))}
    return {derived: level for word, level in listed.items() for derived in inflected(word)[:1]} | listed


def shifted(own: float, intensity: float) -> float:
    """Return the level of a word with an intensity before it: "slightly furious" is moderate.

    Args:
        own: level of the word by itself.
        intensity: level of the intensity, which never makes a word absent; 0 is a negation.
    """
    if own == MODERATE or not intensity:
        return intensity
    return min(max(own + intensity - MODERATE, LEVELS[1]), LEVELS[-1])


def _add_bursts(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> None:
    """Add bursts, bursts with an emotion ("sighed with relief"), and sounds whose kind is not named. A phrase
    that names an emotion keeps it, and gets such a sound as its second meaning.
    """
    for given, row in table["bursts"].items():
        name = burst(given)
        plain = [row["plain"]] if "plain" in row else []
        _add(phrases, (*row["say"], *row.get("also", ()), name, *plain), Entry(Kind.BURST, name))
        for felt, patterns in row.get("felt", {}).items():
            feeling = Entry(Kind.EMOTION, emotion(felt), MODERATE)
            for phrase in spelled_out(*patterns):
                phrases.setdefault(phrase, Entry(Kind.BURST, name, phrase=phrase, second=feeling))
    for sound, row in table["kindless"].items():
        entry = Entry(Kind.BURST, burst(row["is"]), value=sound, form=Form.KINDLESS)
        _add(phrases, row["words"], entry)
        for phrase in spelled_out(*row.get("heard_in", ())):
            known = phrases.get(phrase)
            if known.kind is Kind.EMOTION:
                phrases.replace(phrase, replace(known, second=entry.spelled(phrase)))


def _add_traits(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> None:
    """Add traits in words, ages in words ("forty-five years old"), accents and voice attributes."""
    for key in (*CATEGORIES, *RECORDING_TRAITS):
        for value, row in table[key].items():
            _add(phrases, (*row["say"], *row.get("also", ())), Entry(Kind.TRAIT, key, value=value))
    for row in table["people_of_age"]:
        age = Entry(Kind.TRAIT, "age", value=row["age"])
        _add(phrases, row["words"], Entry(Kind.TRAIT, "gender", value=row["gender"], second=age))
    ones, tens = table["numbers"]["ones"], table["numbers"]["tens"]
    compounds = [" ".join(filter(None, (ten, one))) for ten in tens for one in ("", *ones[:9])]
    for years, words in enumerate((*ones, *compounds), 1):
        age = Entry(Kind.TRAIT, "age", value=age_group(years) or "")
        _add(phrases, [pattern.format(words) for pattern in table["numbers"]["ages"]], age)
    for value in (*ACCENTS, *table["regions"]):
        accent = Entry(Kind.TRAIT, "accent", value=value)
        if value in ACCENTS:
            _add(phrases, [table["accent"].format(value)], accent)
            _add(phrases, [value], replace(accent, kind=Kind.ORIGIN))
        _add(phrases, [pattern.format(value) for pattern in table["accent_also"]], accent)
    for name, row in table["attributes"].items():
        for pole, words in ((0.0, row["low"]), (1.0, row["high"])):
            entry = Entry(Kind.ATTRIBUTE, ATTRIBUTES[name].name, pole)
            _add(phrases, (*words["say"], *words.get("also", ())), entry)


def spelled_out(*patterns: str) -> tuple[str, ...]:
    """Expand patterns to phrases: "(her|his) fear" stands for two phrases, "sigh* in relief" for four.

    A star stands for the forms of a verb: sigh, sighs, sighing, sighed.
    """
    found: list[str] = []
    for pattern in patterns:
        if "|" not in pattern and "*" not in pattern:
            found.append(pattern)
            continue
        pieces: list[tuple[str, ...]] = []
        at = 0
        for match in _PATTERN.finditer(pattern):
            pieces.append((pattern[at : match.start()],))
            alternatives = match[1]
            pieces.append(
                verb_forms(match[2]) if alternatives is None else spelled_out(*alternatives.split("|"))
            )
            at = match.end()
        pieces.append((pattern[at:],))
        found += [" ".join("".join(chosen).split()) for chosen in product(*pieces)]
    return tuple(found)


def verb_forms(verb: str) -> tuple[str, ...]:
    """Return the forms of a regular verb: "hum" gives hum, hums, humming, hummed."""
    if verb.endswith("e"):
        return verb, f"{verb}s", f"{verb[:-1]}ing", f"{verb}d"
    stem = verb + verb[-1] if _SHORT_VERB.search(verb) else verb
    third = f"{verb}es" if verb.endswith(("s", "sh", "ch", "x", "z")) else f"{verb}s"
    return verb, third, f"{stem}ing", f"{stem}ed"


def inflected(adjective: str) -> tuple[str, ...]:
    """Return the adverb of an adjective, and for a short adjective also comparative and superlative."""
    if not adjective.isalpha():
        return ()
    stem, adverb = adjective, f"{adjective}ly"
    if adjective.endswith("y") and adjective[-2:-1] not in _VOWELS:
        stem = f"{adjective[:-1]}i"
        adverb = f"{stem}ly"
    elif adjective.endswith("le") and adjective[-3:-2] not in _VOWELS:
        stem = adjective[:-1]
        adverb = f"{stem}y"
    elif adjective.endswith("ic"):
        adverb = f"{adjective}ally"
    elif adjective.endswith("e"):
        stem = adjective[:-1]
    elif _SINGLE_VOWEL_END.search(adjective):
        stem = adjective + adjective[-1]
    return (adverb, f"{stem}er", f"{stem}est") if len(adjective) <= _LONGEST_COMPARED else (adverb,)
