"""Units of work: one input shard each, or so many loose files, with the name that its output will have.

The plan is a function of what lies in the source, so every machine that looks at it makes the same one.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath

from budew.corpora.clip import Clip
from budew.corpora.errors import CorpusError, OnBad
from budew.corpora.folder import list_files, read_files
from budew.corpora.formats import is_audio_name
from budew.corpora.sources import matches, read_one

CLIPS_PER_SHARD = 500
"""Loose files that make one unit."""
_SHARD_SUFFIXES = (".tar.gz", ".tgz", ".tar", ".parquet")


@dataclass(frozen=True, slots=True)
class Unit:
    """What is done or not done as a whole.

    Attributes:
        name: of its output without suffix, relative, with `/` between parts.
        paths: one shard or manifest, or the loose audio files.
        folder: of loose files, to which their ids are relative; None for a shard.
    """

    name: str
    paths: tuple[Path, ...]
    folder: Path | None = None

    def read(self, on_bad: OnBad) -> Iterator[Clip]:
        """Read the clips of the unit; each bad item is told."""
        if self.folder is not None:
            return read_files(self.paths, folder=self.folder, on_bad=on_bad)
        return read_one(self.paths[0], on_bad)

    def size(self) -> int:
        """Return the bytes of the input."""
        return sum(os.stat(path).st_size for path in self.paths)

    def changed(self) -> int:
        """Return when the input was changed last, in nanoseconds by the clock of its file system."""
        return max(os.stat(path).st_mtime_ns for path in self.paths)


def plan_units(source: str | Path, *, clips_per_shard: int = CLIPS_PER_SHARD) -> list[Unit]:
    """Cut a source into units, in the order of their names' paths.

    Args:
        source: anything that `budew.read` takes.
        clips_per_shard: loose files that make one unit.

    Raises:
        CorpusError: nothing is there, or two inputs would have one output.
    """
    entries = [entry for path in matches(source) for entry in _entries(path, clips_per_shard)]
    files = [entry for entry in entries if isinstance(entry, Path)]
    root = Path(os.path.commonpath([path.parent.absolute() for path in files])) if files else Path()
    units = [entry if isinstance(entry, Unit) else _unit(entry, root) for entry in entries]
    _check_names(units)
    return units


def _entries(path: Path, clips_per_shard: int) -> Iterator[Path | Unit]:
    """Give the shards of a folder, or its loose files by the hundreds; a file is what it is."""
    if not path.is_dir():
        yield path
        return
    files = list_files(path)
    shards = [file for file in files if file.name.lower().endswith(_SHARD_SUFFIXES)]
    loose = [file for file in files if is_audio_name(file)]
    if bool(shards) == bool(loose):
        read_one(path).__next__()  # tells what is wrong with such a folder
    yield from shards
    yield from _of_loose_files(loose, path, clips_per_shard)


def _of_loose_files(files: Sequence[Path], folder: Path, most: int) -> Iterator[Unit]:
    name = folder.resolve().name or "clips"
    groups = [list(group) for _, group in groupby(files, key=lambda path: path.with_suffix(""))]
    held: list[Path] = []
    number = 0
    for group in groups:  # files of one id stay together, so that the second is told
        if held and len(held) + len(group) > most:
            yield Unit(f"{name}-{number:05d}", tuple(held), folder)
            held, number = [], number + 1
        held += group
    if held:
        yield Unit(f"{name}-{number:05d}", tuple(held), folder)


def _unit(path: Path, root: Path) -> Unit:
    relative = PurePosixPath(path.absolute().relative_to(root).as_posix())
    lowered = relative.name.lower()
    suffix = next((suffix for suffix in _SHARD_SUFFIXES if lowered.endswith(suffix)), relative.suffix)
    return Unit(str(relative.with_name(relative.name[: len(relative.name) - len(suffix)] or "_")), (path,))


def _check_names(units: Sequence[Unit]) -> None:
    seen: dict[str, Unit] = {}
    for unit in units:
        other = seen.setdefault(unit.name.lower(), unit)
        if other is not unit:
            both = f"{other.paths[0]} and {unit.paths[0]}"
            raise CorpusError(f"{both} would have the same output, {unit.name}.tar: rename one of them")
