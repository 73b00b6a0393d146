"""Options of all readers of corpora, parts of a file, and checks of every clip.

A reader is a module with a function `read_X`, which yields the clips of a source or of a part of it. If a
source can be divided for jobs, the module also has `divide_X`, which returns the parts. Readers are `shards`,
`tables`, `manifests`, `folders`, `hub` and `named.named_folder`. A clip has the same id, line number and
rating scale, whether the whole source is read or a part.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from budew.corpora.clip import Clip
from budew.corpora.media import AUDIO, Media
from budew.errors import CorpusError, OnBad, report


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Options for reading a corpus.

    Attributes:
        scale: scale of scores in corpora that do not state it, such as "0-4"; see
            `budew.corpora.labels.scores`.
        audio_root: further folder from which manifests may name audio files, besides their own folder. None:
            the folder in the environment variable `BUDEW_AUDIO_ROOT`, if it is set.
        media: `AUDIO`, or `IMAGE` for a corpus of images. JSON and columns of images become metadata
            unchanged, and manifests of images are not read.
        on_bad: called with the error of each broken item, and reading continues; without it the first error
            is raised.
        audio: False if only labels are needed: clips of parquet and Arrow files then have no audio.

    Example:
        >>> errors = []
        >>> ReadOptions(on_bad=errors.append).report(CorpusError("a.wav: is empty"))
        >>> errors
        [CorpusError('a.wav: is empty')]
    """

    scale: str | None = None
    audio_root: str | Path | None = None
    media: Media = AUDIO
    on_bad: OnBad | None = None
    audio: bool = True

    def report(self, error: CorpusError) -> None:
        """Pass an error to `on_bad`; raise it if `on_bad` is None."""
        report(error, self.on_bad)


AS_USUAL = ReadOptions()
"""Default options."""


@dataclass(frozen=True, slots=True)
class Span:
    """Consecutive lines of a manifest.

    Attributes:
        start: position of the first byte.
        stop: position after the last byte; None: the end of the file.
        first: number of the first line, from 1.
    """

    start: int = 0
    stop: int | None = None
    first: int = 1


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows from `start` up to, but not including, `stop` of a parquet or Arrow file with `of` rows."""

    start: int
    stop: int
    of: int


Part = Span | Rows
"""Part of a manifest or table that a job reads separately."""


def distinct_clips(items: Iterable[tuple[str, Callable[[], Clip]]], options: ReadOptions) -> Iterator[Clip]:
    """Yield the clip of each item. Items that fail, or whose id occurred before, are reported as errors.

    Args:
        items: for each clip its place, such as "clips.jsonl: line 3", which begins error messages, and a
            function that makes the clip.
        options: `options.on_bad` is called with the errors; without it the first error is raised.
    """
    seen: set[str] = set()
    for place, make in items:
        try:
            clip = make()
            if clip.id in seen:
                raise CorpusError(f"the clip {clip.id!r} occurs twice: keep one of them")
        except CorpusError as error:
            options.report(CorpusError(f"{place}: {error}"))
            continue
        seen.add(clip.id)
        yield clip


def leaves(path: Path, folder: Path) -> bool:
    """Return whether a path, after following links, is outside a folder."""
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
