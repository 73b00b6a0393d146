"""A plan of a neutral clip to turn single cues of, and one running espeak-ng for all tests."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from budew.profile import VoiceProfile
from budew.synthesis.clip_plan import SAMPLING_RATE, ClipPlan, cues, plan_clip
from budew.synthesis.espeak import Espeak
from budew.synthesis.speech_signal import synthesize_clip


@pytest.fixture(scope="session")
def espeak() -> Iterator[Espeak]:
    with Espeak() as running:
        yield running


@pytest.fixture(scope="session")
def neutral() -> ClipPlan:
    plan = plan_clip(8, seed=5, split="train")  # a voice whose pitch a simple tracker follows
    settings = dict.fromkeys(cues(), 0.0)
    return replace(plan, profile=VoiceProfile({}), settings=settings, bursts_before=(), bursts_after=())


@pytest.fixture(scope="session")
def say(espeak: Espeak, neutral: ClipPlan) -> Callable[..., np.ndarray]:
    """`say(rate=1.0)` gives the neutral clip with that cue turned, at 16 kHz."""

    def spoken(**settings: float) -> np.ndarray:
        return synthesize_clip(replace(neutral, settings={**neutral.settings, **settings}), espeak)

    return spoken


def pitch(samples: np.ndarray) -> np.ndarray:
    """Fundamental frequencies (Hz) of the voiced frames, by autocorrelation."""
    frame, found = 640, []
    for start in range(0, len(samples) - frame, frame // 2):
        piece = samples[start : start + frame] * np.hanning(frame)
        if np.mean(piece**2) < 1e-4:
            continue
        likeness = np.correlate(piece, piece, "full")[frame - 1 :]
        low, high = SAMPLING_RATE // 400, SAMPLING_RATE // 60
        lag = low + int(likeness[low:high].argmax())
        if likeness[lag] > 0.5 * likeness[0]:
            found.append(SAMPLING_RATE / lag)
    return np.array(found)
