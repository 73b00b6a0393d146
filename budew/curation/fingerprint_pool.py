"""Fingerprints of clips by several processes, in the order of the clips; few are on their way at a time."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from budew.corpora.clip import Clip
from budew.curation.fingerprint import Fingerprint, fingerprint
from budew.errors import AudioError, CorpusError

Heard = tuple[str, Fingerprint | AudioError]
"""The id of a clip and its fingerprint, or why it has none."""

Chunk = list[tuple[str, Path | bytes]]
"""Ids with their audio."""

_CHUNK = 16  # clips that a process gets at once
_AHEAD = 3  # chunks for each process


def fingerprints(clips: Iterable[Clip], *, workers: int = 1) -> Iterator[Heard]:
    """Fingerprint clips, lazily, in their order; 0 workers, or 1, are this process.

    Raises:
        CorpusError: a process died.
    """
    chunks = _chunks(clips)
    if workers <= 1:
        for chunk in chunks:
            yield from _heard(chunk)
        return
    try:
        yield from _side_by_side(chunks, workers)
    except BrokenProcessPool as error:
        raise CorpusError(
            "a process that decoded clips died: use fewer workers, or 0 to see where"
        ) from error


def _side_by_side(chunks: Iterable[Chunk], workers: int) -> Iterator[Heard]:
    waiting: deque[Future[list[Heard]]] = deque()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for chunk in chunks:
            waiting.append(pool.submit(_heard, chunk))
            if len(waiting) >= _AHEAD * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _chunks(clips: Iterable[Clip]) -> Iterator[Chunk]:
    pairs = ((clip.id, clip.audio) for clip in clips)
    while chunk := list(islice(pairs, _CHUNK)):
        yield chunk


def _heard(chunk: Chunk) -> list[Heard]:
    return [(id, _fingerprint(audio, f"clip {id!r}")) for id, audio in chunk]


def _fingerprint(audio: Path | bytes, name: str) -> Fingerprint | AudioError:
    try:
        return fingerprint(audio, name=name)
    except AudioError as error:
        return error
