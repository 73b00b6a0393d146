"""A masked spectrogram is the clip itself, a little later, with no more blanked than allowed."""

import random
from dataclasses import replace

import numpy as np
import pytest

from budew.training.augmentation import Masks, mask

VALUES = np.random.default_rng(1).uniform(1, 2, (40, 100)).astype(np.float32)
FLOOR = VALUES.min()


@pytest.mark.parametrize("masks", [Masks(), Masks(time=1, bands=0), Masks(time=0, bands=3, mels=4, shift=5)])
def test_nothing_is_altered_but_what_masks_allow(masks):
    before = VALUES.copy()
    shifts = set()
    for seed in range(60):
        masked, shift = mask(VALUES, masks, random.Random(seed))
        assert masked.shape == VALUES.shape
        assert masked.dtype == VALUES.dtype
        shifts.add(shift)
        blank = masked[:, shift:] == FLOOR
        assert ((masked[:, shift:] == VALUES[:, : 100 - shift]) | blank).all()
        assert (masked[:, :shift] == FLOOR).all()
        assert blank.all(axis=0).sum() <= masks.time * masks.frames
        assert blank.all(axis=1).sum() <= masks.bands * masks.mels
    np.testing.assert_array_equal(VALUES, before)
    assert min(shifts) == 0
    assert max(shifts) == masks.shift


def test_without_masks_a_spectrogram_stays_as_it_is():
    nothing = replace(Masks(), time=0, bands=0, shift=0)
    masked, shift = mask(VALUES, nothing, random.Random(1))
    np.testing.assert_array_equal(masked, VALUES)
    assert shift == 0


def test_the_generator_alone_decides():
    one, same, other = (mask(VALUES, Masks(), random.Random(seed))[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)
