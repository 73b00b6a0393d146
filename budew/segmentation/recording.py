"""One recording → the stretches of speech in it, each with its samples: decoded once, in one pass.

Sounds next to speech, such as laughter, are given on request.

The decoder's blocks go into a buffer at their own rate and, resampled to 16 kHz, to the voice detector. When
a stretch is decided its samples are still in the buffer, so a clip is the source's own, to the sample. The
buffer holds the longest clip and 16 s (with sounds, a gap more), so hours cost the memory of a minute.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from budew.audio.decoders import Samples, open_stream
from budew.audio.samples import resampled
from budew.segmentation.cutter import Cutter, Stretch
from budew.segmentation.segment_settings import SegmentSettings
from budew.segmentation.voice_activity import FRAME, SAMPLING_RATE, detect_speech

QUIETER = 20
"""dB below speech that a sound next to it may have."""
LONGEST_GAP = 30
"""Seconds without speech within which a sound is next to speech."""
SHORTEST_SOUND = 1.0
"""Seconds. What is shorter is a breath or a click, of which a model makes something up: budew-base gave 13 of
13 such windows of calm reading an emotion, 11 times anger."""
LONGEST_SOUND = 10
"""Seconds. What lasts longer is music or noise, as a rule."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Speech cut out of a recording.

    Attributes:
        start: number of its first sample in the recording.
        samples: mono (n,), full scale 1.
        sampling_rate: Hz, that of the recording.
        stretch: what the voice detector measured.
    """

    start: int
    samples: Samples
    sampling_rate: int
    stretch: Stretch

    @property
    def span(self) -> tuple[float, float]:
        """Start and end in the recording, in seconds."""
        return self.start / self.sampling_rate, (self.start + len(self.samples)) / self.sampling_rate


def cut_recording(
    audio: Path | bytes,
    settings: SegmentSettings,
    *,
    name: str,
    on_end: Callable[[float, str | None], None],
    sounds: bool = False,
) -> Iterator[Piece]:
    """Give the stretches of speech of a recording, in order, including those that are too short.

    Args:
        audio: a file, or the bytes of one; of any length.
        settings: where pieces begin and end.
        name: what errors call the recording.
        on_end: called after the last block with the seconds decoded, and the damage of the recording if any.
        sounds: give sounds next to speech as well, such as laughter, which the detector does not take for
            speech: those within `QUIETER` of its level, in gaps of at most `LONGEST_GAP`, no shorter than
            `SHORTEST_SOUND` and no longer than `LONGEST_SOUND` and a piece. Their stretch has no speech.
            Stretches that are too short are then parts of gaps.

    Raises:
        AudioError: nothing can be decoded, or a sample is NaN or infinite. The pieces before it were given.
        MissingExtraError: silero-vad or onnxruntime is not installed.
    """
    with open_stream(audio, name) as stream:
        rate, buffer, cutter = stream.sampling_rate, SampleBuffer(), Cutter(settings)
        gaps = _Gaps(settings, buffer, rate) if sounds else None
        kept = round(LONGEST_GAP * rate) if gaps else 0

        def pieces(stretches: Iterator[Stretch]) -> Iterator[Piece]:
            for stretch in stretches:
                piece = _piece(stretch, buffer, rate)
                yield from gaps.before(piece) if gaps else (piece,)

        blocks = buffer.filled(stream.blocks())
        for frames in detect_speech(resampled(blocks, source=rate, target=SAMPLING_RATE)):
            for probability, power in zip(*(values.tolist() for values in frames), strict=True):
                yield from pieces(cutter.push(probability, power))
            buffer.drop(before=_at(cutter.earliest, rate) - kept)
        on_end(stream.seconds, stream.damage)
        yield from pieces(cutter.finish())
        if gaps:
            yield from gaps.sound(until=round(stream.seconds * rate))


class _Gaps:
    """Sounds in what lies between stretches of speech."""

    def __init__(self, settings: SegmentSettings, buffer: "SampleBuffer", rate: int) -> None:
        self._settings, self._buffer, self._rate = settings, buffer, rate
        self._ended = 0
        self._level = 0.0

    def before(self, piece: Piece) -> Iterator[Piece]:
        """Give the sound before a piece, and the piece; neither where the piece has too little speech."""
        if piece.stretch.speech < self._settings.min_speech:
            return
        self._level = piece.stretch.speech_power
        yield from self.sound(until=piece.start)
        self._ended = piece.start + len(piece.samples)
        yield piece

    def sound(self, *, until: int) -> Iterator[Piece]:
        """Give the sound between the last piece and this sample number, if there is one."""
        size = _at(FRAME, self._rate)
        if not size < until - self._ended <= LONGEST_GAP * self._rate or not self._level:
            return
        samples = self._buffer.cut(self._ended, until)
        frames = samples[: len(samples) // size * size].reshape(-1, size)
        (loud,) = np.nonzero(frames.var(axis=1) >= self._level * 10 ** (-QUIETER / 10))
        if len(loud) * size < self._settings.min_speech * self._rate:
            return
        pad = round(self._settings.pad * self._rate)
        first, after = max(0, loud[0] * size - pad), min(len(samples), (loud[-1] + 1) * size + pad)
        longest = min(LONGEST_SOUND, self._settings.max_seconds)
        if SHORTEST_SOUND <= (after - first) / self._rate <= longest:
            at = self._ended + first
            start, stop = (place * SAMPLING_RATE // self._rate for place in (at, self._ended + after))
            yield Piece(at, samples[first:after], self._rate, Stretch(start, stop, 0.0, 0.0, None))


class SampleBuffer:
    """The latest samples of a recording at its own rate, numbered from its first one."""

    def __init__(self) -> None:
        self._blocks: deque[Samples] = deque()
        self._start = 0

    def filled(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """Pass blocks (n,) on, and keep each."""
        for block in blocks:
            self._blocks.append(block)
            yield block

    def drop(self, *, before: int) -> None:
        """Forget the blocks that end before sample number `before`."""
        while self._blocks and self._start + len(self._blocks[0]) <= before:
            self._start += len(self._blocks.popleft())

    def cut(self, start: int, end: int) -> Samples:
        """Return a copy of the samples from number `start` to before number `end`, as far as there are any.

        Raises:
            IndexError: the first of them is dropped already.
        """
        if start < self._start:
            raise IndexError(f"sample {start} is dropped: the buffer begins at {self._start}")
        place, found = self._start, []
        for block in self._blocks:
            if place + len(block) > start and place < end:
                found.append(block[max(0, start - place) : end - place])
            place += len(block)
        return np.concatenate(found) if found else np.zeros(0, np.float32)


def _piece(stretch: Stretch, buffer: SampleBuffer, rate: int) -> Piece:
    start = _at(stretch.start, rate)
    return Piece(start, buffer.cut(start, _at(stretch.end, rate)), rate, stretch)


def _at(sample: int, rate: int) -> int:
    """Return the number, at `rate`, of the sample with this number at 16 kHz."""
    return sample * rate // SAMPLING_RATE
