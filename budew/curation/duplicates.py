"""Find clips that are in a corpus more than once: equal samples in any format, or equal transcripts.

Samples are compared by a hash of the decoded audio, at about 400 times real time on one core. Hashes are kept
in SQLite, so memory does not grow with the corpus. With a `cache` file an interrupted run resumes (at most
the last `COMMIT_EVERY` clips are decoded again), and when clips are added only these are decoded.
"""

import hashlib
import re
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from budew.audio.decoders import open_stream
from budew.corpora.clip import Clip
from budew.corpora.sources import Progress, counted, read
from budew.errors import AudioError, CorpusError, InputError, OnBad, report
from budew.io.addresses import without_secrets

By = Literal["samples", "transcript"]

COMMIT_EVERY = 100
"""Number of clips after which their hashes are written to the cache."""
_AHEAD = 16  # clips per worker that are being decoded or waiting at a time
_TABLES = """
create table if not exists samples_1 (audio blob primary key, digest blob, seconds real, damaged int)
without rowid;
create temp table clips (id text, key blob, seconds real);
"""
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
        cache: SQLite file that keeps the hashes of decoded audio for later runs; created if it is missing.
            None: a temporary file.
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
    try:
        with closing(sqlite3.connect(cache or "")) as database:
            database.executescript(_TABLES)
            rows = _by_transcript(clips, found)
            if by == "samples":
                rows = _by_samples(clips, database, workers, found, count_bad)
            try:
                for row in counted(rows, progress):
                    found.clips += 1
                    database.execute("insert into clips values (?, ?, ?)", row)
                    if found.clips % COMMIT_EVERY == 0:
                        database.commit()
            finally:
                database.commit()
            for _, same in groupby(database.execute(_GROUPED), key=lambda row: row[1]):
                found.groups.append(tuple((id, seconds) for id, _, seconds in same))
    except sqlite3.Error as error:
        raise InputError(f"{cache or 'temporary file'}: cannot be used as a cache ({error})") from error
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


class _Decoded(NamedTuple):
    digest: bytes
    seconds: float
    damaged: bool


def _by_samples(
    clips: Iterable[Clip],
    database: sqlite3.Connection,
    workers: int,
    found: Duplicates,
    on_bad: OnBad,
) -> Iterator[_Row]:
    try:
        for id, key, result in _in_order(clips, database, workers):
            if isinstance(result, AudioError):
                on_bad(result)
                continue
            found.damaged += result.damaged
            database.execute("insert or ignore into samples_1 values (?, ?, ?, ?)", (key, *result))
            yield id, result.digest, result.seconds
    except BrokenProcessPool as error:
        raise CorpusError("a decoding process died: use fewer workers, or 0 to see at which clip") from error


def _in_order(
    clips: Iterable[Clip], database: sqlite3.Connection, workers: int
) -> Iterator[tuple[str, bytes, _Decoded | AudioError]]:
    """Yield id, key in the cache, and hash or error of each clip, in the order of the corpus."""
    waiting: deque[tuple[str, bytes, Future[_Decoded | AudioError]]] = deque()
    spawn = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn) if workers > 1 else nullcontext() as pool:
        for clip in clips:
            key, name = _key(clip.audio), f"clip {clip.id!r}"
            row = database.execute("select digest, seconds, damaged from samples_1 where audio = ?", (key,))
            known = row.fetchone()
            if pool is None or known:
                future: Future[_Decoded | AudioError] = Future()
                future.set_result(_Decoded(*known) if known else _decode(clip.audio, name))
            else:
                future = pool.submit(_decode, clip.audio, name)
            waiting.append((clip.id, key, future))
            while len(waiting) > (_AHEAD * workers if pool else 0):
                id, key, future = waiting.popleft()
                yield id, key, future.result()
        for id, key, future in waiting:
            yield id, key, future.result()


def _key(audio: Path | bytes) -> bytes:
    """Return the key of audio in the cache: a hash of its bytes, or of path, size and time of a file."""
    if isinstance(audio, Path):
        try:
            state = audio.stat()
        except OSError:
            return b""  # decoding raises the error
        audio = f"{audio.resolve()}/{state.st_size}/{state.st_mtime_ns}".encode(errors="surrogateescape")
    return hashlib.blake2b(audio, digest_size=16).digest()


def _decode(audio: Path | bytes, name: str) -> _Decoded | AudioError:
    """Hash the sampling rate and the decoded samples, rounded to 16 bits, in bounded memory."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open_stream(audio, name) as stream:
            digest.update(f"{stream.sampling_rate} ".encode())
            for block in stream.blocks():
                digest.update(np.rint(32_768 * block).clip(-32_768, 32_767).astype("<i2").tobytes())
            return _Decoded(digest.digest(), stream.seconds, stream.damage is not None)
    except AudioError as error:
        return error
