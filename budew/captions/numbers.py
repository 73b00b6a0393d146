"""Numbers in captions: ratings behind a feeling ("anger: 0.8", "sadness 80%", "fear (8/10)") and ages.

Only numbers that say what their scale is are ratings: "anger: 3" could be out of anything.
"""

from collections.abc import Sequence

from budew.captions.lexicon import Entry, Kind
from budew.taxonomy.scales import nearest_level

_DECADE = 10
_YEARS = (("year", "old"), ("years", "old"), ("years", "of"))


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
    years = _years(word, tuple(tokens[index + 1 : index + 3]))
    age = next((name for last, name in ages if years is not None and years <= last), None)
    return Entry(Kind.TRAIT, "age", value=age, phrase=word) if age else None


def _share(word: str) -> float | None:
    """Return a rating as a share of its scale."""
    if len(word) > 8 or not word.isascii():
        return None
    if word.endswith("%"):
        share = float(word[:-1]) / 100
    elif "/" in word:
        part, _, whole = word.partition("/")
        share = float(part) / float(whole) if float(whole) else 2.0
    elif "." in word or word == "0":
        share = float(word)
    else:
        return None
    return share if share <= 1 else None


def _years(word: str, following: tuple[str, ...]) -> int | None:
    if word.endswith("s") and word[:-1].isascii() and word[:-1].isdigit() and len(word) <= 3:
        decade = int(word[:-1])
        return decade + _DECADE - 1 if decade and decade % _DECADE == 0 else None
    if following in _YEARS and word.isascii() and word.isdigit() and len(word) <= 3:
        return int(word)
    return None
