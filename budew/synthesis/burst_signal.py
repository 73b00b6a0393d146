"""Synthesis of vocal bursts: glottal pulses and noise, filtered by formant resonators; takes about 2 ms each.

The sounds are described in `bursts.yaml`: laughs, sobs, sighs, gasps, groans, hums, clicks.
"""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from budew.synthesis.clip_plan import SAMPLING_RATE, synthesis_table

Samples = npt.NDArray[np.float64]

FEMALE_TRACT = 1.16


def sound_burst(gesture: Mapping[str, Any], *, pitch: float, tract: float, rng: random.Random) -> Samples:
    """Synthesize a vocal burst: samples (n,) at `SAMPLING_RATE`; the root mean square of its loud part is 1.

    `gesture` is a row of `bursts.yaml`, `pitch` the mean fundamental frequency of the speaker in Hz, and
    `tract` a factor on the formants of an adult male (`formants.yaml`).
    """
    noise = np.random.default_rng(rng.getrandbits(64))
    pieces: list[Samples] = []
    stretch, shift = rng.uniform(0.88, 1.15), rng.uniform(-1, 1)
    for turn in range(rng.randint(*gesture["repeat"])):
        for segment in gesture["segments"]:
            sound = _segment(segment, pitch, tract, noise, stretch, shift - 0.4 * turn)
            silence = np.zeros(int(segment.get("gap", 0) * stretch * SAMPLING_RATE))
            pieces += [sound * gesture["decay"] ** turn, silence]
    burst = np.concatenate(pieces)
    loud = np.abs(burst) > 0.05 * np.abs(burst).max()
    return np.asarray(burst / np.sqrt(np.mean(burst[loud] ** 2)))


def _segment(
    segment: Mapping[str, Any],
    pitch: float,
    tract: float,
    noise: np.random.Generator,
    stretch: float,
    shift: float,
) -> Samples:
    count = max(int(segment["s"] * stretch * SAMPLING_RATE), 16)
    time = np.arange(count) / SAMPLING_RATE
    shake = segment.get("shake", 0.0) * np.sin(2 * np.pi * 6.5 * time)
    start, end = segment["f0"]
    frequency = pitch * 2 ** ((np.linspace(start, end, count) + shift + shake) / 12)
    rough = segment.get("rough", 0.0)
    frequency = frequency * (1 + 0.12 * rough * _wander(noise, count, 60.0))
    source = segment["voice"] * _glottal(frequency) * (1 + 0.6 * shake)
    source = source + 0.35 * segment["breath"] * noise.standard_normal(count)
    source = source * np.clip(1 + rough * _wander(noise, count, 45.0), 0.05, None)
    voiced = _vocal_tract(source, segment["vowel"], tract)
    return voiced * _envelope(count, segment.get("sharp", 0.06))


def _glottal(frequency: Samples) -> Samples:
    """Return the derivative of glottal flow; glottis open for 60 % of a period (Rosenberg 1971, JASA 49)."""
    phase = np.cumsum(frequency / SAMPLING_RATE) % 1.0
    opening, closing = phase < 0.4, (phase >= 0.4) & (phase < 0.6)
    flow = np.zeros_like(phase)
    flow[opening] = 0.5 * (1 - np.cos(np.pi * phase[opening] / 0.4))
    flow[closing] = np.cos(0.5 * np.pi * (phase[closing] - 0.4) / 0.2)
    return np.asarray(np.diff(flow, prepend=flow[0]) * 6)


def _vocal_tract(source: Samples, vowel: str, tract: float) -> Samples:
    signal, table = source, synthesis_table("formants")
    for frequency, bandwidth in zip(table["formants"][vowel], table["bandwidths"], strict=True):
        centre = min(frequency * tract, 0.46 * SAMPLING_RATE)
        radius = np.exp(-np.pi * bandwidth / SAMPLING_RATE)
        poles = [1.0, -2 * radius * np.cos(2 * np.pi * centre / SAMPLING_RATE), radius**2]
        signal = np.asarray(lfilter([sum(poles)], poles, signal)) + 0.02 * source
    return signal


def _envelope(count: int, attack: float) -> Samples:
    rise = min(max(int(attack * SAMPLING_RATE), 2), count // 2)
    fall = min(int(0.08 * SAMPLING_RATE), count // 2)
    envelope = np.ones(count)
    envelope[:rise] = 0.5 * (1 - np.cos(np.pi * np.arange(rise) / rise))
    envelope[count - fall :] *= 0.5 * (1 + np.cos(np.pi * np.arange(fall) / fall))
    return envelope


def _wander(noise: np.random.Generator, count: int, cutoff: float) -> Samples:
    """Return low-pass noise with a standard deviation of about 1."""
    pole = np.exp(-2 * np.pi * cutoff / SAMPLING_RATE)
    return np.asarray(lfilter([np.sqrt(1 - pole**2)], [1, -pole], noise.standard_normal(count)))
