"""Clips of noise, and fixtures shared with neighbouring packages."""

import io

import numpy as np
import soundfile

from budew.corpora import Clip

RATE = 16_000


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    """White noise, float32 (n,): a Whisper of random weights recognizes words in it."""
    return (0.1 * np.random.default_rng(seed).standard_normal(int(seconds * RATE))).astype(np.float32)


def clip(
    number: int, seconds: float = 1.0, *, language: str | None = "en", silent: bool = False, **more
) -> Clip:
    """A clip of its own noise, or of silence."""
    file = io.BytesIO()
    soundfile.write(file, noise(seconds, number) * (not silent), RATE, format="WAV")
    return Clip(f"clip-{number:02}", file.getvalue(), "wav", language=language, **more)


def outcome(job, clips) -> tuple[list[Clip], dict[str, Exception]]:
    """What a job makes of clips, and the errors of those that fail."""
    failed = {}
    return list(job.run(iter(clips), lambda id, error: failed.update({id: error}))), failed
