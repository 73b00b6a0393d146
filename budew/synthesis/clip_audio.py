"""From a plan to the samples of a clip: speech, its colour, the bursts around it, the room and the
recorder.
"""

import random
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from budew.randomness import generator
from budew.synthesis.burst_signal import FEMALE_TRACT, sound_burst
from budew.synthesis.coloring import color, formant_factor, resample
from budew.synthesis.espeak import Espeak
from budew.synthesis.plan import Plan
from budew.synthesis.speech import utterance
from budew.synthesis.tables import cues, table

SAMPLING_RATE = 16_000
LONGEST = 7.9  # seconds
NEUTRAL_LEVEL = -27.0  # dB under full scale, root mean square
RECORDING_GAIN = 2.0  # dB, standard deviation between recordings
HABITUAL_PITCH = {"female": 195.0, "male": 105.0}  # Hz, of espeak-ng's voices

Samples = npt.NDArray[np.float32]
Piece = npt.NDArray[np.float64]


def synthesize(plan: Plan, espeak: Espeak) -> Samples:
    """Return the clip (n,) at `SAMPLING_RATE`, in [-1, 1], at most `LONGEST` seconds.

    Raises:
        SynthesisError: espeak-ng has no such voice.
    """
    return synthesize_parts([plan], espeak, longest=LONGEST)


def synthesize_parts(parts: Sequence[Plan], espeak: Espeak, *, longest: float) -> Samples:
    """Return one clip (n,) of several plans, one after the other, as `synthesize` does of one.

    Args:
        parts: of one speaker; each has its own words, cues and bursts. The first one's id decides the chance.
        espeak: a running one.
        longest: seconds; what does not fit is cut off the words.

    Raises:
        SynthesisError: espeak-ng has no such voice.
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
    return _record(
        np.concatenate(pieces), rng.gauss(0, RECORDING_GAIN), rng.uniform(-75, -50), rng.getrandbits(64)
    )


def _part(plan: Plan, espeak: Espeak, rng: random.Random) -> tuple[Piece, list[Piece], list[Piece]]:
    """Return the speech of a plan, and the bursts before and after it."""
    formants = formant_factor(plan)
    spoken = espeak.speak(utterance(plan, formants=formants))
    spoken = resample(_trim(spoken), source=espeak.sampling_rate, target=SAMPLING_RATE, formants=formants)
    speech = color(spoken, plan, sampling_rate=SAMPLING_RATE, rng=rng)
    before = [_burst(name, plan, rng.getrandbits(64)) for name in plan.bursts_before]
    after = [_burst(name, plan, rng.getrandbits(64)) for name in plan.bursts_after]
    return speech, before, after


def _burst(name: str, plan: Plan, seed: int) -> Piece:
    rng = generator(seed, plan.id, name)
    gesture = table("bursts")[name]
    level = cues()["pitch_level"].at(plan.settings["pitch_level"], neutral=0.0)
    pitch = HABITUAL_PITCH[plan.voice.gender] * 2 ** ((plan.voice.pitch + 0.4 * level) / 12)
    tract = plan.voice.vocal_tract * (FEMALE_TRACT if plan.voice.gender == "female" else 1.0)
    sound = sound_burst(gesture, pitch=pitch, tract=tract, sampling_rate=SAMPLING_RATE, rng=rng)
    return np.asarray(sound * 10 ** ((gesture["level"] + rng.gauss(0, 1.5)) / 20))


def _record(samples: Piece, gain: float, floor: float, seed: int) -> Samples:
    """Set the level, add the noise of the room and keep the peaks inside full scale."""
    level = 10 ** ((NEUTRAL_LEVEL + gain) / 20)
    noise = np.random.default_rng(seed).standard_normal(len(samples)) * 10 ** (floor / 20)
    recorded = samples * level + noise
    return np.asarray(np.tanh(recorded / 0.98) * 0.98, dtype=np.float32)


def _trim(samples: Piece) -> Piece:
    """Drop the silence that espeak-ng puts around an utterance."""
    loud = np.flatnonzero(np.abs(samples) > 0.005)
    return samples[loud[0] : loud[-1] + 1] if len(loud) else samples


def _shorten(samples: Piece, seconds: float) -> Piece:
    keep = int(max(seconds, 1.0) * SAMPLING_RATE)
    if len(samples) <= keep:
        return samples
    fade = np.minimum(1.0, np.arange(keep)[::-1] / (0.05 * SAMPLING_RATE))
    return np.asarray(samples[:keep] * fade)


def _silence(seconds: float) -> Piece:
    return np.zeros(int(seconds * SAMPLING_RATE))
