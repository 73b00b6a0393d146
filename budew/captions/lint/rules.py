"""Rules of the linter: severities, limits and word lists of `caption_templates/lint`, compiled once."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from budew.captions.phrases import spelled_out
from budew.captions.tokens import PhraseTrie
from budew.io.resources import data_folder, packaged_yaml
from budew.taxonomy import EMOTIONS, TRAITS

_MAIL = r"\b[\w.+-]{1,64}@[\w-]{1,64}\.\w[\w.-]{0,64}"


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One fault of a caption.

    Attributes:
        code: kind of fault, lower-case with hyphens, such as "special-token"; a key of `Rules.severity`.
        what: the words concerned, or a description of the fault.
        start, end: the span in the text, in characters.
    """

    code: str
    what: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class CaptionLimits:
    """Limits for one caption, see `caption_templates/lint/en.yaml`."""

    most_tokens: int
    letters_a_token: int
    repeats: int
    longest_phrase: int
    shortest_sentence: int
    fewest_words: int
    english_share: float
    foreign_share: float
    level_steps: int


@dataclass(frozen=True, slots=True)
class CorpusLimits:
    """Limits for a corpus, see `caption_templates/lint/en.yaml`."""

    opening_words: int
    opening_share: float
    phrase_words: int
    phrase_share: float
    fewest_captions: int
    counted: int
    examples: int
    listed: int


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of the linter, compiled from the data file."""

    severity: Mapping[str, str]  # "error" or "warning" by code
    caption: CaptionLimits
    corpus: CorpusLimits
    special_token: re.Pattern[str]  # special tokens of tokenizers
    field_name: re.Pattern[str]  # field names of data: "gender:", "Soft_vs._Harsh", any words_like_this
    address: re.Pattern[str]  # web and e-mail addresses
    address_marks: tuple[str, ...]  # each address contains one of these
    phrases: PhraseTrie[str]  # codes of numbers in words, and of phrases of language models around a caption
    changing: re.Pattern[str]  # words that excuse a contradiction: the voice changes,
    several: re.Pattern[str]  # there are two speakers,
    similes: re.Pattern[str]  # or the voice is only compared to somebody
    may_double: frozenset[str]  # words that may occur twice in a row, lower-case
    function_words: frozenset[str]
    vague_accents: frozenset[str]
    sounds: frozenset[str]  # words for sounds that do not name a vocal burst, lower-case
    unsettled_sounds: tuple[str, ...]  # beginnings of words whose article is not checked
    pronouns: Mapping[str, str]  # pronoun to gender
    opposites: Mapping[str, frozenset[frozenset[str]]]  # by trait, values that contradict each other


@cache
def load_rules() -> Rules:
    """Load the rules for English captions."""
    return _compile(packaged_yaml(data_folder("caption_templates") / "lint" / "en.yaml"))


def _compile(table: Mapping[str, Any]) -> Rules:
    listed = {"number": table["numbers"], "refusal": table["refusals"], "chat": table["chats"]}
    phrases = PhraseTrie("")
    for code, patterns in listed.items():
        for phrase in spelled_out(*patterns):
            phrases.setdefault(phrase, code)
    data_names = _any_of(name for name in (*EMOTIONS, *TRAITS) if set("_/&") & set(name))
    labels, addresses = _any_of(table["labels"]), _any_of(table["addresses"])
    return Rules(
        severity=MappingProxyType(table["severity"]),
        caption=CaptionLimits(**table["caption"]),
        corpus=CorpusLimits(**table["corpus"]),
        special_token=re.compile(rf"<\|[^<>|]{{0,40}}\|>|{_any_of(table['special_tokens'])}", re.IGNORECASE),
        field_name=re.compile(
            rf"\b(?:{labels})[\"']?\s*[:=]|{data_names}|\b[^\W_]+(?:_[^\W_]+)+", re.IGNORECASE
        ),
        address=re.compile(rf"\b(?:{addresses})\S*|{_MAIL}", re.IGNORECASE),
        address_marks=("@", *table["addresses"]),
        phrases=phrases,
        changing=_words(table["changing"]),
        several=_words(table["several"]),
        similes=_words(table["similes"]),
        may_double=frozenset(table["may_double"]),
        function_words=frozenset(table["function_words"]),
        vague_accents=frozenset(table["vague_accents"]),
        sounds=frozenset(spelled_out(*table["sounds"])),
        unsettled_sounds=tuple(table["unsettled_sounds"]),
        pronouns={word: gender for gender, words in table["pronouns"].items() for word in words},
        opposites={
            key: frozenset(frozenset((one, other)) for left, right in rows for one in left for other in right)
            for key, rows in table["opposites"].items()
        },
    )


def _words(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_any_of(spelled_out(*patterns))})\b", re.IGNORECASE)


def _any_of(phrases: Iterable[str]) -> str:
    return "|".join(re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True))
