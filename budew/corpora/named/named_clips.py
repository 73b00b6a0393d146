"""Make a clip from a file of a known corpus: parts of its name and of tables become fields and a profile."""

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

from budew.corpora.clip import Clip
from budew.corpora.column_names import language_tag, not_understood, number_in
from budew.corpora.folders import check_audio
from budew.corpora.labels.scores import intensities
from budew.corpora.labels.words import trait_word
from budew.corpora.named.definition import Meaning, NamedCorpus, RatingColumns, intensity_of
from budew.corpora.named.label_tables import FILE, LabelTables, TableRow
from budew.corpora.text_files import read_text
from budew.errors import CorpusError
from budew.profile import VoiceProfile
from budew.taxonomy import WORD_TRAITS
from budew.taxonomy.rating_scales import scale_named

_FIELDS = ("speaker", "language", "transcript", FILE, "", *WORD_TRAITS)
"""Parts that are not stored in the metadata."""


class ClipMaker:
    """Makes clips from the audio files of a known corpus.

    Args:
        corpus: definition of the corpus.
        name: name of the corpus, which is recorded in `profile_from`.
        folder: folder of the corpus; ids are relative to it, and links that lead out of it are errors.
        tables: tables of the corpus.
    """

    def __init__(self, corpus: NamedCorpus, name: str, folder: Path, tables: LabelTables) -> None:
        self._corpus, self._name, self._folder, self._tables = corpus, name, folder, tables
        self._speakers = {
            name: {key: value for key, value in of.model_dump(exclude={"names"}).items() if value is not None}
            for of in corpus.speakers
            for name in of.names
        }
        self._profile = lru_cache(maxsize=4096)(self._make_profile)

    def clip(self, path: Path) -> Clip:
        """Return the clip of an audio file; `CorpusError` if its name does not match or the file is empty."""
        check_audio(path, self._folder)
        parts, ratings = self._parts(path)
        traits, odd = _traits(parts)
        label = parts.get("label")
        profile = self._profile(label, parts.get("intensity"), tuple(traits.items()), tuple(ratings.items()))
        if label is not None and label.casefold() not in self._corpus.labels:
            odd |= not_understood("emotion", label)
        metadata: dict[str, Any] = {name: text for name, text in parts.items() if name not in _FIELDS}
        years = number_in(parts.get("age"))
        if years is not None:
            metadata["age"] = int(years) if years.is_integer() else years
        labels = "ratings" if ratings else "label"
        metadata["profile_from"] = {"form": "corpus", "corpus": self._name, "labels": labels}
        corpus, text = self._corpus, text_file(self._corpus, path, parts)
        language = parts.get("language") or (corpus.languages[0] if len(corpus.languages) == 1 else None)
        return Clip(
            path.relative_to(self._folder).with_suffix("").as_posix(),
            path,
            path.suffix[1:].lower(),
            language=language and (language_tag(language) or language),
            speaker=parts.get("speaker"),
            transcript=parts.get("transcript") or (read_text(text) if text.is_file() else None),
            profile=profile,
            source=corpus.title,
            license=corpus.licence,
            metadata={**metadata, "not_understood": odd} if odd else metadata,
        )

    def _parts(self, path: Path) -> tuple[dict[str, str], dict[str, float]]:
        """Return the parts of a file (from its name, tables, speaker and constants), and its ratings."""
        corpus, ratings = self._corpus, dict[str, float]()
        parts = corpus.match(matched_text(path))
        if parts is None:
            raise CorpusError(f"the file is not named as {corpus.examples[0]}: rename it, or leave it out")
        parts = {name: corpus.value(name, text) for name, text in parts.items()} | {FILE: path.stem}
        for table, row in self._tables.rows(parts):
            for name, column in table.columns.items():
                text = row.get(column)
                if text is not None:
                    parts.setdefault(name, corpus.value(name, text))
            if table.ratings is not None:
                ratings |= _ratings(table.ratings, row)
        for name, value in self._speakers.get(parts.get("speaker", ""), {}).items():
            parts.setdefault(name, str(value))
        for name, text in corpus.constant.items():
            parts.setdefault(name, _filled(text, parts))
        return {name: text for name, text in parts.items() if text.strip()}, ratings

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


def matched_text(path: Path) -> str:
    """Return the text to which patterns are applied: the absolute path without suffix, with `/`."""
    text = os.path.abspath(path)
    return text[: len(text) - len(path.suffix)].replace(os.sep, "/")


def text_file(corpus: NamedCorpus, path: Path, parts: Mapping[str, str]) -> Path:
    """Return the path of the transcript of an audio file, which may not exist."""
    return path.parent / _filled(corpus.transcript_file, {**parts, FILE: path.stem})


def _ratings(ratings: RatingColumns, row: TableRow) -> dict[str, float]:
    divisor = number_in(row.get(ratings.divided_by)) if ratings.divided_by else 1.0
    known = dict[str, float]()
    for name, columns in ratings.columns.items():
        numbers = [number_in(row.get(column)) for column in columns]
        if divisor and None not in numbers:
            known[name] = max(0.0, prod(number or 0.0 for number in numbers) / divisor)
    return intensities(known, scale_named(ratings.scale))


def _traits(parts: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the traits of the speaker, and the texts of traits that are not understood."""
    traits, odd = dict[str, str](), dict[str, str]()
    for name in filter(parts.__contains__, WORD_TRAITS):
        word = trait_word(name, parts[name])
        if word is None:
            odd |= not_understood(name, parts[name])
        else:
            traits[name] = word
    return traits, odd


def _filled(text: str, parts: Mapping[str, str]) -> str:
    """Replace each name of a part in braces by its value."""
    return re.sub(r"\{(\w+)\}", lambda found: parts.get(found[1], ""), text)
