"""The lexicon of a caption language: one YAML file of phrases, compiled for parsing and for rendering.

A second file in the same format can give the renderer other words and sentence frames; what is parsed stays
the same. Loading takes 80 ms and happens once a process.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from budew.captions.idioms import with_idioms
from budew.captions.phrases import Entry, phrases_of
from budew.captions.speaker import PeopleWords, people_words
from budew.captions.tokens import PhraseTrie, tokenize
from budew.captions.vocabulary import ByName, Vocabulary, plain_vocabulary, tuples, varied_vocabulary
from budew.errors import InputError
from budew.io.resources import data_folder, packaged_yaml
from budew.taxonomy import ATTRIBUTES, burst, emotion

RENDERED_ATTRIBUTES = tuple(name for name in ATTRIBUTES if name not in ("Age", "Gender"))
"""Voice attributes that are rendered; age and gender are rendered in words."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A compiled caption language.

    Attributes:
        language: its code.
        table: the file, with the additions of a second one.
        words: meaning of each phrase, without idioms.
        phrases: the same with idioms.
        varied, plain: phrases of the two wordings.
        emotions: words for each emotion by form, such as "noun" and "adjective".
        accent_word: last word of an accent: "accent".
        speaking: words that introduce what is spoken.
        names: first names that are emotion words.
        known: words that name no emotion wherever they stand.
        people_words: lists for finding the speaker.
        kindless: by sound of no kind in particular, the burst that it is together with an emotion.
    """

    language: str
    table: Mapping[str, Any]
    words: PhraseTrie[Entry]
    phrases: PhraseTrie[Entry]
    varied: Vocabulary
    plain: Vocabulary
    emotions: Mapping[str, ByName]
    accent_word: str
    speaking: frozenset[str]
    names: frozenset[str]
    known: frozenset[str]
    people_words: PeopleWords
    kindless: Mapping[str, Mapping[str, str]]


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

    Example:
        >>> load_lexicon().phrases.get("over the moon").name
        'Elation'
    """
    return _loaded(language, additions)


@cache  # here, as it would keep load_lexicon() and load_lexicon("en") apart
def _loaded(language: str, additions: Path | None) -> Lexicon:
    installed = {path.stem: path for path in sorted(data_folder("caption_templates").glob("*.yaml"))}
    if language not in installed:
        raise InputError(f"unknown caption language {language!r}: installed are {', '.join(installed)}")
    if additions is None:
        table = packaged_yaml(installed[language])
        words = phrases_of(table)
        idioms = installed[language].parent / "idioms" / installed[language].name
        return _compiled(
            table, words, with_idioms(words, packaged_yaml(idioms)) if idioms.exists() else words
        )
    base = load_lexicon(language)
    return _compiled(_with_additions(base.table, packaged_yaml(additions)), base.words, base.phrases)


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
    varied = varied_vocabulary(table)
    return Lexicon(
        language=table["language"],
        table=table,
        words=words,
        phrases=phrases,
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
