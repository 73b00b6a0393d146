"""Corpora in the formats of the wild, made of real audio."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

Pack = Callable[[str, list[tuple[str, bytes]]], Path]


@pytest.fixture
def mp3(voice) -> bytes:
    """The bytes of a short vowel."""
    return voice("made/vowel.mp3", seconds=0.1).read_bytes()


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """Write a tar: `pack("a.tar", [("a.mp3", b"…")])` gives the path."""

    def write(name: str, members: list[tuple[str, bytes]]) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, "w") as tar:
            for member, content in members:
                info = tarfile.TarInfo(member)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        return path

    return write
