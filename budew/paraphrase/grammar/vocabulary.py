"""What the offline rewriting says things with: words, degrees, people and sentence frames, from data files.

The words are those of the lexicon and, beside them, those of `paraphrase/grammar/words.yaml`; degrees and
frames are of their own, so that what is rewritten shares little with what is rendered.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from budew.captions.english import spelled_out
from budew.captions.frames import Frame, Slot, compile_frame
from budew.captions.lexicon import Lexicon, load_lexicon
from budew.captions.wordings import STRONG
from budew.captions.wordings import Words as Forms
from budew.resources import data_folder
from budew.taxonomy import LEVEL_NAMES, LEVELS, burst, emotion

if TYPE_CHECKING:
    from yaml import SafeLoader
else:
    SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

FORMS = ("noun", "adjective", "attributive", "adverb", "verb", "state")
UNKNOWN = "unknown"
"""In place of a gender or an age that nobody knows."""
_FILES = ("words", "phrases", "frames")

Words = tuple[tuple[str, ...], int]
"""Words for an emotion, and how many of them are not strong in themselves; those come first."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All that the offline rewriting says, compiled.

    Attributes:
        version: of the data files, raised when captions are to be told apart by it.
        digest: of the data files and the lexicon as they are.
        words: by form, emotion, and whether it is strong.
        degrees: by level and form: what stands before or behind a word.
        phrases: patterns with places for words: `in_manner`, `beside`, `is`, `timbre`; `their`; and by
            style of rewriting `shunned` words for people.
        persons, voices: by gender and age.
        pronouns: of a gender, as subject and as possessive.
        speaks: what a "person" does, and a "speaker".
        styles: by style and "speaker" or "words".
        paces, timbres: words for each.
        burst_verbs, burst_nouns: for each burst; not every one has a verb.
        frames: that speak of emotions; of a profile without any; and those that say nothing of emotions.
        of_style: which styles and views of frames a style of rewriting means.
    """

    version: int
    digest: str
    words: Mapping[tuple[str, str, bool], Words]
    degrees: Mapping[float, Mapping[str, tuple[str, ...]]]
    phrases: Mapping[str, Any]
    persons: Mapping[tuple[str, str], tuple[str, ...]]
    voices: Mapping[tuple[str, str], tuple[str, ...]]
    pronouns: Mapping[str, tuple[str, str]]
    speaks: Mapping[str, tuple[str, ...]]
    styles: Mapping[tuple[str, str], tuple[str, ...]]
    paces: Mapping[str, tuple[str, ...]]
    timbres: Mapping[str, tuple[str, ...]]
    burst_verbs: Mapping[str, tuple[str, ...]]
    burst_nouns: Mapping[str, tuple[str, ...]]
    frames: Mapping[str, tuple[Frame, ...]]
    of_style: Mapping[str, Mapping[str, Sequence[str]]]

    def says(self, form: str, name: str, level: float) -> Words:
        """Return the words for an emotion at a level, in one of `FORMS`."""
        return self.words[form, name, level >= STRONG]


def read_vocabulary(slots: Mapping[str, Slot]) -> Vocabulary:
    """Read the data files; `slots` are those that the frames may name.

    Raises:
        SettingsError: a frame that names an unknown slot.
        UnknownNameError: an emotion or a burst that the taxonomy lacks.
    """
    folder = data_folder("paraphrase") / "grammar"
    lexicon_file = data_folder("caption_templates") / "en.yaml"
    read = {name: (folder / f"{name}.yaml").read_bytes() for name in _FILES}
    words, phrases, frames = (yaml.load(text, SafeLoader) for text in read.values())  # noqa: S506
    lexicon = load_lexicon()
    return Vocabulary(
        version=frames["version"],
        digest=hashlib.sha256(b"\0".join((*read.values(), lexicon_file.read_bytes()))).hexdigest()[:12],
        words=_words(words, lexicon, frozenset(phrases["predicative"])),
        degrees={LEVELS[LEVEL_NAMES.index(name)]: _tuples(row) for name, row in phrases["degrees"].items()},
        phrases={key: phrases[key] for key in ("in_manner", "beside", "is", "timbre", "their", "shunned")},
        persons=_by_gender_and_age(phrases["persons"]),
        voices=_by_gender_and_age(phrases["voices"]),
        pronouns={gender: (she, her) for gender, (she, her) in phrases["pronouns"].items()},
        speaks=_tuples(phrases["speaks"]),
        styles={(style, of): tuple(row[of]) for style, row in phrases["styles"].items() for of in row},
        paces=_tuples(phrases["paces"]),
        timbres=_tuples(phrases["timbres"]),
        burst_verbs={burst(name): tuple(said) for name, said in phrases["burst_verbs"].items()},
        burst_nouns=_burst_nouns(phrases["burst_nouns"], lexicon),
        frames=_frames(frames, slots),
        of_style=frames["of_style"],
    )


def _words(
    table: Mapping[str, Mapping[str, Sequence[str]]], lexicon: Lexicon, predicative: frozenset[str]
) -> Mapping[tuple[str, str, bool], Words]:
    words = {}
    for given, row in table.items():
        name = emotion(given)
        for form in FORMS:
            mild, strong = _of_form(form, row, lexicon.emotions[name], predicative)
            words[form, name, False] = (mild, len(mild))
            words[form, name, True] = ((*mild, *strong), len(mild))
    return MappingProxyType(words)


def _of_form(
    form: str, row: Mapping[str, Sequence[str]], forms: Forms, predicative: frozenset[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words of a form, of any strength and strong in themselves."""
    known = "adjective" if form == "attributive" else form
    mild, strong = tuple(row.get(known, ())), tuple(row.get(f"strong_{known}", ()))
    if known in ("noun", "adjective"):
        mild = (*forms.get(known, ()), *mild)
        strong = (*forms.get(f"strong_{known}", ()), *strong)
        mild = tuple(word for word in mild if word not in row.get("without", ()))
    if form == "attributive":
        return _before_a_noun(mild, predicative), _before_a_noun(strong, predicative)
    return mild, strong


def _before_a_noun(words: Sequence[str], predicative: frozenset[str]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in predicative)


def _tuples(table: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {key: tuple(said) for key, said in table.items()}


def _by_gender_and_age(
    table: Mapping[str, Mapping[str, Sequence[str]]],
) -> Mapping[tuple[str, str], tuple[str, ...]]:
    return {
        (gender, age): tuple(phrase for pattern in patterns for phrase in spelled_out(pattern))
        for gender, row in table.items()
        for age, patterns in row.items()
    }


def _burst_nouns(table: Mapping[str, Sequence[str]], lexicon: Lexicon) -> Mapping[str, tuple[str, ...]]:
    more = {burst(name): tuple(said) for name, said in table.items()}
    return {name: (*said, *more.get(name, ())) for name, said in lexicon.bursts.items()}


def _frames(table: Mapping[str, Any], slots: Mapping[str, Slot]) -> Mapping[str, tuple[Frame, ...]]:
    return {
        group: tuple(
            compile_frame(name, **row, rules=table["rules"], slots=slots)
            for name, row in table[group].items()
        )
        for group in ("feelings", "neutral", "silent")
    }
