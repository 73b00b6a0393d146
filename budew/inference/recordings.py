"""What there is to caption: files, folders, clips and arrays, each as a name and windows of samples."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from os.path import isdir
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import ArrayLike, NDArray

from budew.audio.samples import SHORTEST_TAIL, Window, windows
from budew.corpora.clip import Clip
from budew.corpora.errors import UnlistedError
from budew.corpora.folder import audio_files
from budew.errors import AudioError, CorpusError

SHORTEST = 0.025
"""Seconds: one frame of Whisper's spectrogram. Less than that cannot be heard by it."""

Cut = Callable[[float, int], Iterator[Window]]


@dataclass(frozen=True, slots=True)
class Recording:
    """Something to caption. `cut(seconds, sampling_rate)` reads it as windows of at most `seconds`."""

    source: str
    cut: Cut


def from_paths(paths: Iterable[str | Path]) -> Iterator[Recording]:
    """Give a recording for each file, and for each audio file in a folder and the folders below it, by path.

    A file that is named is tried whatever its suffix. Hidden files of a folder are left out, links to folders
    not followed. A folder without audio, or one that cannot be listed, is a recording that fails to be read.
    """
    for path in map(Path, paths):
        yield from _from_folder(path) if isdir(path) else [from_file(path)]


def from_file(path: Path) -> Recording:
    """Give the recording in an audio file."""
    return Recording(str(path), partial(_cut_encoded, path, str(path)))


def from_clip(clip: Clip) -> Recording:
    """Give the recording of a clip of a corpus, named by its id."""
    return Recording(clip.id, partial(_cut_encoded, clip.audio, clip.id))


def from_bytes(encoded: bytes) -> Recording:
    """Give the recording in the bytes of an audio file."""
    return Recording("bytes", partial(_cut_encoded, encoded, "bytes"))


def from_samples(samples: ArrayLike, sampling_rate: int) -> Recording:
    """Give the recording in an array, (n,) or (n, channels): floats in [-1, 1] or integers of full scale.

    Raises:
        AudioError: wrong shape or type, not one sample, not numbers, or an impossible rate.
    """
    mono = _mono(np.asarray(samples))
    if not 1_000 <= sampling_rate <= 1_000_000:
        raise AudioError(
            f"samples: {sampling_rate} Hz is no sampling rate: give the one they were recorded at"
        )
    return Recording("samples", partial(_cut_samples, mono, sampling_rate))


def _from_folder(folder: Path) -> list[Recording]:
    unlisted: list[UnlistedError] = []
    files = audio_files(folder, on_bad=unlisted.append)
    failures = [Recording(str(error.folder), partial(_fail, error)) for error in unlisted]
    if not files and not failures:
        nothing = AudioError(f"{folder}: there is no audio file in this folder or below it: check the path")
        failures = [Recording(str(folder), partial(_fail, nothing))]
    return [*map(from_file, files), *failures]


def _fail(error: CorpusError, _seconds: float, _sampling_rate: int) -> Iterator[Window]:
    raise error
    yield


def _cut_encoded(audio: Path | bytes, name: str, seconds: float, sampling_rate: int) -> Iterator[Window]:
    yield from _long_enough(windows(audio, seconds=seconds, sampling_rate=sampling_rate, name=name), name)


def _cut_samples(
    mono: NDArray[np.float32], given_rate: int, seconds: float, sampling_rate: int
) -> Iterator[Window]:
    shortest = SHORTEST_TAIL * sampling_rate
    resampled = mono if given_rate == sampling_rate else soxr.resample(mono, given_rate, sampling_rate)
    size = round(seconds * sampling_rate)
    starts = [
        start for start in range(0, len(resampled), size) if not start or len(resampled) - start >= shortest
    ]
    cut = (
        Window(
            start / sampling_rate,
            min(start + size, len(resampled)) / sampling_rate,
            resampled[start : start + size],
        )
        for start in starts
    )
    yield from _long_enough(cut, "samples")


def _long_enough(cut: Iterator[Window], name: str) -> Iterator[Window]:
    """Refuse a recording that is too short to hear."""
    for window in cut:
        if window.start == 0 and window.end < SHORTEST:
            given, least = round(window.end * 1000, 1), round(SHORTEST * 1000)
            raise AudioError(f"{name}: lasts {given:g} ms, too short to hear: give {least} ms or more")
        yield window


def _mono(samples: NDArray[np.generic]) -> NDArray[np.float32]:
    if samples.ndim not in (1, 2) or not samples.size:
        raise AudioError(
            f"samples: an array of shape {samples.shape} is no sound: give (n,) or (n, channels)"
        )
    if samples.ndim == 2 and samples.shape[1] > 64:
        raise AudioError(f"samples: {samples.shape[1]} channels: give (n, channels), not (channels, n)")
    if np.issubdtype(samples.dtype, np.signedinteger):
        scaled = samples.astype(np.float32) / np.iinfo(samples.dtype).max  # type: ignore[type-var]
    elif np.issubdtype(samples.dtype, np.floating):
        scaled = samples.astype(np.float32)
    else:
        raise AudioError(
            f"samples: values of type {samples.dtype} are no sound: give floats or signed integers"
        )
    if not np.isfinite(scaled).all():
        raise AudioError("samples: some are not numbers (NaN or infinite): leave them out")
    mono: NDArray[np.float32] = scaled if scaled.ndim == 1 else scaled.mean(axis=1, dtype=np.float32)
    return mono
