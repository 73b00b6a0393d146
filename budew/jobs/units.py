"""Units of work: a source divided into parts that each become one output shard.

A unit is one input shard, a range of rows of a manifest or table, a group of loose files, or a range of clip
numbers for a job without input. The division depends only on the source, so all machines compute the same
units.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from budew.corpora.clip import Clip
from budew.corpora.csv_tables import DELIMITED
from budew.corpora.folders import divide_folder, read_folder
from budew.corpora.manifests import allowed_root, named_audio
from budew.corpora.media import AUDIO, Media
from budew.corpora.named.label_tables import TableFiles
from budew.corpora.named.named_folder import NamedFolder, NamedPart, NamedRows, divide_named, read_named
from budew.corpora.reading import Part, ReadOptions, Rows, Span
from budew.corpora.sources import Entry, divide_file, matches, read_one
from budew.errors import CorpusError, InputError, OnBad
from budew.io.addresses import is_address, without_secrets
from budew.jobs.job import NumberedJob

CLIPS_PER_SHARD = 500
"""Default number of loose files, or rows of a manifest or table, in one unit."""
MAX_CLIPS = 100_000_000
"""Largest number of clips of a job without input: at 2.5 s a clip, 70,000 hours."""
_DOUBLE_SUFFIX = ".tar.gz"
_UNSAFE = re.compile(r"[^\w.@+=-]+")


class InputState(NamedTuple):
    """Cheap change check of an input: `bytes`, its size (or the number of clips of a numbered unit), and
    `changed`, the newest modification time in ns.
    """

    bytes: int
    changed: int


@dataclass(frozen=True, slots=True)
class FileUnit:
    """A unit that is read from files or from a URL.

    Attributes:
        name: relative path of the output shard without its suffix, with `/` between parts.
        paths: one shard, manifest, table or URL; or loose audio files with their JSON and text files.
        folder: the folder that ids of loose files are relative to; None for everything else.
        part: range of the rows of a manifest or table; None for all rows.
        audio_root: further folder, besides its own, from which a manifest may name audio files; None for no
            other.
        media: kind of files that are clips: audio, or images.
        corpus: the known corpus that `folder` is read as; None for everything else.
        tables: for each label table of the known corpus, its files.
        rows: the known corpus whose rows the unit has; None for everything else.
    """

    name: str
    paths: tuple[Path | str, ...]
    folder: Path | None = None
    part: Part | None = None
    audio_root: Path | None = None
    media: Media = AUDIO
    corpus: NamedFolder | None = None
    tables: TableFiles = ()
    rows: NamedRows | None = None

    @property
    def label(self) -> str:
        """First path, and the number of further paths, for display."""
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{without_secrets(str(self.paths[0]))}{more}"

    @property
    def files(self) -> tuple[Path, ...]:
        """The paths that are on this machine, without URLs."""
        return tuple(path for path in self.paths if isinstance(path, Path))

    def read(self, on_bad: OnBad) -> Iterator[Clip]:
        """Read the clips of the unit; call `on_bad` for each bad item."""
        if self.rows is not None:
            return map(self.rows.completed, replace(self, rows=None).read(on_bad))
        options = ReadOptions(audio_root=self.audio_root, media=self.media, on_bad=on_bad)
        if self.corpus is not None:
            audio = tuple(path for path in self.files if self.media.owns(path))
            return read_named(self.corpus, options, part=NamedPart(audio, self.tables))
        if self.folder is not None:
            return read_folder(self.folder, options, files=self.files)
        return read_one(self.paths[0], options, part=self.part)

    def input_state(self) -> InputState:
        """Return size and newest modification time of the input and of the audio that a manifest names."""
        stats = [os.stat(path) for path in (*self.files, *self._label_files())]
        size = sum(stat.st_size for stat in stats)
        if isinstance(self.part, Span):
            size = (size if self.part.stop is None else self.part.stop) - self.part.start
        elif isinstance(self.part, Rows):
            size = size * (self.part.stop - self.part.start) // self.part.of
        audio = [os.stat(path) for path in self._named_audio() if os.path.isfile(path)]
        return InputState(
            size + sum(stat.st_size for stat in audio),
            max((stat.st_mtime_ns for stat in (*stats, *audio)), default=0),
        )

    def folders_changed(self) -> int:
        """Return the modification time in ns of the folders of loose files (newest); 0 for other inputs."""
        folders = {path.parent for path in self.files} if self.folder is not None else set()
        return max((os.stat(folder).st_mtime_ns for folder in folders), default=0)

    def digest(self) -> str:
        """Return the SHA-256 digest of the content of the input.

        It covers shards and tables, rows with the audio that they name, or loose files with their names. For
        a URL it is the digest of the URL itself, since nothing is downloaded twice.
        """
        digest = hashlib.sha256()
        for path in self.paths:
            if isinstance(path, str):
                digest.update(without_secrets(path).encode())
            elif isinstance(self.part, Span):
                digest.update(_table_rows(path, self.part))
            else:
                digest.update(_relative_name(self.folder, path) + _content(path))
        for path in self._named_audio():
            digest.update(_relative_name(Path(self.paths[0]).parent, path) + _content(path))
        for path in self._label_files():
            digest.update(_content(path))
        return digest.hexdigest()

    def _label_files(self) -> list[Path]:
        """Return the files besides the audio that decide the labels of a known corpus."""
        definition = self.corpus.definition if self.corpus else None
        return [*chain.from_iterable(self.tables), *([definition] if definition else [])]

    def _named_audio(self) -> list[Path]:
        if self.folder is not None or isinstance(self.part, Rows):
            return []
        return [named for path in self.files for named in named_audio(path, self.part, self.audio_root)]


@dataclass(frozen=True, slots=True)
class NumberedUnit:
    """A range of clip numbers, for a job without input clips, with the same methods as `FileUnit`."""

    name: str
    numbers: range
    id_of: Callable[[int], str]

    @property
    def label(self) -> str:
        """First and last number, for display."""
        return f"clips {self.numbers[0]} to {self.numbers[-1]}"

    def read(self, _on_bad: OnBad) -> Iterator[Clip]:
        """Yield a clip without audio for each number; its metadata have the `number`."""
        for number in self.numbers:
            yield Clip(self.id_of(number), b"", "", metadata={"number": number})

    def input_state(self) -> InputState:
        """Return the number of clips as the size, and 0 as the modification time."""
        return InputState(len(self.numbers), 0)

    def folders_changed(self) -> int:
        """Return 0, because no folder is read."""
        return 0

    def digest(self) -> str:
        """Return the SHA-256 digest of the ids."""
        return hashlib.sha256("\n".join(map(self.id_of, self.numbers)).encode()).hexdigest()


Unit = FileUnit | NumberedUnit
"""A part of the source that is done or not done as a whole. Workers get it pickled."""


def numbered_units(job: NumberedJob, numbers: range, clips_per_shard: int) -> tuple[NumberedUnit, ...]:
    """Divide clip numbers into units of `clips_per_shard` numbers.

    Raises:
        InputError: there are no clips, or more than `MAX_CLIPS`.
    """
    check_size(len(numbers), clips_per_shard)
    return tuple(
        NumberedUnit(f"{job.prefix}-{index:05d}", numbers[start : start + clips_per_shard], job.id_of)
        for index, start in enumerate(range(0, len(numbers), clips_per_shard))
    )


def check_size(clips: int, clips_per_shard: int) -> None:
    """Check the number of clips that a job without input is to make.

    Raises:
        InputError: there are no clips, or more than `MAX_CLIPS`.

    Example:
        >>> check_size(1_000_000, clips_per_shard=500)
    """
    if min(clips, clips_per_shard) < 1:
        raise InputError("a corpus and a shard need at least one clip: use 1 or more")
    if clips > MAX_CLIPS:
        raise InputError(f"{clips:,} clips are more than the {MAX_CLIPS:,} of one corpus: make several")


def file_units(
    source: str | Path, clips_per_shard: int = CLIPS_PER_SHARD, media: Media = AUDIO
) -> tuple[FileUnit, ...]:
    """Divide a source into units, in the order of their paths.

    Args:
        source: anything that `budew.read` takes.
        clips_per_shard: number of loose files, or rows of a manifest or table, in one unit.
        media: kind of files that are clips: audio, or images.

    Raises:
        CorpusError: there is no input, or two inputs would have the same output shard.
    """
    entries = matches(source, ReadOptions(media=media))
    plain = [entry.entry if isinstance(entry, NamedRows) else entry for entry in entries]
    files = [entry for entry in plain if isinstance(entry, Path) and not entry.is_dir()]
    root = Path(os.path.commonpath([path.parent.absolute() for path in files])) if files else Path()
    units = tuple(unit for entry in entries for unit in _units_of(entry, root, clips_per_shard, media))
    seen: dict[str, FileUnit] = {}
    for unit in units:
        other = seen.setdefault(unit.name.lower(), unit)
        if other is not unit:
            both = " and ".join(without_secrets(str(each.paths[0])) for each in (other, unit))
            raise CorpusError(f"{both} would have the same output, {unit.name}.tar: rename one of them")
    return units


def _units_of(entry: Entry, root: Path, clips_per_shard: int, media: Media) -> Iterator[FileUnit]:
    if isinstance(entry, NamedRows):
        yield from (
            replace(unit, rows=entry) for unit in _units_of(entry.entry, root, clips_per_shard, media)
        )
        return
    if isinstance(entry, NamedFolder):
        name = entry.folder.resolve().name or "clips"
        for number, some in enumerate(divide_named(entry, clips_per_shard)):
            paths = (*some.audio, *some.texts)
            yield FileUnit(f"{name}-{number:05d}", paths, entry.folder, corpus=entry, tables=some.tables)
        return
    if is_address(entry):
        scheme, _, rest = without_secrets(str(entry)).partition("://")
        end = rest if scheme == "hf" else str(PurePosixPath(PurePosixPath(rest).name).with_suffix(""))
        yield FileUnit(_UNSAFE.sub("-", end).strip(".-") or "_", (str(entry),), media=media)
        return
    path = Path(entry)
    if path.is_dir():
        name = path.resolve().name or "clips"
        for number, files in enumerate(divide_folder(path, clips_per_shard, media)):
            yield FileUnit(f"{name}-{number:05d}", files, path, media=media)
        return
    name = _without_suffix(PurePosixPath(path.absolute().relative_to(root).as_posix()))
    parts, audio_root = divide_file(path, clips_per_shard), allowed_root()
    if len(parts) > 1:
        for number, part in enumerate(parts):
            yield FileUnit(f"{name}-{number:05d}", (path,), part=part, audio_root=audio_root, media=media)
    else:
        yield FileUnit(name, (path,), audio_root=audio_root, media=media)


def _without_suffix(path: PurePosixPath) -> str:
    suffix = _DOUBLE_SUFFIX if path.name.lower().endswith(_DOUBLE_SUFFIX) else path.suffix
    return str(path.with_name(path.name[: len(path.name) - len(suffix)] or "_"))


def _table_rows(path: Path, span: Span) -> bytes:
    with path.open("rb") as file:
        names = file.readline() if span.start and path.suffix.lower() in DELIMITED else b""
        file.seek(span.start)
        return names + file.read(-1 if span.stop is None else span.stop - span.start)


def _relative_name(folder: Path | None, path: Path) -> bytes:
    if folder is None:
        return b""
    name = path.relative_to(folder) if path.is_relative_to(folder) else path
    return name.as_posix().encode("utf-8", "surrogateescape") + b"\0"


def _content(path: Path) -> bytes:
    if not os.path.isfile(path):  # False, too, if the name is too long or the folder cannot be read
        return b""  # a pipe or a device has no end
    found = path.stat()
    try:
        return _digest(path, found.st_size, found.st_mtime_ns)
    except OSError as error:
        return f"unreadable: {error.strerror}".encode()


@lru_cache(maxsize=4)  # all parts of a table need the digest of its file
def _digest(path: Path, size: int, changed: int) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
