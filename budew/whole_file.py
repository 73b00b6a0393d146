"""A text file that appears whole or not at all: what was there stays until the new one is complete."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import TextIO

from budew.disk import remedy_for


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """Open a file for writing text; it replaces what is at `path` when it is complete, not after an error.

    A link is followed. What is no plain file, such as a pipe or /dev/null, is written to as it is. Half a
    character, as JSON and file names may have, is written as its code (`\\udc80`).

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
        with suppress(OSError):  # none is there, and where none could be made the error is told
            unfinished.unlink()


def check_writable(path: Path) -> None:
    """Raise at once what `whole_file` would raise when the work is done. Leaves nothing, makes no folder.

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
        elif not os.access(path, os.W_OK):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _is_stream(path: Path) -> bool:
    """Tell what is there and no plain file; not by its real path, as that of a pipe is none."""
    return path.exists() and not path.is_file()
