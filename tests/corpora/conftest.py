"""Tiny real audio, made anew for each test: a vowel of falling pitch in every format that people bring."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

VoiceFile = Callable[..., Path]
Pack = Callable[[str, list[tuple[str, bytes]]], Path]


def vowel(seconds: float, rate: int, *, pitch: float = 140.0) -> NDArray[np.float32]:
    """A sum of harmonics (n,) with the formants of [a] near 700 and 1,200 Hz, falling pitch, and breath."""
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(pitch * (1 - 0.33 * time / max(seconds, 1e-9))) / rate
    sound = np.zeros_like(time)
    for harmonic in range(1, 24):
        frequency = harmonic * pitch
        if frequency < rate / 2.5:
            gain = sum(np.exp(-(((frequency - formant) / 180) ** 2)) for formant in (700, 1200)) + 0.05
            sound += gain * np.sin(harmonic * phase)
    breath = np.random.default_rng(7).normal(0, 0.01, len(time))
    return (0.4 * (sound / max(1e-9, np.abs(sound).max()) + breath)).astype(np.float32)


def write_av(path: Path, samples: NDArray[np.float32], rate: int, codec: str) -> None:
    with av.open(str(path), "w") as container:
        track = container.add_stream(codec, rate=rate)
        track.codec_context.layout = "mono"
        frame = av.AudioFrame.from_ndarray(
            (samples * 32767).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate = rate
        for packet in (*track.encode(frame), *track.encode(None)):
            container.mux(packet)


@pytest.fixture
def voice(tmp_path: Path) -> VoiceFile:
    """Write a voice: `voice("a.mp3", seconds=1, rate=44100, channels=2)` gives the path."""

    def write(
        name: str, *, seconds: float = 1.0, rate: int = 16_000, channels: int = 1, pitch: float = 140
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = vowel(seconds, rate, pitch=pitch)
        if path.suffix == ".m4a":
            write_av(path, samples, rate, "aac")
        elif path.suffix == ".webm":
            write_av(path, samples, rate, "libopus")
        else:
            spread = np.stack([samples * (1 - 0.5 * i / channels) for i in range(channels)], axis=1)
            kind = {"format": "OGG", "subtype": "OPUS"} if path.suffix == ".opus" else {}
            soundfile.write(path, spread, rate, **kind)
        return path

    return write


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
