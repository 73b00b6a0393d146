"""Tiny real audio, made anew for each test: a vowel of falling pitch in every format that people bring."""

import io
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from budew.corpora import Caption, Clip, ExportOptions, write_clips
from budew.corpora.clip import check_id
from budew.errors import CorpusError, OnBad
from budew.profile import VoiceProfile

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


def write(out: Path, clips: Iterable[Clip], to: str, on_bad: OnBad | None = None, **options: Any) -> int:
    """Write clips with all of their captions; return their number."""
    every = ExportOptions(to, caption="all", pick="all", **options)
    return write_clips(clips, out, every, on_bad=on_bad).clips


def is_id(text: str) -> bool:
    try:
        check_id(text)
    except CorpusError:
        return False
    return True


@pytest.fixture
def clips(voice) -> list[Clip]:
    """Four clips with all that a clip may hold, ids that are hard on file systems, and real audio."""
    return [
        Clip(
            "anna/01",
            voice("a.flac", seconds=0.3).read_bytes(),
            "flac",
            sampling_rate=16_000,
            duration=0.3,
            language="de",
            speaker="anna",
            transcript="Grüße, Anna!",
            profile=VoiceProfile({"Amusement": 0.75}, ["Chuckle"], {"gender": "female"}),
            captions=(Caption("A woman, amused.", {"by": "render", "seed": 7}), Caption("Amused.")),
            source="test",
            license="CC0-1.0",
            metadata={"snr": 21.5, "rater": {"name": "x", "scores": [1, None, True]}},
        ),
        Clip(
            "Anna/01",
            voice("b.mp3", seconds=0.4, rate=22_050).read_bytes(),
            "mp3",
            transcript='"Two | pipes",\nand a line\u2028break',
            profile=VoiceProfile({"Fear": 0.25}, (), {"Background_Noise": 2.5}),
            captions=(Caption("Afraid.", {"by": "person"}),),
        ),
        Clip("100% ä.b", voice("c.opus", seconds=0.2, rate=48_000).read_bytes(), "opus", transcript="Yes"),
        Clip("bare", voice("d.wav", seconds=0.2, channels=2), "wav"),
    ]


@pytest.fixture
def load_dataset(tmp_path: Path) -> Callable[..., Any]:
    """`datasets.load_dataset` as it is, for the one split, with its cache in a folder of the test."""
    import datasets

    datasets.disable_progress_bars()

    def load(*arguments: Any, **options: Any) -> Any:
        return datasets.load_dataset(*arguments, split="train", cache_dir=str(tmp_path / "cache"), **options)

    return load
