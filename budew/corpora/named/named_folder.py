"""Folders of known corpora as clips.

`NamedFolder` is a folder that is read by a definition: given by name, `ravdess:FOLDER`, or recognized by
`recognized`. The 32,130 clips of EmoGator take 3 s on one core, undecoded.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache, partial
from math import prod
from pathlib import Path
from typing import Any

from budew.corpora.clip import Clip, distinct_clips
from budew.corpora.column_names import language_tag, not_understood
from budew.corpora.folders import check_audio, list_files
from budew.corpora.labels.scores import intensities, number_in
from budew.corpora.labels.words import trait_word
from budew.corpora.media import AUDIO
from budew.corpora.named.definition import (
    Meaning,
    NamedCorpus,
    Ratings,
    corpus_names,
    intensity_of,
    known_corpora,
    known_corpus,
    load_definition,
    unknown,
)
from budew.corpora.named.label_tables import FILE, Files, Tables, cell_of, table_files
from budew.corpora.named.speaker_splits import check_split, split_of
from budew.corpora.text_files import read_text
from budew.errors import CorpusError, OnBad
from budew.profile import VoiceProfile
from budew.taxonomy import WORD_TRAITS
from budew.taxonomy.scales import scale_named

SAMPLE = 100
"""Audio files by whose names a folder is recognized."""
NEARLY_ALL = 0.95
"""Share of them that a corpus must match."""
_NAMED = re.compile(r"([^:/\\]+|.+\.ya?ml):(.+)", re.DOTALL)
_FIELDS = ("speaker", "language", "transcript", FILE, "", *WORD_TRAITS)
"""Parts that are not kept in the metadata."""


@dataclass(frozen=True, slots=True)
class NamedFolder(os.PathLike[str]):
    """A folder that is read as a known corpus. As a path it is the folder.

    Attributes:
        folder: with the audio, at any depth.
        name: of the corpus.
        corpus: its definition.
        definition: the user's file with it; None for those of this package.
        split: whose speakers alone are read, see `budew.corpora.named.speaker_splits`; None for all.
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

    def has(self, parts: Mapping[str, str]) -> bool:
        """Return whether a recording with these parts of its name is by a speaker of the split."""
        speaker = self.corpus.value("speaker", parts.get("speaker", ""))
        return self.split is None or split_of(self.name, speaker) == self.split


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """The files of a folder that belong to a corpus.

    Attributes:
        clips: audio of the corpus with its parts, in the order of the paths.
        tables: files of each of its tables.
        left_out: other audio, with the reason.
    """

    clips: Mapping[Path, dict[str, str]]
    tables: Files
    left_out: tuple[tuple[Path, str], ...]


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
    return unknown(matched[1]) if matched and Path(matched[2]).is_dir() else ""


def named_folder(corpus: str | Path, folder: Path) -> NamedFolder:
    """Return a folder as that of a corpus, which is named as `split_name` gives it.

    Raises:
        CorpusError: it is no folder.
        InputError: the corpus has no such split.
        SettingsError: the definition is invalid.
    """
    if not folder.is_dir():
        raise CorpusError(f"{folder}: is not a folder: give the folder with the audio of the corpus")
    if isinstance(corpus, Path):
        return NamedFolder(folder, corpus.stem, load_definition(corpus), corpus)
    name, _, split = corpus.partition("@")
    if "@" in corpus:
        check_split(name, split)
    return NamedFolder(folder, name, known_corpus(name), split=split or None)


def recognized(folder: Path, files: Sequence[Path]) -> NamedFolder | None:
    """Return the folder as that of the one corpus whose names nearly all of its audio has.

    None where none or several fit, the audio has JSON of its own beside it, or the table with the labels
    is missing. Looks at `SAMPLE` names, spread evenly; opens nothing.

    Args:
        folder: with audio at any depth.
        files: all below it.
    """
    audio = list(filter(AUDIO.owns, files))
    count = min(SAMPLE, len(audio))
    some = [audio[len(audio) * number // count] for number in range(count)]
    if not some or any(path.with_suffix(".json").is_file() for path in some):
        return None
    names = [_matched_text(path) for path in some]
    fitting = [
        name
        for name, corpus in known_corpora().items()
        if corpus.distinctive
        and sum(corpus.match(one) is not None for one in names) >= NEARLY_ALL * len(names)
    ]
    if len(fitting) != 1:
        return None
    corpus = known_corpora()[fitting[0]]
    with suppress(CorpusError):
        table_files(corpus.tables, folder, files)
        return NamedFolder(folder, fitting[0], corpus)
    return None


def find_clips(place: NamedFolder, on_bad: OnBad | None = None) -> FoundFiles:
    """Return the audio of a folder that is named as the corpus names its own, and its tables.

    Two files of one name are one recording: copies of corpora often hold each twice.

    Args:
        place: the folder.
        on_bad: called with the error of each folder that cannot be listed; without it the first is raised.

    Raises:
        CorpusError: no audio is named so, or a required table is missing.
    """
    files = list_files(place.folder, on_bad=on_bad)
    clips: dict[Path, dict[str, str]] = {}
    left_out: list[tuple[Path, str]] = []
    first: dict[str, Path] = {}
    others = 0
    for path in filter(AUDIO.owns, files):
        parts = place.corpus.match(_matched_text(path))
        if parts is None:
            left_out.append((path, f"not named as {place.corpus.examples[0]}"))
        elif (reason := place.corpus.why_left_out(parts[""])) is not None:
            left_out.append((path, reason))
        elif not place.has(parts):
            others += 1
        elif first.setdefault(parts[""], path) is not path:
            left_out.append((path, f"another file of this name is {first[parts['']]}"))
        else:
            clips[path] = parts
    if others and not clips:
        raise CorpusError(f"{place}: none of its {others:,} recordings is by a speaker of this split")
    if not clips:
        fault = f"no audio file is named as {place.corpus.examples[0]}"
        raise CorpusError(f"{place.folder}: {fault}: give the folder of {place.corpus.title}")
    return FoundFiles(clips, table_files(place.corpus.tables, place.folder, files), tuple(left_out))


def read_named(
    place: NamedFolder,
    files: Sequence[Path] | None = None,
    tables: Sequence[Sequence[Path]] | None = None,
    on_bad: OnBad | None = None,
) -> Iterator[Clip]:
    """Read a folder as a known corpus.

    Ids are paths relative to the folder, without suffix. JSON beside the audio is not read.

    Args:
        place: the folder.
        files, tables: some of its audio, and the tables, as `find_clips` gives them; by default all.
        on_bad: as for `budew.read`.

    Raises:
        CorpusError: as `find_clips`; an empty file, a link that leaves the folder, an invalid table.
    """
    if files is None or tables is None:
        found = find_clips(place, on_bad)
        files, tables = list(found.clips), found.tables
    reader = _Reader(place, Tables(place.corpus.tables, tables, on_bad))
    yield from distinct_clips(((str(path), partial(reader.clip, path)) for path in files), on_bad)


class _Reader:
    """Makes clips of the files of one corpus."""

    def __init__(self, place: NamedFolder, tables: Tables) -> None:
        self._place, self._corpus, self._tables = place, place.corpus, tables
        self._root = place.folder.resolve()
        self._speakers = {
            name: {key: value for key, value in of.model_dump(exclude={"names"}).items() if value is not None}
            for of in self._corpus.speakers
            for name in of.names
        }
        self._profile = lru_cache(maxsize=4096)(self._make_profile)

    def clip(self, path: Path) -> Clip:
        """Return the clip of a file."""
        check_audio(path, self._root)
        parts, ratings = self._parts(path)
        traits, odd = self._traits(parts)
        label = parts.get("label")
        profile = self._profile(label, parts.get("intensity"), tuple(traits.items()), tuple(ratings.items()))
        if label is not None and label.casefold() not in self._corpus.labels:
            odd |= not_understood("emotion", label)
        return Clip(
            path.relative_to(self._place.folder).with_suffix("").as_posix(),
            path,
            path.suffix[1:].lower(),
            language=self._language(parts),
            speaker=parts.get("speaker"),
            transcript=parts.get("transcript") or self._text_beside(path, parts),
            profile=profile,
            source=self._corpus.title,
            license=self._corpus.licence,
            metadata=self._metadata(parts, odd, has_ratings=bool(ratings)),
        )

    def _metadata(
        self, parts: Mapping[str, str], odd: Mapping[str, str], *, has_ratings: bool
    ) -> dict[str, Any]:
        """Return the parts that are no fields of a clip, an age in years, and what the profile is from."""
        metadata: dict[str, Any] = {name: text for name, text in parts.items() if name not in _FIELDS}
        years = number_in(parts.get("age"))
        if years is not None:
            metadata["age"] = int(years) if years.is_integer() else years
        labels = "ratings" if has_ratings else "label"
        metadata["profile_from"] = {"form": "corpus", "corpus": self._place.name, "labels": labels}
        return {**metadata, "not_understood": dict(odd)} if odd else metadata

    def _parts(self, path: Path) -> tuple[dict[str, str], dict[str, float]]:
        """Return the parts of a file, of its name, its tables, its speaker and the constants; and ratings."""
        corpus, ratings = self._corpus, dict[str, float]()
        parts = corpus.match(_matched_text(path))
        if parts is None:
            raise CorpusError(f"is not named as {corpus.examples[0]}: leave it out")
        parts = {name: corpus.value(name, text) for name, text in parts.items()} | {FILE: path.stem}
        for table, row in self._tables.rows(parts):
            for name, column in table.columns.items():
                if (text := cell_of(row, column)) is not None:
                    parts.setdefault(name, corpus.value(name, text))
            if table.ratings is not None:
                ratings |= self._ratings(table.ratings, row)
        for name, value in self._speakers.get(parts.get("speaker", ""), {}).items():
            parts.setdefault(name, str(value))
        for name, text in corpus.constant.items():
            parts.setdefault(name, _filled(text, parts))
        return {name: text for name, text in parts.items() if text.strip()}, ratings

    def _text_beside(self, path: Path, parts: Mapping[str, str]) -> str | None:
        text = _text_file(self._corpus, path, parts)
        return read_text(text) if text.is_file() else None

    def _ratings(self, ratings: Ratings, row: Mapping[str, str]) -> dict[str, float]:
        divisor = number_in(cell_of(row, ratings.divided_by)) if ratings.divided_by else 1.0
        known = dict[str, float]()
        for name, columns in ratings.columns.items():
            numbers = [
                number for column in columns if (number := number_in(cell_of(row, column))) is not None
            ]
            if divisor and len(numbers) == len(columns):
                known[name] = max(0.0, prod(numbers) / divisor)
        return intensities(known, scale_named(ratings.scale))

    def _traits(self, parts: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """Return the traits of the speaker, and what of them is not understood."""
        traits, odd = dict[str, str](), dict[str, str]()
        for name in WORD_TRAITS:
            if name in parts:
                word = trait_word(name, parts[name])
                if word is None:
                    odd |= not_understood(name, parts[name])
                else:
                    traits[name] = word
        return traits, odd

    def _make_profile(
        self,
        label: str | None,
        intensity: str | None,
        traits: tuple[tuple[str, str], ...],
        ratings: tuple[tuple[str, float], ...],
    ) -> VoiceProfile | None:
        corpus = self._corpus
        meaning = corpus.labels.get((label or "").casefold(), Meaning())
        level = intensity_of(corpus.levels.get((intensity or "").casefold(), corpus.level))
        emotions = None if meaning.emotions is None else dict.fromkeys(meaning.emotions, level)
        rated = corpus.rated if emotions else None
        if ratings:
            emotions, rated = dict(ratings), tuple(name for name, _ in ratings)
        found = {**meaning.traits, **dict(traits)}
        if emotions is None and not meaning.bursts and not found:
            return None
        return VoiceProfile(emotions, meaning.bursts, found, rated)

    def _language(self, parts: Mapping[str, str]) -> str | None:
        spoken = parts.get("language")
        if spoken is None:
            return self._corpus.languages[0] if len(self._corpus.languages) == 1 else None
        return language_tag(spoken) or spoken


def left_out_warning(place: NamedFolder, found: FoundFiles) -> str | None:
    """Return what to warn of where audio is left out; None where nothing is."""
    if not found.left_out:
        return None
    path, reason = found.left_out[0]
    count = f"{len(found.left_out):,} of {len(found.left_out) + len(found.clips):,} audio files"
    return (
        f"{place.folder}: read as {place.corpus.title}: {count} are left out, such as {path.name}: {reason}"
    )


def _matched_text(path: Path) -> str:
    """Return the absolute path without suffix, against the end of which patterns are matched."""
    text = os.path.abspath(path)
    return text[: len(text) - len(path.suffix)].replace(os.sep, "/")


def text_files(corpus: NamedCorpus, audio: Mapping[Path, Mapping[str, str]]) -> list[Path]:
    """Return the files with transcripts of clips as far as they are there."""
    files = (_text_file(corpus, path, parts) for path, parts in audio.items())
    return [path for path in files if path.is_file()]


def _text_file(corpus: NamedCorpus, path: Path, parts: Mapping[str, str]) -> Path:
    return path.parent / _filled(corpus.transcript_file, {**parts, FILE: path.stem})


def _filled(text: str, parts: Mapping[str, str]) -> str:
    """Return a text with parts in the place of their names in braces."""
    return re.sub(r"\{(\w+)\}", lambda found: parts.get(found[1], ""), text)
