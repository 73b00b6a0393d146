"""What the command line shows: results on stdout, and on stderr what went wrong and how far the work is.

A progress bar appears only where a person sees it, that is when stderr is a terminal.
"""

import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO

from budew.extras import MissingExtraError
from budew.whole_file import whole_file

if TYPE_CHECKING:
    from rich.console import Console

FORESEEN = (ValueError, OSError, MissingExtraError)
"""Kinds of errors whose message is a sentence for the user."""
Bar = Callable[[int, int | None], None]
"""Called with how many are done and how many there are, None where nobody knows."""


def say_error(text: object) -> None:
    """Print one line `budew: …` on stderr."""
    print(f"budew: {' '.join(str(text).split())}", file=sys.stderr, flush=True)


def one_line_for(error: Exception) -> str:
    """Return an error as the sentence that a user reads; of one that nobody foresaw, where to see more."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, FORESEEN) or type(error).__module__.partition(".")[0] == "budew":
        return str(error) or type(error).__name__
    reason = str(error).strip().partition("\n")[0]
    if isinstance(error, MemoryError) or "out of memory" in reason.lower():
        return f"out of memory{reason and f' ({reason})'}: use a smaller batch, or another --device"
    return f"{type(error).__name__}{reason and f': {reason}'} (BUDEW_DEBUG=1 shows where: please report it)"


def plain_warnings() -> None:
    """Show warnings as one line of their own, without the place in the code that gave them."""

    def show(message: Warning | str, category: type[Warning], *_place: Any, **_more: Any) -> None:
        say_error(f"warning: {message}")

    warnings.showwarning = show


def tolerant_output() -> None:
    """Let a terminal that knows no UTF-8 show a replacement instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


@contextmanager
def output(path: Path | None) -> Iterator[TextIO]:
    """Give where results go: a file that appears when it is complete, or stdout when there is none."""
    if path is not None and str(path) != "-":
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            yield file
        return
    yield _open_stream(sys.stdout, "stdout")
    sys.stdout.flush()


def _open_stream(stream: Any, name: str) -> Any:
    if stream is None:  # closed by whoever started the command
        raise OSError(f"{name} is closed: open it, or name a file")
    return stream


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Give a file for reading bytes, stdin for `-`."""
    if str(path) == "-":
        yield _open_stream(sys.stdin, "stdin").buffer
        return
    with path.open("rb") as file:
        yield file


def name_of(path: Path) -> str:
    """Return what errors call the file that `opened` gives."""
    return "stdin" if str(path) == "-" else str(path)


def console_on(file: TextIO) -> "Console":
    """Return a console of rich on a file: as wide as the terminal, or 120 columns where there is none."""
    from rich.console import Console  # 50 ms, and not every command needs it

    return Console(file=file, width=None if file.isatty() else 120)


def print_table(table: object) -> None:
    """Print something of rich on stdout."""
    console_on(sys.stdout).print(table)


def as_json(value: object, *, indent: int | None = None) -> str:
    """Return strict JSON with letters as they are."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)


@contextmanager
def progress_bar(what: str, *, shown: bool = True) -> Iterator[Bar]:
    """Show a bar with rate and time left while the work goes on; give the function that moves it."""
    if not shown or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda done, total: None
        return
    from rich.console import Console  # 50 ms, and only a bar needs it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
