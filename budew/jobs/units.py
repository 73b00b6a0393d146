"""Units of work: one input shard each, or so many loose files, with the name that its output will have.

The plan is a function of what lies in the source, so every machine that looks at it makes the same one.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath

from budew.corpora.address import is_address, shown
from budew.corpora.clip import Clip
from budew.corpora.errors import CorpusError, OnBad
from budew.corpora.folder import list_files, lonely_json, read_files
from budew.corpora.formats import is_audio_name
from budew.corpora.manifest import Span, read_manifest, spans
from budew.corpora.sources import matches, read_one

CLIPS_PER_SHARD = 500
"""Loose files, or lines of a manifest, that make one unit."""
_DOUBLE_SUFFIX = ".tar.gz"
_MANIFESTS = (".jsonl", ".ndjson")
_ODD = re.compile(r"[^\w.@+=-]+")


@dataclass(frozen=True, slots=True)
class Unit:
    """What is done or not done as a whole.

    Attributes:
        name: of its output without suffix, relative, with `/` between parts.
        paths: one shard, manifest or address, or the loose audio files.
        folder: of loose files, to which their ids are relative; None for all else.
        span: of a manifest, the lines.
    """

    name: str
    paths: tuple[Path | str, ...]
    folder: Path | None = None
    span: Span | None = None

    def read(self, on_bad: OnBad) -> Iterator[Clip]:
        """Read the clips of the unit; each bad item is told."""
        if self.folder is not None:
            return _read_loose(self.files, self.folder, on_bad)
        if self.span is not None:
            return read_manifest(self.files[0], span=self.span, on_bad=on_bad)
        return read_one(self.paths[0], on_bad)

    @property
    def files(self) -> tuple[Path, ...]:
        """What of the input lies on this machine."""
        return tuple(path for path in self.paths if isinstance(path, Path))

    def size(self) -> int:
        """Return the bytes of the input, so far as they are known without asking a server."""
        if self.span is not None:
            end = os.stat(self.files[0]).st_size if self.span.stop is None else self.span.stop
            return end - self.span.start
        return sum(os.stat(path).st_size for path in self.files)

    def changed(self) -> int:
        """Return when the input was changed last, in nanoseconds by the clock of its file system."""
        return max((os.stat(path).st_mtime_ns for path in self.files), default=0)


def plan_units(source: str | Path, *, clips_per_shard: int = CLIPS_PER_SHARD) -> list[Unit]:
    """Cut a source into units, in the order of their paths.

    Args:
        source: anything that `budew.read` takes.
        clips_per_shard: loose files, or lines of a manifest, that make one unit.

    Raises:
        CorpusError: nothing is there, or two inputs would have one output.
    """
    entries = matches(source)
    files = [entry for entry in entries if isinstance(entry, Path) and not entry.is_dir()]
    root = Path(os.path.commonpath([path.parent.absolute() for path in files])) if files else Path()
    units = [unit for entry in entries for unit in _units(entry, root, clips_per_shard)]
    _check_names(units)
    return units


def _units(entry: Path | str, root: Path, clips_per_shard: int) -> Iterator[Unit]:
    if is_address(entry):
        yield Unit(_name_of_address(str(entry)), (str(entry),))
        return
    path = Path(entry)
    if path.is_dir():
        yield from _of_loose_files(path, clips_per_shard)
        return
    name = _name(PurePosixPath(path.absolute().relative_to(root).as_posix()))
    parts = spans(path, clips_per_shard) if path.suffix.lower() in _MANIFESTS else []
    if len(parts) > 1:
        yield from (Unit(f"{name}-{number:05d}", (path,), span=span) for number, span in enumerate(parts))
    else:
        yield Unit(name, (path,))


def _of_loose_files(folder: Path, most: int) -> Iterator[Unit]:
    name = folder.resolve().name or "clips"
    files = list_files(folder)
    files = [path for path in files if is_audio_name(path)] + list(lonely_json(files))
    groups = [list(group) for _, group in groupby(sorted(files), key=lambda path: path.with_suffix(""))]
    held: list[Path] = []
    number = 0
    for group in groups:  # files of one id stay together, so that the second is told
        if held and len(held) + len(group) > most:
            yield Unit(f"{name}-{number:05d}", tuple(held), folder)
            held, number = [], number + 1
        held += group
    if held:
        yield Unit(f"{name}-{number:05d}", tuple(held), folder)


def _read_loose(files: Sequence[Path], folder: Path, on_bad: OnBad) -> Iterator[Clip]:
    for lonely in (path for path in files if not is_audio_name(path)):
        on_bad(CorpusError(f"{lonely}: has no audio beside it: add it, or remove the JSON"))
    yield from read_files((path for path in files if is_audio_name(path)), folder=folder, on_bad=on_bad)


def _name(path: PurePosixPath) -> str:
    """Return a path without its suffix."""
    suffix = _DOUBLE_SUFFIX if path.name.lower().endswith(_DOUBLE_SUFFIX) else path.suffix
    return str(path.with_name(path.name.removesuffix(path.name[len(path.name) - len(suffix) :]) or "_"))


def _name_of_address(address: str) -> str:
    """Return what an address ends in, as a name of a file: `part-0` of `https://host/a/part-0.tar`."""
    scheme, _, rest = shown(address).partition("://")
    last = rest if scheme == "hf" else PurePosixPath(rest).name
    return (
        _ODD.sub("-", last if scheme == "hf" else str(PurePosixPath(last).with_suffix(""))).strip(".-") or "_"
    )


def _check_names(units: Sequence[Unit]) -> None:
    seen: dict[str, Unit] = {}
    for unit in units:
        other = seen.setdefault(unit.name.lower(), unit)
        if other is not unit:
            both = " and ".join(shown(str(each.paths[0])) for each in (other, unit))
            raise CorpusError(f"{both} would have the same output, {unit.name}.tar: rename one of them")
