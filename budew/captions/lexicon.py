"""The lexicon of the caption language: a YAML file of phrases, compiled for parsing and for rendering.

A second file in the same format can give the renderer other words and sentence frames; the parser does not
change. Loading takes 80 ms, once per process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import permutations, product
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from budew.captions.idioms import with_idioms
from budew.captions.phrases import MODERATE, UNKNOWN, Entry, Form, Kind, phrases_of
from budew.captions.speaker import PeopleWords, people_words
from budew.captions.tokens import PhraseTrie, tokenize
from budew.captions.vocabulary import ByName, Vocabulary, plain_vocabulary, tuples, varied_vocabulary
from budew.io.resources import data_folder, packaged_yaml
from budew.taxonomy import ATTRIBUTES, EMOTION_TABLE, burst, emotion, name_parts

RENDERED_ATTRIBUTES = tuple(name for name in ATTRIBUTES if name not in ("Age", "Gender"))
"""Voice attributes that are rendered; age and gender are rendered in words."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The compiled caption language.

    Attributes:
        table: content of the file, merged with a file of additions if there is one.
        words: meaning of each phrase, without idioms.
        phrases: meaning of each phrase, with idioms.
        compound_names: names of the taxonomy that have several words; they precede any other phrase.
        name_beginnings: first words of these names.
        varied, plain: phrases of the two wordings.
        emotions: words for each emotion by form, such as "noun" and "adjective".
        accent_word: last word of an accent: "accent".
        speaking: words that introduce quoted speech.
        names: first names that are also emotion words.
        known: words that never name an emotion.
        people_words: word lists for finding the speaker.
        kindless: sound whose kind is not named ("sighs"), and emotion, to the burst that they mean together.
    """

    table: Mapping[str, Any]
    words: PhraseTrie[Entry]
    phrases: PhraseTrie[Entry]
    compound_names: PhraseTrie[Entry]
    name_beginnings: frozenset[str]
    varied: Vocabulary
    plain: Vocabulary
    emotions: Mapping[str, ByName]
    accent_word: str
    speaking: frozenset[str]
    names: frozenset[str]
    known: frozenset[str]
    people_words: PeopleWords
    kindless: Mapping[str, Mapping[str, str]]


@cache
def load_lexicon() -> Lexicon:
    """Load the lexicon of English, `caption_templates/en.yaml`.

    Example:
        >>> load_lexicon().phrases.get("over the moon").name
        'Elation'
    """
    folder = data_folder("caption_templates")
    table = packaged_yaml(folder / "en.yaml")
    words = phrases_of(table)
    for name in (name for row in EMOTION_TABLE.values() for name in (row.name, *row.aliases)):
        if (known := words.get(name)) is not UNKNOWN:
            words.replace(name, replace(known, form=Form.NAME))
    return _compiled(table, words, with_idioms(words, packaged_yaml(folder / "idioms" / "en.yaml")))


@cache
def load_extended_lexicon(additions: Path) -> Lexicon:
    """Load the lexicon of English with other words and frames for rendering; parsing does not change.

    Args:
        additions: YAML file in the format of the lexicon. Words under `emotions` and `bursts` are added; of
            an emotion, words under `without` and forms under `not_as` are not rendered. Forms under
            `intensity`, `style`, `pace`, `timbre` and `neutral` replace the same forms, and rules the rules
            of the same name; any other section replaces the whole section.
    """
    base = load_lexicon()
    added = yaml.safe_load(additions.read_text(encoding="utf-8"))
    return _compiled(_with_additions(base.table, added), base.words, base.phrases)


def _compound_names(joiners: Sequence[str]) -> PhraseTrie[Entry]:
    """Compile the names of the taxonomy that have several words, moderate by themselves: two or more parts of
    a name, in any order and joined in any way, and escaped names ("Sexual%20Lust").
    """
    phrases = PhraseTrie(UNKNOWN)
    for row in EMOTION_TABLE.values():
        for name in (row.name, *row.aliases):
            entry = Entry(Kind.EMOTION, row.name, MODERATE, form=Form.NAME, phrase=name)
            parts = name_parts(name)
            spellings = (
                {name, quote(name), quote(name, safe="")} if len(name.split()) + len(parts) > 2 else set()
            )
            for count in range(2, len(parts) + 1):
                for between in product(joiners, repeat=count - 1):
                    for chosen in permutations(parts, count):
                        spellings.add("".join(map("".join, zip(chosen, (*between, ""), strict=True))))
            for spelling in spellings:
                phrases.setdefault(spelling, entry)
    return phrases


def _with_additions(table: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**table, **added}
    for section, canonical in (("emotions", emotion), ("bursts", burst)):
        more = {canonical(name): row for name, row in added.get(section, {}).items()}
        merged[section] = {
            name: row
            | {form: [*row.get(form, ()), *words] for form, words in more.get(canonical(name), {}).items()}
            for name, row in table[section].items()
        }
    for section in ("intensity", "style", "pace", "timbre"):
        more = added.get(section, {})
        merged[section] = {name: row | more.get(name, {}) for name, row in table[section].items()}
    for section in ("neutral", "rules"):
        merged[section] = table[section] | added.get(section, {})
    return merged


def _compiled(table: Mapping[str, Any], words: PhraseTrie[Entry], phrases: PhraseTrie[Entry]) -> Lexicon:
    varied = varied_vocabulary(table)
    names = _compound_names(table["joined"])
    return Lexicon(
        table=table,
        words=words,
        phrases=phrases,
        compound_names=names,
        name_beginnings=frozenset(filter(None, names.root)),
        varied=varied,
        plain=plain_vocabulary(table, varied),
        emotions={emotion(name): tuples(row) for name, row in table["emotions"].items()},
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
