"""What files a corpus consists of: shards, parquet, manifests, loose audio and JSON, and their bytes."""

from collections import Counter
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


@dataclass(frozen=True, slots=True)
class Layout:
    """Files and bytes by kind, the kind with most bytes first; empty for what is not on a disk here."""

    files: Mapping[str, tuple[int, int]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {kind: {"files": count, "bytes": size} for kind, (count, size) in self.files.items()}

    def __str__(self) -> str:
        listed = (f"{kind} {count:,} ({_size(size)})" for kind, (count, size) in self.files.items())
        return ", ".join(listed) or "no files here"


def layout(source: str | Path) -> Layout:
    """Return the kinds and sizes of the files of a source; nothing is opened.

    What cannot be listed is left out: reading the corpus reports it.
    """
    try:
        found = matches(source, on_bad=lambda _: None)
    except CorpusError:
        return Layout({})
    counts, sizes = Counter[str](), Counter[str]()
    for path in map(Path, found):
        for file in list_files(path, on_bad=lambda _: None) if path.is_dir() else [path]:
            kind = _kind(file)
            counts[kind] += 1
            sizes[kind] += file.stat().st_size if file.exists() else 0
    order = sorted(counts, key=lambda kind: (-sizes[kind], kind))
    return Layout({kind: (counts[kind], sizes[kind]) for kind in order})


@cache
def _kinds() -> Mapping[str, tuple[str, ...]]:
    text = Path(__file__).with_name("layouts.yaml").read_text(encoding="utf-8")
    return {kind: tuple(suffixes) for kind, suffixes in yaml.safe_load(text).items()}


def _kind(path: Path) -> str:
    if is_audio_name(path):
        return "audio"
    name = path.name.lower()
    return next((kind for kind, suffixes in _kinds().items() if name.endswith(suffixes)), "other")


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "bytes" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"
