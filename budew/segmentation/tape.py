"""`Tape`: the last stretch of a recording at its own rate, from which clips are cut to the sample."""

from collections import deque

import numpy as np

from budew.audio.decoders import Samples


class Tape:
    """Samples in order of the recording, counted from its first; what lies before is dropped when told."""

    def __init__(self) -> None:
        self._blocks: deque[Samples] = deque()
        self._start = 0
        self.end = 0
        """How many samples of the recording have come."""

    def append(self, block: Samples) -> None:
        """Add the next samples (n,)."""
        self._blocks.append(block)
        self.end += len(block)

    def drop(self, *, before: int) -> None:
        """Forget the blocks that end before sample number `before`."""
        while self._blocks and self._start + len(self._blocks[0]) <= before:
            self._start += len(self._blocks.popleft())

    def cut(self, start: int, end: int) -> Samples:
        """Return a copy of the samples from number `start` to before number `end`, as far as they have come.

        Raises:
            IndexError: the first of them is dropped already.
        """
        if start < self._start:
            raise IndexError(f"sample {start} is dropped: the tape begins at {self._start}")
        place, found = self._start, []
        for block in self._blocks:
            if place + len(block) > start and place < end:
                found.append(block[max(0, start - place) : end - place])
            place += len(block)
        return np.concatenate(found) if found else np.zeros(0, np.float32)
