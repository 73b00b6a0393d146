"""Read known corpora, given by name (`ravdess:FOLDER`, `emolia`) or recognized by their file names."""

import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from budew.corpora.clip import Clip
from budew.corpora.folders import list_files
from budew.corpora.media import AUDIO
from budew.corpora.named.definition import (
    NamedCorpus,
    corpus_names,
    known_corpora,
    known_corpus,
    load_definition,
    unknown_corpus,
)
from budew.corpora.named.label_tables import LabelTables, TableFiles, table_files, tables_near
from budew.corpora.named.named_clips import ClipMaker, matched_text, text_file
from budew.corpora.reading import AS_USUAL, ReadOptions, distinct_clips
from budew.errors import BudewWarning, CorpusError, InputError, OnBad

SAMPLE = 100
"""Number of audio files whose names are checked to recognize a folder."""
NEARLY_ALL = 0.95
"""A folder is recognized as a corpus if at least this share of the checked names matches."""
_NAMED = re.compile(r"([^:/\\]+|.+\.ya?ml):(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class NamedFolder(os.PathLike[str]):
    """A folder that is read as a known corpus. It can be used as the path of the folder.

    Attributes:
        folder: folder with the audio, at any depth.
        name: name of the corpus.
        corpus: definition of the corpus.
        definition: YAML file of the user with the definition; None: the definition is that of budew.
        split: name of the fixed split (`NamedCorpus.splits`) whose speakers are read; None: all speakers.
    """

    folder: Path
    name: str
    corpus: NamedCorpus = field(repr=False, compare=False)
    definition: Path | None = None
    split: str | None = None

    def __fspath__(self) -> str:
        return str(self.folder)

    def __str__(self) -> str:
        split = f"@{self.split}" if self.split else ""
        return f"{self.definition or self.name}{split}:{self.folder}"


@dataclass(frozen=True, slots=True)
class NamedRows(os.PathLike[str]):
    """A shard, table, folder or URL of a known corpus whose labels are in its rows. It can be used as a path.

    Attributes:
        entry: path or URL.
        corpus: definition of the corpus.
    """

    entry: "Path | str | NamedFolder | NamedRows"
    corpus: NamedCorpus = field(repr=False, compare=False)

    def __str__(self) -> str:
        return str(self.entry)

    __fspath__ = __str__

    def completed(self, clip: Clip) -> Clip:
        """Return a clip with title and licence of the corpus where the row states none."""
        corpus = self.corpus
        return replace(clip, source=clip.source or corpus.title, license=clip.license or corpus.licence)


class FoundFiles(NamedTuple):
    """Files in the folder of a known corpus.

    Attributes:
        clips: audio file → parts of its name.
        tables: files of each table in the definition.
        left_out: audio files that are not read, with the reason.
    """

    clips: Mapping[Path, dict[str, str]]
    tables: TableFiles
    left_out: tuple[tuple[Path, str], ...]


class NamedPart(NamedTuple):
    """Part of a known corpus that a job reads separately.

    Attributes:
        audio: audio files.
        tables: files of each table in the definition that may have rows of these clips.
        texts: existing files with transcripts of these clips.
    """

    audio: tuple[Path, ...]
    tables: TableFiles
    texts: tuple[Path, ...] = ()


def read_named(
    place: NamedFolder, options: ReadOptions = AS_USUAL, *, part: NamedPart | None = None
) -> Iterator[Clip]:
    """Read the clips of a folder as a known corpus. The 32,130 clips of EmoGator take 3 s on one core.

    Audio is not decoded. Ids are paths relative to the folder, without suffix. JSON beside the audio is not
    read. If audio files are left out, a `BudewWarning` has their number (not when reading a part).

    Args:
        place: folder and corpus.
        options: options for reading.
        part: part from `divide_named`; None: all clips.

    Raises:
        CorpusError: no audio file has a name that matches the corpus, a required table is missing, a table is
            invalid, a file is empty, or a link leads out of the folder.
    """
    if part is None:
        found = find_clips(place, options.on_bad)
        _warn_of_left_out(place, found)
        part = NamedPart(tuple(found.clips), found.tables)
    maker = ClipMaker(
        place.corpus, place.name, place.folder, LabelTables(place.corpus.tables, part.tables, options.on_bad)
    )
    yield from distinct_clips(((str(path), partial(maker.clip, path)) for path in part.audio), options)


def divide_named(place: NamedFolder, clips: int) -> list[NamedPart]:
    """Divide the clips of a known corpus into parts of `clips` clips.

    Errors and the warning about files that are left out are those of `read_named`.
    """
    found = find_clips(place)
    _warn_of_left_out(place, found)
    audio, parts = tuple(found.clips), []
    for start in range(0, len(audio), clips):
        some = audio[start : start + clips]
        texts = (text_file(place.corpus, path, found.clips[path]) for path in some)
        there = tuple(path for path in texts if path.is_file())
        parts.append(NamedPart(some, tables_near(found.tables, some), there))
    return parts


def split_name(source: str | Path) -> tuple[str | Path | None, str | Path]:
    """Split a source such as "ravdess:data" into the corpus and the folder: ("ravdess", "data").

    The corpus is the name of a known corpus, which may have a split ("emodb@test"), or the path of a YAML
    file. It is None if the source has neither; the second value is then the source. A name without a folder
    stands for the corpus on the hub, if it is there.
    """
    alone = str(source).lower()
    if alone in corpus_names() and not os.path.exists(source) and (hub := known_corpus(alone).hub):
        return alone, hub
    matched = _NAMED.fullmatch(str(source))
    if matched is None or matched[2].startswith("//") or os.path.exists(source):
        return None, source
    prefix, rest = matched.groups()
    if prefix.lower().endswith((".yaml", ".yml")):
        return Path(prefix), rest
    known = prefix.lower().partition("@")[0] in corpus_names()
    return (prefix.lower(), rest) if known else (None, source)


def misnamed(source: str | Path) -> str:
    """Return what is wrong if a source names a corpus without a folder, or an unknown one with a folder."""
    if str(source).lower() in corpus_names():
        return f"add the folder of the corpus, as in {source}:FOLDER"
    matched = _NAMED.fullmatch(str(source))
    return unknown_corpus(matched[1]) if matched and Path(matched[2]).is_dir() else ""


def rows_definition(corpus: str | Path) -> NamedCorpus | None:
    """Return the definition of a corpus that `split_name` found if its labels are in its rows; else None."""
    named = load_definition(corpus) if isinstance(corpus, Path) else known_corpus(corpus.partition("@")[0])
    return None if named.pattern else named


def named_folder(corpus: str | Path, folder: Path) -> NamedFolder:
    """Return a folder to be read as a known corpus.

    Args:
        corpus: name of the corpus, which may have a split ("emodb@test"), or the path of a YAML file.
        folder: folder with the audio.

    Raises:
        CorpusError: the folder does not exist.
        InputError: the corpus is unknown or does not have this split.
        SettingsError: the definition is invalid.

    Example:
        >>> Path("EmoDB").mkdir()
        >>> str(named_folder("emodb@test", Path("EmoDB")))
        'emodb@test:EmoDB'
    """
    if not folder.is_dir():
        raise CorpusError(f"{folder} is not a folder: give the folder with the audio of the corpus")
    if isinstance(corpus, Path):
        return NamedFolder(folder, corpus.stem, load_definition(corpus), corpus)
    name, at, split = corpus.partition("@")
    known = known_corpus(name)
    if at and split not in known.splits:
        splits = f"has {', '.join(known.splits)}" if known.splits else "has no fixed splits"
        raise InputError(f"{corpus}: the corpus has no such split: {name} {splits}")
    return NamedFolder(folder, name, known, split=split or None)


def recognized(folder: Path, files: Sequence[Path]) -> NamedFolder | None:
    """Recognize a folder as a known corpus by the names of its audio files, of which nearly all must match.

    Checks `SAMPLE` names, spread evenly over `files`, and opens no file. Returns None if no corpus or several
    corpora match, if there is JSON beside the audio, or if a required table is missing.
    """
    audio = list(filter(AUDIO.owns, files))
    count = min(SAMPLE, len(audio))
    some = [audio[len(audio) * number // count] for number in range(count)]
    if not some or any(path.with_suffix(".json").is_file() for path in some):
        return None
    names = [matched_text(path) for path in some]
    least = NEARLY_ALL * len(names)
    fitting = [
        NamedFolder(folder, name, corpus)
        for name, corpus in known_corpora().items()
        if corpus.distinctive and sum(corpus.match(one) is not None for one in names) >= least
    ]
    if len(fitting) == 1:
        with suppress(CorpusError):
            table_files(fitting[0].corpus.tables, folder, files)
            return fitting[0]
    return None


def find_clips(place: NamedFolder, on_bad: OnBad | None = None) -> FoundFiles:
    """Find the audio files in a folder whose names match the corpus, and its tables.

    Of several files with the same name only the first is used: copies of corpora often have each file twice.

    Args:
        place: folder and corpus.
        on_bad: called with the error of each folder that cannot be listed; without it the first error is
            raised.

    Raises:
        CorpusError: no audio file has a matching name, or a required table is missing.

    Example:
        >>> for name in ("03a01Fa.wav", "notes.wav"):
        ...     Path(name).touch()
        >>> found = find_clips(named_folder("emodb", Path()))
        >>> [str(path) for path in found.clips], len(found.left_out)
        (['03a01Fa.wav'], 1)
    """
    corpus, files = place.corpus, list_files(place.folder, on_bad=on_bad)
    clips: dict[Path, dict[str, str]] = {}
    left_out: list[tuple[Path, str]] = []
    first: dict[str, Path] = {}
    others = 0
    for path in filter(AUDIO.owns, files):
        parts = corpus.match(matched_text(path))
        if parts is None:
            left_out.append((path, f"not named as {corpus.examples[0]}"))
        elif (reason := corpus.why_left_out(parts[""])) is not None:
            left_out.append((path, reason))
        elif (
            place.split and corpus.split_of(corpus.value("speaker", parts.get("speaker", ""))) != place.split
        ):
            others += 1
        elif first.setdefault(parts[""], path) is not path:
            left_out.append((path, f"another file of this name is {first[parts['']]}"))
        else:
            clips[path] = parts
    if others and not clips:
        raise CorpusError(f"{place}: none of its {others:,} recordings is by a speaker of this split")
    if not clips:
        fault = f"no audio file is named as {corpus.examples[0]}"
        raise CorpusError(f"{place.folder}: {fault}: give the folder of {corpus.title}")
    return FoundFiles(clips, table_files(corpus.tables, place.folder, files), tuple(left_out))


def _warn_of_left_out(place: NamedFolder, found: FoundFiles) -> None:
    if found.left_out:
        path, reason = found.left_out[0]
        count = f"{len(found.left_out):,} of {len(found.left_out) + len(found.clips):,} audio files"
        fault = f"{count} are left out of {place.corpus.title}, such as {path.name}: {reason}"
        warnings.warn(BudewWarning(f"{place.folder}: {fault}"), stacklevel=3)
