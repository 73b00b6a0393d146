"""Decode audio of any format into a stream of mono blocks at its own sampling rate, in bounded memory.

soundfile (libsndfile) reads wav, flac, ogg, opus, aiff; PyAV (FFmpeg) reads other formats, and files that
soundfile rejects. PyAV also reads mp3: at half the speed (a thousand times real time on one core,
benchmarks/decode.py), but libsndfile's mp3 decoder prints warnings that cannot be caught.
FFmpeg may use only its audio demuxers: a playlist named `.mp3` could make it open other files and addresses.
"""

import signal
import threading
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

from budew.audio.formats import FrameSizes, claimed_share, ogg_breaks_off, sniff_format
from budew.errors import AudioError

Samples = NDArray[np.float32]

RATES = (4_000, 768_000)
"""Lowest and highest accepted sampling rate in Hz; a header with another rate is damaged or hostile."""
MOST_CHANNELS = 64
_BLOCK = 8_192
_PADDING = 4_096  # bytes; as large as a block of a disk
DEMUXERS = "mp3,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac,ogg,flac,wav,aiff,au,caf,w64,amr,asf"
_BY_SOUNDFILE = ("wav", "flac", "ogg", "aiff", "au", "caf")


_MISSING = 0.25
"""Seconds by which a file may be shorter than its header claims, because of padding and rounding."""


class _RefusedError(Exception):
    """A decoder cannot read this file; the other decoder is tried next."""


@dataclass(slots=True)
class Stream:
    """An open audio stream.

    Attributes:
        name: name of the audio in errors.
        sampling_rate: sampling rate in Hz.
        channels: number of channels in the file; the blocks are the mean of the channels.
        declared: length in seconds that the header claims; None if unknown.
        exact: whether `declared` is exact; if not, it is estimated from the size of the file.
        close: function that closes the decoder.
        decoded: mono blocks from the decoder.
        faults: faults that the decoder has found so far.
        damage: sentence about missing or broken parts; None if there are none. Set when all `blocks` are
            read.
        seconds: seconds of audio decoded so far.
    """

    name: str
    sampling_rate: int
    channels: int
    declared: float | None
    exact: bool
    close: Callable[[], None]
    decoded: Iterator[Samples]
    faults: list[str]
    damage: str | None = None
    seconds: float = 0.0

    def blocks(self) -> Iterator[Samples]:
        """Decode the audio; yield mono float32 blocks (n,) of a few thousand samples.

        Raises:
            AudioError: the audio has no samples, or a sample is NaN or infinite.
        """
        count = 0
        for block in self.decoded:
            if not np.isfinite(block).all():
                fault = f"samples near {self.seconds:.1f} s are NaN or infinite: export it again"
                raise AudioError(f"{self.name}: {fault}")
            count += len(block)
            self.seconds = count / self.sampling_rate
            yield block
        fault = "; ".join(self.faults)
        if not self.seconds:
            reason = f" ({fault})" if fault else ""
            raise AudioError(f"{self.name}: contains no samples{reason}: copy or record it again")
        short = self.exact and self.declared is not None and self.seconds < self.declared - _MISSING
        if fault or short:
            what = f"is damaged ({fault})" if fault else "ends early"
            of = f" of {self.declared:.1f} s" if self.exact and self.declared is not None else ""
            self.damage = f"{self.name}: {what}: {self.seconds:.1f} s{of} could be used: copy it again"


@contextmanager
def open_stream(audio: Path | bytes, name: str) -> Iterator[Stream]:
    """Open encoded audio with the decoder for its format; if this decoder fails, with the other one.

    Args:
        audio: path of an audio file, or its encoded bytes.
        name: name of the audio in errors.

    Raises:
        AudioError: the audio cannot be decoded.
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
            f"{name}: the file cannot be opened ({error.strerror}): check the path and its permissions"
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
            stream = decoder(file, name)
        except _RefusedError as reason:
            reasons.append(str(reason))
            continue
        low, high = RATES
        if low <= stream.sampling_rate <= high:
            return stream
        stream.close()
        raise AudioError(
            f"{name}: a sampling rate of {stream.sampling_rate} Hz is outside of {low} to {high}: "
            "the header is damaged, or the file has to be resampled first"
        )
    raise AudioError(
        f"{name}: this is not audio that can be decoded ({'; '.join(reasons)}): "
        "check that it plays, or convert it to wav or flac"
    )


def _by_soundfile(file: BinaryIO, name: str) -> Stream:
    cut = sniff_format(file.read(16)) == "ogg" and ogg_breaks_off(file)
    file.seek(0)
    try:
        with _interrupt_held():
            sound = soundfile.SoundFile(file)
    except soundfile.LibsndfileError as error:
        raise _RefusedError(f"libsndfile: {error.error_string.rstrip('.')}") from error
    frames, channels = sound.frames, sound.channels
    if not frames or not 1 <= channels <= MOST_CHANNELS:
        sound.close()
        raise _RefusedError(f"libsndfile: {frames} samples in {channels} channels")
    known = 0 < frames < 2**40  # the header of a FLAC of unknown length claims 2**63
    if not known and sound.format == "FLAC":
        sound.close()
        raise _RefusedError("libsndfile: a FLAC of unknown length")  # whose last block soundfile cannot read
    declared = frames / sound.samplerate * claimed_share(sound.extra_info) if known and not cut else None
    faults = ["it is truncated within a page"] if cut else []
    blocks = _soundfile_blocks(sound, faults)
    return Stream(name, sound.samplerate, channels, declared, True, sound.close, blocks, faults)


def _soundfile_blocks(sound: Any, faults: list[str]) -> Iterator[Samples]:
    weights = np.full(sound.channels, 1 / sound.channels, np.float32)  # three times as fast as mean()
    while True:
        try:
            with _interrupt_held():
                block = sound.read(_BLOCK, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            faults[:] = [error.error_string.removeprefix("Error : ").rstrip(".")]
            return
        if not len(block):
            return
        yield block[:, 0] if block.shape[1] == 1 else block @ weights


@contextmanager
def _interrupt_held() -> Iterator[None]:
    """Delay Ctrl-C: libsndfile calls Python to read, and an exception raised there is printed and lost."""
    default = signal.default_int_handler
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) != default
    ):
        yield
        return
    held: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, default)
        if held:
            raise KeyboardInterrupt


def _by_av(file: BinaryIO, name: str) -> Stream:
    try:
        container = av.open(file, options={"format_whitelist": DEMUXERS})
    except (av.error.FFmpegError, OSError) as error:
        raise _RefusedError(f"FFmpeg: {error.strerror or error}") from error
    try:
        track = container.streams.audio[0]
        faults = list[str]()
        blocks = _av_blocks(container, track, faults)
        first = next(blocks)  # some formats state the sampling rate only in the first frame
    except (IndexError, StopIteration, av.error.FFmpegError) as error:
        container.close()
        reason = "no audio track" if isinstance(error, IndexError) else str(error)
        raise _RefusedError(f"FFmpeg: {reason or 'the audio track has no samples'}") from error
    declared, exact = _av_length(container, track, file)
    blocks = chain([first], blocks)
    return Stream(name, track.sample_rate, track.channels, declared, exact, container.close, blocks, faults)


def _av_blocks(container: Any, track: Any, faults: list[str]) -> Iterator[Samples]:
    """Decode packet by packet, so that a broken packet does not end the recording."""
    held: list[Samples] = []
    broken = 0
    reason = ""
    to_float = av.AudioResampler(format="fltp")
    for packet in _packets(container, track, faults):
        try:
            for frame in packet.decode():
                held += map(_mono, [frame] if frame.format.name == "fltp" else to_float.resample(frame))
        except (av.error.FFmpegError, ValueError) as error:  # ValueError: the number of channels changes
            broken += 1
            reason = str(getattr(error, "strerror", None) or error)
        if sum(map(len, held)) >= _BLOCK:
            yield np.concatenate(held)
            held.clear()
    if held:
        yield np.concatenate(held)
    if broken:
        packets = "packet" if broken == 1 else "packets"
        faults.append(f"{broken} broken {packets}: {reason}")


def _packets(container: Any, track: Any, faults: list[str]) -> Iterator[Any]:
    """Yield the packets of a track; the reason for an early end is added to `faults`.

    A tag or padding after the last frame of an mp3 is skipped and does not count as damage.
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
        faults.append(error.strerror or str(error))
    if frames.last_is_cut:
        faults.append("it is truncated within a frame")


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
    """Return whether an mp3 has a tag with the number of its frames, as LAME writes it."""
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
