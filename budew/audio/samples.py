"""Samples from any audio file: whole (`decode`) or window by window in bounded memory (`windows`).

Any container and rate that `decoders` opens becomes mono float32 at the rate that is asked for (mean of the
channels, soxr's high-quality resampler). `windows` reads by blocks: three hours cost what one window costs.

A file that is broken part way is not thrown away: what can be decoded is given, with one `AudioWarning`
that names the file and says how much was lost. A file with nothing to decode, or with samples that are not
numbers, is an `AudioError`.
"""

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from budew.audio.decoders import DamagedError, Samples, Stream, open_stream
from budew.errors import AudioError, AudioWarning

__all__ = [
    "AudioError",
    "AudioWarning",
    "Window",
    "decode",
    "duration",
    "measure",
    "pieces",
    "resampled",
    "sound",
    "windows",
]

SAMPLING_RATE = 16_000
"""Hz; what Whisper hears."""
SHORTEST_TAIL = 0.3
"""Seconds. Less than this after a full window holds no word, and a model makes one up."""
_MISSING = 0.25
"""Seconds that a file may fall short of what its header claims: padding, rounding of containers."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a recording: `start` and `end` in seconds, `samples` float32 (n,) mono."""

    start: float
    end: float
    samples: Samples


def decode(
    audio: Path | bytes,
    *,
    sampling_rate: int = SAMPLING_RATE,
    max_seconds: float = 600.0,
    name: str | None = None,
) -> Samples:
    """Return all samples, float32 (n,) mono at `sampling_rate`.

    Args:
        audio: a file, or the bytes of one.
        sampling_rate: Hz of the result.
        max_seconds: longest recording that is held in memory (2.3 MB a minute at 16 kHz).
        name: what errors call it; the path by default.

    Raises:
        AudioError: nothing can be decoded, the recording is longer than `max_seconds`, or a sample is not a
            number.
    """
    name = name or _name(audio)
    blocks, held = [], 0
    for block in _opened(audio, sampling_rate, name):
        blocks.append(block)
        held += len(block)
        if held > max_seconds * sampling_rate:
            raise AudioError(
                f"{name}: longer than {max_seconds:g} s: read it with `windows`, or raise max_seconds"
            )
    return np.concatenate(blocks)


def windows(
    audio: Path | bytes, *, seconds: float, sampling_rate: int = SAMPLING_RATE, name: str | None = None
) -> Iterator[Window]:
    """Cut a recording of any length into windows of `seconds`, one after the other, without gap or overlap.

    The last window is as long as what remains; a rest of less than 0.3 s behind another window is left out.
    Arguments and errors are those of `decode`; memory is bounded by one window.
    """
    name = name or _name(audio)
    size = round(seconds * sampling_rate)
    if size < 1:
        raise ValueError(f"a window of {seconds} s holds no sample: ask for more")
    place = 0
    for samples in pieces(_opened(audio, sampling_rate, name), size):
        if not place or len(samples) >= SHORTEST_TAIL * sampling_rate:
            yield Window(place / sampling_rate, (place + len(samples)) / sampling_rate, samples)
        place += len(samples)


def duration(audio: Path | bytes, *, name: str | None = None) -> float:
    """Return the length in seconds: what the header says, else what is counted by decoding.

    The header of a damaged file or of an mp3 without a length tag may be wrong.

    Raises:
        AudioError: nothing can be decoded.
    """
    name = name or _name(audio)
    with open_stream(audio, name) as stream:
        if stream.declared is not None:
            return stream.declared
        return sum(len(block) for block in sound(stream, name)) / stream.sampling_rate


def measure(audio: Path | bytes, *, max_seconds: float, name: str | None = None) -> tuple[int, float]:
    """Return the sampling rate in Hz and the length in seconds, both by decoding all of it.

    Memory is bounded by one block. Errors are those of `decode`.
    """
    name = name or _name(audio)
    with open_stream(audio, name) as stream:
        count = 0
        for block in sound(stream, name):
            count += len(block)
            if count > max_seconds * stream.sampling_rate:
                raise AudioError(f"{name}: longer than {max_seconds:g} s: cut it with budew corpus segment")
        return stream.sampling_rate, count / stream.sampling_rate


def sound(
    stream: Stream, name: str, *, tell: Callable[[AudioWarning], None] | None = None
) -> Iterator[Samples]:
    """Pass on the blocks of an open stream at its own rate, checked; tell of what is missing at the end.

    Args:
        stream: from `decoders.open_stream`.
        name: what errors call it.
        tell: called with the warning of a damaged file; without it the warning is issued.

    Raises:
        AudioError: there is no sample in it, or one that is not a number.
    """
    count, damage = 0, ""
    try:
        for block in stream.blocks:
            if not np.isfinite(block).all():
                at = count / stream.sampling_rate
                raise AudioError(
                    f"{name}: samples near {at:.1f} s are not numbers (NaN or infinite): export it again"
                )
            count += len(block)
            yield block
    except DamagedError as error:
        damage = str(error)
    if not count:
        raise AudioError(
            f"{name}: there is not one sample in it{damage and f' ({damage})'}: copy or record it again"
        )
    loss = _loss(stream, name, count / stream.sampling_rate, damage)
    if loss is not None and tell is not None:
        tell(loss)
    elif loss is not None:
        warnings.warn(loss, stacklevel=2)


def resampled(blocks: Iterable[Samples], *, source: int, target: int) -> Iterator[Samples]:
    """Pass on blocks of mono samples at `source` Hz as blocks at `target` Hz."""
    if source == target:
        yield from blocks
        return
    resampler = soxr.ResampleStream(source, target, 1, dtype="float32")
    for block in blocks:
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def pieces(blocks: Iterable[Samples], size: int) -> Iterator[Samples]:
    """Pass on blocks as pieces of `size` samples each, the last as long as what remains."""
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


def _name(audio: Path | bytes) -> str:
    return f"{len(audio)} bytes of audio" if isinstance(audio, bytes) else str(audio)


def _opened(audio: Path | bytes, sampling_rate: int, name: str) -> Iterator[Samples]:
    with open_stream(audio, name) as stream:
        yield from resampled(sound(stream, name), source=stream.sampling_rate, target=sampling_rate)


def _loss(stream: Stream, name: str, seconds: float, damage: str) -> AudioWarning | None:
    short = stream.exact and stream.declared is not None and seconds < stream.declared - _MISSING
    if not damage and not short:
        return None
    what = f"is damaged ({damage})" if damage else "ends early"
    of = f" of {stream.declared:.1f} s" if stream.exact and stream.declared is not None else ""
    return AudioWarning(f"{name}: {what}: {seconds:.1f} s{of} could be used: copy it again")
