"""Recordings whose speech is known: what espeak-ng says, between silence and noise."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray

from budew.corpora.clip import Clip
from budew.segmentation import Segment
from budew.synthesis.espeak import Espeak, Utterance

RATE = 16_000
TEXTS = (
    ("en-us", "The weather is fine today and we are going for a long walk."),
    ("de", "Guten Tag, ich freue mich sehr über Ihren Besuch in unserem Haus."),
    ("en-us", "Nobody knows why the old house was sold."),
)

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Recording:
    """Samples at `RATE`, and start and end of each speech in it, in seconds."""

    samples: Samples
    speech: list[tuple[float, float]]


@pytest.fixture(scope="session")
def utterances() -> list[Samples]:
    """Three sentences at `RATE`, without the silence around them."""
    with Espeak() as espeak:
        said = [espeak.speak(Utterance(ssml=f"<speak>{text}</speak>", voice=voice)) for voice, text in TEXTS]
        own = [soxr.resample(samples, espeak.sampling_rate, RATE).astype(np.float32) for samples in said]
    loud = [np.flatnonzero(np.abs(samples) > 0.005) for samples in own]
    return [samples[place[0] : place[-1] + 1] for samples, place in zip(own, loud, strict=True)]


@pytest.fixture(scope="session")
def compose(utterances: list[Samples]) -> Callable[..., Recording]:
    """`compose([1.0, "0", 2.0, "1"], noise=…)`: seconds of silence, numbers of utterances, faint noise."""

    def made(parts: list[float | str], *, noise: float = 0.0005, seed: int = 1) -> Recording:
        pieces, speech, length = [], [], 0
        for part in parts:
            piece = (
                utterances[int(part)] if isinstance(part, str) else np.zeros(round(part * RATE), np.float32)
            )
            if isinstance(part, str):
                speech.append((length / RATE, (length + len(piece)) / RATE))
            pieces.append(piece)
            length += len(piece)
        hiss = np.random.default_rng(seed).normal(0, noise, length).astype(np.float32)
        return Recording(np.clip(np.concatenate(pieces) + hiss, -1, 1), speech)

    return made


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Clip]:
    """`saved(samples, rate=…, channels=…, name=…, **fields)` writes a file and gives its clip."""

    def write(
        samples: Samples, *, rate: int = RATE, channels: int = 1, name: str = "talk.wav", **fields
    ) -> Clip:
        path = tmp_path / name
        shown = samples if rate == RATE else soxr.resample(samples, RATE, rate)
        spread = np.stack([shown * (1 - 0.5 * channel) for channel in range(channels)], axis=1)
        soundfile.write(path, spread, rate, subtype="PCM_16" if path.suffix == ".wav" else None)
        return Clip(path.stem, path, path.suffix[1:], **fields)

    return write


@dataclass(frozen=True)
class Result:
    """Clips and failures, as (id, error)."""

    clips: list[Clip]
    failed: list[tuple[str, Exception]]


@pytest.fixture(scope="session")
def segment() -> Callable[..., Result]:
    """`segment(clip, …, job=Segment(…))` runs the job."""

    def run(*recordings: Clip, job: Segment | None = None) -> Result:
        failed: list[tuple[str, Exception]] = []
        clips = (job or Segment()).run(iter(recordings), lambda id, error: failed.append((id, error)))
        return Result(list(clips), failed)

    return run
