"""Augmentation: noise, rooms, microphones, speed, and masks of spectrograms (SpecAugment).

Everything is off unless the recipe sets it, and every random choice comes from the generator of the example.
Speed changes pitch and tempo together: 5 % is inaudible; 15 % is more than two semitones, and only suitable
for captions that do not mention pitch, pace, age or gender.
"""

import random
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray
from pydantic import Field

from budew.errors import require
from budew.io.settings import Settings, Share

signal: Any = require("scipy.signal", extra="train", purpose="budew train")

MAX_SHIFT = 20
"""Largest number of frames by which a masked spectrogram is shifted."""
LOWEST_BAND = 3400
"""Lowest band limit in Hz, the upper limit of telephone speech."""
LOWEST_COLOUR = 50.0
"""Frequency in Hz below which the power of coloured noise is constant, as in recordings."""
DECAY = (0.1, 0.8)
"""Range of the time, in seconds, in which reverberation falls by 60 dB: furnished room to lecture hall."""
EQUALIZED = (0.0, 150.0, 400.0, 1000.0, 2500.0, 5000.0, 8000.0)
"""Frequencies in Hz at which the equalizer draws a gain; gains in between are interpolated linearly."""
DIRECT = (0.0, 15.0)
"""Range of the level, in dB, of the direct sound above the reverberation."""


class Augmentation(Settings):
    """Random changes of training examples; values are drawn separately for every example."""

    noise: float | None = Field(
        default=None,
        ge=5,
        le=60,
        description="white noise, at a random level from this many dB to 60 dB below the speech; null: no "
        "noise",
    )
    noise_slope: float = Field(
        default=0,
        ge=0,
        le=2,
        description="largest exponent with which the power of the noise falls with frequency: 0 is white, "
        "1 pink, 2 brown",
    )
    reverberation: Share = Field(
        default=0, description="share of examples with reverberation, which decays by 60 dB in 0.1 to 0.8 s"
    )
    equalizer: float = Field(
        default=0,
        ge=0,
        le=12,
        description="standard deviation, in dB, of random gains at seven frequencies, which imitate "
        "different microphones",
    )
    gain: float = Field(
        default=0, ge=0, le=30, description="largest random change of the level, up or down, in dB"
    )
    band_limit: Share = Field(
        default=0,
        description="share of examples that are low-pass filtered, at a random frequency from 3.4 to 7 kHz",
    )
    speed: float = Field(
        default=0,
        ge=0,
        le=0.15,
        description="largest share by which speech is made faster and higher, or slower and deeper; with "
        "more than 0.05, captions that mention pitch, pace, age or gender become wrong",
    )
    time_masks: int = Field(default=0, ge=0, le=100, description="number of masked time intervals")
    band_masks: int = Field(default=0, ge=0, le=100, description="number of masked frequency bands")
    mask_frames: int = Field(default=20, ge=1, le=500, description="longest masked time interval, in frames")
    mask_bands: int = Field(
        default=12, ge=1, le=100, description="widest masked frequency band, in mel bands"
    )

    @property
    def changes_audio(self) -> bool:
        """Whether samples are changed: noise, reverberation, equalizer, gain, band limit or speed."""
        return self.noise is not None or any(
            (self.gain, self.band_limit, self.speed, self.reverberation, self.equalizer)
        )

    @property
    def changes_features(self) -> bool:
        """Whether spectrograms are shifted and masked."""
        return bool(self.time_masks or self.band_masks)


def change_audio(
    samples: NDArray[np.float32], rate: int, settings: Augmentation, rng: random.Random
) -> NDArray[np.float32]:
    """Return augmented samples (m,): speed, reverberation, equalizer, band limit, noise and gain.

    Args:
        samples: (n,), in [-1, 1]; m differs from n if the speed changes.
        rate: sampling rate in Hz.
        settings: the augmentation of the recipe.
        rng: generator of all random values.
    """
    if not settings.changes_audio:
        return samples
    changed = samples
    if settings.speed:
        faster = 1 + rng.uniform(-settings.speed, settings.speed)
        changed = soxr.resample(changed, rate * faster, rate)
    if settings.reverberation and len(changed) and rng.random() < settings.reverberation:
        changed = _in_room(changed, rate, rng)
    if settings.equalizer and len(changed):
        changed = _equalized(changed, rate, settings.equalizer, rng)
    if settings.band_limit and rng.random() < settings.band_limit:
        limit = rng.uniform(LOWEST_BAND, 7000)
        changed = soxr.resample(soxr.resample(changed, rate, 2 * limit), 2 * limit, rate)
    if settings.noise is not None and len(changed):
        below = rng.uniform(settings.noise, 60)
        drawn = _noise(len(changed), rng)
        if settings.noise_slope:
            drawn = _coloured(drawn, rate, rng.uniform(0, settings.noise_slope))
        changed = changed + _level(changed) * 10 ** (-below / 20) * drawn
    if settings.gain:
        changed = changed * 10 ** (rng.uniform(-settings.gain, settings.gain) / 20)
    return np.clip(changed, -1, 1).astype(np.float32)


def random_piece(samples: NDArray[np.float32], shortest: int, rng: random.Random) -> NDArray[np.float32]:
    """Return a piece of samples (n,) with random start and length, at least `shortest` samples long."""
    if len(samples) <= shortest:
        return samples
    length = rng.randint(shortest, len(samples))
    start = rng.randint(0, len(samples) - length)
    return samples[start : start + length]


def _level(samples: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))


def _noise(count: int, rng: random.Random) -> NDArray[np.float32]:
    return np.random.default_rng(rng.getrandbits(64)).standard_normal(count, dtype=np.float32)


def _coloured(white: NDArray[np.float32], rate: int, slope: float) -> NDArray[np.float32]:
    """Return white noise filtered so that its power falls with frequency; its level is kept."""
    frequencies = np.maximum(np.fft.rfftfreq(len(white), 1 / rate), LOWEST_COLOUR)
    shaped = np.fft.irfft(np.fft.rfft(white) * frequencies ** (-slope / 2), len(white)).astype(np.float32)
    return shaped * np.float32(_level(white) / _level(shaped))


def _equalized(
    samples: NDArray[np.float32], rate: int, spread: float, rng: random.Random
) -> NDArray[np.float32]:
    """Return the samples with random gains at the frequencies `EQUALIZED`; the level is kept."""
    gains = [rng.gauss(0, spread) for _ in EQUALIZED]
    decibels = np.interp(np.fft.rfftfreq(len(samples), 1 / rate), EQUALIZED, gains)
    made = np.fft.irfft(np.fft.rfft(samples) * 10 ** (decibels / 20), len(samples)).astype(np.float32)
    return made * np.float32(_level(samples) / max(_level(made), 1e-9))


def _in_room(samples: NDArray[np.float32], rate: int, rng: random.Random) -> NDArray[np.float32]:
    """Return the samples with reverberation, a synthetic room response of decaying noise; level is kept."""
    decay, direct = rng.uniform(*DECAY), rng.uniform(*DIRECT)
    time = np.arange(1, round(decay * rate) + 1, dtype=np.float32) / rate
    room = _noise(len(time), rng) * 10 ** (-3 * time / decay)
    room *= 10 ** (-direct / 20) / np.sqrt(np.sum(np.square(room)))
    reflected = signal.fftconvolve(samples, room)[: len(samples)]
    heard: NDArray[np.float32] = samples + reflected.astype(np.float32)
    return heard * np.float32(_level(samples) / max(_level(heard), 1e-9))


def mask(
    features: NDArray[np.float16], settings: Augmentation, rng: random.Random
) -> tuple[NDArray[np.float16], int]:
    """Shift a spectrogram (mel bins, frames) by some frames and mask parts (SpecAugment, Park et al. 2019).

    Returns:
        The changed copy, and the number of frames by which it is shifted. Without masks in `settings`, the
        spectrogram itself and 0.
    """
    if not settings.changes_features:
        return features, 0
    bins, frames = features.shape
    shift = rng.randint(0, min(MAX_SHIFT, frames // 4))
    silence = float(features.min())
    masked = np.full_like(features, silence)
    masked[:, shift:] = features[:, : frames - shift]
    for _ in range(settings.time_masks):
        start, length = rng.randrange(frames), rng.randint(0, settings.mask_frames)
        masked[:, start : start + length] = silence
    for _ in range(settings.band_masks):
        start, length = rng.randrange(bins), rng.randint(0, settings.mask_bands)
        masked[start : start + length] = silence
    return masked, shift
