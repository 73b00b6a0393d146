"""Changes of the audio that leave what it means: noise, rooms, microphones, speed, masks (SpecAugment).

All is off unless a recipe declares it, and every choice is drawn from the generator of the example. Speed
changes pitch and tempo together. Nobody would hear 5 %; 15 % are more than two semitones, and only for
captions that say nothing of pitch, pace, age and gender.
"""

import random
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray
from pydantic import Field

from budew.errors import require
from budew.io.settings import Settings

signal: Any = require("scipy.signal", extra="train", purpose="budew train")

MAX_SHIFT = 20
"""Frames by which a masked clip starts later at most."""
LOWEST_BAND = 3400
"""Hz, the upper limit of telephone speech."""
LOWEST_COLOUR = 50.0
"""Hz. Below, coloured noise is as strong as here: recordings have no more of it."""
DECAY = (0.1, 0.8)
"""Seconds in which the sound of a room falls by 60 dB, from a furnished one to a lecture hall."""
EQUALIZED = (0.0, 150.0, 400.0, 1000.0, 2500.0, 5000.0, 8000.0)
"""Hz at which a gain is drawn; it is linear in between."""
DIRECT = (0.0, 15.0)
"""dB by which the direct sound is stronger than the room."""


class Augmentation(Settings):
    """How examples are changed; each is drawn anew for every example."""

    noise: float | None = Field(
        default=None, ge=5, le=60, description="white noise, so many dB below the speech or fainter"
    )
    noise_slope: float = Field(
        default=0,
        ge=0,
        le=2,
        description="the power of the noise falls with frequency, by an exponent of up to so much: 1 is "
        "pink, 2 brown",
    )
    reverberation: float = Field(
        default=0, ge=0, le=1, description="share of examples in a room, that decays by 60 dB in 0.1 to 0.8 s"
    )
    equalizer: float = Field(
        default=0,
        ge=0,
        le=12,
        description="standard deviation in dB of gains drawn for seven frequencies, as microphones differ",
    )
    gain: float = Field(default=0, ge=0, le=30, description="louder or softer by up to so many dB")
    band_limit: float = Field(
        default=0, ge=0, le=1, description="share of examples without what is above 3.4 to 7 kHz"
    )
    speed: float = Field(
        default=0,
        ge=0,
        le=0.15,
        description="faster or slower by up to this share, and higher or deeper; with more than 0.05, "
        "captions that speak of pitch, pace, age or gender are no longer right",
    )
    time_masks: int = Field(default=0, ge=0, le=100, description="masked stretches of time")
    band_masks: int = Field(default=0, ge=0, le=100, description="masked frequency bands")
    mask_frames: int = Field(default=20, ge=1, le=500, description="longest masked stretch, in frames")
    mask_bands: int = Field(default=12, ge=1, le=100, description="widest masked band, in mel bands")

    @property
    def changes_audio(self) -> bool:
        """Whether samples are changed, and not only spectrograms."""
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
    """Return samples (n,) with speed, room, microphone, band, noise and level changed; speed changes n."""
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
    """Return a piece of the samples (n,) of random place and length, `shortest` samples at least."""
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
    """Return noise of the same level whose power falls with frequency."""
    frequencies = np.maximum(np.fft.rfftfreq(len(white), 1 / rate), LOWEST_COLOUR)
    shaped = np.fft.irfft(np.fft.rfft(white) * frequencies ** (-slope / 2), len(white)).astype(np.float32)
    return shaped * np.float32(_level(white) / _level(shaped))


def _equalized(
    samples: NDArray[np.float32], rate: int, spread: float, rng: random.Random
) -> NDArray[np.float32]:
    """Return the samples at the same level, with a gain drawn for each of some frequencies."""
    gains = [rng.gauss(0, spread) for _ in EQUALIZED]
    decibels = np.interp(np.fft.rfftfreq(len(samples), 1 / rate), EQUALIZED, gains)
    made = np.fft.irfft(np.fft.rfft(samples) * 10 ** (decibels / 20), len(samples)).astype(np.float32)
    return made * np.float32(_level(samples) / max(_level(made), 1e-9))


def _in_room(samples: NDArray[np.float32], rate: int, rng: random.Random) -> NDArray[np.float32]:
    """Return the samples at the same level, as heard in a room: its response is noise that decays."""
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
    """Return a copy of a spectrogram (mel bins, frames) that starts a little later and has parts masked, and
    by how many frames it starts later; itself without masks. After SpecAugment (Park et al. 2019).
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
