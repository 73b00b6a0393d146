"""English word forms and agreement: adverbs, comparatives, verb tenses, articles, lists.

The forms are for parsing only: one that nobody says ("hopefuller") harms nothing, as nobody writes it.
"""

import re
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

_VOWELS = "aeiou"
_SINGLE_VOWEL_END = re.compile(r"[^aeiou][aeiou][bdgmnpt]$")
_SHORT_VERB = re.compile(r"^[^aeiou]*[aeiou][bdgmnpt]$")
_LONGEST_COMPARED = 8
"""Letters. Longer adjectives are compared with "more" and "most"."""
_PATTERN = re.compile(r"\(([^()|]*\|[^()]*)\)|([^\W\d_]+)\*")


def inflected(adjective: str) -> tuple[str, ...]:
    """Return the adverb of an adjective of one word, and of a short one the comparative and superlative."""
    if not adjective.isalpha():
        return ()
    stem = _stem(adjective)
    compared = (f"{stem}er", f"{stem}est") if len(adjective) <= _LONGEST_COMPARED else ()
    return (_adverb(adjective), *compared)


def spelled_out(pattern: str) -> tuple[str, ...]:
    """Return the phrases that a pattern stands for: "(her|his) fear" for two, "sigh* in relief" for four.

    A star is for the forms of a verb: sigh, sighs, sighing, sighed.
    """
    if "|" not in pattern and "*" not in pattern:
        return (pattern,)
    pieces: list[tuple[str, ...]] = []
    at = 0
    for match in _PATTERN.finditer(pattern):
        pieces.append((pattern[at : match.start()],))
        pieces.append(_alternatives(match[1]) if match[1] is not None else verb_forms(match[2]))
        at = match.end()
    pieces.append((pattern[at:],))
    return tuple(" ".join("".join(chosen).split()) for chosen in product(*pieces))


def _alternatives(patterns: str) -> tuple[str, ...]:
    return tuple(phrase for pattern in patterns.split("|") for phrase in spelled_out(pattern))


def verb_forms(verb: str) -> tuple[str, ...]:
    """Return a regular verb, its third person, its participle and its past: hum, hums, humming, hummed."""
    if verb.endswith("e"):
        return verb, f"{verb}s", f"{verb[:-1]}ing", f"{verb}d"
    stem = verb + verb[-1] if _SHORT_VERB.search(verb) else verb
    third = f"{verb}es" if verb.endswith(("s", "sh", "ch", "x", "z")) else f"{verb}s"
    return verb, third, f"{stem}ing", f"{stem}ed"


def _adverb(adjective: str) -> str:
    if adjective.endswith("y") and adjective[-2:-1] not in _VOWELS:
        return f"{adjective[:-1]}ily"
    if adjective.endswith("le") and adjective[-3:-2] not in _VOWELS:
        return f"{adjective[:-1]}y"
    if adjective.endswith("ic"):
        return f"{adjective}ally"
    return f"{adjective}ly"


def _stem(adjective: str) -> str:
    if adjective.endswith("e"):
        return adjective[:-1]
    if adjective.endswith("y") and adjective[-2:-1] not in _VOWELS:
        return f"{adjective[:-1]}i"
    return adjective + adjective[-1] if _SINGLE_VOWEL_END.search(adjective) else adjective


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
