"""`read`: any corpus as an iterator of clips; its kind is recognized by its content.

| source | read as |
|---|---|
| `talent.tar`, `.tar.gz`, `.tgz` | one WebDataset shard |
| `train-00000.parquet`, `data-00000.arrow` | Hugging Face rows with the audio inside |
| `clips.jsonl`, `clips.jsonl.gz`, `clips.csv`, `clips.tsv` | a manifest, paths relative to it; Lhotse's too |
| `one.mp3` | one clip, with `one.json` and `one.txt` if they are there |
| a folder | what `datasets` saved, its `clips.jsonl` or `metadata.csv`, its shards, or its audio with JSON |
| `ravdess:FOLDER`, `mine.yaml:FOLDER` | a known corpus, with the labels of its names and tables |
| `emodb@test:FOLDER` | the speakers of a known corpus that are in a fixed split |
| `shards/*.tar`, `shards/{000..127}.tar` | each match, in order |
| `https://…/x.tar`, `s3://…/*.tar` | downloaded, read and deleted, one file at a time |
| `hf://owner/name:config@split` | streamed from the Hugging Face hub |

A folder of audio whose names are those of exactly one known corpus is read as that corpus.

`budew.corpora.labels` interprets the labels of each clip.
"""

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from glob import glob, has_magic
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from budew.addresses import is_address, shown
from budew.corpora.clip import Clip
from budew.corpora.folders import list_files, lonely_json, read_files, saved_tables
from budew.corpora.labels.words import odd_labels
from budew.corpora.lhotse import supervisions_of
from budew.corpora.manifests import MANIFEST, MANIFESTS, read_manifest, spans
from budew.corpora.media import AUDIO, Media
from budew.corpora.named.named_folder import (
    NamedFolder,
    find_clips,
    left_out_warning,
    misnamed,
    named_folder,
    read_named,
    recognized,
    split_name,
)
from budew.corpora.shards import read_shard
from budew.corpora.text_files import Part, Rows, Span, check_file
from budew.errors import BudewWarning, CorpusError, OnBad, report

Progress = Callable[[int], None]
"""Called with the number of clips that are done."""
Entry = Path | str | NamedFolder
"""One shard, table, manifest, audio file or folder, an address, or a folder of a known corpus."""
Item = TypeVar("Item")
MOST_ODD, _SHOWN = 1_000, 8
"""Different labels that are not understood: those that are counted, and those that a warning names."""
MOST_NUMBERED = 100_000
"""Files that one pattern such as `{000..999}` may stand for."""
_TARS, _TABLES = (".tar", ".tar.gz", ".tgz"), (".parquet", ".arrow")
_SHARDS = (*_TARS, *_TABLES)
_KNOWN_MANIFESTS = (
    re.compile(rf"{re.escape(MANIFEST)}|(metadata|manifest)\.(jsonl|ndjson|csv|tsv)"),
    *(
        re.compile(rf"(.*[_.-])?{name}([_.-].*)?\.jsonl(\.gz)?")
        for name in ("cuts", "supervisions", "recordings")
    ),
)
_NUMBERED = re.compile(r"\{(\d{1,9})\.\.(\d{1,9})\}")


def read(
    source: str | Path,
    *,
    scale: str | None = None,
    audio_root: str | Path | None = None,
    media: Media = AUDIO,
    on_bad: OnBad | None = None,
) -> Iterator[Clip]:
    """Read the clips of any corpus, one at a time, in an order that does not change.

    Labels of emotions that are not understood stay in the metadata; one `BudewWarning` at the end lists them.

    Args:
        source: a file, a folder, a glob pattern such as `shards/*.tar`, a URL, or a dataset on the hub.
        scale: scale of scores that do not declare one, such as "0-4"; see `budew.corpora.labels.scores`.
        audio_root: folder with audio that manifests may refer to, by any path, besides their
            own folder; by default that of the environment variable `BUDEW_AUDIO_ROOT`, if it is set.
        media: `AUDIO`, or `IMAGE` for a corpus of images: their JSON and columns become metadata as they
            are, and they have no manifests.
        on_bad: called with the error of each broken item, and reading continues; without it the first error
            is raised.

    Raises:
        CorpusError: not found, not a corpus, or a broken item; names it and says what to do.
    """
    odd: Counter[str] = Counter()
    for entry in matches(source, media, on_bad=on_bad):
        for clip in read_one(entry, on_bad, scale=scale, audio_root=audio_root, media=media):
            odd.update(one for one in odd_labels(clip.metadata) if one in odd or len(odd) < MOST_ODD)
            yield clip
    if odd:
        said = "; ".join(f"{label} ({clips:,} clips)" for label, clips in odd.most_common(_SHOWN))
        fault = f"{shown(str(source))}: labels that are not understood stay in the metadata: {said}"
        warnings.warn(BudewWarning(fault), stacklevel=2)


def counted(items: Iterable[Item], progress: Progress | None) -> Iterator[Item]:
    """Pass items on; when the next is asked for, report how many are done."""
    for done, item in enumerate(items, start=1):
        yield item
        if progress is not None:
            progress(done)


def matches(source: str | Path, media: Media = AUDIO, *, on_bad: OnBad | None = None) -> list[Entry]:
    """Return what a source consists of, in order: each shard, manifest or file, as `read_one` takes it.

    A folder of shards gives its shards. A folder of loose audio files is one entry, as their ids are relative
    to it; `budew.corpora.folders.audio_files` lists them. Addresses and datasets of the hub are text. A
    folder of a known corpus, named or recognized, is a `NamedFolder`.

    Args:
        source, media: as for `read`.
        on_bad: called with an error for each folder that cannot be listed and each pipe or device; without it
            the error is raised.

    Raises:
        CorpusError: there is nothing of this name, or no file, a folder holds both shards and loose files, or
            a server cannot be reached.
    """
    name = str(source)
    if not name.strip():
        raise CorpusError("the name of the corpus is empty: give a file, a folder or a pattern")
    if is_address(source):
        return _at_address(name)
    corpus, rest = split_name(source)
    if corpus is not None:
        return [named_folder(corpus, folder) for folder in _folders(rest)]
    path = Path(source)
    if path.exists():
        return _entries(path, media, on_bad)
    numbered = numbered_names(name)
    if numbered != [name]:
        return [entry for one in numbered for entry in matches(one, media, on_bad=on_bad)]
    found = sorted(glob(name, recursive=True)) if has_magic(name) else []
    if not found:
        raise CorpusError(f"{source}: not found: {misnamed(source) or 'check the path'}")
    return [entry for one in found for entry in _entries(Path(one), media, on_bad)]


def files_read(source: str | Path) -> Iterator[Path]:
    """Give the files here that `read` opens, but for audio that a manifest names: what no result may replace.

    Raises:
        CorpusError: there is nothing of this name.
    """

    def ignore(error: CorpusError) -> None:
        """Pass it over: the reading that follows reports it."""

    for entry in () if is_address(source) else matches(source, on_bad=ignore):
        path = Path(entry)
        for file in list_files(path, on_bad=ignore) if path.is_dir() else [path]:
            if file == path or AUDIO.owns(file) or is_corpus_file(file):
                yield file
            if AUDIO.owns(file):
                yield from (file.with_suffix(".json"), file.with_suffix(".txt"))


def read_one(
    entry: Entry,
    on_bad: OnBad | None = None,
    *,
    scale: str | None = None,
    audio_root: str | Path | None = None,
    part: Part | None = None,
    media: Media = AUDIO,
) -> Iterator[Clip]:
    """Read one entry of `matches`, or a part of it with the ids, line numbers and rating scale of the whole.

    The other arguments and errors are those of `read`.
    """
    if isinstance(entry, NamedFolder):
        return _read_named(entry, on_bad)
    if is_address(entry):
        return _read_address(str(entry), on_bad, scale, media)
    path, name = Path(entry), str(entry).lower()
    if path.is_dir():
        return _read_folder(path, on_bad, scale, audio_root, media)
    clips: Iterator[Clip]
    if name.endswith(_TARS):
        clips = read_shard(path, scale=scale, media=media, on_bad=on_bad)
    elif name.endswith(_TABLES):
        parquet = import_module("budew.corpora.tables")  # pyarrow takes half a second
        rows = range(part.start, part.stop) if isinstance(part, Rows) else None
        clips = parquet.read_parquet(path, scale=scale, rows=rows, media=media, on_bad=on_bad)
    elif name.endswith(MANIFESTS) and media == AUDIO:
        span = part if isinstance(part, Span) else None
        clips = read_manifest(path, scale=scale, span=span, audio_root=audio_root, on_bad=on_bad)
    elif media.owns(path):
        clips = read_files([path], scale=scale, media=media, on_bad=on_bad)
    else:
        tables = MANIFESTS if media == AUDIO else ()
        known = ", ".join((*_SHARDS, *tables, *(f".{suffix}" for suffix in media.suffixes)))
        raise CorpusError(f"{path}: files of this kind are not read: give a folder or one of {known}")
    return clips


def divide(path: Path, rows: int) -> list[Part]:
    """Return the parts of a manifest or table, `rows` rows each; nothing for any other or unreadable file.

    A manifest is read once for it; a parquet file is divided by its footer alone.
    """
    name = path.name.lower()
    with suppress(CorpusError):  # reported when it is read
        if name.endswith(_TABLES):
            of = import_module("budew.corpora.tables").row_count(path)
            return [Rows(start, min(start + rows, of), of) for start in range(0, of, rows)]
        if name.endswith(MANIFESTS) and not name.endswith(".gz"):
            return list(spans(path, rows))
    return []


def is_corpus_file(path: Path) -> bool:
    """Return whether the name is that of a shard, table or manifest."""
    return path.name.lower().endswith((*_SHARDS, *MANIFESTS))


def _entries(path: Path, media: Media, on_bad: OnBad | None) -> list[Entry]:
    """Return what a file or folder consists of, without what is no file."""
    if not path.is_dir():
        return _plain([supervisions_of(path)], on_bad)
    tables = saved_tables(path)
    if tables:
        return _plain(tables, on_bad)
    unlisted: list[CorpusError] = []
    files = list_files(path, on_bad=None if on_bad is None else unlisted.append)
    shards = [file for file in files if file.name.lower().endswith(_SHARDS)]
    loose = [file for file in files if media.owns(file)]
    if shards and loose:
        raise CorpusError(
            f"{path}: holds shards and loose {media.name} files: choose one kind, such as '{path}/*.tar'"
        )
    manifests = _manifests([file for file in files if file.parent == path]) if media == AUDIO else []
    if not shards and not loose and not manifests:
        if unlisted:
            raise unlisted[0]
        raise CorpusError(f"{path}: no shard, table, manifest or {media.name} file is in it: check the path")
    if not shards and not manifests:
        known = recognized(path, files) if media == AUDIO else None
        return [path if known is None else known]  # its reader reports what cannot be listed
    for error in unlisted:
        report(error, on_bad)
    return _plain(shards or manifests, on_bad)


def _plain(files: list[Path], on_bad: OnBad | None) -> list[Entry]:
    """Return the paths that are files; report the others."""
    plain: list[Entry] = []
    for file in files:
        try:
            check_file(file)
        except CorpusError as error:
            report(error, on_bad)
            continue
        plain.append(file)
    return plain


def _manifests(files: list[Path]) -> list[Path]:
    """Return the manifest of a folder as we, `datasets` or LJSpeech write it; else all of Lhotse's cuts, else
    its supervisions or recordings.
    """
    for known in _KNOWN_MANIFESTS:
        found = [file for file in files if known.fullmatch(file.name.lower())]
        if found:
            return found[:1] if known is _KNOWN_MANIFESTS[0] else found
    return []


def _read_folder(
    folder: Path, on_bad: OnBad | None, scale: str | None, audio_root: str | Path | None, media: Media
) -> Iterator[Clip]:
    """Read the loose files of a folder, or what else `matches` finds in it."""
    entries = _entries(folder, media, on_bad)
    if entries != [folder]:
        for entry in entries:
            yield from read_one(entry, on_bad, scale=scale, audio_root=audio_root, media=media)
        return
    files = list_files(folder, on_bad=on_bad)
    for lonely in lonely_json(files, media):
        report(CorpusError(f"{lonely}: has no {media.name} beside it: add it, or remove the JSON"), on_bad)
    loose = [path for path in files if media.owns(path)]
    yield from read_files(loose, folder=folder, scale=scale, media=media, on_bad=on_bad)


def _folders(name: str | Path) -> list[Path]:
    """Return the folder of this name, or those that a pattern matches."""
    if Path(name).exists() or not has_magic(str(name)):
        return [Path(name)]
    found = sorted(path for path in map(Path, glob(str(name), recursive=True)) if path.is_dir())
    if not found:
        raise CorpusError(f"{name}: not found: check the path")
    return found


def _read_named(place: NamedFolder, on_bad: OnBad | None) -> Iterator[Clip]:
    found = find_clips(place, on_bad)
    fault = left_out_warning(place, found)
    if fault is not None:
        warnings.warn(BudewWarning(fault), stacklevel=2)
    yield from read_named(place, list(found.clips), found.tables, on_bad)


def numbered_names(name: str) -> list[str]:
    """Return the names that `{000..127}` in a name stands for, with as many digits as its first number.

    Raises:
        CorpusError: they are more than `MOST_NUMBERED`, or none.
    """
    found = _NUMBERED.search(name)
    if found is None:
        return [name]
    numbers, rests = range(int(found[1]), int(found[2]) + 1), numbered_names(name[found.end() :])
    if not 0 < (count := len(numbers) * len(rests)) <= MOST_NUMBERED:
        raise CorpusError(f"{name}: expands to {count} files: number them upwards, at most {MOST_NUMBERED}")
    start, width = name[: found.start()], len(found[1])
    return [f"{start}{number:0{width}d}{rest}" for number in numbers for rest in rests]


def _at_address(source: str) -> list[Entry]:
    hub = import_module("budew.corpora.hub")
    if hub.is_hub_dataset(source):
        return list(hub.hub_shards(source))
    remote = import_module("budew.corpora.remote")
    return [address for one in numbered_names(source) for address in remote.addresses(one)]


def _read_address(address: str, on_bad: OnBad | None, scale: str | None, media: Media) -> Iterator[Clip]:
    hub, remote = import_module("budew.corpora.hub"), import_module("budew.corpora.remote")
    clips: Iterator[Clip]
    if hub.is_hub_dataset(address):
        clips = hub.read_hub(address, scale=scale, media=media, on_bad=on_bad)
        return clips
    if address.partition("?")[0].lower().endswith(MANIFESTS):
        fault = "a manifest is read next to its audio: download the folder"
        raise CorpusError(f"{shown(address)}: {fault}")
    clips = remote.read_remote(address, partial(read_one, scale=scale, media=media), on_bad=on_bad)
    return clips
