"""Reproducible random choices, derived from ids and purpose, not from order, workers or a global seed."""

import hashlib
import random
from collections.abc import MutableSequence, Sequence
from typing import TypeVar

T = TypeVar("T")

_LEAST = 1 << 64
"""When fewer bits than this are left, a new hash is made, so that the choices stay uniform."""


def generator(*parts: str | int) -> random.Random:
    """Return a generator seeded with the SHA-256 of `parts`, such as a seed, a clip id and a purpose."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return random.Random(digest)  # noqa: S311  # reproducible on purpose, no secret


def derived_seed(*parts: str | int) -> int:
    """Return a random seed of 32 bits derived from `parts`, for libraries that need a number."""
    return generator(*parts).getrandbits(32)


class Draws:
    """Uniform random choices derived from one hash, faster than `random.Random`.

    Seeding a generator of the standard library takes longer than rendering a whole caption.

    Args:
        key: text from which all choices are derived; the same key gives the same choices.
    """

    __slots__ = ("_bits", "_key")

    def __init__(self, key: str) -> None:
        self._key = hashlib.blake2b(key.encode(errors="surrogatepass")).digest()
        self._bits = int.from_bytes(self._key)

    def below(self, count: int) -> int:
        """Return a random integer from 0 to `count - 1`."""
        if self._bits < _LEAST:
            self._key = hashlib.blake2b(self._key).digest()
            self._bits = int.from_bytes(self._key)
        self._bits, chosen = divmod(self._bits, count)
        return chosen

    def choose(self, options: Sequence[T]) -> T:
        """Return a random one of the options."""
        return options[self.below(len(options))]

    def shuffle(self, things: MutableSequence[T]) -> None:
        """Shuffle a list in place."""
        for last in range(len(things) - 1, 0, -1):
            other = self.below(last + 1)
            things[last], things[other] = things[other], things[last]
