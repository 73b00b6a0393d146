"""Syllables of a text, for the speaking rate.

A run of vowels is a syllable, as in the usual counters of readability: it makes a fifth too many in English
("rate" has two). That does not hurt as long as rates are compared within one language, as `thresholds` does.
dataspeech counts phonemes, with an English dictionary, over the whole clip.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_MARKUP = re.compile(r"\[[^\]]*\]|<[^>]*>|\([^)]*\)|\*[^*]*\*")
_WORD = re.compile(r"[^\W_]+")


def count_syllables(text: str, language: str | None = None) -> int | None:
    """Return how many syllables a text has, or None where nobody can tell from its letters.

    Args:
        text: in Latin, Greek, Cyrillic, Hangul, kana or Chinese; what stands in brackets or between
            asterisks is not spoken.
        language: BCP 47 tag.

    Returns:
        None for texts without words, with digits, in another script, or in Japanese with Han characters.
    """
    spoken = unicodedata.normalize("NFC", _MARKUP.sub(" ", text.lower()))
    words = _WORD.findall(spoken)
    counts = [_in_word(word, (language or "").partition("-")[0].lower()) for word in words]
    return sum(counts) if counts and None not in counts else None  # type: ignore[arg-type]


def _in_word(word: str, language: str) -> int | None:
    count, after_vowel = 0, False
    for letter in word:
        kind = _kind(letter)
        if kind == "unknown" or (kind == "han" and language in _table()["han_unknown"]):
            return None
        count += kind in ("whole", "han") or (kind == "vowel" and not after_vowel)
        after_vowel = kind == "vowel"
    return max(count, 1)  # a word of consonants is spoken all the same


@cache
def _kind(letter: str) -> str:
    table, script = _table(), unicodedata.name(letter, "?").split()[0]
    bare = unicodedata.normalize("NFD", letter)[0]
    if letter in table["small"] or unicodedata.combining(letter):
        return "consonant"
    if script in table["whole"]:
        return "han" if script == "CJK" else "whole"
    if bare in table["vowels"] or letter in table["vowels"]:
        return "vowel"
    return "consonant" if script in table["alphabets"] and letter.isalpha() else "unknown"


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"))
    return table
