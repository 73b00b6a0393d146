import numpy as np
import pytest

from budew.audio.loudness import is_silent

RATE = 16_000


def _tone(dbfs: float, seconds: float) -> np.ndarray:
    """A 200 Hz tone whose mean square is `dbfs`."""
    time = np.arange(round(seconds * RATE)) / RATE
    return (np.sqrt(2) * 10 ** (dbfs / 20) * np.sin(2 * np.pi * 200 * time)).astype(np.float32)


def test_zeros_and_an_offset_are_silent():
    assert is_silent(np.zeros(8 * RATE, np.float32), RATE)
    assert is_silent(np.full(8 * RATE, 0.3, np.float32), RATE)


def test_the_dither_of_a_16_bit_recording_is_silent():
    noise = np.random.default_rng(1).integers(-1, 2, 8 * RATE).astype(np.float32) / 32_768
    assert is_silent(noise, RATE)


@pytest.mark.parametrize(("dbfs", "silent"), [(-76, True), (-74, False), (-30, False)])
def test_the_floor_is_where_it_is_said_to_be(dbfs, silent):
    assert is_silent(_tone(dbfs, 1.0), RATE) is silent


def test_one_faint_syllable_in_a_long_window_is_heard():
    window = np.zeros(30 * RATE, np.float32)
    window[100_000 : 100_000 + 1_600] = _tone(-70, 0.1)
    assert not is_silent(window, RATE)


def test_a_window_shorter_than_a_frame_is_judged_too():
    assert not is_silent(_tone(-20, 0.03), RATE)
    assert is_silent(np.zeros(400, np.float32), RATE)
