"""Numbers in captions: ratings behind a feeling ("anger: 0.8", "sadness 80%", "fear (8/10)") and ages.

Only numbers that say what their scale is are ratings: "anger: 3" could be out of anything.
"""

from collections.abc import Sequence

from budew.captions.entry import Entry, Kind
from budew.taxonomy.scales import nearest_level

_DECADE = 10
_YEARS = (("year", "old"), ("years", "old"), ("years", "of"))
_AGED = ("aged", "age", "ages")


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
    told = age_start(tokens, index) < index or tuple(tokens[index + 1 : index + 3]) in _YEARS
    years = _years(word, told)
    age = next((name for last, name in ages if years is not None and years <= last), None)
    return Entry(Kind.TRAIT, "age", value=age, phrase=word) if age else None


def age_start(tokens: Sequence[str], index: int) -> int:
    """Return where "aged" stands before a number ("aged 25", "aged about 25"), else where the number does."""
    return next((at for at in (index - 1, index - 2) if at >= 0 and tokens[at] in _AGED), index)


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


def _years(word: str, told: bool) -> int | None:
    """Return the years of an age: "30s", or any number that is `told` to be one."""
    if word.endswith("s") and word[:-1].isascii() and word[:-1].isdigit() and len(word) <= 3:
        decade = int(word[:-1])
        return decade + _DECADE - 1 if decade and decade % _DECADE == 0 else None
    if told and word.isascii() and word.isdigit() and len(word) <= 3:
        return int(word)
    return None
