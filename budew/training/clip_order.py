"""Order of the training clips: corpora mixed by weight, shuffled shards, steps of clips of similar length.

The n-th clip is computed from the seed and n alone, so a run continues where it stopped without reading
earlier clips, and processes need no communication; if the clip cannot be used, `dataset` takes the next one.
The order is computed in blocks when they are needed.

- Each corpus has its share, by weight, in every block of a thousand examples.
- In an epoch of a corpus, its shards are taken in random order, a few at a time, and their clips are shuffled
  together: the disk is read in few places, but clips do not follow in the order of a shard.
- If clips have weights, an epoch has as many examples as clips with a weight, and a clip occurs in it in
  proportion to its weight, rounded up or down at random (systematic resampling).
- The clips of 32 steps at a time are sorted by length, because a step takes as long as its longest clip.
  A step has the clips of all devices.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from budew.training.training_clips import TrainingClips

BLOCK = 1000
"""Number of examples in a block, in which each corpus has its share."""
SORTED_STEPS = 32
"""Number of steps whose clips are sorted together: few enough that the order stays random."""
_CORPORA, _SHARDS, _CLIPS, _STEPS, _WEIGHTS = range(5)
"""Parts of the seeds of different random draws."""

Numbers = npt.NDArray[np.int64]


class ClipPlace(NamedTuple):
    """Number of a corpus in the run, and number of a clip in this corpus, both from 0."""

    corpus: int
    place: int


@dataclass(frozen=True, eq=False, slots=True)
class ClipOrder:
    """Sequence of the `ClipPlace` of each example of a run, computed when it is looked up.

    Attributes:
        corpora: clips of each corpus, at least one.
        examples: number of examples in the run.
        batch_size: number of clips per step, on all devices.
        mixed_shards: number of shards whose clips are shuffled together.
        seed: random seed of the order.
    """

    corpora: Sequence[TrainingClips]
    examples: int
    batch_size: int
    mixed_shards: int
    seed: int

    def __len__(self) -> int:
        return self.examples

    def __getitem__(self, index: int) -> ClipPlace:
        if not 0 <= index < self.examples:
            raise IndexError(f"there are {self.examples} examples, no number {index}")
        chunk, row = divmod(index, SORTED_STEPS * self.batch_size)
        return _chunk(self, chunk)[row]


@lru_cache(maxsize=4)
def _chunk(order: ClipOrder, chunk: int) -> list[ClipPlace]:
    """Return the clips of `SORTED_STEPS` steps, sorted by length into steps in random order."""
    start = chunk * SORTED_STEPS * order.batch_size
    stop = min(start + SORTED_STEPS * order.batch_size, order.examples)
    clips = [_before_sorting(order, example) for example in range(start, stop)]
    seconds = [order.corpora[corpus].used_seconds_of(place) for corpus, place in clips]
    by_length = np.argsort(seconds, kind="stable")
    steps = [by_length[at : at + order.batch_size] for at in range(0, len(clips), order.batch_size)]
    shuffled = np.random.default_rng([order.seed, _STEPS, chunk]).permutation(len(steps))
    return [clips[row] for number in shuffled for row in steps[number]]


def _before_sorting(order: ClipOrder, example: int) -> ClipPlace:
    block, at = divmod(example, BLOCK)
    corpora, turns = _block(order, block)
    corpus = int(corpora[at])
    epoch, turn = divmod(int(turns[at]), len(order.corpora[corpus]))
    return ClipPlace(corpus, int(_epoch(order, corpus, epoch)[turn]))


@lru_cache(maxsize=4)
def _block(order: ClipOrder, block: int) -> tuple[Numbers, Numbers]:
    """Return the corpus of each example of a block, and how many examples of this corpus come before it."""
    weights = np.array([clips.corpus.weight for clips in order.corpora], dtype=np.float64)
    bounds = np.concatenate([[0.0], np.cumsum(weights)]) / weights.sum()
    bounds[-1] = 1.0
    before, after = (
        np.diff(np.floor(number * BLOCK * bounds).astype(np.int64)) for number in (block, block + 1)
    )
    corpora = np.repeat(np.arange(len(weights)), after - before)
    corpora = np.random.default_rng([order.seed, _CORPORA, block]).permutation(corpora)
    turns = np.empty(BLOCK, dtype=np.int64)
    for corpus in range(len(weights)):
        own = corpora == corpus
        turns[own] = before[corpus] + np.arange(own.sum())
    return corpora, turns


@lru_cache(maxsize=16)
def _epoch(order: ClipOrder, corpus: int, epoch: int) -> Numbers:
    """Return the numbers of the clips of a corpus in the order of an epoch."""
    clips = order.corpora[corpus]
    shards, starts = np.unique(
        clips.index.rows["notes"], return_index=True
    )  # annotation file: one for each shard
    stops = np.append(starts[1:], len(clips))
    times = _times(order, corpus, epoch)
    shuffled = np.random.default_rng([order.seed, _SHARDS, corpus, epoch]).permutation(len(shards))
    groups = []
    for number, at in enumerate(range(0, len(shuffled), order.mixed_shards)):
        group = shuffled[at : at + order.mixed_shards]
        places = np.concatenate([np.arange(starts[shard], stops[shard]) for shard in group])
        places = np.repeat(places, times[places])
        rng = np.random.default_rng([order.seed, _CLIPS, corpus, epoch, number])
        groups.append(rng.permutation(places))
    return np.concatenate(groups)


def _times(order: ClipOrder, corpus: int, epoch: int) -> Numbers:
    """Return how often each clip of a corpus occurs in an epoch, (clips,)."""
    weights = order.corpora[corpus].clip_weights
    if weights is None:
        return np.ones(len(order.corpora[corpus]), dtype=np.int64)
    expected = np.cumsum(weights) / weights.sum() * len(weights)
    expected[-1] = len(weights)
    offset = np.random.default_rng([order.seed, _WEIGHTS, corpus, epoch]).random()
    counted = np.floor(expected + offset).astype(np.int64)
    counted[-1] = len(weights)
    times: Numbers = np.diff(counted, prepend=0)
    return times
