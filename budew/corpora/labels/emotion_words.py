"""Emotions by the words of corpora for them: names of the taxonomy, words of the caption lexicon, codes.

A bare name or word ("anger", "sad", "Hopelessness") or a short code (`hap`, see `forms.yaml`) is moderate, ½,
as in a caption; in a text, intensity words count as they do there ("very sad" is strong, "slightly amused"
slight). See `budew.captions.parse`.
"""

import re
from functools import lru_cache

from budew.captions.parse import parse
from budew.corpora.column_names import label_layout
from budew.taxonomy import LEVELS, LONGEST_NAME, find_emotion

LONGEST_TEXT = 20_000
"""Characters of a text that are read."""
_SAID = LEVELS[2]
_WORD = re.compile(r"[^\W_]+")


def emotions_in(text: str) -> dict[str, float]:
    """Return the emotions that a text names → intensity; empty where it names none."""
    name = find_emotion(text)
    return {name: _SAID} if name else dict(parse(codes_as_words(text[:LONGEST_TEXT])).emotions)


def is_neutral(text: str) -> bool:
    """Return whether a label says that there is no emotion."""
    return codes_as_words(text[:LONGEST_NAME]).strip().casefold() in label_layout("words")["none"]


@lru_cache(maxsize=4096)
def named_emotion(name: str) -> str | None:
    """Return the one emotion that the name of a column or class stands for; None where it is not one."""
    found = emotions_in(name) if len(name) <= LONGEST_NAME else {}
    return next(iter(found)) if len(found) == 1 else None


def codes_as_words(text: str) -> str:
    """Return a text with spaces for underscores; one of nothing but codes in words ("hap;ang")."""
    words, codes = _WORD.findall(text.casefold()), label_layout("words")["codes"]
    if words and all(word in codes for word in words):
        return ", ".join(codes[word] for word in words)
    return text.replace("_", " ")
