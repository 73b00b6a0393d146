"""What the runner asks of a unit of work: its name, its clips, and whether what it is made from changed."""

from collections.abc import Iterator
from typing import Protocol

from budew.corpora.clip import Clip
from budew.corpora.errors import OnBad


class Unit(Protocol):
    """What is done or not done as a whole. It is pickled into workers."""

    @property
    def name(self) -> str:
        """Of its output without suffix, relative, with `/` between parts."""
        ...

    def read(self, on_bad: OnBad) -> Iterator[Clip]:
        """Read the clips of the unit; each bad item is told."""
        ...

    def size(self) -> int:
        """Return how much it is made from: bytes, so far as they are known without asking a server, or clips
        of a plan.
        """
        ...

    def changed(self) -> int:
        """Return when that was changed last, in nanoseconds by the clock of its file system; 0 for never."""
        ...

    def digest(self) -> str:
        """Return SHA-256 of what it is made from."""
        ...
