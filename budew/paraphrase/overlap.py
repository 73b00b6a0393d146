"""Near copies: how much of one caption's wording is another's, by runs of characters.

Runs of five characters see through changed endings, punctuation and order, which runs of words do not. Of two
captions the share of the shorter one's runs that the other has is taken: a copy with a clause added is
still one. About 10 µs a pair.
"""

import re

RUN = 5
"""Characters. Shorter runs are shared by any two English sentences."""
FEWEST = 40
"""Runs. What is shorter says too little to be said in another way, and is a copy only if it is the same."""
_BETWEEN = re.compile(r"[\W_]+")


def overlap(one: str, other: str) -> float:
    """Return how much of the shorter caption is in the other: 0 for nothing, 1 for all of it.

    Case and spaces do not count. Under `FEWEST` runs it is 1 for the same text and 0 for any other.
    """
    left, right = folded(one), folded(other)
    if left == right:
        return 1.0
    if min(len(left), len(right)) < FEWEST + RUN:
        return 0.0
    runs, others = _runs(left), _runs(right)
    return len(runs & others) / min(len(runs), len(others))


def folded(text: str) -> str:
    """Return a caption as it is compared: lower-case, letters and digits with one space between words."""
    return _BETWEEN.sub(" ", text.casefold()).strip()


def _runs(text: str) -> set[str]:
    return {text[start : start + RUN] for start in range(len(text) - RUN + 1)}
