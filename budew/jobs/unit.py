"""What the runner asks of a unit of work: its name, its clips, and whether what it is made from changed."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from budew.corpora.clip import Clip
from budew.errors import OnBad


class State(NamedTuple):
    """What tells in a moment whether an input is still what it was.

    Attributes:
        bytes: of it, so far as they are known without asking a server; of a plan, clips.
        changed: when it was changed last, in nanoseconds by the clock of its file system; 0 for never.
    """

    bytes: int
    changed: int


class Input(Protocol):
    """What a unit is made from, at the time when it was asked for."""

    def state(self) -> State:
        """Return how it is now."""
        ...

    def digest(self) -> str:
        """Return its SHA-256."""
        ...


class Unit(Protocol):
    """What is done or not done as a whole. It is pickled into workers."""

    @property
    def name(self) -> str:
        """Of its output without suffix, relative, with `/` between parts."""
        ...

    def read(self, on_bad: OnBad) -> Iterator[Clip]:
        """Read the clips of the unit; each bad item is told."""
        ...

    def input(self) -> Input:
        """Look up what it is made from. May read a manifest: ask once, and keep the answer."""
        ...
