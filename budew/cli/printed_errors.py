"""Errors that a command prints and continues after, counted for its exit status."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Self

from budew.terminal import say_error

NAMED = 5
"""Clips with the same error that are named."""
_OF_A_CLIP = re.compile(r"clip '(?P<clip>[^']*)': has (?P<lack>.*): (?P<remedy>[^:]*)", re.DOTALL)


@dataclass(slots=True)
class PrintedErrors:
    """Called with an error, prints it on stderr."""

    count: int = 0

    def __call__(self, error: Exception) -> None:
        """Print one error."""
        say_error(error)
        self.count += 1

    @property
    def status(self) -> int:
        """Exit status: 1 after an error."""
        return int(self.count > 0)


@dataclass(slots=True)
class GroupedErrors(PrintedErrors):
    """As a context, prints errors that many clips share ("has no transcript") as one line at its end."""

    same: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __call__(self, error: Exception) -> None:
        """Print one error, or count it with those like it."""
        found = _OF_A_CLIP.fullmatch(str(error))
        if found is None:
            PrintedErrors.__call__(self, error)
            return
        self.count += 1
        kind = found["lack"], found["remedy"]
        self.counts[kind] += 1
        if self.counts[kind] <= NAMED:
            self.same.setdefault(kind, []).append(found["clip"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for (lack, remedy), count in self.counts.items():
            named = ", ".join(self.same[lack, remedy]) + ", …" * (count > NAMED)
            say_error(f"{count:,} clip{'s have' if count > 1 else ' has'} {lack} ({named}): {remedy}")
