"""The order of a run: every clip once an epoch, corpora in their shares, decided by the seed alone."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.training.clip_index import ROW, ClipIndex
from budew.training.clip_order import BLOCK, SORTED_STEPS, ClipOrder, ClipPlace, _before_sorting
from budew.training.data_settings import TrainingCorpus
from budew.training.training_clips import TrainingClips


def clips(sizes, weight=1.0, weights=None, seed=0) -> TrainingClips:
    """Clips of a corpus with shards of these sizes."""
    rows = np.zeros(sum(sizes), ROW)
    rows["notes"] = np.repeat(np.arange(len(sizes)), sizes)
    rows["seconds"] = np.random.default_rng(seed).uniform(0.5, 8, len(rows))
    return TrainingClips(
        TrainingCorpus(corpus="a", weight=weight),
        ClipIndex(rows, (), Counter()),
        np.zeros(len(rows), np.float32),
        8.0,
        Counter(),
        clip_weights=None if weights is None else np.asarray(weights),
    )


def order(*corpora: TrainingClips, examples: int, batch_size=4, mixed_shards=2, seed=1) -> ClipOrder:
    return ClipOrder(corpora, examples, batch_size, mixed_shards, seed)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=6),
    st.integers(1, 3), st.integers(1, 5), st.integers(0, 99), st.integers(1, 7),
)  # fmt: skip
def test_each_clip_comes_once_an_epoch(sizes, epochs, mixed, seed, batch):
    count = sum(sizes)
    run = order(clips(sizes), examples=epochs * count, batch_size=batch, mixed_shards=mixed, seed=seed)
    drawn = [_before_sorting(run, number) for number in range(len(run))]
    for epoch in range(epochs):
        own = drawn[epoch * count : (epoch + 1) * count]
        assert Counter(own) == Counter(ClipPlace(0, place) for place in range(count))
    assert Counter(run[number] for number in range(len(run))) == Counter(drawn)


def test_the_order_is_decided_by_the_seed_and_not_by_the_order_of_access():
    one, other = (order(clips([40] * 9), examples=900, seed=3) for _ in range(2))
    assert [one[number] for number in range(900)] == [other[number] for number in reversed(range(900))][::-1]
    third = order(clips([40] * 9), examples=900, seed=4)
    assert [one[number] for number in range(900)] != [third[number] for number in range(900)]


def test_corpora_have_their_shares_in_every_block():
    run = order(
        clips([50] * 4, weight=3), clips([30], weight=1), clips([7] * 3, weight=0.5), examples=4 * BLOCK
    )
    for block in range(4):
        drawn = Counter(run[number].corpus for number in range(block * BLOCK, (block + 1) * BLOCK))
        wanted = [3 / 4.5, 1 / 4.5, 0.5 / 4.5]
        assert [drawn[corpus] for corpus in range(3)] == pytest.approx(
            [1000 * w for w in wanted], abs=SORTED_STEPS * 4
        )


def test_a_few_shards_are_read_at_a_time():
    run = order(clips([100] * 20), examples=2000, batch_size=5, mixed_shards=4)
    shards = [run[number].place // 100 for number in range(len(run))]
    assert all(len(set(shards[at : at + 200])) <= 8 for at in range(0, 2000, 200))
    assert len(set(shards[:200])) >= 4


@pytest.mark.parametrize("starts", ["first", "any"])
def test_clips_of_a_batch_have_similar_lengths(starts):
    corpus = clips([100] * 20)
    if starts == "any":  # parts of longer recordings
        offsets = np.random.default_rng(2).uniform(0, 90, len(corpus)).astype(np.float32)
        corpus.index.rows["seconds"] += offsets
        corpus = replace(corpus, starts=offsets)
    run = order(corpus, examples=1920, batch_size=10, mixed_shards=4)
    seconds = corpus.used_seconds
    lengths = np.array([seconds[run[number].place] for number in range(1920)]).reshape(-1, 10)
    assert np.ptp(lengths, axis=1).mean() < 0.1 * np.ptp(lengths)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.1, 5), min_size=3, max_size=30), st.integers(0, 99))
def test_a_clip_occurs_in_proportion_to_its_weight(weights, seed):
    count = len(weights)
    sizes = [count // 2, count - count // 2]
    run = order(clips(sizes, weights=weights), examples=3 * count, seed=seed)
    share = np.array(weights) / sum(weights) * count
    for epoch in range(3):
        drawn = Counter(_before_sorting(run, epoch * count + number).place for number in range(count))
        assert sum(drawn.values()) == count
        assert all(
            np.floor(share[clip]) <= drawn[clip] <= np.ceil(share[clip]) + 1e-9 for clip in range(count)
        )


def test_a_number_beyond_the_run_is_an_index_error():
    with pytest.raises(IndexError):
        order(clips([3]), examples=3)[3]
