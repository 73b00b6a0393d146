"""From a plan to the samples of a clip: speech with its voice quality, bursts, room noise and recording gain.

espeak-ng cannot change tremor, roughness, breath, spectral tilt, dynamics, loudness or formants: these are
applied to its output. All of them are changes that a human voice can make; no tone, code or level marks an
emotion. The level alone says little about the emotion, since each clip also gets a random gain.
"""

import random
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import soxr
from scipy.signal import lfilter

from budew.audio.samples import encode_audio
from budew.randomness import generator
from budew.synthesis.burst_signal import FEMALE_TRACT, sound_burst
from budew.synthesis.clip_plan import SAMPLING_RATE, ClipPlan, cues, synthesis_table
from budew.synthesis.espeak import Espeak, utterance

LONGEST = 7.9  # seconds
NEUTRAL_LEVEL = -27.0  # dB under full scale, root mean square
RECORDING_GAIN = 2.0  # dB, standard deviation between recordings
HABITUAL_PITCH = {"female": 195.0, "male": 105.0}  # Hz, of espeak-ng's voices
TREMOR_PITCH, TREMOR_LEVEL = 0.08, 0.75  # deviation of period and of level at full depth
JITTER = 0.00035  # seconds, displacement of the periods at full roughness
ENVELOPE_SECONDS = 0.03
TILT_FREQUENCY = 1000.0

Samples = npt.NDArray[np.float32]
Signal = npt.NDArray[np.float64]


def synthesize_clip(plan: ClipPlan, espeak: Espeak) -> Samples:
    """Synthesize a clip: samples (n,) in [-1, 1] at `SAMPLING_RATE`, cut to at most `LONGEST` seconds.

    Raises the errors of `Espeak.speak`.
    """
    return synthesize_parts([plan], espeak, longest=LONGEST)


def synthesize_parts(parts: Sequence[ClipPlan], espeak: Espeak, *, longest: float) -> Samples:
    """Synthesize several plans of one speaker as one clip: samples (n,) in [-1, 1] at `SAMPLING_RATE`.

    Random numbers are derived from seed and id of the first plan. If the clip is longer than `longest`
    seconds, speech is cut off; vocal bursts are kept. Raises the errors of `Espeak.speak`.
    """
    rng = generator(parts[0].seed, parts[0].id, "sound")
    spoken = [_part(plan, espeak, rng) for plan in parts]
    bursts = [burst for _, before, after in spoken for burst in (*before, *after)]
    room = longest - sum(len(burst) / SAMPLING_RATE + 0.2 for burst in bursts) - 0.5
    pieces = [_silence(rng.uniform(0.05, 0.3))]
    for speech, before, after in spoken:
        words = _shorten(speech, room)
        room -= len(words) / SAMPLING_RATE + 0.2
        for piece in [*before, words, *after]:
            pieces += [piece, _silence(rng.uniform(0.08, 0.2))]
    return record(
        np.concatenate(pieces), rng.gauss(0, RECORDING_GAIN), rng.uniform(-75, -50), rng.getrandbits(64)
    )


def _part(plan: ClipPlan, espeak: Espeak, rng: random.Random) -> tuple[Signal, list[Signal], list[Signal]]:
    """Return the speech of a plan, the bursts before it and the bursts after it."""
    formants = formant_factor(plan)
    spoken = espeak.speak(utterance(plan, formants=formants))
    spoken = np.asarray(
        soxr.resample(_trim(spoken), espeak.sampling_rate * formants, SAMPLING_RATE), dtype=np.float64
    )  # multiplies pitch and rate by `formants` too
    speech = color(spoken, plan.settings, rng=rng)
    before = [_burst(name, plan, rng.getrandbits(64)) for name in plan.bursts_before]
    after = [_burst(name, plan, rng.getrandbits(64)) for name in plan.bursts_after]
    return speech, before, after


def _burst(name: str, plan: ClipPlan, seed: int) -> Signal:
    rng = generator(seed, plan.id, name)
    gesture = synthesis_table("bursts")[name]
    level = cues()["pitch_level"].at(plan.settings["pitch_level"])
    pitch = HABITUAL_PITCH[plan.voice.gender] * 2 ** ((plan.voice.pitch + 0.4 * level) / 12)
    tract = plan.voice.vocal_tract * (FEMALE_TRACT if plan.voice.gender == "female" else 1.0)
    sound = sound_burst(gesture, pitch=pitch, tract=tract, rng=rng)
    return np.asarray(sound * 10 ** ((gesture["level"] + rng.gauss(0, 1.5)) / 20))


def record(samples: Signal, gain: float, floor: float, seed: int) -> Samples:
    """Simulate a recording: set the level, add room noise, and limit the peaks to [-1, 1].

    The root mean square of `samples` (n,) is about 1; `gain` is in dB over `NEUTRAL_LEVEL`, and `floor`, the
    level of the noise, in dB under full scale.
    """
    level = 10 ** ((NEUTRAL_LEVEL + gain) / 20)
    noise = np.random.default_rng(seed).standard_normal(len(samples)) * 10 ** (floor / 20)
    recorded = samples * level + noise
    return np.asarray(np.tanh(recorded / 0.98) * 0.98, dtype=np.float32)


def as_flac(samples: Samples, rate: int = SAMPLING_RATE) -> bytes:
    """Encode mono samples (n,) at `rate` (Hz) as FLAC; return the contents of the file."""
    return encode_audio(samples, rate, "FLAC")


def _trim(samples: Signal) -> Signal:
    """Remove the silence that espeak-ng adds before and after an utterance."""
    loud = np.flatnonzero(np.abs(samples) > 0.005)
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples


def _shorten(samples: Signal, seconds: float) -> Signal:
    keep = int(max(seconds, 1.0) * SAMPLING_RATE)
    if len(samples) <= keep:
        return samples
    fade = np.minimum(1.0, np.arange(keep)[::-1] / (0.05 * SAMPLING_RATE))
    return np.asarray(samples[:keep] * fade)


def _silence(seconds: float) -> Signal:
    return np.zeros(int(seconds * SAMPLING_RATE))


def formant_factor(plan: ClipPlan) -> float:
    """Return the factor on the formant frequencies: that of the speaker times that of the cue `smile`."""
    return plan.voice.vocal_tract * cues()["smile"].at(plan.settings["smile"])


def color(samples: Signal, settings: Mapping[str, float], *, rng: random.Random) -> Signal:
    """Apply vocal cues to speech: tremor, roughness, breathiness, brightness, dynamics and loudness.

    `samples` (n,) are at `SAMPLING_RATE`; `settings` are those that `express` returns. The root mean square
    of the result (n,) is 1 at neutral loudness.
    """
    noise = np.random.default_rng(rng.getrandbits(64))
    setting = {name: cue.at(settings[name]) for name, cue in cues().items()}
    depth = max(0.0, setting["tremor"])
    rough = max(0.0, setting["roughness"])
    shake = np.sin(
        2 * np.pi * rng.uniform(4.5, 7.0) * np.arange(len(samples)) / SAMPLING_RATE + rng.uniform(0, 6.28)
    )
    voice = _shift_periods(samples, depth * shake, rough, noise)
    voice = voice * (1 + depth * TREMOR_LEVEL * shake)
    voice = voice * np.clip(1 + rough * _band_noise(noise, len(voice)), 0.0, None)
    level = _level(voice)
    voice = voice * np.clip(level / _active_rms(voice), 1e-3, 4.0) ** setting["dynamics"]
    voice = _tilt(voice, setting["brightness"])
    voice = voice / _active_rms(voice)
    breath = 10 ** (setting["breathiness"] / 20) * _level(voice)
    voice = voice + breath * _aspiration(noise, len(voice))
    return np.asarray(voice / _active_rms(voice) * 10 ** (setting["loudness"] / 20))


def _shift_periods(samples: Signal, shake: Signal, rough: float, noise: np.random.Generator) -> Signal:
    """Shift the samples slightly in time: vibrato by `shake`, jitter by `rough`."""
    vibrato = np.cumsum(shake) * TREMOR_PITCH
    jitter = rough * JITTER * SAMPLING_RATE * _band_noise(noise, len(samples))
    places = np.arange(len(samples)) + vibrato - vibrato.mean() + jitter
    return np.asarray(np.interp(places, np.arange(len(samples)), samples))


def _level(samples: Signal) -> Signal:
    """Return the running root mean square."""
    pole = np.exp(-1 / (ENVELOPE_SECONDS * SAMPLING_RATE))
    power = lfilter([1 - pole], [1, -pole], samples**2)
    return np.asarray(np.sqrt(np.maximum(power, 1e-12)))


def _active_rms(samples: Signal) -> float:
    """Return the root mean square of the part that is not silence."""
    loud = samples[np.abs(samples) > 0.02 * np.abs(samples).max()] if len(samples) else samples
    return float(np.sqrt(np.mean(loud**2))) if len(loud) else 1.0


def _tilt(samples: Signal, decibels: float) -> Signal:
    """Raise frequencies above 1 kHz by `decibels`, with a filter of one pole."""
    pole = np.exp(-2 * np.pi * TILT_FREQUENCY / SAMPLING_RATE)
    low = np.asarray(lfilter([1 - pole], [1, -pole], samples))
    return np.asarray(low + 10 ** (decibels / 20) * (samples - low))


def _aspiration(noise: np.random.Generator, count: int) -> Signal:
    """Return noise with the spectrum of breath, weak under 1 kHz, at a root mean square of 1."""
    white = noise.standard_normal(count)
    high = lfilter([1, -0.9], [1, -0.35], white)
    return np.asarray(high / np.sqrt(np.mean(high**2)))


def _band_noise(noise: np.random.Generator, count: int) -> Signal:
    """Return noise between about 25 and 80 Hz with a standard deviation of 1: the rate of a rough voice."""
    slow, fast = (np.exp(-2 * np.pi * edge / SAMPLING_RATE) for edge in (25.0, 80.0))
    white = noise.standard_normal(count)
    fast_noise, slow_noise = (lfilter([1 - pole], [1, -pole], white) for pole in (fast, slow))
    band = np.asarray(fast_noise - slow_noise)
    return np.asarray(band / np.std(band)) if count > 1 else band
