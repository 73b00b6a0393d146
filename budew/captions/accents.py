"""Accents are an open set: "a Bavarian accent" is read though no lexicon lists Bavaria.

The words before "accent" are the accent, back to an article or the beginning of the clause, where they are
few and mean nothing else.
"""

from collections.abc import Callable

from budew.captions.entry import Entry, Kind
from budew.captions.surroundings import Item
from budew.taxonomy import trait

_MOST_WORDS = 4
_ARTICLES = frozenset({"a", "an", "the"})


def add_open_accent(
    items: list[Item], tokens: list[str], accent: Item, written: Callable[[int, int], str]
) -> None:
    """Append the item of the word "accent" to `items`, together with the words before it that name one.

    Args:
        items: what stands before it.
        tokens: of the text.
        accent: the word.
        written: gives the text from one token to before another.
    """
    words = _words_before(items, tokens)
    value = _named(written(items[-words][0], items[-1][1])) if words else None
    if value is None:
        items.append(accent)
        return
    first = items[-words][0]
    del items[-words:]
    items.append((first, accent[1], Entry(Kind.TRAIT, "accent", value=value, phrase=f"{value} accent")))


def _words_before(items: list[Item], tokens: list[str]) -> int:
    """Return how many of the last words of `items` may name an accent; 0 where what stands there cannot."""
    count = 0
    for _, stop, entry in reversed(items[-_MOST_WORDS - 1 :]):
        word = tokens[stop - 1]
        if word in _ARTICLES or not word[0].isalnum():
            return count
        if entry is not None and entry.kind is not Kind.ORIGIN:
            return 0
        count += 1
    return count if count == len(items) else 0


def _named(value: str) -> str | None:
    try:
        return str(trait("accent", value)[1])
    except ValueError:
        return None
