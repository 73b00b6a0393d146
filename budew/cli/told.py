"""Errors that a command tells and goes on after, counted for its exit status."""

from dataclasses import dataclass, field
from typing import Self

from budew.corpora.errors import LackError
from budew.terminal import say_error

NAMED = 5
"""Clips of which many lack the same that are named."""


@dataclass(slots=True)
class Told:
    """Called with an error, prints it on stderr."""

    count: int = 0

    def __call__(self, error: Exception) -> None:
        """Tell one error."""
        say_error(error)
        self.count += 1

    @property
    def status(self) -> int:
        """Exit status: 1 after an error."""
        return int(self.count > 0)


@dataclass(slots=True)
class ToldTogether(Told):
    """As a context, keeps what many clips lack to its end, and then tells it on one line for all of them."""

    lacks: dict[tuple[str, str], int] = field(default_factory=dict)
    first: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def __call__(self, error: Exception) -> None:
        """Tell one error, or count it with those like it."""
        if not isinstance(error, LackError):
            Told.__call__(self, error)
            return
        self.count += 1
        kind = error.lack, error.remedy
        self.lacks[kind] = self.lacks.get(kind, 0) + 1
        if self.lacks[kind] <= NAMED:
            self.first.setdefault(kind, []).append(error.clip)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for (lack, remedy), count in self.lacks.items():
            named = ", ".join(self.first[lack, remedy]) + ", …" * (count > NAMED)
            say_error(f"{count:,} clip{'s have' if count > 1 else ' has'} {lack} ({named}): {remedy}")
