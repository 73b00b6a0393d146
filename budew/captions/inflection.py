"""Adverbs, comparatives and superlatives of English adjectives, so that a lexicon need not list them.

For reading only: a form that nobody says ("hopefuller") harms nothing, as nobody says it.
"""

import re

_VOWELS = "aeiou"
_SINGLE_VOWEL_END = re.compile(r"[^aeiou][aeiou][bdgmnpt]$")
_LONGEST_COMPARED = 8
"""Letters. Longer adjectives are compared with "more" and "most"."""


def inflected(adjective: str) -> tuple[str, ...]:
    """Return the adverb of an adjective of one word, and of a short one the comparative and superlative."""
    if not adjective.isalpha():
        return ()
    stem = _stem(adjective)
    compared = (f"{stem}er", f"{stem}est") if len(adjective) <= _LONGEST_COMPARED else ()
    return (_adverb(adjective), *compared)


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
