"""Which of millions of fingerprints are of the same recording, without comparing each with each.

Two clips are compared only where they share the value of one of their surest frames, and then only at the
shift which that value implies: n clips cost O(n log n) to sort, 8 s a million on one core, and 30 µs for
each comparison. A clip takes 150 bytes of memory here, 550 while links are looked for; the fingerprints
themselves, 1 kB for eight seconds, lie in a temporary file (in `TMPDIR`).
"""

import os
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budew.curation.fingerprint import FRAME_SECONDS, Bits

MOST_ERRORS = 0.28
"""Share of bits that may differ. Copies at 32 kbit/s reach 0.2, other recordings begin at 0.4."""
LEAST_FRAMES = 20
"""Frames that have to be compared. A clip needs 1.1 s for them, and shorter sounds agree by chance."""
SURE_FRAMES = 48
"""Frames from which the full share of bits may differ; of fewer, in proportion less. 2 s are enough."""
LEAST_OVERLAP = 0.75
"""Of the longer clip. Less is an excerpt and no copy."""
_PASSES = 16  # over the values, each sorting its share of them
_ANCHORS = 8  # clips of one value that another clip is compared with
_SET_BITS = np.array([number.bit_count() for number in range(2**16)], np.uint8)


@dataclass(frozen=True, slots=True)
class Link:
    """Two clips that are the same recording.

    Attributes:
        first, second: their numbers, in the order in which they were added.
        errors: share of bits that differ; of short clips more, see `compare`.
        offset: seconds from the start of the first to the start of the second.
    """

    first: int
    second: int
    errors: float
    offset: float


class FingerprintIndex:
    """Fingerprints, added one by one; `links` finds those of one recording. Close it to free the disk."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="budew-fingerprints-")  # noqa: SIM115  # closed on leaving
        self._frames = array("Q", [0])  # frames before each clip
        self._keys = array("I")
        self._keys_before = array("Q", [0])

    def __enter__(self) -> "FingerprintIndex":
        return self

    def __exit__(self, *_: Any) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._frames) - 1

    def add(self, bits: Bits, keys: Bits) -> int:
        """Add a fingerprint and return its number. One that is too short to be compared is never linked."""
        if len(bits) >= LEAST_FRAMES:
            self._keys.frombytes(keys.astype(np.uint32).tobytes())
        self._file.write(bits.astype(np.uint32).tobytes())
        self._frames.append(self._frames[-1] + len(bits))
        self._keys_before.append(len(self._keys))
        return len(self) - 1

    def bits(self, number: int) -> Bits:
        """Return the fingerprint of a clip."""
        start, end = self._frames[number], self._frames[number + 1]
        return np.frombuffer(os.pread(self._file.fileno(), 4 * (end - start), 4 * start), np.uint32)

    def links(self, order: Sequence[int], *, most_errors: float = MOST_ERRORS) -> Iterator[Link]:
        """Find the clips that are copies, as links that join all of a recording and are not more than needed.

        Args:
            order: numbers of the clips, in an order that says which are compared first; on it alone depends
                which links are found of those that would do.
            most_errors: share of bits that may differ.
        """
        self._file.flush()
        rank = np.empty(len(self), np.int64)
        rank[np.asarray(order, np.int64)] = np.arange(len(self))
        joined = Joined(len(self))
        for value, clips in self._shared(rank):
            anchors: list[int] = []
            for clip in clips:
                if any(joined.root(clip) == joined.root(anchor) for anchor in anchors):
                    continue
                link = self._first_link(clip, anchors, value, most_errors)
                if link is not None:
                    joined.join(link.first, link.second)
                    yield link
                elif len(anchors) < _ANCHORS:
                    anchors.append(clip)

    def _shared(self, rank: NDArray[np.int64]) -> Iterator[tuple[int, list[int]]]:
        """Give each value that several clips have, with them in their order."""
        keys = np.frombuffer(self._keys, np.uint32) if self._keys else np.zeros(0, np.uint32)
        before = np.frombuffer(self._keys_before, np.uint64)
        for turn in range(_PASSES):
            places = np.flatnonzero(keys >> np.uint32(28) == turn)
            owners = np.searchsorted(before, places, side="right") - 1
            sort = np.lexsort((rank[owners], keys[places]))
            values, owners = keys[places][sort], owners[sort]
            changes = np.flatnonzero(values[1:] != values[:-1]) + 1
            edges = np.concatenate([[0], changes, [len(values)]])
            for place in np.flatnonzero(np.diff(edges) > 1):
                start, end = edges[place], edges[place + 1]
                yield int(values[start]), owners[start:end].tolist()

    def _first_link(self, clip: int, anchors: list[int], value: int, most_errors: float) -> Link | None:
        for anchor in anchors:
            errors, lag = compare(self.bits(anchor), self.bits(clip), value)
            if errors <= most_errors:
                return Link(anchor, clip, errors, lag * FRAME_SECONDS)
        return None


class Joined:
    """Sets of numbers that were joined, two at a time."""

    def __init__(self, count: int) -> None:
        self._parents = array("Q", range(count))

    def root(self, number: int) -> int:
        """Return the number that stands for all that `number` was joined with."""
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number

    def join(self, one: int, other: int) -> None:
        """Make one set of the sets of two numbers."""
        self._parents[self.root(other)] = self.root(one)


def compare(one: Bits, other: Bits, value: int) -> tuple[float, int]:
    """Compare two fingerprints at the shifts at which they share a value, and one frame to either side.

    Returns:
        The smallest share of bits that differ in the frames that are quiet in neither, multiplied by how many
        times as many frames were needed to be sure, 1 where there are too few; and its shift: frames from the
        start of `one` to the start of `other`.
    """
    best, shift = 1.0, 0
    for lag in _lags(one, other, value):
        low, high = max(0, lag), min(len(one), len(other) + lag)
        if high - low < LEAST_OVERLAP * max(len(one), len(other)):
            continue
        here, there = one[low:high], other[low - lag : high - lag]
        loud = (here != 0) & (there != 0)
        frames = int(loud.sum())
        if frames < LEAST_FRAMES:
            continue
        differing = int(_SET_BITS[(here ^ there)[loud].view(np.uint16)].sum(dtype=np.int64))
        errors = differing / (32 * frames) * max(1.0, SURE_FRAMES / frames)
        if errors < best:
            best, shift = errors, lag
    return best, shift


def _lags(one: Bits, other: Bits, value: int) -> list[int]:
    """Return shifts, the smallest first, and not many: a value that is there often is a steady tone."""
    here, there = (np.flatnonzero(bits == value)[:_ANCHORS] for bits in (one, other))
    near = {int(i) - int(j) + step for i in here for j in there for step in (-1, 0, 1)}
    return sorted(near, key=lambda lag: (abs(lag), lag))
