"""Small corpora of real audio with known profiles, and predictions for them."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from budew.corpora import Clip, write_shard
from budew.evaluation.pairs import Pair
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS, LEVELS
from tests.inference.conftest import sound


def vowel(pitch: float, *, seconds: float = 0.6, format: str = "FLAC", scale: float = 1.0) -> bytes:
    """A vowel-like sound, another for each pitch, encoded."""
    out = io.BytesIO()
    soundfile.write(out, scale * sound(round(pitch), seconds), 16_000, format=format)
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
