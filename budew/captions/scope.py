"""Scope: which intensity or negation governs which emotion word.

    strong anger, fear and some joy   an intensity governs a list closed by "and" or "or", up to the next one
    very sad, tired, old              a list of commas alone is a list of tags: "tired" is moderate
    without a trace of anger or fear  a negation governs what an intensity would, and prevails over one
    fear to a high degree             an intensity behind a word governs that word alone

Any other word ends what is governed. One pass from the right, one from the left: linear time.
"""

from collections.abc import Sequence
from typing import NamedTuple

from budew.captions.lexicon import Entry, Kind

MODERATE = 0.5
"""The level of an emotion word that nothing governs."""

COMMA = Entry(Kind.LINK, ",")
"""The meaning of a comma, which belongs to the grammar and not to the lexicon."""

_SAID = frozenset({Kind.BURST, Kind.TRAIT})
_IN_A_LIST = frozenset({Kind.EMOTION, Kind.BURST, Kind.INTENSITY, Kind.AFTER, Kind.NEGATION, Kind.LINK})


class Item(NamedTuple):
    """A phrase of the text: the tokens from `first` to before `stop`, and its meaning (None: it has none)."""

    first: int
    stop: int
    entry: Entry | None


def levels(items: Sequence[Item]) -> list[float]:
    """Return the level of each item: an emotion as it is governed, a burst or trait 1 or 0, others 0."""
    closed = _closed_by_conjunction(items)
    found = [0.0] * len(items)
    pending: float | None = None  # set by an intensity or negation that waits for its word
    carried: float | None = None  # what governs the list that is being read
    last: int | None = None  # the emotion just read, which an intensity behind it may still change
    for index, item in enumerate(items):
        entry = item.entry
        kind = None if entry is None else entry.kind
        if kind is Kind.LINK:
            if entry is COMMA:
                pending, last = None, None
                carried = carried if closed[index] else None
            continue
        if kind is Kind.EMOTION:
            governing = pending if pending is not None else carried
            found[index] = MODERATE if governing is None else governing
            pending, carried, last = None, governing, index
        elif kind is Kind.INTENSITY and entry is not None:
            pending = entry.level if pending is None else _combined(pending, entry.level)
            carried = None
        elif kind is Kind.NEGATION:
            pending, carried = 0.0, None
        elif kind is Kind.CONJUNCTION:
            pending, last = None, None
        elif kind is Kind.AFTER and entry is not None and last is not None:
            found[last] = entry.level if found[last] else 0.0
            pending = carried = last = None
        else:
            denied = kind in _SAID and 0.0 in (pending, carried)
            found[index] = float(kind in _SAID and not denied)
            pending, carried, last = None, 0.0 if denied else None, None
    return found


def _combined(outer: float, inner: float) -> float:
    """Return the level of one intensity upon another: a weak one weakens, else the stronger counts."""
    return min(outer, inner) if min(outer, inner) < MODERATE else max(outer, inner)


def _closed_by_conjunction(items: Sequence[Item]) -> list[bool]:
    """Return, for each item, whether the list that goes on behind it has an "and" or "or" still to come."""
    closed = [False] * (len(items) + 1)
    for index in range(len(items) - 1, -1, -1):
        entry = items[index].entry
        kind = None if entry is None else entry.kind
        closed[index] = kind is Kind.CONJUNCTION or (closed[index + 1] and kind in _IN_A_LIST)
    return closed[:-1]
