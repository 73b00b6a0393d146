"""Emotions said in words: a name of the taxonomy, an alias of one, or any text that a caption could hold.

A bare name or word ("anger", "sad", "Hopelessness") is moderate, ½, as in a caption; in a text, intensity
words count as they do there ("very sad" is strong, "slightly amused" slight). See `budew.captions.parse`.
"neutral" says that there are none. What names no emotion is listed as not understood.
"""

from collections.abc import Mapping
from typing import Any

from budew.captions import parse
from budew.corpora.labels.forms import form, unread
from budew.taxonomy import LEVELS, find_emotion

LONGEST_TEXT = 20_000
"""Characters of a text that are read."""
_SAID = LEVELS[2]


def emotions_in(text: str) -> dict[str, float]:
    """Return the emotions that a text names → intensity; empty where it names none."""
    name = find_emotion(text)
    return {name: _SAID} if name else dict(parse(text[:LONGEST_TEXT].replace("_", " ")).emotions)


def describe_words(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a row with the emotions that a field of it names as a profile; None where none does."""
    for key in form("words")["under"]:
        found: dict[str, float] = {}
        judged = False
        for text in _texts(row.get(key)):
            said = emotions_in(text)
            judged = judged or bool(said) or _is_none(text)
            found |= {name: max(level, found.get(name, 0.0)) for name, level in said.items()}
        if judged:
            profile_from = {"form": "words", "field": key}
            return {**row, "profile": {"emotions": found}, "profile_from": profile_from}
    return None


def words_not_understood(row: Mapping[str, Any]) -> dict[str, str]:
    """Return, for each field for words, the first of its texts that names no emotion."""
    found: dict[str, str] = {}
    for key in form("words")["under"]:
        odd = (text for text in _texts(row.get(key)) if not emotions_in(text) and not _is_none(text))
        found |= unread(key, next(odd, ""))
    return found


def _texts(said: Any) -> list[str]:
    return [text for text in (said if isinstance(said, list) else [said]) if isinstance(text, str)]


def _is_none(text: str) -> bool:
    return text.strip().casefold() in form("words")["none"]
