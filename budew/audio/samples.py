"""Samples from any audio file: whole (`decode`) or window by window in bounded memory (`windows`).

Audio of any format and rate becomes mono float32 at the requested rate (mean of the channels, soxr's
high-quality resampler). `windows` needs the memory of two windows, however long the recording is.

Of a damaged file, the decodable part is returned together with `damage`, one sentence that names the file and
states how much is missing. A file without decodable samples, or with NaN samples, is an `AudioError`.
"""

import io
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from budew.audio.decoders import Samples, open_stream
from budew.errors import AudioError, BudewWarning, InputError

SAMPLING_RATE = 16_000
"""Sampling rate in Hz that Whisper's feature extractor needs."""
SHORTEST_TAIL = 1.0
"""Seconds. A shorter rest after a full window is left out, as models hallucinate on it."""
SILENCE_FLOOR = -75.0
"""Level in dBFS (full-scale square = 0) below which audio is silent. In 77 clips of real voices, measured in
frames of 100 ms, the faintest breath is at -63, and pauses with the dither of 16 bits are at -94."""
_SILENCE_FRAME = 0.1
"""Seconds over which loudness is measured, so that a single syllable in a long window is not silent."""


@dataclass(frozen=True, slots=True)
class DecodedAudio:
    """A decoded recording.

    Attributes:
        samples: mono samples, float32 (n,).
        sampling_rate: sampling rate in Hz.
        damage: sentence about missing or broken parts; None if there are none.

    Example:
        >>> DecodedAudio(np.zeros(16_000, np.float32), 16_000).usable.shape
        (16000,)
    """

    samples: Samples
    sampling_rate: int
    damage: str | None = None

    @property
    def usable(self) -> Samples:
        """The samples; issues a `BudewWarning` if the recording is damaged."""
        warn_of_damage(self.damage)
        return self.samples


@dataclass(frozen=True, slots=True)
class Window:
    """A window of a recording: `start` and `end` in seconds, and mono `samples`, float32 (n,).

    The last window also has `damage`, a sentence about missing or broken parts of the whole recording (or
    None).

    Example:
        >>> Window(0.0, 0.5, np.zeros(8_000, np.float32)).damage is None
        True
    """

    start: float
    end: float
    samples: Samples
    damage: str | None = None


@dataclass(frozen=True, slots=True)
class AudioProbe:
    """Sampling rate in Hz, length in seconds, and damage (see `DecodedAudio`) of a recording."""

    sampling_rate: int
    seconds: float
    damage: str | None


def decode(
    audio: Path | bytes,
    *,
    sampling_rate: int | None = SAMPLING_RATE,
    max_seconds: float = 600.0,
    name: str | None = None,
) -> DecodedAudio:
    """Decode a whole recording.

    Args:
        audio: path of an audio file, or its encoded bytes.
        sampling_rate: rate in Hz to which the samples are resampled; None: the rate of the file.
        max_seconds: longest accepted recording (it needs 2.3 MB of memory per minute at 16 kHz).
        name: name of the recording in errors; None: the path.

    Raises:
        AudioError: nothing can be decoded, the recording is longer than `max_seconds`, or a sample is NaN or
            infinite.

    Example:
        >>> import soundfile
        >>> soundfile.write("tone.wav", np.sin(np.arange(44_100) / 50), 44_100)
        >>> decode(Path("tone.wav")).samples.shape
        (16000,)
    """
    name = name or _name(audio)
    held, count = [], 0
    with open_stream(audio, name) as stream:
        rate = sampling_rate or stream.sampling_rate
        for block in resampled(stream.blocks(), source=stream.sampling_rate, target=rate):
            held.append(block)
            count += len(block)
            if count > max_seconds * rate:
                raise AudioError(f"{name}: longer than {max_seconds:g} s: cut it with budew corpus segment")
    return DecodedAudio(np.concatenate(held), rate, stream.damage)


def windows(
    audio: Path | bytes, *, seconds: float, sampling_rate: int = SAMPLING_RATE, name: str | None = None
) -> Iterator[Window]:
    """Decode a recording of any length into consecutive windows of `seconds`, lazily.

    The last window has the rest of the recording; a rest of less than 1 s after another window is left out.
    Two windows are in memory at a time.

    Args:
        audio: path of an audio file, or its encoded bytes.
        seconds: length of a window.
        sampling_rate: rate of the samples in Hz.
        name: name of the recording in errors; None: the path.

    Raises:
        AudioError: nothing can be decoded, or a sample is NaN or infinite.

    Example:
        >>> import soundfile
        >>> soundfile.write("long.wav", np.sin(np.arange(40_000) / 50), 16_000)
        >>> [(window.start, window.end) for window in windows(Path("long.wav"), seconds=1)]
        [(0.0, 1.0), (1.0, 2.0)]
    """
    last = None
    with open_stream(audio, name or _name(audio)) as stream:
        blocks = resampled(stream.blocks(), source=stream.sampling_rate, target=sampling_rate)
        for window in windows_of(blocks, seconds=seconds, sampling_rate=sampling_rate):
            if last is not None:
                yield last
            last = window
    if last is not None:
        yield replace(last, damage=stream.damage)


def windows_of(blocks: Iterable[Samples], *, seconds: float, sampling_rate: int) -> Iterator[Window]:
    """Cut blocks of mono samples (n,) into consecutive windows of `seconds`, as `windows` does.

    Raises:
        InputError: a window of `seconds` contains no sample.
    """
    size = round(seconds * sampling_rate)
    if size < 1:
        raise InputError(f"a window of {seconds} s contains no sample: give a longer window")
    shortest = min(size, round(SHORTEST_TAIL * sampling_rate))
    for number, samples in enumerate(regrouped(blocks, size)):
        if not number or len(samples) >= shortest:
            start = number * size
            yield Window(start / sampling_rate, (start + len(samples)) / sampling_rate, samples)


def probe_audio(audio: Path | bytes, *, max_seconds: float, name: str | None = None) -> AudioProbe:
    """Decode a recording to find its sampling rate, length and damage; only one block is in memory.

    Args:
        audio: path of an audio file, or its encoded bytes.
        max_seconds: longest accepted recording.
        name: name of the recording in errors; None: the path.

    Raises:
        AudioError: nothing can be decoded, or the recording is longer than `max_seconds`.
    """
    name = name or _name(audio)
    with open_stream(audio, name) as stream:
        for _ in stream.blocks():
            if stream.seconds > max_seconds:
                raise AudioError(f"{name}: longer than {max_seconds:g} s: cut it with budew corpus segment")
    return AudioProbe(stream.sampling_rate, stream.seconds, stream.damage)


def encode_audio(samples: NDArray[Any], sampling_rate: int, format: str) -> bytes:
    """Encode samples, (n,) or (n, channels), as 16-bit "FLAC" or "WAV"; return the contents of the file."""
    file = io.BytesIO()  # libsndfile hides the reason if a file cannot be written
    soundfile.write(file, samples, sampling_rate, format=format, subtype="PCM_16")
    return file.getvalue()


def warn_of_damage(damage: str | None) -> None:
    """Issue a `BudewWarning` unless `damage` is None."""
    if damage is not None:
        warnings.warn(BudewWarning(damage), stacklevel=3)


def resampled(blocks: Iterable[Samples], *, source: int, target: int) -> Iterator[Samples]:
    """Resample blocks of mono samples (n,) from `source` Hz to `target` Hz, lazily."""
    if source == target:
        yield from blocks
        return
    resampler = soxr.ResampleStream(source, target, 1, dtype="float32")
    for block in blocks:
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def regrouped(blocks: Iterable[Samples], size: int) -> Iterator[Samples]:
    """Regroup blocks of samples into blocks of `size` samples; the last one has the rest."""
    held: list[Samples] = []
    count = 0
    for block in blocks:
        while count + len(block) >= size:
            head, block = block[: size - count], block[size - count :]
            yield np.concatenate([*held, head])
            held, count = [], 0
        if len(block):
            held.append(block)
            count += len(block)
    if held:
        yield np.concatenate(held)


def is_silent(samples: NDArray[np.float32], sampling_rate: int) -> bool:
    """Return whether `samples` (n,) are silent: no tenth of a second reaches `SILENCE_FLOOR`.

    A constant offset counts as silence. Silent windows are not captioned, as models hallucinate on them.
    """
    return not seconds_of_sound(samples, sampling_rate)


def seconds_of_sound(samples: NDArray[np.float32], sampling_rate: int) -> float:
    """Return the seconds of `samples` (n,), in tenths and a rest, that reach `SILENCE_FLOOR`."""
    floor = 10.0 ** (SILENCE_FLOOR / 10)
    size = round(_SILENCE_FRAME * sampling_rate)
    whole = len(samples) - len(samples) % size
    frames, rest = samples[:whole].reshape(-1, size), samples[whole:]
    loud = size * int((frames.var(axis=1, dtype=np.float64) >= floor).sum())
    if len(rest) and rest.var(dtype=np.float64) >= floor:
        loud += len(rest)
    return loud / sampling_rate


def _name(audio: Path | bytes) -> str:
    return f"{len(audio)} bytes of audio" if isinstance(audio, bytes) else str(audio)
