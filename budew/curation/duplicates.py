"""Find clips that are in a corpus more than once: equal samples in any format, or equal transcripts.

Samples are compared by the hashes of `fingerprints`, which are kept in SQLite, so memory does not grow with
the corpus. Copies with other samples are found by `find_overlap` of the corpus and itself.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from budew.corpora.clip import Clip
from budew.corpora.sources import Progress, counted, read
from budew.curation.fingerprints import Fingerprint, fingerprint_cache, fingerprints
from budew.errors import CorpusError, OnBad, report
from budew.io.addresses import without_secrets

By = Literal["samples", "transcript"]

_TABLE = "create temp table clips (id text, key blob, seconds real)"
_GROUPED = """
select id, key, seconds from clips
where key in (select key from clips group by key having count(*) > 1) order by key, seconds desc, id
"""


Group = tuple[tuple[str, float | None], ...]
"""Equal clips: (id, seconds or None if unknown) of each, the longest first, ties by id. Keep the first."""


@dataclass(slots=True)
class Duplicates:
    """Groups of equal clips in a corpus.

    Attributes:
        corpus: path or address of the corpus.
        by: what was compared, "samples" or "transcript".
        clips: number of clips that were compared.
        groups: groups of equal clips, sorted by the id of their first clip, which is to be kept.
        damaged: number of clips that could only be decoded, and compared, in part.
        without_transcript: number of clips that were not compared because they have no transcript.
        bad: number of items that could not be read or decoded.

    Example:
        >>> found = Duplicates("shards/", "samples", clips=9, groups=[(("a", 2.5), ("b", 2.5))])
        >>> found.extra
        [('b', 2.5)]
    """

    corpus: str
    by: By
    clips: int = 0
    groups: list[Group] = field(default_factory=list)
    damaged: int = 0
    without_transcript: int = 0
    bad: int = 0

    @property
    def extra(self) -> list[tuple[str, float | None]]:
        """Clips to remove, (id, seconds): all clips of the groups except the first of each."""
        return [clip for group in self.groups for clip in group[1:]]

    @property
    def extra_hours(self) -> float:
        """Hours of audio in `extra`; unknown durations count as 0."""
        return sum(seconds or 0.0 for _, seconds in self.extra) / 3600

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a dictionary for JSON."""
        return {
            "corpus": self.corpus,
            "by": self.by,
            "clips": self.clips,
            "damaged": self.damaged,
            "without_transcript": self.without_transcript,
            "bad_items": self.bad,
            "extra_clips": len(self.extra),
            "extra_hours": round(self.extra_hours, 4),
            "groups": [{"keep": group[0][0], "clips": _clips_of(group)} for group in self.groups],
        }


def _clips_of(group: Group) -> list[dict[str, Any]]:
    return [{"id": id, "seconds": seconds and round(seconds, 3)} for id, seconds in group]


def find_duplicates(
    corpus: str | Path,
    *,
    by: By = "samples",
    cache: Path | None = None,
    workers: int = 1,
    on_bad: OnBad | None = None,
    progress: Progress | None = None,
) -> Duplicates:
    """Find groups of clips of a corpus with equal audio or equal transcripts.

    Args:
        corpus: anything that `budew.read` takes.
        by: "samples" compares decoded samples and their sampling rate; "transcript" compares the words of
            transcripts, ignoring case and punctuation.
        cache: SQLite file that keeps the fingerprints for later runs; created if it is missing. None: a
            temporary file.
        workers: number of decoding processes; 0 and 1 decode in this process. The result is the same.
        on_bad: called with the error of each item that cannot be read; without it the first error is raised.
        progress: called with the number of clips compared so far.

    Raises:
        CorpusError: the corpus does not exist, an item cannot be read, or a worker died.
        InputError: the cache cannot be used.

    Example:
        >>> from budew.io.resources import data_folder
        >>> found = find_duplicates(data_folder("demo_clips") / "clips.tar")
        >>> found.clips, found.groups
        (16, [])
    """
    found = Duplicates(without_secrets(str(corpus)), by)

    def count_bad(error: CorpusError) -> None:
        report(error, on_bad)
        found.bad += 1

    clips = read(corpus, on_bad=count_bad)
    with fingerprint_cache(cache) as database:
        database.execute(_TABLE)
        rows = _by_transcript(clips, found)
        if by == "samples":
            made = fingerprints(clips, database, workers=workers, on_bad=count_bad)
            rows = _by_samples(made, found)
        for row in counted(rows, progress):
            found.clips += 1
            database.execute("insert into clips values (?, ?, ?)", row)
        for _, same in groupby(database.execute(_GROUPED), key=lambda row: row[1]):
            found.groups.append(tuple((id, seconds) for id, _, seconds in same))
    found.groups.sort(key=lambda group: group[0])
    return found


_Row = tuple[str, bytes | str, float | None]


def _by_transcript(clips: Iterable[Clip], found: Duplicates) -> Iterator[_Row]:
    for clip in clips:
        words = " ".join(re.findall(r"\w+", (clip.transcript or "").casefold()))
        if words:
            yield clip.id, words, clip.duration
        else:
            found.without_transcript += 1


def _by_samples(clips: Iterable[tuple[Clip, Fingerprint]], found: Duplicates) -> Iterator[_Row]:
    for clip, made in clips:
        found.damaged += made.damaged
        yield clip.id, made.digest, made.seconds
