"""Agreement and lists: the small grammar that joins phrases to sentences without an error."""

from collections.abc import Sequence
from typing import NamedTuple


class Sounds(NamedTuple):
    """Beginnings of words that decide their article against the first letter: "an hour", "a one-time"."""

    vowel: tuple[str, ...]
    consonant: tuple[str, ...]


def with_article(phrase: str, sounds: Sounds) -> str:
    """Put "a" or "an" before a phrase, by the sound of its beginning."""
    folded = phrase.lower()
    if folded.startswith(sounds.vowel):
        return f"an {phrase}"
    vowel = folded.startswith(("a", "e", "i", "o", "u")) and not folded.startswith(sounds.consonant)
    return f"an {phrase}" if vowel else f"a {phrase}"


def joined(phrases: Sequence[str]) -> str:
    """Join phrases as prose: "this", "this and that", "this, that and more"."""
    if len(phrases) < 2:
        return "".join(phrases)
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"
