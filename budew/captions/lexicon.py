"""The lexicon of a caption language: one YAML file of phrases, compiled for parsing and for rendering.

A second file in the same format can give the renderer other words and sentence frames; what is parsed stays
the same. Loading takes 80 ms and happens once a process.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from budew.captions import wordings
from budew.captions.english import Sounds
from budew.captions.phrases import Entry, phrases_of
from budew.captions.tokens import PhraseTrie, tokenize
from budew.captions.wordings import Book, Words
from budew.errors import InputError
from budew.resources import data_folder
from budew.taxonomy import ATTRIBUTES, burst, emotion

if TYPE_CHECKING:
    from yaml import SafeLoader
else:
    SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # seven times as fast, where it is built

SAID_ATTRIBUTES = tuple(name for name in ATTRIBUTES if name not in ("Age", "Gender"))
"""Voice attributes that captions speak of; age and gender they say in words."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A compiled caption language.

    Attributes:
        language: its code.
        table: the file, with the additions of a second one.
        phrases: what each phrase means.
        sounds: for the choice of an article.
        emotions: words for each, by form.
        intensities: words for each level, by form.
        neutral: what is said in place of an emotion, by form.
        book: by form, and by emotion and level: every phrase that says it.
        bursts, plain_bursts: phrases for each; the one for the plain wording.
        burst_verbs: what somebody does, with a place for "her" or "his": "clears {} throat"; may be empty.
        traits: phrases for each (key, value).
        timbres: phrases for each, such as "bright timbre".
        paces: phrases for each as a manner, such as "at a slow pace".
        manners: phrases for each style, of a "speaker" and of "words".
        speaks: what a "person" does, and a "speaker".
        people, voices: phrases by gender and age; empty where they are composed of words for both.
        pronouns: "she" and "her" for a gender that has them.
        attributes: phrases for each attribute near its low and high pole (0.25, 0.75) and at it (0, 1).
        accent: what is said of an accent, with a place for it.
        accent_word: the last word of that.
        speaking: words that introduce what is spoken.
        known: words that name no emotion wherever they stand.
        ages: the last year of each age, and its name.
    """

    language: str
    table: Mapping[str, Any]
    phrases: PhraseTrie[Entry]
    sounds: Sounds
    emotions: Mapping[str, Words]
    intensities: Mapping[float, Words]
    neutral: Words
    book: Book
    bursts: Words
    plain_bursts: Words
    burst_verbs: Words
    traits: Mapping[tuple[str, str], tuple[str, ...]]
    timbres: Words
    paces: Words
    manners: Mapping[tuple[str, str], tuple[str, ...]]
    speaks: Words
    people: Mapping[tuple[str, str], tuple[str, ...]]
    voices: Mapping[tuple[str, str], tuple[str, ...]]
    pronouns: Words
    attributes: Mapping[tuple[str, float], tuple[str, ...]]
    accent: str
    accent_word: str
    speaking: frozenset[str]
    known: frozenset[str]
    ages: tuple[tuple[int, str], ...]


@cache
def load_lexicon(language: str = "en", additions: Path | None = None) -> Lexicon:
    """Return the lexicon of `language`, a file of `caption_templates`.

    Args:
        language: its code.
        additions: a file in the same format with what is rendered instead. Words under `emotions` and
            `bursts` are added, those under `without` are not rendered; `intensity`, `style`, `pace`,
            `timbre` and `neutral` are replaced by form; anything else is replaced as a whole. The parser
            knows only the words of the language.

    Raises:
        InputError: there is no such language.
        SettingsError: a phrase of the file has two meanings.
    """
    installed = {path.stem: path for path in sorted(data_folder("caption_templates").glob("*.yaml"))}
    if language not in installed:
        raise InputError(f"no caption language {language!r}: installed are {', '.join(installed)}")
    if additions is None:
        table = _read(installed[language])
        return _compiled(table, phrases_of(table))
    base = load_lexicon(language)
    return _compiled(_with_additions(base.table, _read(additions)), base.phrases)


def _read(file: Path) -> dict[str, Any]:
    table: dict[str, Any] = yaml.load(file.read_text(encoding="utf-8"), SafeLoader)  # noqa: S506
    return table


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


def _compiled(table: Mapping[str, Any], phrases: PhraseTrie[Entry]) -> Lexicon:
    sounds = Sounds(tuple(table["vowel_sounds"]), tuple(table["consonant_sounds"]))
    return Lexicon(
        language=table["language"],
        table=table,
        phrases=phrases,
        sounds=sounds,
        emotions=wordings.words_of(table),
        intensities=wordings.degrees_of(table),
        neutral=_tuples(table["neutral"]),
        book=wordings.book_of(table, sounds),
        bursts=wordings.bursts_of(table, "say"),
        plain_bursts=wordings.bursts_of(table, "plain"),
        burst_verbs=wordings.bursts_of(table, "verb"),
        traits=wordings.traits_of(table),
        timbres=wordings.timbres_of(table),
        paces=wordings.paces_of(table, sounds),
        manners=wordings.manners_of(table),
        speaks=_tuples(table["speaks"]),
        people=wordings.people_of(table.get("people", {})),
        voices=wordings.people_of(table.get("voices", {})),
        pronouns=_tuples(table.get("pronouns", {})),
        attributes=wordings.attributes_of(table, sounds),
        accent=table["accent"],
        accent_word=tokenize(table["accent"])[-1],
        speaking=frozenset(table["speaking"]),
        known=frozenset(table["known"]),
        ages=tuple((int(last), str(name)) for last, name in table["ages"]),
    )


def _tuples(table: Mapping[str, Any]) -> Words:
    return {name: tuple(words) for name, words in table.items()}
