"""`cut_recording`: cut the speech segments out of a recording, decoding it once.

Sounds next to speech, such as laughter, are included on request.

Decoded blocks are stored in a buffer at the rate of the recording, and passed to the voice detector at 16
kHz. When a segment is complete its samples are still in the buffer, so a clip has the unchanged samples of
the recording. The buffer holds the longest clip and 16 s (with sounds, also one gap), so memory does not grow
with the recording.
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
"""Seconds. Longer gaps between speech are not searched for sounds."""
SHORTEST_SOUND = 1.0
"""Seconds. Shorter sounds are breaths and clicks, in which models find emotions: budew-base gave 13 of 13
such windows of calm reading an emotion, 11 times anger."""
LONGEST_SOUND = 10
"""Seconds. Longer sounds are mostly music or noise."""


@dataclass(frozen=True, slots=True)
class AudioSegment:
    """Samples of a segment that was cut out of a recording.

    Attributes:
        start: number of the first sample within the recording.
        samples: mono samples (n,), full scale 1.
        sampling_rate: sampling rate of the recording in Hz.
        speech: position and measurements of the voice detector.
    """

    start: int
    samples: Samples
    sampling_rate: int
    speech: SpeechSegment

    @property
    def span(self) -> tuple[float, float]:
        """Start and end of the segment within the recording, in seconds."""
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
        audio: path of an audio file, or its encoded bytes; of any length.
        settings: where segments begin and end.
        name: name of the recording in errors.
        on_end: called at the end with the number of decoded seconds, and a message about damage of the
            recording (None: no damage).
        sounds: whether to include sounds next to speech, such as laughter, which the detector does not count
            as speech: at most `MAX_LEVEL_DIFFERENCE` dB quieter than the speech, in gaps of at most
            `LONGEST_GAP` seconds, and from `SHORTEST_SOUND` to `LONGEST_SOUND` (and `max_seconds`) seconds
            long. Their `speech_seconds` are 0. Segments with too little speech then count as parts of gaps.

    Raises:
        AudioError: nothing can be decoded, or a sample is NaN or infinite; earlier segments are yielded
            first.
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
        """Yield the sound before a segment and the segment itself; nothing if it has too little speech."""
        if segment.speech.speech_seconds < self._settings.min_speech:
            return
        self._speech_power = segment.speech.speech_power
        yield from self.sound(until=segment.start)
        self._last_end = segment.start + len(segment.samples)
        yield segment

    def sound(self, *, until: int) -> Iterator[AudioSegment]:
        """Yield the sound between the last segment and sample number `until`, if there is one."""
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
    """Buffer of the latest samples of a recording at its own rate; numbers count from its first sample."""

    def __init__(self) -> None:
        self._blocks: deque[Samples] = deque()
        self._start = 0

    def filled(self, blocks: Iterable[Samples]) -> Iterator[Samples]:
        """Yield blocks of samples (n,) unchanged, after storing each."""
        for block in blocks:
            self._blocks.append(block)
            yield block

    def drop(self, *, before: int) -> None:
        """Drop the blocks that end before sample number `before`."""
        while self._blocks and self._start + len(self._blocks[0]) <= before:
            self._start += len(self._blocks.popleft())

    def cut(self, start: int, end: int) -> Samples:
        """Return a copy of the samples from number `start`, which must still be stored, to before `end`."""
        place, found = self._start, []
        for block in self._blocks:
            if place + len(block) > start and place < end:
                found.append(block[max(0, start - place) : end - place])
            place += len(block)
        return np.concatenate(found) if found else np.zeros(0, np.float32)


def _at_rate(sample: int, rate: int) -> int:
    """Convert the number of a sample at 16 kHz to the number at `rate` Hz."""
    return sample * rate // SAMPLING_RATE
