"""Output of the command line: results on stdout, errors and progress on stderr; complete result files.

A progress bar appears only if stderr is a terminal. Control characters in captions and in names of files and
clips are made visible, so that none of them controls the terminal.
"""

import errno
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, TypeVar

from budew.errors import BudewError, InputError
from budew.io.addresses import check_local
from budew.io.disk import check_writable, remedy_for
from budew.io.files import whole_file
from budew.io.strict_json import LARGEST
from budew.reports.formatting import visible, visible_name

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from budew.evaluation.pairs import Skipped

Parsed = TypeVar("Parsed")
FORESEEN = (BudewError, ValueError, OSError)
"""Errors whose messages are printed without a traceback, since they are written for users."""
Bar = Callable[..., None]
"""Function that advances a progress bar: called with the number of finished items and, if known, the number
of all items; `text` is shown beside it."""


def say_error(text: object) -> None:
    """Print one line `budew: …` on stderr."""
    print(f"budew: {' '.join(visible(str(text)).split())}", file=sys.stderr, flush=True)


@dataclass(slots=True)
class PrintedErrors:
    """Function object that prints errors on stderr and counts them."""

    count: int = 0

    def __call__(self, error: Exception) -> None:
        """Print one error."""
        say_error(error)
        self.count += 1

    @property
    def status(self) -> int:
        """Exit status: 1 after an error."""
        return int(self.count > 0)


def print_skipped(clips: "Sequence[Skipped]", *, most: int | None = None) -> int:
    """Print left-out clips, at most `most`, on stderr; return the exit status: 1 if there are any."""
    for clip in clips[:most]:
        say_error(f"left out: {clip.id}: {clip.reason}")
    if most is not None and len(clips) > most:
        say_error(f"left out: {len(clips) - most} more, see --json")
    return int(bool(clips))


def one_line_for(error: Exception) -> str:
    """Return an error as one line for the user; unexpected errors say how to print the traceback."""
    if isinstance(error, OSError) and error.strerror:
        named = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        remedy = "check its permissions" if error.errno == errno.EACCES else remedy_for(error)
        return f"{named}: {remedy}" if remedy else named
    if isinstance(error, FORESEEN):
        return str(error) or type(error).__name__
    reason = str(error).strip().partition("\n")[0]
    if isinstance(error, MemoryError) or "out of memory" in reason.lower():
        return f"out of memory{reason and f' ({reason})'}: use smaller files or batches, or another --device"
    return f"{type(error).__name__}{reason and f': {reason}'} (BUDEW_DEBUG=1 shows where: please report it)"


class _LogLines(logging.Handler):
    """Log handler that prints records on stderr: information as it is, warnings as `say_error` does."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a log record."""
        if record.levelno >= logging.WARNING:
            say_error(record.getMessage())
        else:
            print(visible(record.getMessage()), file=sys.stderr, flush=True)


def print_log_lines() -> None:
    """Print log records of the library on stderr, from the level INFO."""
    library = logging.getLogger("budew")
    library.setLevel(logging.INFO)
    library.handlers = [_LogLines()]
    library.propagate = False


def plain_warnings() -> None:
    """Print each warning as one line, without file and line number of the code."""

    def show(message: Warning | str, category: type[Warning], *_place: Any, **_more: Any) -> None:
        say_error(f"warning: {message}")

    warnings.showwarning = show


def tolerant_output() -> None:
    """Replace characters that the terminal cannot show, and closed standard streams by empty ones."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # print would write to stdout instead of a closed stderr
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # until the end
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def finish_output() -> None:
    """Flush stdout; if that fails, redirect it to nowhere, so that the interpreter does not fail at exit.

    Raises:
        OSError: stdout cannot be written.
        SystemExit: the process that reads stdout has ended; the status is 1.
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
    """Open a file for results, which is replaced when complete, or stdout for None and `-`."""
    if path is not None and not is_stdout(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            yield file
        return
    yield sys.stdout
    sys.stdout.flush()


@contextmanager
def stdout_free_for(*results: Path | None) -> Iterator[None]:
    """Print everything on stderr within this context if one of the results is written to stdout."""
    taken = any(path is not None and is_stdout(path) for path in results)
    with redirect_stdout(sys.stderr) if taken else nullcontext():
        yield


def is_stdout(path: Path) -> bool:
    """Return whether results for this path are written to stdout."""
    return str(path) in ("-", "/dev/stdout")  # replacing /dev/stdout as a file would lose other output


def refuse_to_replace(read: Iterable[Path | str | None], *written: Path | None) -> None:
    """Raise an error if a result would replace an input or another result, or cannot be written.

    Args:
        read: input files, which need not exist; "-" is stdin; None is ignored.
        written: result files; "-" is stdout; None is ignored.

    Raises:
        InputError: a result is an input file, also by another name or link, or two results are the same file.
        OSError: a file or folder cannot be written.
    """
    files = [path for path in written if path is not None]
    targets = ["-" if is_stdout(path) else os.path.realpath(path) for path in files]
    for path, target in zip(files, targets, strict=True):
        if targets.count(target) > 1:
            raise InputError(f"{path}: two outputs have the same file: choose a file for each")
    files = [path for path in files if not is_stdout(path)]
    for given in read if files else ():
        for path in files:
            if given is not None and _is_same(path, given):
                raise InputError(f"{path} is an input file: choose another file for the results")
    for path in files:
        check_local(path)
        check_writable(path)


def _is_same(path: Path, given: Path | str) -> bool:
    """Return whether two paths are the same file, existing or not."""
    if path.is_file():
        return os.path.isfile(given) and os.path.samefile(path, given)
    return path.name == os.path.basename(given) and os.path.realpath(path) == os.path.realpath(given)


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file, or stdin for `-`, for reading bytes."""
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    with path.open("rb") as file:
        yield file


def name_of(path: Path) -> str:
    """Return the name of a file for error messages: "stdin" for `-`."""
    return "stdin" if str(path) == "-" else str(path)


def parsed_file(path: Path, parse: Callable[[bytes], Parsed]) -> Parsed:
    """Return `parse` of the contents of a file, or of stdin for `-`; InputError with the name of the file."""
    with opened(path) as file:
        text = file.read(LARGEST + 1)
    try:
        return parse(text)
    except InputError as error:
        raise InputError(f"{name_of(path)}: {error}") from error


def console_on(file: TextIO) -> "Console":
    """Return a rich console that writes to a file, as wide as the terminal, or 120 columns without one."""
    from rich.console import Console  # 50 ms, and not every command needs it

    return Console(file=file, width=None if file.isatty() else 120)


def print_table(table: "RenderableType") -> None:
    """Print a table on stdout, with control characters made visible."""
    from rich.segment import Segments

    console = console_on(sys.stdout)
    laid_out = (
        part if part.control else part._replace(text=visible(part.text)) for part in console.render(table)
    )
    console.print(Segments(laid_out))


def as_json(value: object, *, indent: int | None = None) -> str:
    """Return a value as JSON, without NaN and infinity, and with letters beyond ASCII unescaped."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)


@contextmanager
def results(
    table: Mapping[str, Any], json: Path | None, html: Path | None = None, page: Callable[[], str] = str
) -> Iterator[None]:
    """Write results to files, then print the summary inside this context.

    The summary is printed on stderr if results are written to stdout.

    Args:
        table: results.
        json: file for the results as JSON; None writes none.
        html: file for a page; None writes none.
        page: returns the page as HTML.
    """
    if json is not None:
        with output(json) as file:
            print(as_json(table, indent=1), file=file)
    if html is not None:
        with output(html) as file:
            file.write(page())
    with stdout_free_for(json, html):
        yield
        if json is not None:
            print(f"JSON: {visible_name(json)}")
        if html is not None:
            print(f"page: {html.resolve().as_uri()}")


@contextmanager
def progress_bar(what: str, *, unit: str = "", shown: bool = True) -> Iterator[Bar]:
    """Show a progress bar with the remaining time on stderr; yield the function that advances it.

    Args:
        what: label of the bar.
        unit: unit of the counts, with the spaces around it.
        shown: whether to show the bar, if stderr is a terminal.
    """
    if not shown or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda done, total=None, text="": None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn(unit + "{task.fields[text]}"))
    console = console_on(sys.stderr)
    with Progress(
        *columns, TimeRemainingColumn(), console=console, transient=True, redirect_stdout=False
    ) as bar:
        task = bar.add_task(what, total=None, text="")
        yield lambda done, total=None, text="": bar.update(task, completed=done, total=total, text=text)
