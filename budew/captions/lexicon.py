"""The lexicon of a caption language: one YAML file of phrases, checked once and compiled for both directions.

A phrase that means two things, a name that the taxonomy lacks or a sense that nothing can express is an error
when the file is loaded, not a misreading later. Loading takes 80 ms and happens once a process.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from budew.captions.english import Sounds
from budew.captions.entry import Entry, Form
from budew.captions.grammar import Frame, FrameError, compile_frame
from budew.captions.lexicon_words import (
    Forms,
    LexiconError,
    Wordings,
    add_attributes,
    add_bursts,
    add_emotions,
    add_function_words,
    add_intensities,
    add_plain_bursts,
    add_traits,
    book,
    manners,
)
from budew.captions.tokens import PhraseTrie, tokenize
from budew.malformed import fault_in
from budew.resources import data_folder
from budew.taxonomy import (
    ATTRIBUTES,
    BURSTS,
    CATEGORIES,
    EMOTIONS,
    LEVELS,
    UnknownNameError,
)

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
    add_function_words(phrases, table)
    apart = {word: form for form in (Form.STANCE, Form.DEGREE) for word in table[form.value]}
    emotions = add_emotions(phrases, table["emotions"], apart)
    intensities = add_intensities(phrases, table["intensity"])
    rules = table["rules"]
    sounds = Sounds(tuple(table["vowel_sounds"]), tuple(table["consonant_sounds"]))
    lexicon = Lexicon(
        language=table["language"],
        phrases=phrases,
        emotions=emotions,
        intensities=intensities,
        neutral=MappingProxyType({form: tuple(words) for form, words in table["neutral"].items()}),
        book=MappingProxyType({form: book(emotions, intensities, form) for form in ("noun", "adjective")}),
        bursts=add_bursts(phrases, table["bursts"]),
        plain_bursts=add_plain_bursts(phrases, table["bursts"]),
        traits=add_traits(phrases, table),
        manners=manners(table),
        speaks=tuple(table["speaks"]),
        attributes=add_attributes(phrases, table["attributes"], table["far"], sounds),
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
