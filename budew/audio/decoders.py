"""Encoded audio → a stream of mono blocks at its own rate, whatever the format, in bounded memory.

soundfile (libsndfile) reads wav, flac, ogg, opus, aiff; PyAV (FFmpeg) reads the rest, and what soundfile
refuses. Mp3 belongs to PyAV as well: it is half as fast there, a thousand times real time on one core
(benchmarks/decode.py), but libsndfile's mp3 decoder writes warnings to the terminal that no caller can catch.
FFmpeg may use its audio demuxers only: a playlist named `.mp3` would make it open other files and addresses.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import av
import av.error
import numpy as np
import soundfile
from numpy.typing import NDArray

from budew.audio.formats import sniff_format
from budew.audio.truncation import FrameSizes, claimed_share, ogg_breaks_off
from budew.errors import AudioError

Samples = NDArray[np.float32]

RATES = (4_000, 768_000)
"""Sampling rates in Hz that are believed; a header outside of them is damaged or made to cost memory."""
MOST_CHANNELS = 64
_BLOCK = 8_192
_PADDING = 4_096  # bytes; as large as a block of a disk
_DEMUXERS = "mp3,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac,ogg,flac,wav,aiff,au,caf,w64,amr,asf"
_BY_SOUNDFILE = ("wav", "flac", "ogg", "aiff", "au", "caf")


class DamagedError(Exception):
    """The audio is broken from here on, or was in places; comes after what could be decoded."""


class _RefusedError(Exception):
    """One decoder cannot read this format; the other may."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Audio while it is open.

    Attributes:
        sampling_rate: Hz.
        channels: of the file; the blocks are their mean.
        declared: length in seconds that the header claims, None where it is not known.
        exact: whether `declared` is meant exactly, not estimated from the size of the file.
        blocks: mono float32 samples (n,), at most some thousands each.
        close: ends the use of the decoder.
    """

    sampling_rate: int
    channels: int
    declared: float | None
    exact: bool
    blocks: Iterator[Samples]
    close: Callable[[], None]


@contextmanager
def open_stream(audio: Path | bytes, name: str) -> Iterator[Stream]:
    """Open encoded audio with the decoder that its first bytes ask for, else with the other one.

    Raises:
        AudioError: nothing in it can be decoded; the sentence begins with `name`.
    """
    with _open(audio, name) as file:
        stream = _stream(file, name)
        try:
            yield stream
        finally:
            stream.close()


@contextmanager
def _open(audio: Path | bytes, name: str) -> Iterator[BinaryIO]:
    if isinstance(audio, bytes):
        yield BytesIO(audio)
        return
    try:
        if audio.exists() and not audio.is_file():
            raise AudioError(f"{name}: this is not a file: give the path of an audio file")
        file = audio.open("rb")
    except OSError as error:
        raise AudioError(
            f"{name}: cannot be opened ({error.strerror}): check the path and its permissions"
        ) from error
    with file:
        yield file


def _stream(file: BinaryIO, name: str) -> Stream:
    head = file.read(16)
    if not head:
        raise AudioError(f"{name}: the file is empty: copy or record it again")
    first_soundfile = sniff_format(head) in _BY_SOUNDFILE
    reasons = []
    for decoder in (_by_soundfile, _by_av) if first_soundfile else (_by_av,):
        file.seek(0)
        try:
            return _checked(decoder(file), name)
        except _RefusedError as reason:
            reasons.append(str(reason))
    raise AudioError(
        f"{name}: this is not audio that can be decoded ({'; '.join(reasons)}): "
        "check that it plays, or convert it to wav or flac"
    )


def _checked(stream: Stream, name: str) -> Stream:
    low, high = RATES
    if low <= stream.sampling_rate <= high:
        return stream
    stream.close()
    raise AudioError(
        f"{name}: a sampling rate of {stream.sampling_rate} Hz is outside of {low} to {high}: "
        "the header is damaged, or the file has to be resampled first"
    )


def _by_soundfile(file: BinaryIO) -> Stream:
    cut = sniff_format(file.read(16)) == "ogg" and ogg_breaks_off(file)
    file.seek(0)
    try:
        sound = soundfile.SoundFile(file)
    except soundfile.LibsndfileError as error:
        raise _RefusedError(f"libsndfile: {error.error_string.rstrip('.')}") from error
    frames, channels = sound.frames, sound.channels
    if not frames or not 1 <= channels <= MOST_CHANNELS:
        sound.close()
        raise _RefusedError(f"libsndfile: {frames} samples in {channels} channels")
    known = 0 < frames < 2**40  # a FLAC of unknown length claims 2**63
    if not known and sound.format == "FLAC":
        sound.close()
        raise _RefusedError("libsndfile: a FLAC of unknown length")  # whose last block soundfile cannot read
    declared = frames / sound.samplerate * claimed_share(sound.extra_info) if known and not cut else None
    blocks = _soundfile_blocks(sound, cut)
    return Stream(sound.samplerate, channels, declared, True, blocks, sound.close)


def _soundfile_blocks(sound: Any, cut: bool) -> Iterator[Samples]:
    weights = np.full(sound.channels, 1 / sound.channels, np.float32)  # a product takes a third of a mean
    while True:
        try:
            block = sound.read(_BLOCK, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise DamagedError(error.error_string.removeprefix("Error : ").rstrip(".")) from error
        if not len(block):
            break
        yield block[:, 0] if block.shape[1] == 1 else block @ weights
    if cut:
        raise DamagedError("it breaks off within a page")


def _by_av(file: BinaryIO) -> Stream:
    try:
        container = av.open(file, options={"format_whitelist": _DEMUXERS})
    except (av.error.FFmpegError, OSError) as error:
        raise _RefusedError(f"FFmpeg: {error.strerror or error}") from error
    try:
        track = container.streams.audio[0]
        blocks = _av_blocks(container, track)
        first = next(blocks, None)  # some formats tell their rate only with the first frame
    except (IndexError, DamagedError, av.error.FFmpegError) as error:
        container.close()
        raise _RefusedError(
            "FFmpeg: no audio track" if isinstance(error, IndexError) else f"FFmpeg: {error}"
        ) from error
    if first is None:
        container.close()
        raise _RefusedError("FFmpeg: the audio track has no samples")
    declared, exact = _av_length(container, track, file)
    blocks = chain([first], blocks)
    return Stream(track.sample_rate, track.channels, declared, exact, blocks, container.close)


def _av_blocks(container: Any, track: Any) -> Iterator[Samples]:
    """Decode packet by packet, so that one broken packet costs itself and not the rest."""
    held: list[Samples] = []
    broken, reason = 0, ""
    damage: list[str] = []
    to_float = av.AudioResampler(format="fltp")
    for packet in _packets(container, track, damage):
        try:
            for frame in packet.decode():
                held += map(_mono, [frame] if frame.format.name == "fltp" else to_float.resample(frame))
        except (av.error.FFmpegError, ValueError) as error:  # ValueError: the channels change on the way
            broken, reason = broken + 1, str(getattr(error, "strerror", None) or error)
        if sum(map(len, held)) >= _BLOCK:
            yield np.concatenate(held)
            held.clear()
    if held:
        yield np.concatenate(held)
    if broken:
        damage.append(f"{broken} broken packet{'s' * (broken > 1)}: {reason}")
    if damage:
        raise DamagedError("; ".join(damage))


def _packets(container: Any, track: Any, damage: list[str]) -> Iterator[Any]:
    """Pass on the packets of a track; what ends them too early is added to `damage`.

    Left out is what little follows the last frame of an mp3: a tag or padding, and no damage.
    """
    frames, odd = FrameSizes(), None
    try:
        for packet in container.demux(track):
            if odd is not None and packet.size:
                yield odd
            of_mp3 = packet.size and container.format.name == "mp3"
            odd = packet if of_mp3 and not frames.add(bytes(packet)) and packet.size <= _PADDING else None
            if odd is None:
                yield packet
    except av.error.FFmpegError as error:
        damage.append(error.strerror or str(error))
    if frames.last_is_cut:
        damage.append("it breaks off within a frame")


def _mono(frame: Any) -> Samples:
    samples: Samples = frame.to_ndarray()
    if len(samples) > MOST_CHANNELS:
        raise ValueError(f"{len(samples)} channels, more than the {MOST_CHANNELS} that can be mixed")
    mixed: Samples = samples[0] if len(samples) == 1 else samples.mean(axis=0, dtype=np.float32)
    return mixed


def _av_length(container: Any, track: Any, file: BinaryIO) -> tuple[float | None, bool]:
    if track.duration is not None and track.time_base is not None:
        seconds = float(track.duration * track.time_base)
    elif container.duration is not None:
        seconds = container.duration / av.time_base
    else:
        return None, False
    return seconds, container.format.name != "mp3" or _has_length_tag(file)


def _has_length_tag(file: BinaryIO) -> bool:
    """Tell whether an mp3 counts its frames in a tag, as LAME writes it; without, its length is a guess."""
    place = file.tell()
    file.seek(0)
    head = file.read(10)
    tag = 0
    if head.startswith(b"ID3") and len(head) == 10:
        tag = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True))
    file.seek(tag)
    frame = file.read(2_048)
    file.seek(place)
    return any(name in frame for name in (b"Xing", b"Info", b"VBRI"))
