"""Balanced sampling: levels of an axis are assigned to clips evenly at every moment, and otherwise at random.

The clips come in rounds of `rounds` (one for each emotion). The level of clip `number` depends on the number
and the seed alone, and whatever the number of clips:

* within one place of the round (one emotion) no level comes twice before all have come once;
* after each whole round, no level is ahead of another by more than one clip.

Over rounds × size clips each pair (place, level) occurs exactly once: a Latin square, its rows and columns
shuffled anew for each such run. Two axes are independent of each other, as in a shuffled full product.
"""

from functools import lru_cache
from math import gcd

from budew.randomness import generator


def balanced_level(number: int, *, size: int, rounds: int, seed: int, axis: str) -> int:
    """Return which of `size` levels of `axis` clip `number` has, in [0, size).

    Args:
        number: of the clip, from 0.
        size: levels of the axis.
        rounds: clips of one round; the place in the round is `number % rounds`.
        seed: of the plan.
        axis: name; two axes of one name and size get the same levels.
    """
    square, within = divmod(number, size * rounds)
    turn, place = divmod(within, rounds)
    position = turn * rounds + _shuffled(rounds, seed, axis, square, "places")[place]
    common = gcd(size, rounds)
    stretch = position // (size * rounds // common)
    shift = _shuffled(common, seed, axis, square, "shifts")[stretch]
    return _shuffled(size, seed, axis, square, "levels")[(position + shift) % size]


def shuffled_level(number: int, *, size: int, seed: int, axis: str) -> int:
    """Return which of `size` levels is the `number`-th: their order is shuffled anew when all have come."""
    deck, place = divmod(number, size)
    return _shuffled(size, seed, axis, deck, "deck")[place]


@lru_cache(maxsize=4096)
def _shuffled(size: int, *parts: str | int) -> tuple[int, ...]:
    numbers = list(range(size))
    generator(*parts).shuffle(numbers)
    return tuple(numbers)
