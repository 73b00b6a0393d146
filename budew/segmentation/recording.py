"""`cut_recording`: the speech segments of a recording with their samples, decoded once, in one pass.

Sounds next to speech, such as laughter, are included on request.

The decoder's blocks are stored in a buffer at their own rate and, resampled to 16 kHz, passed to the voice
detector. When a segment is decided its samples are still in the buffer, so a clip has the samples of the
recording, unchanged. The buffer holds the longest clip and 16 s (with sounds, one gap more): hours need the
memory of a minute.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from budew.audio.decoders import Samples, open_stream
from budew.audio.samples import resampled
from budew.segmentation.cutter import Cutter, SegmentSettings, SpeechSegment
from budew.segmentation.voice_activity import FRAME, SAMPLING_RATE, detect_speech

MAX_LEVEL_DIFFERENCE = 20
"""A sound next to speech is at most this many dB quieter."""
LONGEST_GAP = 30
"""A gap between speech with more seconds is not searched for sounds."""
SHORTEST_SOUND = 1.0
"""Seconds. Shorter sounds are breaths and clicks, in which models find emotions: budew-base gave 13 of 13
such windows of calm reading an emotion, 11 times anger."""
LONGEST_SOUND = 10
"""Seconds. Longer sounds are mostly music or noise."""


@dataclass(frozen=True, slots=True)
class AudioSegment:
    """Samples cut out of a recording.

    Attributes:
        start: number of its first sample in the recording.
        samples: mono (n,), full scale 1.
        sampling_rate: Hz, that of the recording.
        speech: place and measurements of the voice detector.
    """

    start: int
    samples: Samples
    sampling_rate: int
    speech: SpeechSegment

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
) -> Iterator[AudioSegment]:
    """Yield the speech segments of a recording, in order, including those that are too short.

    Args:
        audio: a file, or the bytes of one; of any length.
        settings: where segments begin and end.
        name: name of the recording in errors.
        on_end: called after the last block with the seconds decoded, and the damage of the recording if any.
        sounds: include sounds next to speech, such as laughter, which the detector does not count as speech:
            at most `MAX_LEVEL_DIFFERENCE` quieter, in gaps of at most `LONGEST_GAP`, from `SHORTEST_SOUND` to
            `LONGEST_SOUND` and `max_seconds` long. They have 0 s of speech. Segments with too little speech
            then count as parts of gaps.

    Raises:
        AudioError: nothing can be decoded, or a sample is NaN or infinite. The segments before it were given.
        MissingExtraError: silero-vad or onnxruntime is not installed.
    """
    with open_stream(audio, name) as stream:
        rate, buffer, cutter = stream.sampling_rate, SampleBuffer(), Cutter(settings)
        finder = _SoundFinder(settings, buffer, rate) if sounds else None
        buffered_gap = round(LONGEST_GAP * rate) if finder else 0

        def with_samples(segments: Iterator[SpeechSegment]) -> Iterator[AudioSegment]:
            for segment in segments:
                start = _at_rate(segment.start, rate)
                samples = buffer.cut(start, _at_rate(segment.end, rate))
                audible = AudioSegment(start, samples, rate, segment)
                yield from finder.with_sound_before(audible) if finder else (audible,)

        blocks = buffer.filled(stream.blocks())
        for frames in detect_speech(resampled(blocks, source=rate, target=SAMPLING_RATE)):
            for probability, power in zip(*(values.tolist() for values in frames), strict=True):
                yield from with_samples(cutter.push(probability, power))
            buffer.drop(before=_at_rate(cutter.earliest, rate) - buffered_gap)
        on_end(stream.seconds, stream.damage)
        yield from with_samples(cutter.finish())
        if finder:
            yield from finder.sound(until=round(stream.seconds * rate))


class _SoundFinder:
    """Finds sounds in the gaps between speech segments."""

    def __init__(self, settings: SegmentSettings, buffer: "SampleBuffer", rate: int) -> None:
        self._settings, self._buffer, self._rate = settings, buffer, rate
        self._last_end = 0
        self._speech_power = 0.0

    def with_sound_before(self, segment: AudioSegment) -> Iterator[AudioSegment]:
        """Yield the sound before a segment, and the segment; neither if it has too little speech."""
        if segment.speech.speech_seconds < self._settings.min_speech:
            return
        self._speech_power = segment.speech.speech_power
        yield from self.sound(until=segment.start)
        self._last_end = segment.start + len(segment.samples)
        yield segment

    def sound(self, *, until: int) -> Iterator[AudioSegment]:
        """Yield the sound between the last segment and this sample number, if there is one."""
        size = _at_rate(FRAME, self._rate)
        is_gap = size < until - self._last_end <= LONGEST_GAP * self._rate
        if not is_gap or not self._speech_power:
            return
        samples = self._buffer.cut(self._last_end, until)
        frames = samples[: len(samples) // size * size].reshape(-1, size)
        least_power = self._speech_power * 10 ** (-MAX_LEVEL_DIFFERENCE / 10)
        loud = np.flatnonzero(frames.var(axis=1) >= least_power).tolist()
        if len(loud) * size < self._settings.min_speech * self._rate:
            return
        pad = round(self._settings.pad * self._rate)
        first = max(0, loud[0] * size - pad)
        after = min(len(samples), (loud[-1] + 1) * size + pad)
        longest = min(LONGEST_SOUND, self._settings.max_seconds)
        if SHORTEST_SOUND <= (after - first) / self._rate <= longest:
            start, end = self._last_end + first, self._last_end + after
            place = start * SAMPLING_RATE // self._rate, end * SAMPLING_RATE // self._rate
            silent = SpeechSegment(*place, speech_seconds=0.0, speech_power=0.0, noise_power=None)
            yield AudioSegment(start, samples[first:after], self._rate, silent)


class SampleBuffer:
    """The latest samples of a recording at its own rate, numbered from its first one."""

    def __init__(self) -> None:
        self._blocks: deque[Samples] = deque()
        self._start = 0

    def filled(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """Pass on blocks (n,) and store each."""
        for block in blocks:
            self._blocks.append(block)
            yield block

    def drop(self, *, before: int) -> None:
        """Drop the blocks that end before sample number `before`."""
        while self._blocks and self._start + len(self._blocks[0]) <= before:
            self._start += len(self._blocks.popleft())

    def cut(self, start: int, end: int) -> Samples:
        """Return a copy of the samples from number `start`, not dropped yet, to before number `end`."""
        place, found = self._start, []
        for block in self._blocks:
            if place + len(block) > start and place < end:
                found.append(block[max(0, start - place) : end - place])
            place += len(block)
        return np.concatenate(found) if found else np.zeros(0, np.float32)


def _at_rate(sample: int, rate: int) -> int:
    """Return the number, at `rate`, of the sample with this number at 16 kHz."""
    return sample * rate // SAMPLING_RATE
