"""Quoted speech: words that are spoken are no description of the voice that speaks them.

Nothing is read in quotation marks that hold more than one word, or one word behind a verb of speaking;
a single word elsewhere ("a so-called "happy" voice") is the writer's own. A caption that stands in
quotation marks as a whole is read.
"""

import re
from collections.abc import Set

# No mark of the same kind within, but for an apostrophe between letters ('I'm fine'): what is left open costs
# no second look, however often it comes.
_QUOTED = re.compile(
    r'"[^"]*"|“[^“”]*”|«[^«»]*»|„[^„“”]*[“”]'
    r"|(?<!\w)'(?:[^'\n]|(?<=\w)'(?=\w))++'(?!\w)|(?<!\w)‘(?:[^‘’\n]|(?<=\w)’(?=\w))++’(?!\w)"
)
_MARKS = frozenset("\"“”«»„'‘’")
_WORD = re.compile(r"\w+")
_BEHIND = 3
"""Words before a quotation among which a verb of speaking introduces it."""


def quoted_spans(text: str, speaking: Set[str]) -> list[tuple[int, int]]:
    """Return where words are spoken in a text, in characters.

    Args:
        text: a caption.
        speaking: words that introduce what is spoken, lower-case: "says", "whispers", "the words"…
    """
    if _MARKS.isdisjoint(text):
        return []
    found = []
    first, last = _words_reach(text)
    for match in _QUOTED.finditer(text):
        start, end = match.span()
        words = _WORD.findall(match[0])
        if not words or (start <= first and last <= end):
            continue
        before = _WORD.findall(text[max(0, start - 40) : start].lower())[-_BEHIND:]
        if len(words) > 1 or not speaking.isdisjoint(before):
            found.append((start, end))
    return found


def _words_reach(text: str) -> tuple[int, int]:
    """Return where the first word of a text begins and the last one ends."""
    first = _WORD.search(text)
    end = len(text)
    while end and not (text[end - 1].isalnum() or text[end - 1] == "_"):
        end -= 1
    return first.start() if first else end, end
