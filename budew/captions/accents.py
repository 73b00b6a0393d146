"""Accents are an open set: "a Bavarian accent" is read though no lexicon lists Bavaria.

The words before "accent" are the accent, back to an article or the beginning of the clause, where they are
few and mean nothing else.
"""

from budew.captions.lexicon import Entry, Kind
from budew.captions.scope import Item
from budew.captions.tokens import Token
from budew.taxonomy import trait

_MOST_WORDS = 4
_ARTICLES = frozenset({"a", "an", "the"})


def add_open_accent(items: list[Item], text: str, tokens: list[Token], accent: Item) -> None:
    """Append the item of the word "accent" to `items`, together with the words before it that name one."""
    words = _words_before(items, tokens)
    value = (
        _named(text[tokens[items[-words].first].start : tokens[items[-1].stop - 1].end]) if words else None
    )
    if value is None:
        items.append(accent)
        return
    first = items[-words].first
    del items[-words:]
    items.append(Item(first, accent.stop, Entry(Kind.TRAIT, "accent", value=value)))


def _words_before(items: list[Item], tokens: list[Token]) -> int:
    """Return how many of the last words of `items` may name an accent; 0 where what stands there cannot."""
    count = 0
    for item in reversed(items[-_MOST_WORDS - 1 :]):
        word = tokens[item.stop - 1].text
        if word in _ARTICLES or not word[0].isalnum():
            return count
        if item.entry is not None:
            return 0
        count += 1
    return count if count == len(items) else 0


def _named(value: str) -> str | None:
    try:
        return str(trait("accent", value)[1])
    except ValueError:
        return None
