"""Two captions set beside each other: which words the one has that the other has not, for colouring."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from budew.terminal import visible

Piece = tuple[str, bool]
"""Some text, and whether it is not in the other."""
_WORD = re.compile(r"\s*\S+\s*")
_EDGES = ".,;:!?\"'()“”‘’…"


def word_diff(one: str, other: str, *, longest: int) -> tuple[list[Piece], list[Piece]]:
    """Return both texts in pieces; put together again they are the texts, made visible.

    Words are the same in any case and with whatever marks around them.

    Args:
        one, other: texts.
        longest: characters of each that are compared and shown; what is longer ends with "…".
    """
    words, others = (_WORD.findall(_shortened(text, longest)) for text in (one, other))
    matcher = SequenceMatcher(None, _folded(words), _folded(others), autojunk=False)
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, start, stop, other_start, other_stop in matcher.get_opcodes():
        changed = kind != "equal"
        left += [(visible("".join(words[start:stop])), changed)] * (stop > start)
        right += [(visible("".join(others[other_start:other_stop])), changed)] * (other_stop > other_start)
    return left, right


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + "…"


def _folded(words: Sequence[str]) -> list[str]:
    return [word.strip().strip(_EDGES).lower() for word in words]
