"""Disk errors and their remedies, free space, fingerprints of files, the user's cache, temporary folders."""

import errno
import hashlib
import os
import shutil
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from types import FrameType

from budew.errors import JobError

_REMEDIES = {
    errno.ENOSPC: "free some space there",
    errno.EDQUOT: "free some space there, or ask for a larger quota",
    errno.EROFS: "choose a folder that can be written to",
    errno.EFBIG: "allow larger files (ulimit -f), or make smaller ones",
}


def remedy_for(error: BaseException) -> str | None:
    """Return a sentence with the remedy for a disk error (full, quota, read-only); None for other errors."""
    return _REMEDIES.get(error.errno or 0) if isinstance(error, OSError) else None


@contextmanager
def disk_errors(out: Path) -> Iterator[None]:
    """Context manager that turns disk errors into a `JobError` with the remedy and the path.

    Args:
        out: output folder of the job, named in the message unless the error has a path outside of it.

    Raises:
        JobError: the disk is full, over a quota or read-only, or the file is too large for a limit.
    """
    try:
        yield
    except OSError as error:
        remedy = remedy_for(error)
        if remedy is None:
            raise
        fault = f"{place_of(error, out)}: {error.strerror}: {remedy}"
        raise JobError(f"{fault}, and run the job again to continue") from error


def check_writable(path: Path) -> None:
    """Check, before the work, that `whole_file` will be able to write `path`. Nothing is created.

    Raises:
        OSError: the file or its folder cannot be written.
    """
    if path.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    place = Path(os.path.realpath(path)).parent
    while not place.exists():
        place = place.parent
    try:
        if not is_stream(path):
            TemporaryFile(dir=place).close()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def is_stream(path: Path) -> bool:
    """Return whether a path exists and is not a regular file, but a pipe, a device or a folder."""
    return path.exists() and not path.is_file()


def check_space(folder: Path, size: int, content: str) -> None:
    """Check, before the work, that there is enough free disk space.

    Args:
        folder: existing folder on the disk.
        size: bytes that will be written.
        content: what will be written, for the message.

    Raises:
        JobError: less than `size` bytes are free.
    """
    free = shutil.disk_usage(folder).free
    if size > free:
        fault = f"{content} take {size / 1e9:,.1f} GB of disk, and {free / 1e9:,.1f} GB are free"
        raise JobError(f"{folder}: {fault}: free some, or write to another disk")


def place_of(error: OSError, out: Path) -> Path:
    """Return the path to name in the message of an error: `out` if the error's path is inside it."""
    if not isinstance(error.filename, str | bytes):
        return out
    named = Path(os.fsdecode(error.filename))
    return out if named.resolve().is_relative_to(out.resolve()) else named


BLOCK = 64 * 2**10
BLOCKS = 64
"""Number of evenly spaced blocks that are hashed of each file; the last block is the end of the file, where a
`.pth` has its checksums."""


def fingerprint(files: Iterable[Path]) -> str:
    """Return a quick hash of files: 16 hexadecimal digits from the names, sizes and `BLOCKS` blocks of each.

    The order of the files matters. Files of at most 4 MB are hashed completely.

    Raises:
        OSError: a file cannot be read.

    Example:
        >>> _ = Path("weights.bin").write_bytes(b"123")
        >>> fingerprint([Path("weights.bin")])
        '7fb45ef8a1ec5d4d'
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
    """Return the cache folder of this package: `~/.cache/budew`, or `budew` in `XDG_CACHE_HOME`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "budew"


_folders: dict[str, int] = {}
"""Temporary folder to the id of the process that made it, as forked processes inherit these entries."""


@contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Context manager: create an empty folder, and remove it at the end, also when SIGTERM ends the process.

    Args:
        parent: folder in which a hidden folder is created; None: the system's folder for temporary files.
    """
    with TemporaryDirectory(prefix=".budew-" if parent else "budew-", dir=parent) as folder:
        _folders[folder] = os.getpid()
        _on_termination(signal.SIG_DFL, _end)
        try:
            yield Path(folder)
        finally:
            del _folders[folder]
            if not _folders:
                _on_termination(_end, signal.SIG_DFL)


def remove_temporary_folders() -> None:
    """Remove all temporary folders of this process, before it ends abruptly."""
    for folder, process in list(_folders.items()):
        if process == os.getpid():
            shutil.rmtree(folder, ignore_errors=True)


def _on_termination(now: object, then: object) -> None:
    """Replace the handler of SIGTERM, unless the program has set its own. Works in the main thread only."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is now:
        signal.signal(signal.SIGTERM, then)  # type: ignore[arg-type]


def _end(number: int, frame: FrameType | None) -> None:
    remove_temporary_folders()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
