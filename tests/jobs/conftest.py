"""Shards of tiny clips, and jobs that the processes of a pool can import."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from budew.corpora import Clip, write_shard
from budew.profile import VoiceProfile

sys.path.append(str(Path(__file__).parent))

from odd_jobs import flac  # found by the line above


@pytest.fixture
def shard(tmp_path: Path) -> Callable[..., Path]:
    """Write a shard: `shard("in/a", "one", "two-raise")` makes `in/a.tar` of clips with these ids."""

    def write(name: str, *ids: str, audio: bytes | None = None) -> Path:
        path = tmp_path / f"{name}.tar"
        profile = VoiceProfile({"Anger": 0.5})
        write_shard(path, [Clip(id, audio or flac(), "flac", profile=profile) for id in ids])
        return path

    return write
