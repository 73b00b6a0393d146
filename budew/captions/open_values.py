"""Phrases that no lexicon can list: ratings ("sadness 80%"), ages ("aged 45", "in her 30s"), accents.

Only numbers that say what their scale is are ratings: "anger: 3" could be out of anything. The words before
"accent" are the accent, back to an article or the beginning of the clause, where they are few and mean
nothing else: "a Bavarian accent" is parsed though no lexicon lists Bavaria.
"""

import re
from collections.abc import Callable, Sequence

from budew.captions.phrases import Entry, Kind
from budew.captions.scope_state import Item
from budew.errors import InputError
from budew.taxonomy import trait
from budew.taxonomy.scales import nearest_level

_DECADE = 10
_YEARS = (("year", "old"), ("years", "old"), ("years", "of"))
_AGED = ("aged", "age", "ages")
_RATING = re.compile(r"0|\d+\.\d+|\d+%|\d+/\d+", re.ASCII)
_LONGEST_RATING = 8
_MOST_ACCENT_WORDS = 4
_ARTICLES = frozenset({"a", "an", "the"})


def number(tokens: Sequence[str], index: int, ages: Sequence[tuple[int, str]]) -> Entry | None:
    """Return what the number at `index` of the tokens means, None where it is any number.

    Args:
        tokens: of the text.
        index: of one that begins with a digit.
        ages: the last year of each age, and its name, from young to old.
    """
    word = tokens[index]
    share = _share(word)
    if share is not None:
        return Entry(Kind.RATING, word, nearest_level(share), phrase=word)
    is_age = age_start(tokens, index) < index or tuple(tokens[index + 1 : index + 3]) in _YEARS
    years = _years(word, is_age)
    age = next((name for last, name in ages if years is not None and years <= last), None)
    return Entry(Kind.TRAIT, "age", value=age, phrase=word) if age else None


def age_start(tokens: Sequence[str], index: int) -> int:
    """Return where "aged" stands before a number ("aged 25", "aged about 25"), else where the number does."""
    return next((at for at in (index - 1, index - 2) if at >= 0 and tokens[at] in _AGED), index)


def _share(word: str) -> float | None:
    """Return a rating as a share of its scale."""
    if len(word) > _LONGEST_RATING or not _RATING.fullmatch(word):
        return None
    if word.endswith("%"):
        share = float(word[:-1]) / 100
    elif "/" in word:
        part, _, whole = word.partition("/")
        share = float(part) / float(whole) if float(whole) else 2.0
    else:
        share = float(word)
    return share if share <= 1 else None


def _years(word: str, is_age: bool) -> int | None:
    """Return the years of an age: "30s", or any number where `is_age`."""
    if word.endswith("s") and word[:-1].isascii() and word[:-1].isdigit() and len(word) <= 3:
        decade = int(word[:-1])
        return decade + _DECADE - 1 if decade and decade % _DECADE == 0 else None
    if is_age and word.isascii() and word.isdigit() and len(word) <= 3:
        return int(word)
    return None


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
    for _, stop, entry in reversed(items[-_MOST_ACCENT_WORDS - 1 :]):
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
    except InputError:
        return None
