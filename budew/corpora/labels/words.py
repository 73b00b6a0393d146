"""Emotions said in words: a name of the taxonomy, an alias of one, or any text that a caption could hold.

A bare name or word ("anger", "sad", "Hopelessness") is moderate, ½, as in a caption; in a text, intensity
words count as they do there ("very sad" is strong, "slightly amused" slight). See `budew.captions.parse`.
"""

from collections.abc import Mapping
from typing import Any

from budew.captions import parse
from budew.corpora.labels.forms import form
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
        said = row.get(key)
        texts = [said] if isinstance(said, str) else said if isinstance(said, list) else []
        found: dict[str, float] = {}
        for text in texts:
            for name, level in emotions_in(text).items() if isinstance(text, str) else ():
                found[name] = max(level, found.get(name, 0.0))
        if found:
            profile_from = {"form": "words", "field": key}
            return {**row, "profile": {"emotions": found}, "profile_from": profile_from}
    return None
