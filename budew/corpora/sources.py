"""`read`: read any corpus as an iterator of clips. The kind of corpus is recognized by its content.

| source | read as |
|---|---|
| `talent.tar`, `.tar.gz`, `.tgz` | one WebDataset shard |
| `train-00000.parquet`, `data-00000.arrow` | Hugging Face rows with the audio inside |
| `clips.jsonl`, `clips.jsonl.gz`, `clips.csv`, `clips.tsv` | a manifest with relative paths, also Lhotse's |
| `one.mp3` | one clip, with `one.json` and `one.txt` if they exist |
| a folder | what `datasets` saved, its `clips.jsonl` or `metadata.csv`, its shards, or its audio with JSON |
| `ravdess:FOLDER`, `mine.yaml:FOLDER` | a known corpus, with labels from its file names and tables |
| `emolia`, `emonet-voice-bench:FOLDER` | a known corpus from the hub, or with its labels in its rows |
| `emodb@test:FOLDER` | the speakers of a known corpus that are in a fixed split |
| `shards/*.tar`, `shards/{000..127}.tar` | each match, in order |
| `https://…/x.tar`, `s3://…/*.tar` | downloaded, read and deleted, one file at a time |
| `hf://owner/name:config@split` | streamed from the Hugging Face hub |

A folder of audio whose file names fit exactly one known corpus is read as that corpus.

`budew.corpora.labels` interprets the labels of each clip.
"""

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from glob import glob, has_magic
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar, cast

from budew.corpora.clip import Clip
from budew.corpora.folders import list_files, read_audio_file, read_folder, saved_tables
from budew.corpora.labels.words import odd_labels
from budew.corpora.lhotse import supervisions_of
from budew.corpora.manifests import MANIFEST, MANIFESTS, divide_manifest, read_manifest
from budew.corpora.media import AUDIO, Media
from budew.corpora.named.named_folder import (
    NamedFolder,
    NamedRows,
    misnamed,
    named_folder,
    read_named,
    recognized,
    rows_definition,
    split_name,
)
from budew.corpora.reading import AS_USUAL, Part, ReadOptions, Rows, Span
from budew.corpora.shards import read_shard
from budew.corpora.text_files import check_file
from budew.errors import BudewWarning, CorpusError, OnBad
from budew.io.addresses import is_address, without_secrets

Progress = Callable[[int], None]
"""Called with the number of clips finished so far."""
Entry = Path | str | NamedFolder | NamedRows
"""One shard, table, manifest, audio file or folder; an address; or one of these of a known corpus."""
Item = TypeVar("Item")
MOST_ODD = 1_000
"""Largest number of different labels outside the taxonomy that are counted for the warning of `read`."""
_SHOWN = 8
"""Number of labels that a warning names."""
MOST_NUMBERED = 100_000
"""Largest number of files for which a pattern such as `{000..999}` may stand."""
_TARS = (".tar", ".tar.gz", ".tgz")
_TABLES = (".parquet", ".arrow")
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
    """Read the clips of any corpus, one at a time, always in the same order.

    Emotion labels outside the taxonomy stay in the metadata; a `BudewWarning` at the end lists them.

    Args:
        source: a file, a folder, a glob pattern such as `shards/*.tar`, a URL, or a dataset on the hub.
        scale: scale of scores in corpora that do not state it, such as "0-4"; see
            `budew.corpora.labels.scores`.
        audio_root: further folder from which manifests may name audio files, besides their own folder. None:
            the folder in the environment variable `BUDEW_AUDIO_ROOT`, if it is set.
        media: `AUDIO`, or `IMAGE` for a corpus of images. JSON and columns of images become metadata
            unchanged, and manifests of images are not read.
        on_bad: called with the error of each broken item, and reading continues; without it the first error
            is raised.

    Raises:
        CorpusError: the source does not exist or is not a corpus, or an item is broken.

    Example:
        >>> from budew.io.resources import data_folder
        >>> clips = list(read(data_folder("demo_clips")))
        >>> len(clips), clips[0].format
        (16, 'flac')
    """
    options = ReadOptions(scale, audio_root, media, on_bad)
    odd: Counter[str] = Counter()
    for entry in matches(source, options):
        for clip in read_one(entry, options):
            odd.update(one for one in odd_labels(clip.metadata) if one in odd or len(odd) < MOST_ODD)
            yield clip
    if odd:
        listed = "; ".join(f"{label} ({clips:,} clips)" for label, clips in odd.most_common(_SHOWN))
        fault = f"labels that are not understood stay in the metadata: {listed}"
        warnings.warn(BudewWarning(f"{without_secrets(str(source))}: {fault}"), stacklevel=2)


def counted(items: Iterable[Item], progress: Progress | None) -> Iterator[Item]:
    """Yield items; when the next is requested, call `progress` with the number of items yielded so far.

    Example:
        >>> list(counted("ab", print))
        1
        2
        ['a', 'b']
    """
    for done, item in enumerate(items, start=1):
        yield item
        if progress is not None:
            progress(done)


def matches(source: str | Path, options: ReadOptions = AS_USUAL) -> list[Entry]:
    """List the entries of a source (shards, tables, manifests, …) in order, without reading them.

    Each entry can be read by `read_one`. A folder of shards has an entry for each shard. A folder of loose
    audio files is one entry, because ids are relative to it (`budew.corpora.folders.audio_files` lists its
    files). Entries on the web or the hub are text. A folder of a known corpus, named or recognized, is a
    `NamedFolder`.

    Args:
        source: a file, a folder, a glob pattern such as `shards/*.tar`, a URL, or a dataset on the hub.
        options: `media` decides which files are listed. `on_bad` is called with the error of each folder that
            cannot be listed, and of each pipe or device; without it the first error is raised.

    Raises:
        CorpusError: the source does not exist, a folder has no files to read, or shards and loose files; or a
            server cannot be reached.

    Example:
        >>> from budew.corpora import Clip, write_shard
        >>> for number in range(2):
        ...     _ = write_shard(f"shards/{number}.tar", [Clip("a", b"fLaC", "flac")])
        >>> [entry.name for entry in matches("shards")]
        ['0.tar', '1.tar']
    """
    name = str(source)
    if not name.strip():
        raise CorpusError("the name of the corpus is empty: give a file, a folder or a pattern")
    if is_address(source):
        if _module("hub").is_hub_dataset(name):
            return list(_module("hub").divide_hub(name))
        return [address for one in numbered_names(name) for address in _module("remote").addresses(one)]
    corpus, rest = split_name(source)
    if corpus is not None:
        rows = rows_definition(corpus)
        if rows is not None:
            if rows.media != options.media.name:
                uses = "; ".join(rows.uses) or f"budew corpus inspect {name}"
                raise CorpusError(
                    f"{name}: {rows.title} holds {rows.media}, not {options.media.name}: use {uses}"
                )
            return [NamedRows(entry, rows) for entry in matches(rest, options)]
        found = [Path(rest)] if Path(rest).exists() else _matching(str(rest))
        # Without a folder, the first file is passed on, and the error says that it is not a folder.
        folders = [path for path in found if path.is_dir()] or found[:1]
        return [named_folder(corpus, folder) for folder in folders]
    if Path(source).exists():
        return _entries(Path(source), options)
    numbered = numbered_names(name)
    if numbered != [name]:
        return [entry for one in numbered for entry in matches(one, options)]
    return [entry for one in _matching(name) for entry in _entries(one, options)]


def read_one(entry: Entry, options: ReadOptions = AS_USUAL, *, part: Part | None = None) -> Iterator[Clip]:
    """Read the clips of one entry of a source, or of a part of it.

    A clip has the same id, line number and rating scale in a part as in the whole.

    Args:
        entry: entry from `matches`.
        options: options for reading.
        part: part of a manifest or table, from `divide_file`; None: the whole entry.

    Raises:
        CorpusError: the entry is not a corpus, or an item is broken.

    Example:
        >>> from budew.corpora import Clip, write_shard
        >>> _ = write_shard("one.tar", [Clip("a", b"fLaC", "flac")])
        >>> [clip.id for entry in matches("one.tar") for clip in read_one(entry)]
        ['a']
    """
    if isinstance(entry, NamedFolder):
        return read_named(entry, options)
    if isinstance(entry, NamedRows):
        return map(entry.completed, read_one(entry.entry, options, part=part))
    if is_address(entry):
        address = str(entry)
        if _module("hub").is_hub_dataset(address):
            return cast(Iterator[Clip], _module("hub").read_hub(address, options))
        if address.partition("?")[0].lower().endswith(MANIFESTS):
            fault = "a manifest is read next to its audio: download the folder"
            raise CorpusError(f"{without_secrets(address)}: {fault}")
        return cast(Iterator[Clip], _module("remote").read_remote(address, read_one, options))
    path, name, media = Path(entry), str(entry).lower(), options.media
    if path.is_dir():
        found = _entries(path, options)
        if found == [path]:
            return read_folder(path, options)
        return chain.from_iterable(read_one(one, options) for one in found)
    if name.endswith(_TARS):
        return read_shard(path, options)
    if name.endswith(_TABLES):
        return cast(Iterator[Clip], _module("tables").read_table(path, options, part=part))
    if name.endswith(MANIFESTS) and media == AUDIO:
        return read_manifest(path, options, part=part if isinstance(part, Span) else None)
    if media.owns(path):
        return read_audio_file(path, options)
    suffixes = (*_SHARDS, *(MANIFESTS if media == AUDIO else ()), *(f".{one}" for one in media.suffixes))
    known = ", ".join(suffixes)
    raise CorpusError(f"{path}: files of this type are not supported: give a folder or one of {known}")


def divide_file(path: Path, rows: int) -> list[Part]:
    """Divide a manifest or table into parts of `rows` rows; [] for other files and unreadable ones.

    A manifest is read once to find the parts; of a parquet file only the footer is read.
    """
    name = path.name.lower()
    with suppress(CorpusError):  # reported when it is read
        if name.endswith(_TABLES):
            return list[Rows | Span](_module("tables").divide_table(path, rows))
        if name.endswith(MANIFESTS) and not name.endswith(".gz"):
            return list[Rows | Span](divide_manifest(path, rows))
    return []


def files_read(source: str | Path) -> Iterator[Path]:
    """Yield the local files that `read` opens, so that no result is written over them.

    JSON and text files are included even if they do not exist; audio files that manifests name are not.

    Raises:
        CorpusError: the source does not exist.

    Example:
        >>> Path("one.wav").touch()
        >>> [path.name for path in files_read("one.wav")]
        ['one.wav', 'one.json', 'one.txt']
    """
    ignore = ReadOptions(on_bad=lambda error: None)  # the reading that follows reports it
    for entry in () if is_address(source) else matches(source, ignore):
        path = Path(entry)
        for file in list_files(path, on_bad=ignore.on_bad) if path.is_dir() else [path]:
            if file == path or AUDIO.owns(file) or is_corpus_file(file):
                yield file
            if AUDIO.owns(file):
                yield from (file.with_suffix(".json"), file.with_suffix(".txt"))


def is_corpus_file(path: Path) -> bool:
    """Return whether a file is a shard, table or manifest, by the suffix of its name.

    Example:
        >>> is_corpus_file(Path("clips-00000.tar"))
        True
    """
    return path.name.lower().endswith((*_SHARDS, *MANIFESTS))


def numbered_names(name: str) -> list[str]:
    """Expand number ranges such as `{000..127}` in a name; numbers have as many digits as the first.

    Raises:
        CorpusError: there are more than `MOST_NUMBERED` names, or the last number is below the first.
    """
    found = _NUMBERED.search(name)
    if found is None:
        return [name]
    numbers = range(int(found[1]), int(found[2]) + 1)
    endings = numbered_names(name[found.end() :])
    count = len(numbers) * len(endings)
    if not 0 < count <= MOST_NUMBERED:
        raise CorpusError(
            f"{name} stands for {count} files: use an increasing range of at most {MOST_NUMBERED} files"
        )
    start, width = name[: found.start()], len(found[1])
    return [f"{start}{number:0{width}d}{ending}" for number in numbers for ending in endings]


def _matching(pattern: str) -> list[Path]:
    found = sorted(glob(pattern, recursive=True)) if has_magic(pattern) else []
    if not found:
        raise CorpusError(f"{pattern}: no such file or folder: {misnamed(pattern) or 'check the path'}")
    return [Path(name) for name in found]


def _module(name: str) -> Any:
    """Import a reader late, because its libraries take a while to import."""
    return import_module(f"budew.corpora.{name}")


def _entries(path: Path, options: ReadOptions) -> list[Entry]:
    """Return the entries of a file or folder; pipes and devices are reported as errors."""
    media = options.media
    if not path.is_dir():
        return _plain_files([supervisions_of(path)], options)
    tables = saved_tables(path)
    if tables:
        return _plain_files(tables, options)
    unlisted: list[CorpusError] = []
    files = list_files(path, on_bad=None if options.on_bad is None else unlisted.append)
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
        raise CorpusError(
            f"{path}: the folder has no shard, table, manifest or {media.name} file: check the path"
        )
    if not shards and not manifests:
        known = recognized(path, files) if media == AUDIO else None
        return [path if known is None else known]  # the reader reports folders that cannot be listed
    for error in unlisted:
        options.report(error)
    return _plain_files(shards or manifests, options)


def _plain_files(files: list[Path], options: ReadOptions) -> list[Entry]:
    """Return the paths that are plain files; report the others as errors."""
    plain: list[Entry] = []
    for file in files:
        try:
            check_file(file)
        except CorpusError as error:
            options.report(error)
            continue
        plain.append(file)
    return plain


def _manifests(files: list[Path]) -> list[Path]:
    """Return the manifests among the files of a folder: one of budew, `datasets` or LJSpeech, else of Lhotse.

    Of Lhotse's files, all cuts are returned, or if there are none, supervisions, or else recordings.
    """
    for known in _KNOWN_MANIFESTS:
        found = [file for file in files if known.fullmatch(file.name.lower())]
        if found:
            return found[:1] if known is _KNOWN_MANIFESTS[0] else found
    return []
