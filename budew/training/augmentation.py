"""Changes of the audio that leave what it means: noise, gain, band limit, speed, and masks (SpecAugment).

All is off unless a recipe declares it, and every choice is drawn from the generator of the example. Speed
changes pitch and tempo together, which captions describe, so it stays within what nobody would hear.
"""

import random

import numpy as np
import soxr
from numpy.typing import NDArray
from pydantic import Field

from budew.settings import Settings

SHIFT = 20
"""Frames by which a masked clip starts later at most."""
LOWEST_BAND = 3400
"""Hz, the upper limit of telephone speech."""


class Augmentation(Settings):
    """How examples are changed; each is drawn anew for every example."""

    noise: float | None = Field(
        default=None, ge=5, le=60, description="white noise, so many dB below the speech or fainter"
    )
    gain: float = Field(default=0, ge=0, le=30, description="louder or softer by up to so many dB")
    band_limit: float = Field(
        default=0, ge=0, le=1, description="share of examples without what is above 3.4 to 7 kHz"
    )
    speed: float = Field(
        default=0, ge=0, le=0.05, description="faster or slower by up to this share, and higher or deeper"
    )
    time_masks: int = Field(default=0, ge=0, le=100, description="masked stretches of time")
    band_masks: int = Field(default=0, ge=0, le=100, description="masked frequency bands")
    mask_frames: int = Field(default=20, ge=1, le=500, description="longest masked stretch, in frames")
    mask_bands: int = Field(default=12, ge=1, le=100, description="widest masked band, in mel bands")

    @property
    def changes_audio(self) -> bool:
        """Whether samples are changed, and not only spectrograms."""
        return self.noise is not None or bool(self.gain or self.band_limit or self.speed)

    @property
    def changes_features(self) -> bool:
        """Whether spectrograms are shifted and masked."""
        return bool(self.time_masks or self.band_masks)


def change_audio(
    samples: NDArray[np.float32], rate: int, settings: Augmentation, rng: random.Random
) -> NDArray[np.float32]:
    """Return samples (n,) with speed, band, noise and level changed; speed changes n."""
    changed = samples
    if settings.speed:
        faster = 1 + rng.uniform(-settings.speed, settings.speed)
        changed = soxr.resample(changed, rate * faster, rate)
    if settings.band_limit and rng.random() < settings.band_limit:
        limit = rng.uniform(LOWEST_BAND, 7000)
        changed = soxr.resample(soxr.resample(changed, rate, 2 * limit), 2 * limit, rate)
    if settings.noise is not None and len(changed):
        below = rng.uniform(settings.noise, 60)
        level = float(np.sqrt(np.mean(np.square(changed)))) * 10 ** (-below / 20)
        drawn = np.random.default_rng(rng.getrandbits(64)).standard_normal(len(changed), dtype=np.float32)
        changed = changed + level * drawn
    if settings.gain:
        changed = changed * 10 ** (rng.uniform(-settings.gain, settings.gain) / 20)
    return np.clip(changed, -1, 1).astype(np.float32)


def mask(
    features: NDArray[np.float16], settings: Augmentation, rng: random.Random
) -> tuple[NDArray[np.float16], int]:
    """Return features (mel bins, frames) that start a little later, with parts masked, and by how many frames
    they start later. After SpecAugment (Park et al. 2019).

    Args:
        features: a spectrogram; it is not changed.
        settings: number and size of the masks; without any, nothing is changed.
        rng: decides all.
    """
    if not settings.changes_features:
        return features, 0
    bins, frames = features.shape
    shift = rng.randint(0, min(SHIFT, frames // 4))
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
