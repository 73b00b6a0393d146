"""Folders of known corpora: given by name, `ravdess:FOLDER`, or recognized by the names of their files."""

import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
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
"""Audio files by whose names a folder is recognized."""
NEARLY_ALL = 0.95
"""Share of them that a corpus must match."""
_NAMED = re.compile(r"([^:/\\]+|.+\.ya?ml):(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class NamedFolder(os.PathLike[str]):
    """A folder that is read as a known corpus. As a path it is the folder.

    Attributes:
        folder: with the audio, at any depth.
        name: of the corpus.
        corpus: its definition.
        definition: the user's file with it; None for those of this package.
        split: whose speakers alone are read, a name of `NamedCorpus.splits`; None for all.
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


class FoundFiles(NamedTuple):
    """The files of a folder that belong to a corpus: clips with the parts of their names, the files of each
    table, and other audio with the reason why it is left out.
    """

    clips: Mapping[Path, dict[str, str]]
    tables: TableFiles
    left_out: tuple[tuple[Path, str], ...]


class NamedPart(NamedTuple):
    """Some clips of a known corpus: audio, tables that may have rows of them, files with transcripts."""

    audio: tuple[Path, ...]
    tables: TableFiles
    texts: tuple[Path, ...] = ()


def read_named(
    place: NamedFolder, options: ReadOptions = AS_USUAL, *, part: NamedPart | None = None
) -> Iterator[Clip]:
    """Read a folder as a known corpus. The 32,130 clips of EmoGator take 3 s on one core, undecoded.

    Ids are paths relative to the folder, without suffix. JSON beside the audio is not read. Without a part of
    `divide_named`, a `BudewWarning` counts the audio that is left out.

    Raises:
        CorpusError: no audio is named as the corpus names its own, a required table is missing, an invalid
            table, an empty file, a link that leaves the folder.
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
    """Return parts of a number of clips each; errors and warning are those of `read_named`."""
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
    """Return the corpus that a source names, and the rest: `("ravdess", "data")` of `ravdess:data`.

    The corpus is a name of this package, maybe with a split (`emodb@test`), or a YAML file; it is None where
    the source names none.
    """
    matched = _NAMED.fullmatch(str(source))
    if matched is None or matched[2].startswith("//") or os.path.exists(source):
        return None, source
    prefix, rest = matched.groups()
    if prefix.lower().endswith((".yaml", ".yml")):
        return Path(prefix), rest
    known = prefix.lower().partition("@")[0] in corpus_names()
    return (prefix.lower(), rest) if known else (None, source)


def misnamed(source: str | Path) -> str:
    """Return what is wrong with the name of a corpus before a folder that is there; "" if nothing is."""
    matched = _NAMED.fullmatch(str(source))
    return unknown_corpus(matched[1]) if matched and Path(matched[2]).is_dir() else ""


def named_folder(corpus: str | Path, folder: Path) -> NamedFolder:
    """Return a folder as that of a corpus, which is named as `split_name` gives it.

    Raises:
        CorpusError: it is no folder.
        InputError: the corpus has no such split.
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
    """Return the folder as that of the one corpus whose names nearly all of its audio has.

    None where none or several fit, the audio has JSON of its own beside it, or the table with the labels
    is missing. Looks at `SAMPLE` names of its files, spread evenly; opens nothing.
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
    """Return the audio of a folder that is named as the corpus names its own, and its tables.

    Two files of one name are one recording: copies of corpora often hold each twice.

    Args:
        place: the folder.
        on_bad: called with the error of each folder that cannot be listed; without it the first is raised.

    Raises:
        CorpusError: no audio is named so, or a required table is missing.

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
