"""The sequence of a run: every clip once a round, batches of like lengths, whole windows at the end."""

from dataclasses import replace

import numpy as np
import pytest

from budew.training.batch_order import CHUNK, BatchOrder

LENGTHS = np.random.default_rng(1).integers(50, 400, 300)
ORDER = BatchOrder(LENGTHS, examples=2400, batch_size=4, short_windows=0.75, seed=1)


@pytest.mark.parametrize("batch_size", [1, 4, 7])
def test_every_clip_comes_once_a_round(batch_size):
    order = replace(ORDER, batch_size=batch_size)
    drawn = [order.draw(index)[:2] for index in range(order.examples)]
    assert sorted(drawn) == [(turn, clip) for turn in range(8) for clip in range(300)]
    assert drawn != sorted(drawn)


def test_the_order_depends_on_the_seed_and_not_on_what_was_asked_before():
    forwards = [ORDER.draw(index) for index in range(ORDER.examples)]
    backwards = [replace(ORDER).draw(index) for index in reversed(range(ORDER.examples))]
    assert forwards == backwards[::-1]
    other = replace(ORDER, seed=2)
    assert forwards != [other.draw(index) for index in range(ORDER.examples)]


def test_a_batch_holds_clips_of_like_length_and_comes_at_random():
    lengths = [LENGTHS[ORDER.draw(index)[1]] for index in range(ORDER.examples)]
    spreads, means = [], []
    for start in range(0, ORDER.examples, ORDER.batch_size):
        batch = lengths[start : start + ORDER.batch_size]
        spreads.append(max(batch) - min(batch))
        means.append(np.mean(batch))
    assert np.median(spreads) < 15 < np.std(LENGTHS) / 4
    assert abs(np.corrcoef(range(CHUNK), means[:CHUNK])[0, 1]) < 0.5


def test_a_batch_is_cut_as_a_whole_one_in_ten_not_and_towards_the_end_none():
    whole = np.array([ORDER.draw(index)[2] for index in range(ORDER.examples)]).reshape(-1, 4)
    assert (whole.all(axis=1) == whole.any(axis=1)).all()
    early, late = whole[:450, 0], whole[450:, 0]
    assert 0.05 < early.mean() < 0.16
    assert late.all()


def test_another_seed_shuffles_the_batches_of_a_chunk_otherwise():
    def rounds(seed: int) -> list[int]:
        order = BatchOrder(np.array([10]), 64, 2, 1.0, seed)  # one clip: its rounds tell the places
        return [order.draw(index)[0] for index in range(64)]

    assert rounds(1) != rounds(2)
    assert sorted(rounds(1)) == sorted(rounds(2)) == list(range(64))
