"""Which clip is the n-th example of a run: rounds of the corpus, shuffled, clips of like length side by side.

Most clips are shorter than the window, and silence costs as much as speech. So the shuffled sequence is taken
in chunks of 32 batches; within a chunk the clips are sorted by length and cut into batches, whose order is
shuffled again. A batch is then no longer than its longest clip. One in ten keeps the whole window, and so do
all towards the end of the run, because a whole window is what the finished model will be given.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from budew.randomness import generator

CHUNK = 32
"""Batches that are sorted together: enough for batches of like lengths, few enough to stay random."""
WHOLE_SHARE = 0.1
"""Share of the batches that keep the whole window in the short part of the run."""


@dataclass(frozen=True, eq=False, slots=True)
class BatchOrder:
    """The sequence of a run, decided by these alone.

    Attributes:
        lengths: (clips,), frames of each clip.
        examples: in the run.
        batch_size: examples of a batch.
        short_windows: share of the run in which batches are cut to their longest clip.
        seed: of every shuffle.
    """

    lengths: npt.NDArray[np.int64]
    examples: int
    batch_size: int
    short_windows: float
    seed: int

    def draw(self, index: int) -> tuple[int, int, bool]:
        """Return the round (from 0) and the clip of an example, and whether it keeps the whole window."""
        chunk, place = divmod(index, CHUNK * self.batch_size)
        turn, at = divmod(int(_chunk(self, chunk)[place]), len(self.lengths))
        late = index >= self.short_windows * self.examples
        batch = generator(self.seed, index // self.batch_size, "window")
        whole = late or batch.random() < WHOLE_SHARE
        return turn, int(_round(len(self.lengths), self.seed, turn)[at]), whole


@lru_cache(maxsize=4)
def _chunk(order: BatchOrder, chunk: int) -> npt.NDArray[np.int64]:
    """Return the places in the shuffled sequence that the examples of a chunk take."""
    start, clips = chunk * CHUNK * order.batch_size, len(order.lengths)
    places = np.arange(start, min(start + CHUNK * order.batch_size, order.examples))
    lengths = [order.lengths[_round(clips, order.seed, place // clips)[place % clips]] for place in places]
    by_length = places[np.argsort(lengths, kind="stable")]
    batches = [by_length[at : at + order.batch_size] for at in range(0, len(places), order.batch_size)]
    shuffled = np.random.default_rng([order.seed, chunk, 1]).permutation(len(batches))
    return np.concatenate([batches[number] for number in shuffled])


@lru_cache(maxsize=4)
def _round(clips: int, seed: int, turn: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng([seed, turn]).permutation(clips)
