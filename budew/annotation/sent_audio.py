"""The audio of a clip as it is sent to a model: checked, bounded in length, and small.

Everything is decoded once, so that no broken file is paid for. A whole mp3 or wav that is smaller than 16 kHz
mono is sent as it is; anything else becomes a wav of 16 kHz, 16 bit, mono: 32 kB a second.
"""

import io
import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from budew.audio.decoders import Samples
from budew.audio.formats import sniff_format
from budew.audio.samples import SAMPLING_RATE, decode, warn_of_damage
from budew.corpora.clip import Clip

_PLAIN_WAV = b"fmt \x01\x00"  # uncompressed; servers need not know the other kinds
_BYTES_A_SAMPLE = 2
_HEADER = 44


@dataclass(frozen=True, slots=True)
class SentAudio:
    """An encoded file and its format, "wav" or "mp3"."""

    data: bytes
    format: str


def audio_to_send(clip: Clip, *, max_seconds: float) -> SentAudio:
    """Return what is sent of a clip.

    Raises:
        AudioError: it cannot be decoded, or is longer than `max_seconds`.
    """
    decoded = decode(clip.audio, max_seconds=max_seconds, name=f"clip {clip.id!r}")
    warn_of_damage(decoded.damage)
    smallest = _HEADER + _BYTES_A_SAMPLE * len(decoded.samples)
    if decoded.damage is None and _size(clip.audio) <= smallest:
        data = clip.audio.read_bytes() if isinstance(clip.audio, Path) else clip.audio
        format = sniff_format(data[:16])
        if format == "mp3" or (format == "wav" and data[12:16] + data[20:22] == _PLAIN_WAV):
            return SentAudio(data, format)
    return SentAudio(_wav(decoded.samples), "wav")


def _size(audio: bytes | Path) -> int:
    return audio.stat().st_size if isinstance(audio, Path) else len(audio)


def _wav(samples: Samples) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(_BYTES_A_SAMPLE)
        sound.setframerate(SAMPLING_RATE)
        sound.writeframes(np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()
