"""Which clip is the n-th example of a run: corpora mixed by weight, shuffled shards, batches of similar
length.

The order follows from the seed and the number of the example, so a run continues where it stopped without
reading what it has seen, and processes need not know of each other. It is worked out for a stretch of
examples when the first of them is looked up.

- Each corpus has its share in every block of a thousand examples.
- An epoch of a corpus takes its shards in random order, a few at a time, and shuffles the clips of these: the
  disk is read in few places, and neighbours in a shard do not follow each other.
- Where clips have weights, an epoch has as many examples as without, and a clip occurs in it in proportion to
  its weight, rounded up or down at random (systematic resampling).
- 32 batches are sorted by length together, since a batch takes as long as its longest clip.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from budew.training.training_clips import TrainingClips

BLOCK = 1000
"""Examples in which each corpus has its share."""
SORTED_BATCHES = 32
"""Batches that are sorted together: enough for batches of similar length, few enough to stay random."""
_CORPORA, _SHARDS, _CLIPS, _BATCHES, _WEIGHTS = range(5)
"""What is drawn at random: part of the seed."""

Numbers = npt.NDArray[np.int64]


class ClipPlace(NamedTuple):
    """The number of a corpus, and the place of a clip in it."""

    corpus: int
    place: int


@dataclass(frozen=True, eq=False, slots=True)
class ClipOrder:
    """A sequence with the clip of each example.

    Attributes:
        corpora: none of them empty.
        examples: their number in the run.
        batch_size: clips of a step, over all processes.
        mixed_shards: shards whose clips are shuffled together.
        seed: decides the order.
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
        chunk, row = divmod(index, SORTED_BATCHES * self.batch_size)
        return _chunk(self, chunk)[row]


@lru_cache(maxsize=4)
def _chunk(order: ClipOrder, chunk: int) -> list[ClipPlace]:
    """Return the clips of batches that are sorted together."""
    start = chunk * SORTED_BATCHES * order.batch_size
    stop = min(start + SORTED_BATCHES * order.batch_size, order.examples)
    clips = [_before_sorting(order, example) for example in range(start, stop)]
    seconds = [order.corpora[corpus].seconds[place] for corpus, place in clips]
    by_length = np.argsort(seconds, kind="stable")
    batches = [by_length[at : at + order.batch_size] for at in range(0, len(clips), order.batch_size)]
    shuffled = np.random.default_rng([order.seed, _BATCHES, chunk]).permutation(len(batches))
    return [clips[row] for number in shuffled for row in batches[number]]


def _before_sorting(order: ClipOrder, example: int) -> ClipPlace:
    block, at = divmod(example, BLOCK)
    corpora, turns = _block(order, block)
    corpus = int(corpora[at])
    epoch, turn = divmod(int(turns[at]), len(order.corpora[corpus]))
    return ClipPlace(corpus, int(_epoch(order, corpus, epoch)[turn]))


@lru_cache(maxsize=4)
def _block(order: ClipOrder, block: int) -> tuple[Numbers, Numbers]:
    """Return the corpus of each example of a block, and how many examples of this corpus precede it."""
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
    """Return the clips of an epoch of a corpus, by their places."""
    clips = order.corpora[corpus]
    shards, starts = np.unique(clips.index.rows["notes"], return_index=True)
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
    """Return how often each clip occurs in an epoch."""
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
