"""How much of what should be said was heard: word error rate, by jiwer, on texts made comparable.

What a transcriber writes its own way is taken out of both texts first, the same for all languages: NFKC, no
case, no punctuation or symbols (an apostrophe or hyphen within a word closes it up: "it's" is "its"), single
spaces. Numbers stay as they are written, so "nine" heard as "9" is an error. For languages without spaces the
unit is the character, and spaces are no characters.
"""

import unicodedata
from functools import cache
from pathlib import Path

import yaml

from budew.extras import require

_WITHIN_WORDS = frozenset("'’ʼ‘`´-‐‑")


def word_error_rate(said: str, heard: str, *, language: str | None = None) -> float:
    """Return insertions, deletions and substitutions over the words (or characters) that should be said.

    0 when all is heard, 1 when nothing is, more when more is heard than was said.

    Args:
        said: what should be said.
        heard: what a transcriber wrote.
        language: BCP 47 tag; decides between words and characters.

    Raises:
        ValueError: there is no word in `said`.
        MissingExtraError: jiwer is not installed.
    """
    jiwer = require("jiwer", extra="corpora", purpose="counting word errors")
    reference, hypothesis = comparable(said), comparable(heard)
    if not reference:
        raise ValueError(f"there is no word in {said[:60]!r}: nothing can be missed in it")
    if counts_characters(language):
        reference, hypothesis = reference.replace(" ", ""), hypothesis.replace(" ", "")
        return float(jiwer.cer(reference, hypothesis))
    return float(jiwer.wer(reference, hypothesis))


def comparable(text: str) -> str:
    """Return a text without what transcribers write each in their own way."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    kept = (_kept(letter) for letter in folded)
    return " ".join("".join(kept).split())


def counts_characters(language: str | None) -> bool:
    """Tell whether a language is written without spaces between words."""
    return (language or "").partition("-")[0].lower() in _without_spaces()


def _kept(letter: str) -> str:
    if letter in _WITHIN_WORDS:
        return ""
    return letter if unicodedata.category(letter)[0] in "LMN" else " "


@cache
def _without_spaces() -> frozenset[str]:
    text = Path(__file__).with_name("word_errors.yaml").read_text(encoding="utf-8")
    return frozenset(yaml.safe_load(text)["without_spaces"])
