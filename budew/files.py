"""Files and folders: written whole or not at all, disks that refuse, fingerprints, temporary folders."""

import errno
import fcntl
import hashlib
import os
import shutil
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from types import FrameType
from typing import BinaryIO, TextIO

from budew.errors import JobError, remedy_for


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """Open a file for writing text; it replaces what is at `path` when it is complete, not after an error.

    A link is followed. What is no plain file, such as a pipe or /dev/null, is written to as it is. A lone
    surrogate, as JSON and file names may have, is written as its code (`\\udc80`).

    Raises:
        OSError: it cannot be written; names `path`.
    """
    if _is_stream(path):
        with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
            yield file
        return
    target = Path(os.path.realpath(path))
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with unfinished.open("w", encoding="utf-8", errors="backslashreplace") as file:
            yield file
        unfinished.replace(target)
    except OSError as error:
        if error.filename == str(unfinished) or (error.filename is None and remedy_for(error)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        with suppress(OSError):  # it is gone, or could not be made
            unfinished.unlink()


@contextmanager
def locked_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for appending bytes, while no other process has it open in this way: it is waited for.

    Where the file system has no locks, nothing is waited for.
    """
    with path.open("ab") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def check_writable(path: Path) -> None:
    """Raise at once what `whole_file` would raise after the work. Leaves nothing, makes no folder.

    Raises:
        OSError: the file, or its folder, cannot be written to; names which.
    """
    if path.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    place = Path(os.path.realpath(path)).parent
    while not place.exists():
        place = place.parent
    try:
        if not _is_stream(path):
            TemporaryFile(dir=place).close()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _is_stream(path: Path) -> bool:
    """Return whether it exists and is no plain file; a pipe has no real path to ask for."""
    return path.exists() and not path.is_file()


@contextmanager
def disk_errors(out: Path) -> Iterator[None]:
    """Turn errors of the disk into a `JobError` with the remedy and the path: `out`, unless it names another.

    Raises:
        JobError: the disk is full, over a quota or read-only, or the file too large for a limit.
    """
    try:
        yield
    except OSError as error:
        remedy = remedy_for(error)
        if remedy is None:
            raise
        fault = f"{place_of(error, out)}: {error.strerror}: {remedy}"
        raise JobError(f"{fault}, and run the job again to continue") from error


def check_space(folder: Path, size: int, content: str) -> None:
    """Raise before the work what a full disk would raise after hours.

    Raises:
        JobError: fewer than `size` bytes are free in the folder, which exists.
    """
    free = shutil.disk_usage(folder).free
    if size > free:
        fault = f"{content} take {size / 1e9:,.1f} GB of disk, and {free / 1e9:,.1f} GB are free"
        raise JobError(f"{folder}: {fault}: free some, or write to another disk")


def place_of(error: OSError, out: Path) -> Path:
    """Return the place of the error: `out`, also for a temporary name in it, or a place outside."""
    if not isinstance(error.filename, str | bytes):
        return out
    named = Path(os.fsdecode(error.filename))
    return out if named.resolve().is_relative_to(out.resolve()) else named


BLOCK = 64 * 2**10
BLOCKS = 64
"""Read of each file at even distances, its end among them: in a `.pth` that is the list of checksums."""


def fingerprint(files: Iterable[Path]) -> str:
    """Return 16 digits made of the names, the sizes and `BLOCKS` blocks of the files, in their order.

    A file of 4 MB or less is read whole.

    Raises:
        OSError: one cannot be read.
    """
    made = hashlib.sha256()
    for path in files:
        size = path.stat().st_size
        made.update(f"{path.name}/{size}/".encode(errors="surrogateescape"))
        with path.open("rb") as file:
            for number in range(BLOCKS):
                file.seek(max(size - BLOCK, 0) * number // (BLOCKS - 1), os.SEEK_SET)
                made.update(file.read(BLOCK))
    return made.hexdigest()[:16]


def user_cache() -> Path:
    """Return the folder in which this package keeps what can be made again, for this user."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "budew"


_there: dict[str, int] = {}
"""Folders with the process that made each: a forked process inherits them without owning them."""


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Give an empty folder, which is removed after use, by SIGTERM, and by `remove_all`; not by SIGKILL.

    It is where the system has such folders, or a hidden one in `parent`.
    """
    with TemporaryDirectory(prefix=".budew-" if parent else "budew-", dir=parent) as folder:
        _there[folder] = os.getpid()
        _on_termination(signal.SIG_DFL, _end)
        try:
            yield Path(folder)
        finally:
            del _there[folder]
            if not _there:
                _on_termination(_end, signal.SIG_DFL)


def remove_all() -> None:
    """Remove all temporary folders of this process, before it ends abruptly."""
    for folder, process in list(_there.items()):
        if process == os.getpid():
            shutil.rmtree(folder, ignore_errors=True)


def _on_termination(now: object, then: object) -> None:
    """Replace the handler of SIGTERM, unless another one is set. Only the main thread may."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is now:
        signal.signal(signal.SIGTERM, then)  # type: ignore[arg-type]


def _end(number: int, frame: FrameType | None) -> None:
    remove_all()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
