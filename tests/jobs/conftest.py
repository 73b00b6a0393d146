"""Shards of tiny clips, and jobs that the processes of a pool can import."""

import io
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from budew.corpora import Clip, write_shard
from budew.profile import VoiceProfile

sys.path.append(str(Path(__file__).parent))


def flac(seconds: float = 0.05) -> bytes:
    file = io.BytesIO()
    soundfile.write(
        file, np.random.default_rng(1).normal(0, 0.1, round(16_000 * seconds)), 16_000, format="FLAC"
    )
    return file.getvalue()


@pytest.fixture
def shard(tmp_path: Path) -> Callable[..., Path]:
    """Write a shard: `shard("in/a", "one", "two-raise")` makes `in/a.tar` of clips with these ids."""

    def write(name: str, *ids: str, audio: bytes | None = None) -> Path:
        path = tmp_path / f"{name}.tar"
        profile = VoiceProfile({"Anger": 0.5})
        write_shard(path, [Clip(id, audio or flac(), "flac", profile=profile) for id in ids])
        return path

    return write
