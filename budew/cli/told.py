"""Errors that a command tells and goes on after, counted for its exit status."""

from dataclasses import dataclass

from budew.terminal import say_error


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
