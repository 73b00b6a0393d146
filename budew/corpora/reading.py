"""What all readers of corpora share: options, parts of a file, and checks of every clip.

A reader is a module with `read_X`, which yields the clips of a source or of one part of it, and, where a
source can be divided, `divide_X`, which returns its parts for jobs: `shards`, `tables`, `manifests`,
`folders`, `hub`, `named.named_folder`. A part reads as it does in the whole: with the same ids, line numbers
and rating scale.
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
    """How a corpus is read.

    Attributes:
        scale: scale of scores that do not declare one, such as "0-4"; see `budew.corpora.labels.scores`.
        audio_root: folder with audio that manifests may refer to, by any path, besides their own folder; by
            default that of the environment variable `BUDEW_AUDIO_ROOT`, if it is set.
        media: `AUDIO`, or `IMAGE` for a corpus of images: their JSON and columns become metadata as they
            are, and they have no manifests.
        on_bad: called with the error of each broken item, and reading continues; without it the first error
            is raised.
        audio: False where labels are enough: clips of parquet and Arrow files then come without their audio,
            whose bytes are not read.

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
        """Pass an error to `on_bad`, or raise it."""
        report(error, self.on_bad)


AS_USUAL = ReadOptions()


@dataclass(frozen=True, slots=True)
class Span:
    """Lines of a manifest: first byte, byte after the last (None: the end), number of the first line."""

    start: int = 0
    stop: int | None = None
    first: int = 1


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows from `start` up to, not including, `stop` of a parquet or Arrow file with `of` rows."""

    start: int
    stop: int
    of: int


Part = Span | Rows
"""Some rows of a manifest or table, read on their own."""


def distinct_clips(items: Iterable[tuple[str, Callable[[], Clip]]], options: ReadOptions) -> Iterator[Clip]:
    """Make a clip of each item; report those that fail, and those whose id an earlier one has.

    Args:
        items: the place of each, with which its error begins, and a function that makes the clip.
        options: their `on_bad` gets the errors.
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
    """Return whether a path leads out of a folder through links."""
    return not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
