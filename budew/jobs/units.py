"""Units of a source: one input shard each, or so many loose files, with the name that its output will have.

The plan is a function of what lies in the source, so every machine that looks at it makes the same one.
"""

import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path, PurePosixPath

from budew.addresses import is_address, shown
from budew.audio.formats import is_audio_name
from budew.corpora.clip import Clip
from budew.corpora.folder import audio_files, list_files, lonely_json, read_files
from budew.corpora.manifest import Span, read_manifest, spans
from budew.corpora.named_audio import JSON_LINES, named_audio
from budew.corpora.sources import matches, read_one
from budew.errors import CorpusError, OnBad
from budew.jobs.input_files import InputFiles

CLIPS_PER_SHARD = 500
"""Loose files, or lines of a manifest, that make one unit."""
_DOUBLE_SUFFIX = ".tar.gz"
_ODD = re.compile(r"[^\w.@+=-]+")


@dataclass(frozen=True, slots=True)
class InputUnit:
    """A `Unit` that is read.

    Attributes:
        name: of its output without suffix, relative, with `/` between parts.
        paths: one shard, manifest or address, or loose audio files with their JSON.
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

    def input(self) -> InputFiles:
        """Look up what the unit is made from, and the audio that the lines of a manifest name."""
        files = () if self.folder is not None else self.files
        named = tuple(path for file in files for path in named_audio(file, self.span))
        return InputFiles(self.paths, self.folder, self.span, named)


def plan_units(source: str | Path, *, clips_per_shard: int = CLIPS_PER_SHARD) -> list[InputUnit]:
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


def _units(entry: Path | str, root: Path, clips_per_shard: int) -> Iterator[InputUnit]:
    if is_address(entry):
        yield InputUnit(_name_of_address(str(entry)), (str(entry),))
        return
    path = Path(entry)
    if path.is_dir():
        yield from _of_loose_files(path, clips_per_shard)
        return
    name = _name(PurePosixPath(path.absolute().relative_to(root).as_posix()))
    parts = spans(path, clips_per_shard) if path.suffix.lower() in JSON_LINES else []
    if len(parts) > 1:
        yield from (
            InputUnit(f"{name}-{number:05d}", (path,), span=span) for number, span in enumerate(parts)
        )
    else:
        yield InputUnit(name, (path,))


def _of_loose_files(folder: Path, most: int) -> Iterator[InputUnit]:
    name = folder.resolve().name or "clips"
    clips = [list(files) for _, files in groupby(_loose(folder), key=lambda path: path.with_suffix(""))]
    for number, start in enumerate(range(0, len(clips), most)):
        files = tuple(path for clip in clips[start : start + most] for path in clip)
        yield InputUnit(f"{name}-{number:05d}", files, folder)


def _loose(folder: Path) -> list[Path]:
    """Return the audio of a folder with the JSON beside it, and JSON that lacks its audio, clip by clip."""
    files = list_files(folder)
    audio = {path.with_suffix("") for path in files if is_audio_name(path)}
    lonely = set(lonely_json(files))
    wanted = [path for path in files if is_audio_name(path) or path in lonely or _is_beside(path, audio)]
    return sorted(wanted, key=lambda path: (path.with_suffix("").as_posix(), path.suffix))


def _is_beside(path: Path, audio: Collection[Path]) -> bool:
    return path.suffix == ".json" and path.with_suffix("") in audio


def _read_loose(files: Sequence[Path], folder: Path, on_bad: OnBad) -> Iterator[Clip]:
    sound = [path for path in files if is_audio_name(path)]
    named = {path.with_suffix("") for path in sound}
    for path in files:
        if not is_audio_name(path) and path.with_suffix("") not in named:
            on_bad(CorpusError(f"{path}: has no audio beside it: add it, or remove the JSON"))
    yield from read_files(sound, folder=folder, described_by=_All(folder), on_bad=on_bad)


@dataclass(frozen=True, slots=True)
class _All:
    """All audio of a folder, listed when it is asked for: a scale holds for the folder, not for a unit."""

    folder: Path

    def __iter__(self) -> Iterator[Path]:
        return iter(audio_files(self.folder))


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


def _check_names(units: Sequence[InputUnit]) -> None:
    seen: dict[str, InputUnit] = {}
    for unit in units:
        other = seen.setdefault(unit.name.lower(), unit)
        if other is not unit:
            both = " and ".join(shown(str(each.paths[0])) for each in (other, unit))
            raise CorpusError(f"{both} would have the same output, {unit.name}.tar: rename one of them")
