"""What the command line shows: results on stdout, and on stderr what went wrong and how far the work is.

A progress bar appears only where a person sees it, that is when stderr is a terminal. Captions and names of
files and clips come from outside: what is shown of them is made `visible`, so that none is a command to the
terminal.
"""

import errno
import io
import json
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, TextIO

from budew.addresses import check_local
from budew.errors import MissingExtraError
from budew.files import check_writable, remedy_for, whole_file

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    from budew.jobs import Progress

FORESEEN = (ValueError, OSError, MissingExtraError)
"""Kinds of errors whose message is a sentence for the user, besides all that this package defines."""
Bar = Callable[[int, int | None], None]
"""Called with how many are done and how many there are, None where nobody knows."""

# Bidirectional overrides and isolates reorder the text behind them, and half a character is none.
_REPLACED = (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000))
_VISIBLE = {
    **dict.fromkeys(_REPLACED, "\ufffd"),
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: "\u2421",
}
"""Control characters as the pictures that Unicode has for them; each a single character."""


def visible(text: str) -> str:
    """Return a text of which no character is a command, the same one for any text that has none."""
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def visible_name(name: object) -> str:
    """Return the name of a file or folder as one line of which no character is a command."""
    return str(name).translate(_VISIBLE | {9: "\u2409", 10: "\u240a"})


def say_error(text: object) -> None:
    """Print one line `budew: …` on stderr, if somebody listens there."""
    if sys.stderr is not None:
        print(f"budew: {' '.join(visible(str(text)).split())}", file=sys.stderr, flush=True)


def one_line_for(error: Exception) -> str:
    """Return an error as the sentence that a user reads; of one that nobody foresaw, where to see more."""
    if isinstance(error, OSError) and error.strerror:
        named = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        remedy = "check its permissions" if error.errno == errno.EACCES else remedy_for(error)
        return f"{named}: {remedy}" if remedy else named
    if isinstance(error, FORESEEN) or type(error).__module__.partition(".")[0] == "budew":
        return str(error) or type(error).__name__
    reason = str(error).strip().partition("\n")[0]
    if isinstance(error, MemoryError):
        return f"out of memory{reason and f' ({reason})'}: give it smaller files, or use fewer at once"
    if "out of memory" in reason.lower():
        return f"out of memory ({reason}): use a smaller batch, or another --device"
    return f"{type(error).__name__}{reason and f': {reason}'} (BUDEW_DEBUG=1 shows where: please report it)"


def plain_warnings() -> None:
    """Show warnings as one line of their own, without the place in the code that gave them."""

    def show(message: Warning | str, category: type[Warning], *_place: Any, **_more: Any) -> None:
        say_error(f"warning: {message}")

    warnings.showwarning = show


class _Closed(io.TextIOBase):
    """What stands for a stdout that whoever started the command has closed: an error where it is used."""

    encoding = "utf-8"

    def write(self, text: str) -> NoReturn:
        raise OSError("stdout is closed: open it, or name a file")


def tolerant_output() -> None:
    """Let a terminal that knows no UTF-8 show a replacement instead of ending the command, and a stdout that
    is closed be told instead of losing the results.
    """
    if sys.stdout is None:
        sys.stdout = _Closed()
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def finish_output() -> None:
    """Write what stdout still holds. Where that fails nothing is left for the interpreter to fail at again.

    Raises:
        OSError: it cannot be written; names stdout.
        SystemExit: whoever read it has ended, with status 1.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        if error.errno == errno.EPIPE:
            sys.exit(1)
        raise OSError(error.errno, error.strerror, "stdout") from error


@contextmanager
def output(path: Path | None) -> Iterator[TextIO]:
    """Give where results go: a file that appears when it is complete, or stdout when there is none."""
    if path is not None and not _is_stdout(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            yield file
        return
    yield sys.stdout
    sys.stdout.flush()


def _is_stdout(path: Path) -> bool:
    return str(path) in ("-", "/dev/stdout")  # replaced as a file, the latter would lose what else is printed


def refuse_to_replace(read: Iterable[Path | str], *written: Path | None) -> None:
    """Raise where results cannot be written, would replace what they are made of, by the same name, another
    one or a link, or where two of them have one name.

    Args:
        read: what is read, or would be if it were there; `-` is stdin.
        written: where results go; None is nowhere, `-` stdout.

    Raises:
        ValueError: names the file.
        OSError: names the file or folder that cannot be written to.
    """
    files = [path for path in written if path is not None]
    targets = ["-" if _is_stdout(path) else os.path.realpath(path) for path in files]
    for path, target in zip(files, targets, strict=True):
        if targets.count(target) > 1:
            raise ValueError(f"{path}: two results would go here: name a file for each")
    files = [path for path in files if not _is_stdout(path)]
    for given in read if files else ():
        for path in files:
            if _is_same(path, given):
                raise ValueError(f"{path}: is what is read: name another file for the results")
    for path in files:
        check_local(path)
        check_writable(path)


def _is_same(path: Path, given: Path | str) -> bool:
    """Tell whether both are one file, or would be."""
    if path.is_file():
        return os.path.isfile(given) and os.path.samefile(path, given)
    return path.name == os.path.basename(given) and os.path.realpath(path) == os.path.realpath(given)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Give a file for reading bytes, stdin for `-`."""
    if str(path) == "-":
        if sys.stdin is None:  # closed by whoever started the command
            raise OSError("stdin is closed: open it, or name a file")
        yield sys.stdin.buffer
        return
    if path.is_dir():
        empty = " (as is no name at all)" if path == Path() else ""
        raise ValueError(f"{path}: is a folder{empty}: name a file, or - for stdin")
    with path.open("rb") as file:
        yield file


def name_of(path: Path) -> str:
    """Return what errors call the file that `opened` gives."""
    return "stdin" if str(path) == "-" else str(path)


def console_on(file: TextIO) -> "Console":
    """Return a console of rich on a file: as wide as the terminal, or 120 columns where there is none."""
    from rich.console import Console  # 50 ms, and not every command needs it

    return Console(file=file, width=None if file.isatty() else 120)


def print_table(table: "RenderableType") -> None:
    """Print something of rich on stdout, with all that it holds made visible."""
    console_on(sys.stdout).print(_Visible(table))


class _Visible:
    """Something of rich, after it is laid out and before it reaches the terminal."""

    def __init__(self, shown: "RenderableType") -> None:
        self._shown = shown

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> Iterator["Segment"]:
        for segment in console.render(self._shown, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


def as_json(value: object, *, indent: int | None = None) -> str:
    """Return strict JSON with letters as they are."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)


@contextmanager
def job_bar(
    what: str, more: Callable[["Progress"], str] = lambda at: ""
) -> Iterator[Callable[["Progress"], None]]:
    """Show how far a job is: shards, clips, clips a second, failures, its own counts, time left.

    Args:
        what: the job does.
        more: called now and then for what else there is to show.

    Yields:
        What moves the bar.
    """
    if not _is_watched():
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("shards  {task.fields[told]}"))
    with Bars(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        task, start = bar.add_task(what, total=None, told=""), time.monotonic()

        def move(at: "Progress") -> None:
            rate = at.clips / max(0.1, time.monotonic() - start)
            counts = {"failed": at.failed, **at.tally}
            told = [f"{at.clips:,} clips, {rate:,.1f}/s"]
            told += [f"{count:,} {name}" for name, count in counts.items() if count]
            bar.update(task, completed=at.units, total=at.of, told=", ".join(filter(None, [*told, more(at)])))

        yield move


def _is_watched() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def progress_bar(what: str, *, shown: bool = True) -> Iterator[Bar]:
    """Show a bar with rate and time left while the work goes on; give the function that moves it."""
    if not shown or not _is_watched():
        yield lambda done, total: None
        return
    from rich.console import Console  # 50 ms, and only a bar needs it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
