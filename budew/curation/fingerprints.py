"""Fingerprints of recordings: what is the same in copies that were re-encoded, cut, softened or made noisy.

Every 16 ms of sound has a code of 32 bits: whether the difference of energy between two neighbouring bands
grows from one frame to the next (Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR
2002). Of copies, a quarter of the codes or more are equal, and at most 12 % of all bits differ; of recordings
of the same sentence by the same voice, 20 % or more (`python benchmarks/duplicates.py`). Decoding and
fingerprinting take about 1/300 of the duration on one core.
"""

import hashlib
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from budew.audio.decoders import Samples, open_stream
from budew.audio.samples import resampled
from budew.corpora.clip import Clip
from budew.errors import AudioError, CorpusError, InputError, OnBad

Codes = NDArray[np.uint32]
"""Codes (n, 2) of the frames that are not quiet: number of the frame, and its 32 bits."""
NO_CODES: Codes = np.empty((0, 2), np.uint32)
RATE = 4_000
"""Sampling rate in Hz at which codes are computed, whatever that of the recording."""
FRAME, HOP = 1_024, 64
"""Samples in a frame, and from one frame to the next: 256 and 16 ms."""
_BANDS = np.round(np.geomspace(300, 1_900, 34) * FRAME / RATE).astype(np.int64)  # limits in Hz → in bins
QUIET = 1e-4
"""Frames with less than this share of the energy of the loudest (-40 dB) have no code: they are noise."""
MOST_ERRORS = 0.16
"""Largest share of differing bits in copies."""
LEAST_FRAMES, LEAST_SHARE, FEWEST_FRAMES = 32, 0.6, 16
"""Copies share 32 frames, or 60 % of the shorter recording, and 16 in any case."""
SKETCH, SKETCH_STEP, LEAST_OF_SKETCH = 16, 8, 4
"""Codes of a sketch, the least distance of their frames, and how many of them copies share at least."""
NO_CODE = 2**32 - 1
"""Number of the frame in a sketch with fewer than `SKETCH` codes."""
COMMIT_EVERY = 100
"""Number of clips after which their fingerprints are written to the cache."""
_AHEAD = 16  # clips per worker that are being decoded or waiting at a time
_BATCH = 512  # frames whose spectra are computed at once
_TABLE = """
create table if not exists fingerprints_2
(audio blob primary key, digest blob, seconds real, damaged int, codes blob) without rowid
"""


class Fingerprint(NamedTuple):
    """Hash of the sampling rate and the samples at 16 bits, duration, whether decoded in part, and codes."""

    digest: bytes
    seconds: float
    damaged: bool
    stored_codes: bytes

    @property
    def codes(self) -> Codes:
        """The codes of the recording."""
        return np.frombuffer(self.stored_codes, "<u4").reshape(-1, 2)


def codes_of(samples: Samples) -> Codes:
    """Return the codes of mono samples (n,) at `RATE`; none for silence."""
    if len(samples) < FRAME + HOP:
        return NO_CODES
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    window = np.hanning(FRAME).astype(np.float32)
    energies = []
    for start in range(0, len(frames), _BATCH):
        spectra = np.fft.rfft(frames[start : start + _BATCH] * window)[:, _BANDS[0] : _BANDS[-1]]
        energies.append(np.add.reduceat(spectra.real**2 + spectra.imag**2, _BANDS[:-1] - _BANDS[0], axis=1))
    bands = np.concatenate(energies)
    bits = np.packbits(np.diff(np.diff(bands, axis=1), axis=0) > 0, axis=1).view(">u4")[:, 0]
    total = bands.sum(axis=1)
    heard = np.flatnonzero(np.minimum(total[1:], total[:-1]) > max(QUIET * total.max(), 1e-12))
    return np.stack([heard, bits[heard]], axis=1).astype("<u4")


def sketch_of(codes: Codes) -> Codes:
    """Return `SKETCH` codes by which copies of a recording are found, padded; none for less than 1 s."""
    sketch = np.full((SKETCH, 2), NO_CODE, np.uint32)
    few = codes[:: max(SKETCH_STEP, -(-len(codes) // SKETCH))]
    if len(few) > LEAST_OF_SKETCH:
        sketch[: len(few)] = few
    return sketch


def read_fingerprint(audio: Path | bytes, name: str) -> Fingerprint | AudioError:
    """Decode a recording and return its fingerprint, or the error."""
    digest = hashlib.blake2b(digest_size=16)

    def hashed(blocks: Iterable[Samples]) -> Iterator[Samples]:
        for block in blocks:
            digest.update(np.rint(32_768 * block).clip(-32_768, 32_767).astype("<i2").tobytes())
            yield block

    try:
        with open_stream(audio, name) as stream:
            digest.update(f"{stream.sampling_rate} ".encode())
            blocks = resampled(hashed(stream.blocks()), source=stream.sampling_rate, target=RATE)
            codes = codes_of(np.concatenate(list(blocks)))
            damaged = stream.damage is not None
            return Fingerprint(digest.digest(), stream.seconds, damaged, codes.tobytes())
    except AudioError as error:
        return error


class SoundIndex:
    """Codes of recordings, or their sketches, in which those with the same sound as another one are found."""

    def __init__(self, recordings: Sequence[Codes] | NDArray[np.uint32]) -> None:
        """Index the codes of each recording."""
        self._least = (
            (LEAST_OF_SKETCH,) * 2 if isinstance(recordings, np.ndarray) else (FEWEST_FRAMES, LEAST_FRAMES)
        )
        lengths = [len(codes) for codes in recordings]
        self._starts = np.cumsum([0, *lengths])
        self._owners = np.repeat(np.arange(len(lengths)), lengths)
        joined = np.concatenate([NO_CODES, *recordings])
        self._frames, self._bits = joined[:, 0].astype(np.int64), joined[:, 1].copy()
        self._lookup = Lookup(self._bits)

    def copies(self, codes: Codes) -> list[int]:
        """Return the numbers of the recordings that share sound with the one that has these codes."""
        frames, bits = codes[:, 0].astype(np.int64), codes[:, 1].copy()
        mine, known = self._lookup.find(bits)
        shifts = self._frames[known] - frames[mine]
        pairs = np.unique(np.stack([self._owners[known], shifts]), axis=1).T.tolist()
        return sorted({owner for owner, shift in pairs if self._is_copy(owner, frames + shift, bits)})

    def _is_copy(self, owner: int, frames: NDArray[np.int64], bits: NDArray[np.uint32]) -> bool:
        known = slice(self._starts[owner], self._starts[owner + 1])
        length = known.stop - known.start
        at = np.minimum(np.searchsorted(self._frames[known], frames), length - 1)
        shared = np.flatnonzero(self._frames[known][at] == frames)
        fewest, enough = self._least
        if len(shared) < max(fewest, min(enough, LEAST_SHARE * min(len(bits), length))):
            return False
        differing = np.unpackbits((bits[shared] ^ self._bits[known][at[shared]]).view(np.uint8)).sum()
        return bool(differing <= MOST_ERRORS * 32 * len(shared))


class Lookup:
    """An array (n,) in which the places of values are found, many at a time."""

    def __init__(self, values: NDArray[Any]) -> None:
        """Sort the values."""
        self._order = np.argsort(values, kind="stable")
        self._values = values[self._order]

    def find(self, wanted: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return each pair of a place in `wanted` (m,) and a place in the array with the same value."""
        wanted = np.asarray(wanted, self._values.dtype)
        first = np.searchsorted(self._values, wanted)
        counts = np.searchsorted(self._values, wanted, "right") - first
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        return np.repeat(np.arange(len(wanted)), counts), self._order[np.repeat(first, counts) + within]


@contextmanager
def fingerprint_cache(cache: Path | None) -> Iterator[sqlite3.Connection]:
    """Open the SQLite file in which fingerprints are kept for later runs; None: a temporary file.

    Raises:
        InputError: the file cannot be used.
    """
    try:
        database = sqlite3.connect(cache or "")
        try:
            database.execute(_TABLE)
            yield database
        finally:
            database.commit()
            database.close()
    except sqlite3.Error as error:
        raise InputError(f"{cache or 'temporary file'}: cannot be used as a cache ({error})") from error


def fingerprints(
    clips: Iterable[Clip], database: sqlite3.Connection, *, workers: int, on_bad: OnBad
) -> Iterator[tuple[Clip, Fingerprint]]:
    """Yield each clip with its fingerprint, which is added to the cache, in the order of the corpus.

    Clips that cannot be decoded are reported and left out. `CorpusError`: a worker died.
    """
    try:
        for number, (clip, key, result) in enumerate(_in_order(clips, database, workers), start=1):
            if isinstance(result, AudioError):
                on_bad(result)
                continue
            database.execute("insert or ignore into fingerprints_2 values (?, ?, ?, ?, ?)", (key, *result))
            if number % COMMIT_EVERY == 0:
                database.commit()
            yield clip, result
    except BrokenProcessPool as error:
        raise CorpusError("a decoding process died: use fewer workers, or 0 to see at which clip") from error


def _in_order(
    clips: Iterable[Clip], database: sqlite3.Connection, workers: int
) -> Iterator[tuple[Clip, bytes, Fingerprint | AudioError]]:
    """Yield each clip, its key in the cache, and its fingerprint or error, in the order of the corpus."""
    waiting: deque[tuple[Clip, bytes, Future[Fingerprint | AudioError]]] = deque()
    spawn = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn) if workers > 1 else nullcontext() as pool:
        for clip in clips:
            key, name = _key(clip.audio), f"clip {clip.id!r}"
            row = database.execute("select * from fingerprints_2 where audio = ?", (key,)).fetchone()
            if pool is None or row:
                future: Future[Fingerprint | AudioError] = Future()
                future.set_result(Fingerprint(*row[1:]) if row else read_fingerprint(clip.audio, name))
            else:
                future = pool.submit(read_fingerprint, clip.audio, name)
            waiting.append((clip, key, future))
            while len(waiting) > (_AHEAD * workers if pool else 0):
                clip, key, future = waiting.popleft()
                yield clip, key, future.result()
        for clip, key, future in waiting:
            yield clip, key, future.result()


def _key(audio: Path | bytes) -> bytes:
    """Return the key of audio in the cache: a hash of its bytes, or of path, size and time of a file."""
    if isinstance(audio, Path):
        try:
            state = audio.stat()
        except OSError:
            return b""  # decoding raises the error
        audio = f"{audio.resolve()}/{state.st_size}/{state.st_mtime_ns}".encode(errors="surrogateescape")
    return hashlib.blake2b(audio, digest_size=16).digest()
