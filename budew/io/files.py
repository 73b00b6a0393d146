"""Atomic writing of files and folders, and locks between processes.

A file is written under a hidden name in the same folder, `.NAME.RANDOM.part`, and renamed when it is
complete.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from secrets import token_hex
from typing import IO, Any, BinaryIO, TextIO

from budew.io.disk import is_stream, remedy_for, temporary_folder


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Context manager for writing a file atomically: yield a temporary path, whose file replaces `path`.

    After an error, `path` is unchanged and the temporary file is removed.

    Raises:
        OSError: the file cannot be written; the error names `path`.

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
        with suppress(OSError):  # the file was renamed, or could not be created
            unfinished.unlink()


def remove_parts(path: Path) -> None:
    """Remove temporary files that killed processes left beside `path`; nothing may be writing it now."""
    for stale in path.parent.glob(f".{escape(path.name)}.*.part"):
        stale.unlink(missing_ok=True)


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """Context manager for writing a text file atomically: `path` is replaced only if there was no error.

    A link is followed. A pipe or a device, such as /dev/null, is written to directly. An unpaired surrogate,
    as JSON and file names may have, is written as its code (`\\udc80`).

    Raises:
        OSError: the file cannot be written; the error names `path`.

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


def write_json(path: Path, value: Any) -> None:
    """Write a value atomically as indented JSON, into a folder that is made if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        print(json.dumps(value, indent=1, ensure_ascii=False), file=file)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Context manager for writing a folder atomically: yield an empty hidden folder, which replaces `path`.

    After an error, `path` is unchanged and the hidden folder is removed.

    Raises:
        OSError: the folder cannot be written.

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
    """Write a file, or the entries of a folder, from the cache of the system to the disk (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def locked_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for appending bytes with an exclusive lock; wait while another process has the lock."""
    with path.open("ab") as file:
        wait_for_lock(file)
        yield file


def wait_for_lock(file: IO[bytes]) -> None:
    """Lock an open file until it is closed; wait while another process has the lock.

    On file systems without locks this does nothing.
    """
    with suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX)


@contextmanager
def claimed(path: Path, busy: Exception) -> Iterator[bool]:
    """Context manager that locks an existing file or folder, without waiting.

    Args:
        path: file or folder to lock.
        busy: exception that is raised if another process has the lock.

    Yields:
        Whether `path` is locked; False on file systems without locks.
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
