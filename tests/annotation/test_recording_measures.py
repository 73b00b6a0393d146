"""Loudness after the standard, noise and rooms that were added, and the band that a filter left."""

import numpy as np
import pytest

from budew.annotation.recording_measures import loudness, recording_measures
from budew.audio import decode
from budew.corpora import read
from budew.io.resources import data_folder

from .sounds import RATE, noise, silence, syllables

RNG = np.random.default_rng(8)


def tone(seconds: float, level: float, rate: int = 48_000) -> np.ndarray:
    return 10 ** (level / 20) * np.sin(2 * np.pi * 997 * np.arange(round(seconds * rate)) / rate)


@pytest.fixture(scope="module")
def voices() -> list[np.ndarray]:
    """Clean speech: the bundled clips."""
    return [decode(clip.audio).samples for clip in read(data_folder("demo_clips") / "clips.tar")]


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_a_full_scale_tone_has_the_loudness_of_the_standard(rate):
    assert loudness(tone(3, 0.0, rate), rate) == pytest.approx(-3.01, abs=0.02)
    assert loudness(tone(0.2, -20.0, rate), rate) == pytest.approx(-23.0, abs=0.1)  # less than a block


def test_quiet_passages_are_gated():
    # Case 3 of EBU Tech 3341 in one channel: 10 s at -36, 60 s at -23, 10 s at -36 dBFS.
    parts = [tone(seconds, level) for seconds, level in ((10, -36.0), (60, -23.0), (10, -36.0))]
    assert loudness(np.concatenate(parts), 48_000) == pytest.approx(-26.0, abs=0.1)
    assert loudness(tone(2, -75.0), 48_000) is None


def coloured(count: int, power: float) -> np.ndarray:
    """Noise whose power falls with the frequency to a power: 0 white, 1 pink."""
    spectrum = np.fft.rfft(RNG.standard_normal(count))
    return np.fft.irfft(
        spectrum / np.maximum(np.arange(len(spectrum)), 20 * count / RATE) ** (power / 2), count
    )


def with_noise(voice: np.ndarray, snr: float, colour: float) -> np.ndarray:
    added = coloured(len(voice), colour)
    added *= np.sqrt(np.mean(np.square(voice)) / np.mean(np.square(added)) / 10 ** (snr / 10))
    return (voice + added).astype(np.float32)


@pytest.mark.parametrize("colour", [0, 1])
@pytest.mark.parametrize("snr", [10, 20])
def test_added_noise_is_measured_within_two_decibels(voices, snr, colour):
    """The bundled clips have noise of their own, at 16 to 37 dB, which counts."""
    errors = []
    for voice in voices:
        own = recording_measures(voice, RATE)["snr"]
        sum_of_both = -10 * np.log10(10 ** (-snr / 10) + 10 ** (-own / 10))
        errors.append(recording_measures(with_noise(voice, snr, colour), RATE)["snr"] - sum_of_both)
    assert abs(np.median(errors)) < 1.0
    assert np.mean(np.abs(errors) < 2) >= 0.8


@pytest.mark.parametrize("snr", [10, 20, 30])
def test_noise_is_measured_in_a_clean_voice_with_short_pauses(snr):
    words = [syllables(3, a_second=rate, pitch=100 + 20 * rate) for rate in (3, 4, 5, 6)]
    voice = np.concatenate([part for word in words for part in (word, silence(0.06))])
    assert recording_measures(with_noise(voice, snr, 0), RATE)["snr"] == pytest.approx(snr, abs=2)


def test_padding_is_no_noise_floor_and_silent_pauses_are(voices):
    noisy = voices[0] + noise(len(voices[0]), level=-40)
    padded = np.concatenate([silence(0.2), noisy, silence(0.2)])
    before, after = (recording_measures(sound, RATE)["snr"] for sound in (noisy, padded))
    assert after == pytest.approx(before, abs=1.5)
    parts = [silence(0.2), syllables(4, a_second=4), silence(0.3), syllables(4, a_second=4)]
    assert recording_measures(np.concatenate(parts), RATE)["snr"] == 80
    assert recording_measures(noise(2 * RATE, level=-20), RATE)["snr"] < 0


def in_room(voice: np.ndarray, seconds: float) -> np.ndarray:
    """A voice in a room whose sound decays by 60 dB in so many seconds, as loud as the direct sound."""
    time = np.arange(round(RATE * seconds)) / RATE
    response = np.random.default_rng(2).standard_normal(len(time)) * np.exp(-6.908 * time / seconds)
    response /= np.sqrt(np.sum(np.square(response)))
    response[0] = 1.0
    size = len(voice) + len(time)
    spoken = np.fft.irfft(np.fft.rfft(voice, size) * np.fft.rfft(response, size), size)
    return spoken[: len(voice)].astype(np.float32)


def test_clarity_falls_with_the_reverberation_and_does_not_depend_on_the_level(voices):
    median = {
        seconds: np.median([recording_measures(in_room(voice, seconds), RATE)["c50"] for voice in voices])
        for seconds in (0.2, 0.5, 1.2)
    }
    dry = np.median([recording_measures(voice, RATE)["c50"] for voice in voices])
    assert dry > median[0.2] + 3 > median[0.5] + 6 > median[1.2] + 6
    assert median[0.5] == pytest.approx(8.2, abs=4)  # of this response
    one = recording_measures(in_room(voices[0], 0.5), RATE)["c50"]
    assert recording_measures(in_room(voices[0], 0.5) / 8, RATE)["c50"] == pytest.approx(one, abs=0.5)


@pytest.mark.parametrize("band", [3_400, 6_000])
def test_the_band_is_that_of_a_low_pass(band):
    spectrum = np.fft.rfft(noise(2 * RATE, level=-20))
    spectrum[np.fft.rfftfreq(2 * RATE, 1 / RATE) > band] = 0
    found = recording_measures(np.fft.irfft(spectrum).astype(np.float32), RATE)
    assert found["bandwidth"] == pytest.approx(band, abs=200)
    assert recording_measures(noise(RATE, level=-20), RATE)["bandwidth"] == 8_000
