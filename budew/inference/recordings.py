"""`Recording`: a file, a clip, an array or a tensor as named audio windows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

import numpy as np
import soxr
from numpy.typing import NDArray

from budew.audio.samples import Window, windows, windows_of
from budew.corpora.clip import Clip
from budew.errors import AudioError, CorpusError, InputError
from budew.inference.speaker_turns import Turn, cut_turns, turns_of
from budew.segmentation.cutter import SegmentSettings
from budew.segmentation.recording import cut_recording

SHORTEST_REST = 1.5
"""Seconds. A shorter rest after a window of more than twice its length is joined to that window, as its
caption alone would be a guess."""
LOWEST_RATE = 1_000
"""Hz. Lower sampling rates are mistakes, such as kHz, and would make hours of a few seconds."""
if TYPE_CHECKING:
    from torch import Tensor

    Audio = str | Path | bytes | NDArray[Any] | Tensor | BinaryIO | Mapping[str, Any]
else:
    Audio = Any  # torch takes seconds, and paths are checked without it
MAX_PAUSE = 2.0
"""Seconds. Speech is not cut at shorter pauses, as a window of a single word says little about the voice."""
Cut = Callable[[float, int], Iterator[Window]]


@dataclass(frozen=True, slots=True)
class Recording:
    """Audio to caption, which is read window by window.

    Attributes:
        source: name of the recording: path, clip id, "samples" or "bytes".
        cut: function `cut(seconds, sampling_rate)` that yields windows of at most `seconds`.
        id: clip id if the recording is from a corpus.
        file: path of the audio file, or its encoded bytes; None for samples.
        turns: speaker turns, if the recording is cut at them.
    """

    source: str
    cut: Cut
    id: str | None = None
    file: Path | bytes | None = None
    turns: Sequence[Turn] = ()

    def at_turns(self, turns: Mapping[str, Sequence[Turn]]) -> "Recording":
        """Return the recording cut at its speaker turns.

        A recording without turns raises `AudioError` when it is read.

        Args:
            turns: turns by recording, as `read_turns` returns them.
        """
        if self.file is None:
            return failing_recording(
                self.source, AudioError("samples have no file name, so an RTTM file cannot list their turns")
            )
        try:
            own = turns_of(self.source, turns)
        except AudioError as error:
            return failing_recording(self.source, error)
        return replace(self, cut=partial(cut_turns, self.file, self.source, own), turns=own)

    def at_speech(self) -> "Recording":
        """Return the recording cut at pauses in the speech; samples are returned unchanged."""
        return self if self.file is None else replace(self, cut=partial(_cut_speech, self.file, self.source))


def from_audio(audio: Audio, sampling_rate: int | None = None) -> Recording:
    """Make a recording from audio in memory, or from a file.

    Args:
        audio: path; encoded bytes, or a file opened for bytes; array or tensor of samples of shape (n,),
            (n, channels) or (channels, n), floats in [-1, 1] or integers of full scale; or a mapping as in
            `datasets`, with "array" (or "raw") and "sampling_rate", or with "bytes" or "path".
        sampling_rate: sampling rate of an array or tensor in Hz; ignored for other types.

    Raises:
        InputError: another type, or samples without a sampling rate or with one below `LOWEST_RATE`.
        AudioError: samples have a wrong shape or type, are empty, or contain NaN or infinity.
    """
    if isinstance(audio, Mapping):
        return _from_mapping(audio)
    if hasattr(audio, "numpy"):
        tensor: Any = audio
        audio = tensor.detach().cpu().numpy()
    if isinstance(audio, np.ndarray):
        if sampling_rate is None:
            raise InputError("samples: the sampling rate is missing: give sampling_rate=… in Hz")
        if sampling_rate < LOWEST_RATE:
            raise InputError(
                f"samples: {sampling_rate} Hz is too low for a sampling rate: give that of the recording, "
                "such as 16000"
            )
        return Recording("samples", partial(_cut_samples, _mono(audio), sampling_rate))
    if isinstance(audio, str | Path):
        return from_file(Path(audio))
    encoded = audio.read() if hasattr(audio, "read") else audio
    if not isinstance(encoded, bytes | bytearray | memoryview):
        raise InputError(
            f"{type(audio).__name__} is not audio: give a path, bytes, a file opened with 'rb', or samples"
        )
    encoded = bytes(encoded)
    return Recording("bytes", partial(_cut_encoded, encoded, "bytes"), file=encoded)


def from_file(path: Path) -> Recording:
    """Make a recording from an audio file, which is decoded when the recording is read."""
    return Recording(str(path), partial(_cut_encoded, path, str(path)), file=path)


def from_clip(clip: Clip, source: str | None = None) -> Recording:
    """Make a recording from a clip of a corpus.

    Args:
        clip: the clip.
        source: name of the recording; None for the clip id.
    """
    name = source or clip.id
    return Recording(name, partial(_cut_encoded, clip.audio, name), clip.id, clip.audio)


def failing_recording(source: str, error: CorpusError) -> Recording:
    """Make a recording that raises `error` when it is read."""
    return Recording(source, partial(_fail, error))


def _fail(error: CorpusError, _seconds: float, _sampling_rate: int) -> NoReturn:
    raise error


def _from_mapping(audio: Mapping[str, Any]) -> Recording:
    samples = audio.get("array", audio.get("raw"))
    if samples is not None:
        array = samples if hasattr(samples, "numpy") else np.asarray(samples)
        return from_audio(array, audio.get("sampling_rate"))
    inner = audio.get("bytes") or audio.get("path")
    if inner is None:
        raise InputError('a mapping of audio needs "array" and "sampling_rate", or "bytes", or "path"')
    return from_audio(inner)


def _cut_encoded(audio: Path | bytes, name: str, seconds: float, sampling_rate: int) -> Iterator[Window]:
    yield from _with_rest(windows(audio, seconds=seconds, sampling_rate=sampling_rate, name=name), seconds)


def _cut_speech(audio: Path | bytes, name: str, seconds: float, sampling_rate: int) -> Iterator[Window]:
    """Cut audio that is longer than a window into speech, sounds next to it, and windows without samples."""
    first = list(islice(_cut_encoded(audio, name, seconds, sampling_rate), 2))
    if len(first) < 2:
        yield from first
        return
    ended: list[tuple[float, str | None]] = []
    settings = SegmentSettings(max_seconds=seconds, max_pause=min(MAX_PAUSE, seconds / 2))
    nothing, last = np.zeros(0, np.float32), 0.0
    for piece in cut_recording(
        audio, settings, name=name, on_end=lambda *end: ended.append(end), sounds=True
    ):
        start, end = piece.span
        if start - last > 0:
            yield Window(last, start, nothing)
        samples = soxr.resample(piece.samples, piece.sampling_rate, sampling_rate)
        yield Window(start, end, samples[: round(seconds * sampling_rate)])
        last = end
    ((whole, damage),) = ended
    if whole > last or damage:
        yield Window(last, max(whole, last), nothing, damage)


def _cut_samples(
    mono: NDArray[np.float32], given_rate: int, seconds: float, sampling_rate: int
) -> Iterator[Window]:
    resampled = mono if given_rate == sampling_rate else soxr.resample(mono, given_rate, sampling_rate)
    cut = windows_of([resampled], seconds=seconds, sampling_rate=sampling_rate)
    yield from _with_rest(cut, seconds)


def _with_rest(cut: Iterator[Window], seconds: float) -> Iterator[Window]:
    """Join a short rest to the window before it, whose samples are then the last `seconds` of both."""
    shortest = min(SHORTEST_REST, seconds / 2)
    before = None
    for window in cut:
        if before is not None and window.end - window.start < shortest:
            samples = np.concatenate([before.samples, window.samples])[-len(before.samples) :]
            window = replace(window, start=before.start, samples=samples)
        elif before is not None:
            yield before
        before = window
    if before is not None:
        yield before


def _mono(samples: NDArray[Any]) -> NDArray[np.float32]:
    if samples.ndim == 2 and samples.shape[0] < samples.shape[1]:
        samples = samples.T  # (channels, n), as torchaudio loads it
    if samples.ndim not in (1, 2) or not samples.size:
        raise AudioError(
            f"samples: shape {samples.shape} is not audio: give (n,), (n, channels) or (channels, n)"
        )
    if np.issubdtype(samples.dtype, np.signedinteger):
        scaled = samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max)
    elif np.issubdtype(samples.dtype, np.floating):
        scaled = samples.astype(np.float32)
    else:
        raise AudioError(
            f"samples: values of type {samples.dtype} are not audio: give floats or signed integers"
        )
    if not np.isfinite(scaled).all():
        raise AudioError("samples: some are NaN or infinite: remove them")
    mono: NDArray[np.float32] = scaled if scaled.ndim == 1 else scaled.mean(axis=1, dtype=np.float32)
    return mono
