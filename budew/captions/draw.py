"""Choices that a caption makes: the digits of one hash, so that profile and seed decide them.

A generator of the standard library takes longer to seed than the whole caption takes to write.
"""

from collections.abc import MutableSequence, Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_LEAST = 1 << 64
"""With less left, the choices would no longer be even."""


class Draw:
    """A sequence of even choices.

    Args:
        key: decides all of them.
    """

    __slots__ = ("_bits", "_key")

    def __init__(self, key: str) -> None:
        self._key = blake2b(key.encode(errors="surrogatepass")).digest()
        self._bits = int.from_bytes(self._key)

    def below(self, count: int) -> int:
        """Return a number from 0 to before `count`."""
        if self._bits < _LEAST:
            self._key = blake2b(self._key).digest()
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
