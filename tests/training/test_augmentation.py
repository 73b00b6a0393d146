"""Each change of the audio does what it says and nothing else, and the generator decides all of it."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.training.augmentation import LOWEST_BAND, MAX_SHIFT, Augmentation, change_audio, mask, random_piece

RATE = 16_000
VALUES = np.random.default_rng(1).uniform(1, 2, (40, 100)).astype(np.float16)
FLOOR = VALUES.min()
SPEECH = (0.1 * np.random.default_rng(2).standard_normal(RATE)).astype(np.float32)


def changed(seed: int = 0, samples=SPEECH, **settings: float) -> np.ndarray:
    return change_audio(samples, RATE, Augmentation(**settings), random.Random(seed))


def decibels(samples: np.ndarray) -> float:
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)))


def spectrum(samples: np.ndarray) -> np.ndarray:
    """Return the power of each band of 100 Hz."""
    return (np.abs(np.fft.rfft(samples)) ** 2)[:-1].reshape(-1, len(samples) // 2 // 80).sum(axis=1)


@pytest.mark.parametrize(("time", "bands"), [(2, 2), (1, 0), (0, 3), (0, 0)])
def test_masks_are_drawn_within_their_limits(time, bands):
    before = VALUES.copy()
    settings = Augmentation(time_masks=time, band_masks=bands, mask_frames=15, mask_bands=9)
    shifts, widest = set(), [0, 0]
    for seed in range(60):
        masked, shift = mask(VALUES, settings, random.Random(seed))
        assert np.array_equal(mask(VALUES, settings, random.Random(seed))[0], masked)
        assert (masked.shape, masked.dtype) == (VALUES.shape, VALUES.dtype)
        shifts.add(shift)
        blank = masked[:, shift:] == FLOOR
        assert ((masked[:, shift:] == VALUES[:, : 100 - shift]) | blank).all()
        assert (masked[:, :shift] == FLOOR).all()
        widest = np.maximum(widest, [blank.all(axis=0).sum(), blank.all(axis=1).sum()])
    np.testing.assert_array_equal(VALUES, before)
    assert (min(shifts), max(shifts)) == (0, MAX_SHIFT if time or bands else 0)
    assert 11 * time <= widest[0] <= 15 * time
    assert 6 * bands <= widest[1] <= 9 * bands


def test_without_settings_not_a_sample_is_changed():
    settings = Augmentation()
    assert not settings.changes_audio
    assert changed().tobytes() == SPEECH.tobytes()
    assert mask(VALUES, settings, random.Random(1))[0] is VALUES


@pytest.mark.parametrize(
    "settings",
    [{"noise": 10}, {"reverberation": 1}, {"equalizer": 5}, {"gain": 6}, {"band_limit": 1}, {"speed": 0.05}],
    ids=lambda one: next(iter(one)),
)
def test_the_same_generator_gives_the_same_audio(settings):
    before = SPEECH.copy()
    assert Augmentation(**settings).changes_audio
    one, other = changed(3, **settings), changed(4, **settings)
    assert one.dtype == np.float32
    assert np.array_equal(one, changed(3, **settings))
    assert not np.array_equal(one, other)
    assert not np.array_equal(one, SPEECH)
    np.testing.assert_array_equal(SPEECH, before)
    assert changed(samples=SPEECH[:0], **settings).size == 0


def test_noise_has_the_given_distance_to_the_speech():
    ratios = []
    for seed in range(60):
        noise = changed(seed, noise=20) - SPEECH
        ratios.append(decibels(SPEECH) - decibels(noise))
        flat = 10 * np.log10(spectrum(noise))
        assert np.ptp(flat) < 6
    assert 19.8 < min(ratios) < 30 < 50 < max(ratios) < 60.2


def test_coloured_noise_is_as_loud_as_white_and_falls_with_frequency():
    slopes, octaves = [], np.log10(np.arange(5, 80))
    for seed in range(40):
        noise = changed(seed, noise=60, noise_slope=2) - SPEECH
        assert decibels(SPEECH) - decibels(noise) == pytest.approx(60, abs=0.3)
        slopes.append(-np.polyfit(octaves, np.log10(spectrum(noise)[5:80]), 1)[0])
    assert -0.1 < min(slopes) < 0.4 < 1.6 < max(slopes) < 2.1


def test_a_room_decays_by_60_db_in_its_time_and_keeps_the_level():
    click = np.zeros(RATE, np.float32)
    click[100] = 0.5
    times = []
    for seed in range(40):
        heard = changed(seed, samples=click, reverberation=1)
        assert decibels(heard) == pytest.approx(decibels(click), abs=0.01)
        assert np.abs(heard[:100]).max() < 1e-6
        left = np.cumsum(np.square(heard[101:], dtype=np.float64)[::-1])[::-1]  # after Schroeder 1965
        level = 10 * np.log10(np.maximum(left / left[0], 1e-12))
        early = slice(int(np.argmax(level < -5)), int(np.argmax(level < -25)))
        times.append(-60 / np.polyfit(np.arange(RATE)[early] / RATE, level[early], 1)[0])
        assert heard[100] ** 2 > 0.9 * left[0]  # direct sound is the stronger
    assert 0.08 < min(times) < 0.25 < 0.65 < max(times) < 0.9
    kept = [np.array_equal(changed(seed, reverberation=0.3), SPEECH) for seed in range(100)]
    assert 55 <= sum(kept) <= 85


def test_an_equalizer_moves_bands_by_its_spread_and_keeps_the_level():
    gains = []
    for seed in range(40):
        made = changed(seed, equalizer=5.0)
        assert decibels(made) == pytest.approx(decibels(SPEECH), abs=0.01)
        bands = 10 * np.log10(spectrum(made) / spectrum(SPEECH))
        assert np.abs(np.diff(bands[4:])).max() < 4  # from 400 Hz on, where gains lie far apart
        gains.append(bands - bands.mean())
    assert 2 < np.std(gains) < 5


def test_gain_changes_the_level_only():
    levels = []
    for seed in range(60):
        louder = changed(seed, gain=6)
        levels.append(decibels(louder) - decibels(SPEECH))
        np.testing.assert_allclose(louder, SPEECH * 10 ** (levels[-1] / 20), atol=1e-6)
    assert -6 <= min(levels) < -4 < 4 < max(levels) <= 6
    assert np.abs(changed(2, samples=10 * SPEECH, gain=30)).max() <= 1


def test_a_band_limit_removes_what_is_above_it_and_leaves_what_is_below():
    whole, limits = spectrum(SPEECH), []
    for seed in range(30):
        limited = changed(seed, band_limit=1)
        assert abs(len(limited) - len(SPEECH)) <= 2
        lost = 10 * np.log10(whole / spectrum(np.resize(limited, len(SPEECH))))
        limits.append(100 * int(np.argmax(lost > 10)))
        assert np.abs(lost[5:28]).max() < 1
        assert lost[limits[-1] // 100 + 3 :].min() > 15
    assert LOWEST_BAND * 0.9 <= min(limits) < 4500 < 6000 < max(limits) <= 7000
    kept = [np.array_equal(changed(seed, band_limit=0.3), SPEECH) for seed in range(100)]
    assert 55 <= sum(kept) <= 85


def test_speed_changes_length_and_pitch_together_within_its_limit():
    tone = (0.3 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)).astype(np.float32)
    lengths = []
    for seed in range(40):
        faster = changed(seed, samples=tone, speed=0.05)
        lengths.append(len(faster))
        pitch = np.argmax(np.abs(np.fft.rfft(faster * np.hanning(len(faster))))) * RATE / len(faster)
        assert pitch == pytest.approx(1000 * RATE / len(faster), abs=3)
        assert decibels(faster) == pytest.approx(decibels(tone), abs=0.3)
    assert RATE / 1.051 <= min(lengths) < 0.97 * RATE < 1.03 * RATE < max(lengths) <= RATE / 0.949


@given(length=st.integers(1, 200), shortest=st.integers(1, 100), seed=st.integers(0, 1000))
def test_a_piece_is_contiguous_and_not_too_short(length, shortest, seed):
    samples = np.arange(length, dtype=np.float32)
    part = random_piece(samples, shortest, random.Random(seed))
    assert min(shortest, length) <= len(part) <= length
    assert np.array_equal(part, np.arange(part[0], part[0] + len(part)))
