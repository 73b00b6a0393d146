"""Units of a job: what is done or not done as a whole, and becomes one output shard.

A unit is one input shard, so many rows of a manifest or table, so many loose files, or so many clip numbers
of a job without input. The division is a function of the source alone, so every machine computes the same.
"""

import hashlib
import os
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, groupby
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from typing import NamedTuple

from budew.addresses import is_address, shown
from budew.corpora.clip import Clip
from budew.corpora.delimited import DELIMITED
from budew.corpora.folders import list_files, lonely_json, read_files
from budew.corpora.manifests import allowed_root, named_audio
from budew.corpora.media import AUDIO, Media
from budew.corpora.named.label_tables import Files, tables_near
from budew.corpora.named.named_folder import NamedFolder, find_clips, left_out_warning, read_named, text_files
from budew.corpora.shards import read_shard
from budew.corpora.sources import Entry, divide, matches, read_one
from budew.corpora.text_files import Part, Rows, Span
from budew.errors import BudewWarning, CorpusError, InputError, OnBad
from budew.jobs.job import NumberedJob
from budew.jobs.notes import output_note, shard_path

CLIPS_PER_SHARD = 500
"""Loose files, or rows of a manifest or table, of one unit."""
MAX_CLIPS = 100_000_000
"""Of a job without input; at 2.5 s each, 70,000 hours."""
MAX_SHARDS = 1_000_000
"""Of a job without input; all units are in memory, 240 bytes each."""
_DOUBLE_SUFFIX = ".tar.gz"
_ODD = re.compile(r"[^\w.@+=-]+")


class State(NamedTuple):
    """Cheap change check of an input.

    Attributes:
        bytes: size, as far as it is known without asking a server; of a range of numbers its length.
        changed: newest modification time in ns, 0 where there is none.
    """

    bytes: int
    changed: int


@dataclass(frozen=True, slots=True)
class FileUnit:
    """A unit that is read from files or from an address.

    Attributes:
        name: of the output, without suffix, relative, with `/` between parts.
        paths: one shard, manifest, table or address, or loose audio files with their JSON and text.
        folder: of loose files, to which their ids are relative; None for all else.
        part: rows of a manifest or table; None for all of it.
        audio_root: folder whose audio a manifest may name, too.
        media: what is read.
        corpus: the known corpus that the folder is read as; None for all else.
        tables: the files of its tables.
    """

    name: str
    paths: tuple[Path | str, ...]
    folder: Path | None = None
    part: Part | None = None
    audio_root: Path | None = None
    media: Media = AUDIO
    corpus: NamedFolder | None = None
    tables: Files = ()

    @property
    def label(self) -> str:
        """Return what is read, for display: the path, and how many more there are."""
        more = f" and {len(self.paths) - 1} more" if len(self.paths) > 1 else ""
        return f"{shown(str(self.paths[0]))}{more}"

    @property
    def files(self) -> tuple[Path, ...]:
        """Return the paths on this machine."""
        return tuple(path for path in self.paths if isinstance(path, Path))

    def read(self, on_bad: OnBad) -> Iterator[Clip]:
        """Read the clips of the unit; call `on_bad` for each bad item."""
        if self.corpus is not None:
            audio = [path for path in self.files if self.media.owns(path)]
            return read_named(self.corpus, audio, self.tables, on_bad)
        if self.folder is not None:
            return _read_loose(self.files, self.folder, self.media, on_bad)
        root, media = self.audio_root, self.media
        return read_one(self.paths[0], on_bad, part=self.part, audio_root=root, media=media)

    def state(self) -> State:
        """Return size and modification time of the input, with the audio that a manifest names."""
        own = [os.stat(path) for path in (*self.files, *self._definition())]
        size = sum(found.st_size for found in own)
        if isinstance(self.part, Span):
            size = (size if self.part.stop is None else self.part.stop) - self.part.start
        elif isinstance(self.part, Rows):
            size = size * (self.part.stop - self.part.start) // self.part.of
        audio = [found for path in self._named_audio() if (found := _stat(path)) is not None]
        return State(
            size + sum(found.st_size for found in audio),
            max((found.st_mtime_ns for found in (*own, *audio)), default=0),
        )

    def digest(self) -> str:
        """Return the SHA-256 of a file, of rows with the audio that they name, or of loose files with names.

        Of an address it is that of the address: nothing is downloaded twice.
        """
        digest = hashlib.sha256()
        for path in self.paths:
            if isinstance(path, str):
                digest.update(shown(path).encode())
            elif isinstance(self.part, Span):
                digest.update(_lines_of(path, self.part))
            else:
                digest.update(_name_below(self.folder, path) + _content(path))
        for path in self._named_audio():
            digest.update(_name_below(Path(self.paths[0]).parent, path) + _content(path))
        for path in self._definition():
            digest.update(_content(path))
        return digest.hexdigest()

    def absolute(self) -> "FileUnit":
        """Return the same unit with absolute paths, for another process."""
        paths = tuple(path if isinstance(path, str) else path.absolute() for path in self.paths)
        corpus = self.corpus and self.corpus.absolute()
        tables = tuple(tuple(path.absolute() for path in some) for some in self.tables)
        folder = self.folder and self.folder.absolute()
        return replace(self, paths=paths, folder=folder, corpus=corpus, tables=tables)

    def _definition(self) -> list[Path]:
        """Return the files besides the audio that decide the labels of a known corpus."""
        own = self.corpus.definition if self.corpus else None
        return [*chain.from_iterable(self.tables), *([own] if own else [])]

    def _named_audio(self) -> list[Path]:
        if self.folder is not None or isinstance(self.part, Rows):
            return []
        return [named for path in self.files for named in named_audio(path, self.part, self.audio_root)]


@dataclass(frozen=True, slots=True)
class NumberedUnit:
    """A unit of clip numbers, for a job without input clips; its methods are those of `FileUnit`.

    Clips that an earlier run left in the output shard are read from there, so that a job makes, and pays for,
    only those that are missing.

    Attributes:
        name: of the output.
        numbers: of the clips.
        id_of: returns the id of a clip.
        out: folder of the output.
    """

    name: str
    numbers: range
    id_of: Callable[[int], str]
    out: Path

    @property
    def label(self) -> str:
        """Return the first and last number."""
        return f"clips {self.numbers[0]} to {self.numbers[-1]}"

    def read(self, on_bad: OnBad) -> Iterator[Clip]:
        """Give the clips that are there, and one without audio for each that is missing."""
        note = output_note(self.out, self)
        made = read_shard(shard_path(self.out, self)) if note and note.clips else ()
        done = {clip.id: clip for clip in made}
        for number in self.numbers:
            id = self.id_of(number)
            yield done.get(id) or Clip(id, b"", "", metadata={"number": number})

    def state(self) -> State:
        """Return how many clips there are."""
        return State(len(self.numbers), 0)

    def digest(self) -> str:
        """Return the SHA-256 of the ids."""
        return hashlib.sha256("\n".join(map(self.id_of, self.numbers)).encode()).hexdigest()

    def absolute(self) -> "NumberedUnit":
        """Return the same unit with an absolute output folder."""
        return replace(self, out=self.out.absolute())


Unit = FileUnit | NumberedUnit
"""What is done or not done as a whole. It is pickled into workers."""


def numbered_units(
    job: NumberedJob, numbers: range, out: Path, clips_per_shard: int
) -> tuple[NumberedUnit, ...]:
    """Divide clip numbers into units. Errors are those of `check_size`."""
    check_size(len(numbers), clips_per_shard)
    return tuple(
        NumberedUnit(f"{job.prefix}-{index:05d}", numbers[start : start + clips_per_shard], job.id_of, out)
        for index, start in enumerate(range(0, len(numbers), clips_per_shard))
    )


def check_size(clips: int, clips_per_shard: int) -> None:
    """Check that a job without input can make so many clips in shards of this size.

    Raises:
        InputError: no clip, or more clips or shards than `MAX_CLIPS` and `MAX_SHARDS`.
    """
    if min(clips, clips_per_shard) < 1:
        raise InputError("a corpus and a shard need at least one clip: use 1 or more")
    if clips > MAX_CLIPS:
        raise InputError(f"{clips:,} clips are more than the {MAX_CLIPS:,} of one corpus: make several")
    if (shards := -(-clips // clips_per_shard)) > MAX_SHARDS:
        raise InputError(f"{shards:,} shards are more than {MAX_SHARDS:,}: make larger shards")


def file_units(
    source: str | Path, clips_per_shard: int = CLIPS_PER_SHARD, media: Media = AUDIO
) -> tuple[FileUnit, ...]:
    """Divide a source into units, in the order of their paths.

    Args:
        source: anything that `budew.read` takes.
        clips_per_shard: loose files, or rows of a manifest or table, of one unit.
        media: what is read.

    Raises:
        CorpusError: nothing is there, or two inputs would have one output.
    """
    entries = matches(source, media)
    files = [entry for entry in entries if isinstance(entry, Path) and not entry.is_dir()]
    root = Path(os.path.commonpath([path.parent.absolute() for path in files])) if files else Path()
    units = tuple(unit for entry in entries for unit in _units(entry, root, clips_per_shard, media))
    seen: dict[str, FileUnit] = {}
    for unit in units:
        if (other := seen.setdefault(unit.name.lower(), unit)) is not unit:
            both = " and ".join(shown(str(each.paths[0])) for each in (other, unit))
            raise CorpusError(f"{both} would have the same output, {unit.name}.tar: rename one of them")
    return units


def _units(entry: Entry, root: Path, clips_per_shard: int, media: Media) -> Iterator[FileUnit]:
    if isinstance(entry, NamedFolder):
        yield from _of_corpus(entry, clips_per_shard)
        return
    if is_address(entry):
        yield FileUnit(_name_of_address(str(entry)), (str(entry),), media=media)
        return
    path = Path(entry)
    if path.is_dir():
        yield from _of_loose_files(path, clips_per_shard, media)
        return
    name = _name(PurePosixPath(path.absolute().relative_to(root).as_posix()))
    parts, audio_root = divide(path, clips_per_shard), allowed_root()
    if len(parts) > 1:
        for number, part in enumerate(parts):
            yield FileUnit(f"{name}-{number:05d}", (path,), part=part, audio_root=audio_root, media=media)
    else:
        yield FileUnit(name, (path,), audio_root=audio_root, media=media)


def _of_loose_files(folder: Path, clips_per_shard: int, media: Media) -> Iterator[FileUnit]:
    """Divide the files of a folder with their JSON and text, and JSON that lacks its file, by whole ids."""
    files = list_files(folder)
    audio = {path.with_suffix("") for path in files if media.owns(path)}
    wanted = [path for path in files if media.owns(path)] + lonely_json(files, media)
    wanted += [path for path in files if path.suffix in (".json", ".txt") and path.with_suffix("") in audio]
    wanted.sort(key=lambda path: (path.with_suffix("").as_posix(), path.suffix))
    clips = [tuple(clip) for _, clip in groupby(wanted, key=lambda path: path.with_suffix(""))]
    name = folder.resolve().name or "clips"
    for number, start in enumerate(range(0, len(clips), clips_per_shard)):
        paths = tuple(chain.from_iterable(clips[start : start + clips_per_shard]))
        yield FileUnit(f"{name}-{number:05d}", paths, folder, media=media)


def _of_corpus(place: NamedFolder, clips_per_shard: int) -> Iterator[FileUnit]:
    """Divide the audio of a known corpus, with the text beside it."""
    found = find_clips(place)
    fault = left_out_warning(place, found)
    if fault is not None:
        warnings.warn(BudewWarning(fault), stacklevel=2)
    audio, name = list(found.clips), place.folder.resolve().name or "clips"
    for number, start in enumerate(range(0, len(audio), clips_per_shard)):
        some = audio[start : start + clips_per_shard]
        texts = text_files(place.corpus, {path: found.clips[path] for path in some})
        tables = tables_near(found.tables, some)
        yield FileUnit(f"{name}-{number:05d}", (*some, *texts), place.folder, corpus=place, tables=tables)


def _read_loose(files: Sequence[Path], folder: Path, media: Media, on_bad: OnBad) -> Iterator[Clip]:
    audio = [path for path in files if media.owns(path)]
    named = {path.with_suffix("") for path in audio}
    for path in files:
        if path.with_suffix("") not in named:
            on_bad(CorpusError(f"{path}: has no {media.name} beside it: add it, or remove the JSON"))
    described_by = _all_files(folder, media)
    yield from read_files(audio, folder=folder, described_by=described_by, media=media, on_bad=on_bad)


def _all_files(folder: Path, media: Media) -> Iterator[Path]:
    """List a folder when asked: a rating scale holds for the folder, not for a unit."""
    yield from filter(media.owns, list_files(folder))


def _name(path: PurePosixPath) -> str:
    """Return a path without its suffix."""
    suffix = _DOUBLE_SUFFIX if path.name.lower().endswith(_DOUBLE_SUFFIX) else path.suffix
    return str(path.with_name(path.name[: len(path.name) - len(suffix)] or "_"))


def _name_of_address(address: str) -> str:
    """Return the end of an address as a file name: `part-0` of `https://host/a/part-0.tar`."""
    scheme, _, rest = shown(address).partition("://")
    last = rest if scheme == "hf" else str(PurePosixPath(PurePosixPath(rest).name).with_suffix(""))
    return _ODD.sub("-", last).strip(".-") or "_"


def _stat(path: Path) -> os.stat_result | None:
    """Return the status of a file that a manifest names, None unless it is a plain file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found if S_ISREG(found.st_mode) else None


def _lines_of(path: Path, span: Span) -> bytes:
    with path.open("rb") as file:
        names = file.readline() if span.start and path.suffix.lower() in DELIMITED else b""
        file.seek(span.start)
        return names + file.read(-1 if span.stop is None else span.stop - span.start)


def _name_below(folder: Path | None, path: Path) -> bytes:
    if folder is None:
        return b""
    name = path.relative_to(folder) if path.is_relative_to(folder) else path
    return name.as_posix().encode("utf-8", "surrogateescape") + b"\0"


def _content(path: Path) -> bytes:
    if not path.is_file():
        return b""  # a pipe or a device has no end
    found = path.stat()
    try:
        return _digest(path, found.st_size, found.st_mtime_ns)
    except OSError as error:
        return f"unreadable: {error.strerror}".encode()


@lru_cache(maxsize=4)  # the parts of a table share its digest
def _digest(path: Path, size: int, changed: int) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
