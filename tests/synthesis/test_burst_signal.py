import random

import numpy as np
import pytest

from budew.synthesis.burst_signal import sound_burst
from budew.synthesis.tables import table


@pytest.mark.parametrize("name", sorted(table("bursts")))
def test_a_burst_sounds_once_for_one_seed_and_otherwise_for_another(name):
    sounds = [
        sound_burst(table("bursts")[name], pitch=120, tract=1, sampling_rate=16_000, rng=random.Random(seed))
        for seed in (1, 1, 2)
    ]
    assert np.isfinite(sounds[0]).all()
    assert 0.02 < len(sounds[0]) / 16_000 < 2.6
    assert sounds[0].tobytes() == sounds[1].tobytes() != sounds[2].tobytes()


def test_laughs_are_trains_of_pulses_and_hums_are_not():
    def pulses(name: str) -> int:
        sound = sound_burst(
            table("bursts")[name], pitch=120, tract=1, sampling_rate=16_000, rng=random.Random(4)
        )
        frames = sound[: len(sound) // 320 * 320].reshape(-1, 320)
        loud = np.sqrt((frames**2).mean(axis=1)) > 0.15
        return int(np.sum(loud[1:] & ~loud[:-1]) + loud[0])

    assert pulses("Guffaw") >= 4
    assert pulses("Soft Hum") == 1
