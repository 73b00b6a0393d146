"""Files and folders that appear whole or not at all, and locks between processes.

A file grows under a hidden name beside its place, `.NAME.RANDOM.part`, and is renamed when it is complete.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from secrets import token_hex
from typing import IO, BinaryIO, TextIO

from budew.io.disk import is_stream, remedy_for, temporary_folder


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Yield a hidden path beside `path`; the file made there replaces that at `path`, but not after an error.

    Raises:
        OSError: it cannot be written; names `path`.

    Example:
        >>> target = Path("scores.bin")
        >>> with replaced_file(target) as part:
        ...     _ = part.write_bytes(b"complete")
        >>> target.read_bytes()
        b'complete'
    """
    unfinished = path.with_name(f".{path.name}.{token_hex(4)}.part")  # machines may share process ids
    try:
        yield unfinished
        unfinished.replace(path)
    except OSError as error:
        if error.filename == str(unfinished) or (error.filename is None and remedy_for(error)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        with suppress(OSError):  # it is gone, or could not be made
            unfinished.unlink()


def remove_parts(path: Path) -> None:
    """Remove what `replaced_file` of killed processes left beside a path; nobody may be writing the file."""
    for stale in path.parent.glob(f".{escape(path.name)}.*.part"):
        stale.unlink(missing_ok=True)


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """Open a file for writing text; it replaces what is at `path` when it is complete, not after an error.

    A link is followed. A pipe or a device, such as /dev/null, is written to directly. An unpaired surrogate,
    as JSON and file names may have, is written as its code (`\\udc80`).

    Raises:
        OSError: it cannot be written; names `path`.

    Example:
        >>> with whole_file(Path("captions.txt")) as file:
        ...     print("She laughs.", file=file)
        >>> Path("captions.txt").read_text()
        'She laughs.\\n'
    """
    if is_stream(path):
        with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
            yield file
        return
    target = Path(os.path.realpath(path))
    try:
        with (
            replaced_file(target) as part,
            part.open("w", encoding="utf-8", errors="backslashreplace") as file,
        ):
            yield file
    except OSError as error:
        if error.filename == str(target):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty hidden folder; it replaces the folder at `path` when it is complete, not after an error.

    Raises:
        OSError: it cannot be written.

    Example:
        >>> with whole_folder(Path("checkpoint")) as made:
        ...     _ = (made / "config.json").write_text("{}")
        >>> os.listdir("checkpoint")
        ['config.json']
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(path.parent) as place:
        made = place / path.name
        made.mkdir()
        yield made
        if path.exists():
            path.rename(place / "replaced")
        made.rename(path)


def flush(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk: they last through a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for appending bytes, while no other process has it open in this way: it is waited for."""
    with path.open("ab") as file:
        wait_for_lock(file)
        yield file


def wait_for_lock(file: IO[bytes]) -> None:
    """Lock an open file until it is closed, as soon as no other process holds it.

    Some file systems have no locks: nothing is waited for.
    """
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX)


@contextmanager
def claimed(path: Path, busy: Exception) -> Iterator[bool]:
    """Lock a file or folder that exists, or raise `busy` if another process has done so.

    Yields:
        Whether it is locked: some file systems have no locks.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        is_locked = True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise busy from error
        except OSError:
            is_locked = False
        yield is_locked
    finally:
        os.close(descriptor)
