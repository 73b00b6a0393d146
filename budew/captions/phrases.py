"""What each phrase of a caption language means: the table of a lexicon as a trie, for parsing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from budew.captions.english import inflected, spelled_out
from budew.captions.entry import FORMS, GOVERNING, Entry, Form, Kind
from budew.captions.tokens import PhraseTrie
from budew.taxonomy import ACCENTS, ATTRIBUTES, CATEGORIES, LEVEL_NAMES, LEVELS, burst, emotion

_WORDS_OF_EMOTION = (
    "noun", "adjective", "strong_noun", "strong_adjective", "mild_noun", "mild_adjective"
)  # fmt: skip
_DERIVED_FORMS = (Form.ADVERB, Form.COMPARATIVE, Form.NONE)


def phrases_of(table: Mapping[str, Any]) -> PhraseTrie[Entry]:
    """Return the meaning of every phrase that a lexicon lists, and of the forms derived from its adjectives.

    Raises:
        ValueError: a phrase has two meanings; names it.
        InputError: an emotion, burst or attribute that the taxonomy lacks.
    """
    phrases: PhraseTrie[Entry] = PhraseTrie()
    for kind in GOVERNING:
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
    for given, row in table["bursts"].items():
        name = burst(given)
        _add(phrases, (*row["say"], *row.get("also", ()), name), Entry(Kind.BURST, name))
        _add(phrases, [row["plain"]] if "plain" in row else (), Entry(Kind.BURST, name))
    for key in CATEGORIES:
        for value, row in table[key].items():
            _add(phrases, (*row["say"], *row.get("also", ())), Entry(Kind.TRAIT, key, value=value))
    _add_accents(phrases, table)
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
            phrases.add(without_article(phrase), replace(entry, phrase=phrase))


def _add_emotions(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> None:
    """Add the words of the emotions; those listed under "stance" and "degree" are ambiguous everywhere."""
    ambiguous = {word: form for form in (Form.STANCE, Form.DEGREE) for word in table[form.value]}
    for given, row in table["emotions"].items():
        entry = Entry(Kind.EMOTION, emotion(given))
        forms, either = {**_adverbs(row), **ambiguous}, row.get("either", ())
        for word in (*either, *row.get("also", ())):
            known = replace(
                entry, either=word in either or word in ambiguous, form=forms.get(word, Form.NONE)
            )
            _add(phrases, [word], known)
        for part in _WORDS_OF_EMOTION:
            _add(phrases, row.get(part, ()), entry)
    for given, row in table["emotions"].items():
        for word in (*row["adjective"], *row.get("strong_adjective", ()), *row.get("either", ())):
            for derived, form in zip(inflected(word), _DERIVED_FORMS, strict=False):
                phrases.setdefault(derived, Entry(Kind.EMOTION, emotion(given), form=form, phrase=word))


def _adverbs(row: Mapping[str, Sequence[str]]) -> dict[str, Form]:
    """Return the adverbs of all words of an emotion; those that it lists are among them."""
    return {adverb: Form.ADVERB for part in row.values() for word in part for adverb in inflected(word)[:1]}


def _add_accents(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> None:
    for value in (*ACCENTS, *table["regions"]):
        entry = Entry(Kind.TRAIT, "accent", value=value)
        if value in ACCENTS:
            _add(phrases, [table["accent"].format(value)], entry)
            _add(phrases, [value], replace(entry, kind=Kind.ORIGIN))
        _add(phrases, [pattern.format(value) for pattern in table["accent_also"]], entry)
