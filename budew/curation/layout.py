"""What files a corpus consists of: shards, parquet, manifests, loose audio and JSON, and their bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from budew.audio.formats import is_audio_name
from budew.corpora.folder import list_files
from budew.corpora.sources import matches
from budew.errors import CorpusError

AUDIO, OTHER = "audio", "other"


@dataclass(frozen=True, slots=True)
class Files:
    """Files of one kind: how many, and how large together."""

    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Files by kind, the kind with most bytes first; empty for what does not lie on a disk here."""

    files: Mapping[str, Files]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {kind: {"files": files.count, "bytes": files.bytes} for kind, files in self.files.items()}

    def __str__(self) -> str:
        if not self.files:
            return "no files here"
        return ", ".join(
            f"{kind} {files.count:,} ({_size(files.bytes)})" for kind, files in self.files.items()
        )


def layout(source: str | Path) -> Layout:
    """Look at the names and sizes of what a source consists of; nothing is opened.

    What cannot be listed is left out: reading the corpus tells of it.
    """
    try:
        found = matches(source, on_bad=lambda _: None)
    except CorpusError:
        return Layout({})  # an address, or nothing at all: who reads it will say
    counts: dict[str, Files] = {}
    for path in map(Path, found):
        for file in list_files(path, on_bad=lambda _: None) if path.is_dir() else [path]:
            kind, before = _kind(file), counts.get(_kind(file), Files(0, 0))
            counts[kind] = Files(before.count + 1, before.bytes + _bytes(file))
    return Layout(dict(sorted(counts.items(), key=lambda item: (-item[1].bytes, item[0]))))


@cache
def _kinds() -> Mapping[str, tuple[str, ...]]:
    text = Path(__file__).with_name("layouts.yaml").read_text(encoding="utf-8")
    return {kind: tuple(suffixes) for kind, suffixes in yaml.safe_load(text).items()}


def _kind(path: Path) -> str:
    if is_audio_name(path):
        return AUDIO
    name = path.name.lower()
    return next((kind for kind, suffixes in _kinds().items() if name.endswith(suffixes)), OTHER)


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "bytes" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"
