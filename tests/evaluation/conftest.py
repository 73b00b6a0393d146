"""Small corpora of real audio with known profiles, and predictions for them."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from budew.corpora import Clip, write_shard
from budew.evaluation.results import Pair
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS, LEVELS


def vowel(pitch: float, *, seconds: float = 0.6, format: str = "FLAC") -> bytes:
    """A vowel-like sound: a falling harmonic series through two formants."""
    time = np.arange(int(16_000 * seconds)) / 16_000
    phase = 2 * np.pi * np.cumsum(pitch * (1 - 0.1 * time / seconds)) / 16_000
    sound = np.zeros(len(time))
    for harmonic in range(1, 30):
        frequency = harmonic * pitch
        sound += np.sin(harmonic * phase) * sum(1 / (1 + ((frequency - f) / 90) ** 2) for f in (650, 1100))
    out = io.BytesIO()
    soundfile.write(out, 0.2 * sound / np.abs(sound).max(), 16_000, format=format)
    return out.getvalue()


def profile(seed: int) -> VoiceProfile:
    """One or two emotions at caption levels."""
    generator = np.random.default_rng(seed)
    chosen = generator.choice(EMOTIONS[:8], size=generator.integers(1, 3), replace=False)
    return VoiceProfile({str(name): float(generator.choice(LEVELS[1:])) for name in chosen})


def nearby(reference: VoiceProfile, seed: int) -> VoiceProfile:
    """A prediction that is often right."""
    return reference if seed % 3 else profile(seed + 1000)


@pytest.fixture(scope="session")
def pairs() -> list[Pair]:
    references = [profile(seed) for seed in range(60)]
    return [
        Pair(f"voice{n % 4}/{n:03d}", reference, nearby(reference, n), caption=f"Caption {n}.")
        for n, reference in enumerate(references)
    ]


@pytest.fixture(name="vowel")
def _vowel() -> Callable[..., bytes]:
    return vowel


@pytest.fixture(scope="session")
def clips() -> list[Clip]:
    return [Clip(f"clip{n}", vowel(100 + 20 * n), "flac", profile=profile(n)) for n in range(6)]


@pytest.fixture(scope="session")
def corpus(clips: list[Clip], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "test-00000.tar"
    write_shard(path, clips)
    return path
