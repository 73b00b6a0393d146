"""Which clip is the n-th example of a run: corpora mixed by weight, shuffled shards, batches of like length.

Everything follows from the seed and the number of the example, so that a run goes on where it stopped without
reading what it has seen, and no process needs to know of another. Each step of the order is worked out for a
stretch of examples when the first of them is asked for.

- The share of each corpus is kept in every stretch of a thousand examples.
- An epoch of a corpus takes its shards in an order of its own, a few at a time, and mixes the clips of
  these: the disk is read from a few places, and clips of one shard are apart.
- Where clips have weights, an epoch has as many examples as without, and a clip comes in it as often as its
  weight says, rounded up or down by chance (systematic resampling).
- 32 batches are sorted by length together, since a batch takes as long as its longest clip.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

BLOCK = 1000
"""Examples in which each corpus has its share."""
CHUNK = 32
"""Batches that are sorted together: enough for batches of like lengths, few enough to stay random."""
_MIXING, _SHARDS, _CLIPS, _BATCHES, _WEIGHING = range(5)


class Example(NamedTuple):
    """A corpus, the number of a clip in it, and for which time the corpus is gone through (from 0)."""

    corpus: int
    clip: int
    epoch: int


@dataclass(frozen=True, eq=False, slots=True)
class Part:
    """A corpus of a run.

    Attributes:
        shards: (clips,), the number of the shard of each clip, ascending.
        seconds: (clips,), its length.
        weight: examples of the run from this corpus, in proportion to those of the others.
        weights: (clips,), how often each clip comes, in proportion to the others; None for all once an epoch.
    """

    shards: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.float32]
    weight: float = 1.0
    weights: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class ClipOrder:
    """The order of a run; see above.

    Attributes:
        parts: the corpora, none of them empty.
        examples: in the run.
        batch_size: clips of a step, over all processes.
        mixed_shards: shards whose clips are mixed.
        seed: of everything.
    """

    parts: Sequence[Part]
    examples: int
    batch_size: int
    mixed_shards: int
    seed: int

    def __getitem__(self, index: int) -> Example:
        """Return what the example of this number is."""
        if not 0 <= index < self.examples:
            raise IndexError(f"there are {self.examples} examples, no number {index}")
        chunk, place = divmod(index, CHUNK * self.batch_size)
        return _example(self, int(_chunk(self, chunk)[place]))

    def seconds(self, example: Example) -> float:
        """Return the length of a clip."""
        return float(self.parts[example.corpus].seconds[example.clip])


@dataclass(frozen=True, eq=False, slots=True)
class InTurn:
    """One corpus after the other, each in an order of its own; see `ClipOrder`."""

    orders: Sequence[ClipOrder]

    @property
    def examples(self) -> int:
        """Return their number."""
        return sum(order.examples for order in self.orders)

    @property
    def batch_size(self) -> int:
        """Return the clips of a step."""
        return self.orders[0].batch_size

    def __getitem__(self, index: int) -> Example:
        """Return what the example of this number is."""
        for corpus, order in enumerate(self.orders):
            if index < order.examples:
                return order[index]._replace(corpus=corpus)
            index -= order.examples
        raise IndexError(f"there are {self.examples} examples")

    def seconds(self, example: Example) -> float:
        """Return the length of a clip."""
        return float(self.orders[example.corpus].parts[0].seconds[example.clip])


@lru_cache(maxsize=4)
def _chunk(order: ClipOrder, chunk: int) -> npt.NDArray[np.int64]:
    """Return the places in the shuffled sequence that the examples of a chunk take."""
    start = chunk * CHUNK * order.batch_size
    places = np.arange(start, min(start + CHUNK * order.batch_size, order.examples))
    seconds = [order.seconds(_example(order, int(place))) for place in places]
    by_length = places[np.argsort(seconds, kind="stable")]
    batches = [by_length[at : at + order.batch_size] for at in range(0, len(places), order.batch_size)]
    shuffled = np.random.default_rng([order.seed, _BATCHES, chunk]).permutation(len(batches))
    return np.concatenate([batches[number] for number in shuffled])


def _example(order: ClipOrder, place: int) -> Example:
    """Return what stands at a place of the shuffled sequence."""
    block, at = divmod(place, BLOCK)
    corpora, ranks, before = _block(order, block)
    corpus = int(corpora[at])
    epoch, rank = divmod(int(before[corpus] + ranks[at]), len(order.parts[corpus].shards))
    _, starts = _groups(order, corpus, epoch)
    number = int(np.searchsorted(starts, rank, side="right")) - 1
    clips = _mixed(order, corpus, epoch, number)
    return Example(corpus, int(clips[rank - starts[number]]), epoch)


@lru_cache(maxsize=4)
def _block(
    order: ClipOrder, block: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the corpus of each place of a block, how many of it come before in the block, and how many of
    each corpus before the block.
    """
    shares = np.array([part.weight for part in order.parts], dtype=np.float64)
    edges = np.concatenate([[0.0], np.cumsum(shares)]) / shares.sum()
    edges[-1] = 1.0
    before, behind = (
        np.diff(np.floor(number * BLOCK * edges).astype(np.int64)) for number in (block, block + 1)
    )
    corpora = np.repeat(np.arange(len(shares)), behind - before)
    corpora = np.random.default_rng([order.seed, _MIXING, block]).permutation(corpora)
    ranks = np.empty(BLOCK, dtype=np.int64)
    for corpus in range(len(shares)):
        mine = corpora == corpus
        ranks[mine] = np.arange(mine.sum())
    return corpora, ranks, before


@lru_cache(maxsize=8)
def _groups(
    order: ClipOrder, corpus: int, epoch: int
) -> tuple[list[npt.NDArray[np.int64]], npt.NDArray[np.int64]]:
    """Return the shards of each group of an epoch, and how many examples come before each group."""
    shards, counts = np.unique(order.parts[corpus].shards, return_counts=True)
    times = _times(order, corpus, epoch)
    if times is not None:
        starts = np.searchsorted(order.parts[corpus].shards, shards)
        counts = np.add.reduceat(times, starts)
    mixed = np.random.default_rng([order.seed, _SHARDS, corpus, epoch]).permutation(len(shards))
    groups = [mixed[at : at + order.mixed_shards] for at in range(0, len(mixed), order.mixed_shards)]
    sizes = [int(counts[group].sum()) for group in groups]
    return [shards[group] for group in groups], np.concatenate([[0], np.cumsum(sizes)])[:-1]


@lru_cache(maxsize=4)
def _times(order: ClipOrder, corpus: int, epoch: int) -> npt.NDArray[np.int64] | None:
    """Return how often each clip comes in an epoch; None for once."""
    weights = order.parts[corpus].weights
    if weights is None:
        return None
    reached = np.cumsum(weights) / weights.sum() * len(weights)
    reached[-1] = len(weights)
    chance = np.random.default_rng([order.seed, _WEIGHING, corpus, epoch]).random()
    counted = np.floor(reached + chance).astype(np.int64)
    counted[-1] = len(weights)
    times: npt.NDArray[np.int64] = np.diff(counted, prepend=0)
    return times


@lru_cache(maxsize=8)
def _mixed(order: ClipOrder, corpus: int, epoch: int, number: int) -> npt.NDArray[np.int64]:
    """Return the clips of a group of shards, mixed."""
    all_shards = order.parts[corpus].shards
    times = _times(order, corpus, epoch)
    found = []
    for shard in _groups(order, corpus, epoch)[0][number]:
        first, stop = np.searchsorted(all_shards, [shard, shard + 1])
        clips = np.arange(first, stop)
        found.append(clips if times is None else np.repeat(clips, times[first:stop]))
    together = np.concatenate(found)
    return np.random.default_rng([order.seed, _CLIPS, corpus, epoch, number]).permutation(together)
