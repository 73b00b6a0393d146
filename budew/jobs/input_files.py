"""What lies behind a unit of a source: its size, when it changed last, and its digest.

The audio that the lines of a manifest name belongs to it: a recording that is replaced makes another unit.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

from budew.addresses import shown
from budew.corpora.manifest import Span
from budew.jobs.unit import State


@dataclass(frozen=True, slots=True)
class InputFiles:
    """Files and addresses of a unit, and the audio that they name, which was looked up once.

    Attributes:
        paths, folder, span: of the unit.
        named: audio that the lines of a manifest name.
    """

    paths: tuple[Path | str, ...]
    folder: Path | None
    span: Span | None
    named: tuple[Path, ...]

    def state(self) -> State:
        """Return the bytes of the input and when it was changed last. Asks no server."""
        own = [os.stat(path) for path in self.paths if isinstance(path, Path)]
        sizes = [found.st_size for found in own]
        if self.span is not None:
            sizes = [(sizes[0] if self.span.stop is None else self.span.stop) - self.span.start]
        audio = [found for path in self.named if (found := _stat(path)) is not None]
        return State(
            sum(sizes) + sum(found.st_size for found in audio),
            max((found.st_mtime_ns for found in (*own, *audio)), default=0),
        )

    def digest(self) -> str:
        """Return SHA-256 of a shard, of the lines of a manifest and their audio, or of loose files.

        Files that are many count with their names. What lies behind an address is not read twice: its digest
        is that of the address.
        """
        digest = hashlib.sha256()
        for path in self.paths:
            if isinstance(path, str):
                digest.update(shown(path).encode())
            elif self.span is not None:
                digest.update(_lines_of(path, self.span))
            else:
                digest.update(_name_below(self.folder, path) + _content(path))
        for path in self.named:
            folder = Path(self.paths[0]).parent
            inside = path.resolve().is_relative_to(folder.resolve())  # a link may lead to anything
            digest.update(_name_below(folder, path) + (_content(path) if inside else b""))
        return digest.hexdigest()


def _stat(path: Path) -> os.stat_result | None:
    """Look at a file that a manifest names; None where it is no file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found if S_ISREG(found.st_mode) else None


def _lines_of(path: Path, span: Span) -> bytes:
    with path.open("rb") as file:
        file.seek(span.start)
        return file.read(-1 if span.stop is None else span.stop - span.start)


def _name_below(folder: Path | None, path: Path) -> bytes:
    if folder is None:
        return b""
    return path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape") + b"\0"


def _content(path: Path) -> bytes:
    if not path.is_file():
        return b""  # a pipe or a device has no end
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        return f"unreadable: {error.strerror}".encode()
