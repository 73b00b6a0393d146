import random

import numpy as np
import pytest

from budew.synthesis.burst_signal import sound_burst
from budew.synthesis.clip_plan import synthesis_table


def sound(name: str, seed: int) -> np.ndarray:
    rng = random.Random(seed)
    return sound_burst(synthesis_table("bursts")[name], pitch=120, tract=1, rng=rng)


def test_the_seed_decides_how_a_burst_sounds():
    for name in synthesis_table("bursts"):
        one, same, other = (sound(name, seed) for seed in (1, 1, 2))
        assert np.isfinite(one).all(), name
        assert 0.02 < len(one) / 16_000 < 2.6, name
        assert one.tobytes() == same.tobytes() != other.tobytes(), name


@pytest.mark.parametrize("name", ["Guffaw", "Quiet Sob", "Hiccups"])
def test_a_burst_has_the_level_of_its_gesture_whatever_its_silence(name):
    samples = np.abs(sound(name, 7))
    assert np.sqrt(np.mean(samples[samples > 0.05 * samples.max()] ** 2)) == pytest.approx(1)


def test_a_seed_gives_the_bursts_that_it_gave_before():
    samples = np.concatenate([sound(name, 3) for name in sorted(synthesis_table("bursts"))])
    time = np.arange(len(samples)) / 16_000
    assert len(samples) == 591_800
    assert samples @ np.sin(3_000 * time**1.3) == pytest.approx(-258.1579, abs=1e-3)
    assert np.abs(samples).mean() == pytest.approx(0.44020768, rel=1e-6)
