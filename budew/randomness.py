"""Reproducible randomness: derived from its purpose, never from order, workers, time or a global seed."""

import hashlib
import random
from collections.abc import MutableSequence, Sequence
from typing import TypeVar

T = TypeVar("T")

_LEAST = 1 << 64
"""With fewer digits left, the choices would no longer be uniform."""


def generator(*parts: str | int) -> random.Random:
    """Return a generator seeded by SHA-256 of `parts`, such as a seed, the id of a clip and a purpose."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return random.Random(digest)  # noqa: S311  # reproducible on purpose, no secret


def derived_seed(*parts: str | int) -> int:
    """Return 32 bits made of `parts`, for what takes a number."""
    return generator(*parts).getrandbits(32)


class Draws:
    """Uniform random draws, made of the digits of one hash.

    Seeding a generator of the standard library takes longer than rendering a whole caption.

    Args:
        key: decides all of them.
    """

    __slots__ = ("_bits", "_key")

    def __init__(self, key: str) -> None:
        self._key = hashlib.blake2b(key.encode(errors="surrogatepass")).digest()
        self._bits = int.from_bytes(self._key)

    def below(self, count: int) -> int:
        """Return a number from 0 to before `count`."""
        if self._bits < _LEAST:
            self._key = hashlib.blake2b(self._key).digest()
            self._bits = int.from_bytes(self._key)
        self._bits, chosen = divmod(self._bits, count)
        return chosen

    def choose(self, options: Sequence[T]) -> T:
        """Return one of the options."""
        return options[self.below(len(options))]

    def shuffle(self, things: MutableSequence[T]) -> None:
        """Put things in any order, in place."""
        for last in range(len(things) - 1, 0, -1):
            other = self.below(last + 1)
            things[last], things[other] = things[other], things[last]
