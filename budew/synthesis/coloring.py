"""What espeak-ng cannot do with a voice, done to its sound: tremor, roughness, breath, spectral tilt,
dynamics, loudness, formants.

All of it is what a throat and a mouth can do; no tone, code or level marks an emotion. Level means
little by itself, since every recording also has a gain of its own.
"""

import random

import numpy as np
import numpy.typing as npt
import soxr
from scipy.signal import lfilter

from budew.synthesis.plan import Plan
from budew.synthesis.tables import cues

Samples = npt.NDArray[np.float64]

NEUTRAL_BREATH = -30.0  # dB under the voice
TREMOR_PITCH, TREMOR_LEVEL = 0.08, 0.75  # deviation of period and of level at full depth
JITTER = 0.00035  # seconds, displacement of the periods at full roughness
ENVELOPE_SECONDS = 0.03
TILT_FREQUENCY = 1000.0


def formant_factor(plan: Plan) -> float:
    """Return by how much the formants are moved: the speaker's vocal tract times the lips' part."""
    return plan.voice.vocal_tract * cues()["smile"].at(plan.settings["smile"], neutral=1.0)


def resample(samples: Samples, *, source: float, target: int, formants: float) -> Samples:
    """Return the samples at `target` Hz, with formants (and pitch and rate with them) times `formants`."""
    return np.asarray(soxr.resample(samples, source * formants, target), dtype=np.float64)


def color(samples: Samples, plan: Plan, *, sampling_rate: int, rng: random.Random) -> Samples:
    """Return speech with the plan's voice quality, at a root mean square of 1 for neutral loudness."""
    noise = np.random.default_rng(rng.getrandbits(64))
    setting = {
        name: cue.at(plan.settings[name], neutral=NEUTRALS[name])
        for name, cue in cues().items()
        if name in NEUTRALS
    }
    depth = max(0.0, setting["tremor"])
    rough = max(0.0, setting["roughness"])
    shake = np.sin(
        2 * np.pi * rng.uniform(4.5, 7.0) * np.arange(len(samples)) / sampling_rate + rng.uniform(0, 6.28)
    )
    voice = _shift_periods(samples, depth * shake, rough, sampling_rate, noise)
    voice = voice * (1 + depth * TREMOR_LEVEL * shake)
    voice = voice * np.clip(1 + rough * _band_noise(noise, len(voice), sampling_rate), 0.0, None)
    level = _level(voice, sampling_rate)
    voice = voice * np.clip(level / _active_rms(voice), 1e-3, 4.0) ** setting["dynamics"]
    voice = _tilt(voice, setting["brightness"], sampling_rate)
    voice = voice / _active_rms(voice)
    breath = 10 ** (setting["breathiness"] / 20) * _level(voice, sampling_rate)
    voice = voice + breath * _aspiration(noise, len(voice), sampling_rate)
    return np.asarray(voice / _active_rms(voice) * 10 ** (setting["loudness"] / 20))


NEUTRALS = {
    "loudness": 0.0,
    "brightness": 0.0,
    "tremor": 0.0,
    "breathiness": NEUTRAL_BREATH,
    "roughness": 0.0,
    "dynamics": 0.0,
}


def _shift_periods(
    samples: Samples, shake: Samples, rough: float, sampling_rate: int, noise: np.random.Generator
) -> Samples:
    """Read the samples a little early or late: vibrato from `shake`, jitter from roughness."""
    vibrato = np.cumsum(shake) * TREMOR_PITCH
    jitter = rough * JITTER * sampling_rate * _band_noise(noise, len(samples), sampling_rate)
    places = np.arange(len(samples)) + vibrato - vibrato.mean() + jitter
    return np.asarray(np.interp(places, np.arange(len(samples)), samples))


def _level(samples: Samples, sampling_rate: int) -> Samples:
    """Return the running root mean square."""
    pole = np.exp(-1 / (ENVELOPE_SECONDS * sampling_rate))
    power = lfilter([1 - pole], [1, -pole], samples**2)
    return np.asarray(np.sqrt(np.maximum(power, 1e-12)))


def _active_rms(samples: Samples) -> float:
    """Return the root mean square of the part that is not silence."""
    loud = samples[np.abs(samples) > 0.02 * np.abs(samples).max()] if len(samples) else samples
    return float(np.sqrt(np.mean(loud**2))) if len(loud) else 1.0


def _tilt(samples: Samples, decibels: float, sampling_rate: int) -> Samples:
    """Raise what lies above 1 kHz by `decibels` against what lies below (one pole)."""
    pole = np.exp(-2 * np.pi * TILT_FREQUENCY / sampling_rate)
    low = np.asarray(lfilter([1 - pole], [1, -pole], samples))
    return np.asarray(low + 10 ** (decibels / 20) * (samples - low))


def _aspiration(noise: np.random.Generator, count: int, sampling_rate: int) -> Samples:
    """Return noise with the spectrum of breath, weak under 1 kHz, at a root mean square of 1."""
    white = noise.standard_normal(count)
    high = lfilter([1, -0.9], [1, -0.35], white)
    return np.asarray(high / np.sqrt(np.mean(high**2)))


def _band_noise(noise: np.random.Generator, count: int, sampling_rate: int) -> Samples:
    """Return noise between about 25 and 80 Hz with a standard deviation of 1: the rate of a rough voice."""
    slow, fast = (np.exp(-2 * np.pi * edge / sampling_rate) for edge in (25.0, 80.0))
    white = noise.standard_normal(count)
    band = np.asarray(lfilter([1 - fast], [1, -fast], white)) - np.asarray(
        lfilter([1 - slow], [1, -slow], white)
    )
    return np.asarray(band / np.std(band)) if count > 1 else band
