"""Spectrograms altered in training, so that a model does not lean on any one stretch of time or frequency."""

import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Masks:
    """Parts of a spectrogram that are blanked in training (after SpecAugment, Park et al. 2019).

    Attributes:
        time: how many stretches of time.
        frames: the longest of them.
        bands: how many stretches of frequency.
        mels: the widest of them.
        shift: the clip starts up to so many frames later.
    """

    time: int = 2
    frames: int = 20
    bands: int = 2
    mels: int = 12
    shift: int = 20


def mask(
    features: npt.NDArray[np.float32], masks: Masks, rng: random.Random
) -> tuple[npt.NDArray[np.float32], int]:
    """Return features (mel bins, frames) that start a little later, with stretches of time and
    frequency blanked, and by how many frames they start later.
    """
    bins, frames = features.shape
    shift = rng.randint(0, min(masks.shift, frames // 4))
    floor = float(features.min())
    masked = np.full_like(features, floor)
    masked[:, shift:] = features[:, : frames - shift]
    for _ in range(masks.time):
        start, length = rng.randrange(frames), rng.randint(0, masks.frames)
        masked[:, start : start + length] = floor
    for _ in range(masks.bands):
        start, length = rng.randrange(bins), rng.randint(0, masks.mels)
        masked[start : start + length] = floor
    return masked, shift
