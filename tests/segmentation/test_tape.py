"""A tape gives back what was put on it, and holds no more than it must."""

import numpy as np
import pytest

from budew.segmentation.tape import Tape


@pytest.fixture
def tape() -> Tape:
    tape = Tape()
    for start in range(0, 1000, 100):
        tape.append(np.arange(start, start + 100, dtype=np.float32))
    return tape


@pytest.mark.parametrize(
    ("start", "end"), [(0, 1000), (0, 1), (99, 101), (100, 200), (250, 951), (999, 1000)]
)
def test_a_cut_is_the_slice(tape, start, end):
    assert np.array_equal(tape.cut(start, end), np.arange(start, end))


def test_a_cut_ends_with_the_tape(tape):
    assert np.array_equal(tape.cut(990, 2000), np.arange(990, 1000))
    assert len(tape.cut(1000, 2000)) == 0


def test_numbers_stay_those_of_the_recording_when_blocks_are_dropped(tape):
    tape.drop(before=399)
    assert np.array_equal(tape.cut(399, 450), np.arange(399, 450))
    with pytest.raises(IndexError, match="sample 299 is dropped"):
        tape.cut(299, 450)


def test_a_cut_does_not_hold_the_tape(tape):
    assert tape.cut(10, 20).base is None
