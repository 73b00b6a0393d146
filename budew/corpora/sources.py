"""`read`: any corpus as an iterator of clips, known by what it is and not by what one says it is.

| source | read as |
|---|---|
| `talent.tar`, `.tar.gz`, `.tgz` | one WebDataset shard |
| `train-00000.parquet` | Hugging Face rows with the audio inside |
| `clips.jsonl` | a manifest, paths relative to it |
| `one.mp3` | one clip, with `one.json` if it is there |
| a folder | its shards, its parquet files, its `clips.jsonl`, or else its audio files with their JSON |
| `shards/*.tar` | each match, in order |
"""

from collections.abc import Callable, Iterator
from glob import glob, has_magic
from importlib import import_module
from pathlib import Path

from budew.corpora.clip import Clip
from budew.corpora.errors import CorpusError, OnBad
from budew.corpora.folder import list_files, read_file, read_files
from budew.corpora.formats import SUFFIXES, is_audio_name
from budew.corpora.manifest import MANIFEST

Reader = Callable[..., Iterator[Clip]]


def read(source: str | Path, *, on_bad: OnBad | None = None) -> Iterator[Clip]:
    """Read the clips of any corpus, one at a time, in an order that does not change.

    Args:
        source: a file, a folder, or a pattern such as `shards/*.tar`.
        on_bad: called with the error of each bad item, and the reading goes on; without it the error is
            raised.

    Raises:
        CorpusError: nothing is there, it is no corpus, or an item is bad; names it and says what to do.
    """
    for path in matches(source):
        yield from read_one(path, on_bad)


def matches(source: str | Path) -> list[Path]:
    """Return what a source consists of: each match of a pattern, in order, or the one path that it is.

    Raises:
        CorpusError: there is nothing of this name.
    """
    path = Path(source)
    if not str(source).strip():
        raise CorpusError("the name of the corpus is empty: give a file, a folder or a pattern")
    if path.exists():
        return [path]
    found = sorted(glob(str(source), recursive=True)) if has_magic(str(source)) else []
    if not found:
        raise CorpusError(f"{source}: there is nothing of this name: check the path")
    return [Path(name) for name in found]


def read_one(path: Path, on_bad: OnBad | None = None) -> Iterator[Clip]:
    """Read one entry of `matches`. Arguments and errors are those of `read`."""
    if path.is_dir():
        return _read_folder(path, on_bad)
    reader = _reader(path)
    if reader is not None:
        return reader(path, on_bad=on_bad)
    if is_audio_name(path):
        return iter([read_file(path)])
    known = ", ".join((".tar", ".parquet", ".jsonl", *(f".{suffix}" for suffix in SUFFIXES)))
    raise CorpusError(f"{path}: files of this kind are not read: give a folder or one of {known}")


def _reader(path: Path) -> Reader | None:
    """Return the reader of one file; the libraries of a format load when a file asks for them."""
    name = path.name.lower()
    for suffixes, module, function in (
        ((".tar", ".tar.gz", ".tgz"), "shards", "read_shard"),
        ((".parquet",), "parquet", "read_parquet"),
        ((".jsonl", ".ndjson"), "manifest", "read_manifest"),
    ):
        if name.endswith(suffixes):
            reader: Reader = getattr(import_module(f"budew.corpora.{module}"), function)
            return reader
    return None


def _read_folder(folder: Path, on_bad: OnBad | None) -> Iterator[Clip]:
    files = list_files(folder, on_bad=on_bad)
    shards = [path for path in files if path.name.lower().endswith((".tar", ".tar.gz", ".tgz", ".parquet"))]
    loose = [path for path in files if is_audio_name(path)]
    if shards and loose:
        raise CorpusError(
            f"{folder}: holds shards and loose audio files: name one kind, such as '{folder}/*.tar'"
        )
    if not shards and not loose:
        raise CorpusError(f"{folder}: no shard, parquet or audio file is in it: check the path")
    if folder / MANIFEST in files:
        yield from read_one(folder / MANIFEST, on_bad)
        return
    yield from read_files(loose, folder=folder, on_bad=on_bad)
    for path in shards:
        yield from read_one(path, on_bad)
