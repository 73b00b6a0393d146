"""The files of a corpus: to know whether it is still the same one, and to share it out between processes."""

import hashlib
from collections.abc import Iterator
from glob import glob
from pathlib import Path

from budew.corpora import read
from budew.corpora.folder import list_files

SMALL = 64 * 1024
"""Bytes. A file up to this size is known by its content: notes beside the clips are often written anew."""


def fingerprint(corpus: str | Path) -> list[tuple[str, str]]:
    """Return what the corpus is known by: of each file its name and its content, or size and time of change.

    Size alone would not do: tars are padded to 10 kB, and a shard made anew with other profiles is often as
    long as the old one.
    """
    return [(name, _state(path)) for name, path in _files(corpus)]


def shards(corpus: str | Path) -> list[str | Path]:
    """Return the shards of a folder that holds nothing else to read, in the order in which `budew.read` reads
    them; any other corpus as it is, alone.
    """
    if not Path(corpus).is_dir():
        return [corpus]
    files = list_files(corpus)
    found: list[str | Path] = [path for path in files if path.name.lower().endswith(".tar")]
    return found if found and all(path in found or path.suffix == ".json" for path in files) else [corpus]


def _files(corpus: str | Path) -> Iterator[tuple[str, Path]]:
    """Yield the files with their names in the corpus, the same wherever it lies."""
    path = Path(corpus)
    for root in [path] if path.exists() else map(Path, sorted(glob(str(corpus), recursive=True))):
        for file in list_files(root) if root.is_dir() else [root]:
            yield file.relative_to(root.parent).as_posix(), file
            if file.suffix in (".jsonl", ".ndjson"):
                sounds = (clip.audio for clip in read(file))
                yield from ((str(sound), sound) for sound in sounds if isinstance(sound, Path))


def _state(path: Path) -> str:
    facts = path.stat()
    if facts.st_size <= SMALL:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{facts.st_size} bytes, {facts.st_mtime_ns} ns"
