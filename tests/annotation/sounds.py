"""Voices made of numbers, and clips of them."""

from io import BytesIO

import numpy as np
import soundfile

from budew.corpora import Clip

RATE = 16_000
Samples = np.ndarray


def vowel(seconds: float, *, pitch: float | np.ndarray = 140.0, level: float = -20.0) -> Samples:
    """A vowel [a] (n,) of a pitch in Hz, fixed or a value a sample, at a level in dBFS."""
    count = round(seconds * RATE)
    track = np.broadcast_to(np.asarray(pitch, dtype=float), count)
    phase = 2 * np.pi * np.cumsum(track) / RATE
    sound = np.zeros(count)
    for harmonic in range(1, 40):
        frequency = harmonic * track
        gain = sum(np.exp(-(((frequency - formant) / 300) ** 2)) for formant in (700, 1200)) + 0.3 / harmonic
        sound += np.where(frequency < 7_000, gain, 0) * np.sin(harmonic * phase)
    return (sound / np.sqrt(np.mean(sound**2)) * 10 ** (level / 20)).astype(np.float32)


def syllables(count: int, *, a_second: float, pitch: float = 140.0, level: float = -20.0) -> Samples:
    """A row of vowels that swell and fade: so many nuclei, so many a second."""
    seconds = count / a_second
    time = np.arange(round(seconds * RATE)) / RATE
    swell = 0.08 + 0.92 * np.sin(np.pi * a_second * time) ** 2
    return (vowel(seconds, pitch=pitch, level=level) * swell).astype(np.float32)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.float32)


def noise(count: int, *, level: float, seed: int = 5) -> Samples:
    return (np.random.default_rng(seed).standard_normal(count) * 10 ** (level / 20)).astype(np.float32)


def encoded(samples: Samples, rate: int = RATE, *, format: str = "WAV", **how) -> bytes:
    file = BytesIO()
    soundfile.write(file, samples, rate, format=format, **how)
    return file.getvalue()


def clip_of(samples: Samples, id: str = "a", **fields) -> Clip:
    return Clip(id, encoded(samples), "wav", **fields)
