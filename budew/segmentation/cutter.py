"""`Cutter`: turns probabilities of speech into speech segments, frame by frame in one pass.

Speech begins and ends at silero-vad's two thresholds. A segment may contain pauses up to `max_pause`. A
segment that becomes too long is divided at a pause, where a long pause counts more than a late one. Without a
pause, it is divided in its later half, at the frame with the lowest probability of speech, then with the
least power. A segment is returned as soon as later frames cannot change it, so memory does not grow with the
recording.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, floor
from statistics import median
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from budew.io.settings import Settings
from budew.segmentation.voice_activity import FRAME, SAMPLING_RATE

FRAMES_PER_SECOND = SAMPLING_RATE / FRAME
BACKGROUND = round(3 * FRAMES_PER_SECOND)
"""Number of latest frames without speech whose median power is the noise level of a segment."""
MIN_BACKGROUND = round(0.3 * FRAMES_PER_SECOND)
"""With fewer frames without speech, the noise level is unknown."""
LONGEST = 600.0
"""Limit of `max_seconds`, as a clip is held in memory while it is cut (230 MB at 96 kHz)."""
SHORTEST = 0.5
"""Least seconds of speech, without padding, that must fit into `max_seconds`."""
HYSTERESIS, MIN_EXIT = 0.15, 0.01
"""The exit threshold is this much lower than `threshold`, as in silero-vad's `get_speech_timestamps`."""


class SegmentSettings(Settings):
    """Settings of segmentation: where clips begin and end, and which clips are left out (None: no limit).

    Example:
        >>> round(SegmentSettings(max_seconds=10.0, threshold=0.6).exit, 2)
        0.45
    """

    min_seconds: float = Field(
        default=1.0, ge=0, description="Shorter clips are left out, in seconds with padding."
    )
    max_seconds: float = Field(
        default=30.0,
        le=LONGEST,
        description="Longer speech is divided, at a pause if there is one; in seconds with padding.",
    )
    pad: float = Field(
        default=0.1,
        ge=0,
        description="Padding before and after speech in seconds, at most half of the pause.",
    )
    max_pause: float = Field(default=0.5, ge=0, description="Longest pause within a clip, in seconds.")
    min_speech: float = Field(
        default=0.25, ge=0, description="Shorter stretches of speech count as noise, in seconds."
    )
    threshold: float = Field(default=0.5, gt=0, lt=1, description="Probability at which speech begins.")
    exit_threshold: float | None = Field(
        default=None,
        ge=0,
        description="Probability below which speech ends; 0.15 below `threshold` by default.",
    )
    languages: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        default=(), description="BCP 47 tags to keep, all when empty; en keeps en-US as well."
    )
    language_model: str | None = Field(
        default=None,
        description="Multilingual Whisper (folder or hub id) that detects the language of clips without one.",
    )
    max_clipped: float | None = Field(
        default=None, ge=0, le=1, description="Largest accepted share of clipped samples."
    )
    min_rms_dbfs: float | None = Field(
        default=None, lt=0, description="Lowest accepted level in dBFS, such as -50."
    )
    min_snr_db: float | None = Field(
        default=None,
        lt=100,
        description="Lowest accepted signal-to-noise ratio in dB; clips with an unknown one are kept.",
    )
    bits: Literal[16, 24] = Field(default=16, description="Bits of a sample in the clips.")
    keep: tuple[str, ...] = Field(
        default=(), description="Metadata fields that clips copy from the recording."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.exit > self.threshold:
            raise ValueError(f"exit_threshold {self.exit:g} is above threshold {self.threshold:g}")
        if self.max_pause > self.max_seconds:
            raise ValueError(f"max_pause {self.max_pause:g} is longer than max_seconds {self.max_seconds:g}")
        least = max(self.min_seconds, SHORTEST)
        if self.max_seconds - 2 * self.pad < least:
            both = f"max_seconds {self.max_seconds:g} without pad {self.pad:g} on both sides"
            raise ValueError(f"{both} is shorter than {least:g} s: give a larger max_seconds")
        return self

    @property
    def exit(self) -> float:
        """Probability below which speech ends: `exit_threshold`, or its default."""
        if self.exit_threshold is not None:
            return self.exit_threshold
        return max(self.threshold - HYSTERESIS, min(MIN_EXIT, self.threshold))


@dataclass(frozen=True, slots=True)
class SpeechSegment:
    """Position and measurements of a speech segment.

    Attributes:
        start: first sample at 16 kHz, padding included.
        end: sample at 16 kHz after the last one, padding included; it may be after the end of the recording.
        speech_seconds: total time in which the probability of speech reached the threshold.
        speech_power: mean square of the samples in that time, full scale 1.
        noise_power: median of the mean squares of the latest frames without speech; None if there were too
            few.
    """

    start: int
    end: int
    speech_seconds: float
    speech_power: float
    noise_power: float | None


@dataclass(slots=True)
class _OpenSegment:
    """A segment that has not ended: frame numbers, and (probability, power) of each frame from `start` on."""

    start: int
    end: int
    """Number of the frame after the last frame of speech."""
    frames: list[tuple[float, float]] = field(default_factory=list)
    pauses: list[tuple[int, int]] = field(default_factory=list)

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class _EndedSegment:
    """A segment whose end is not padded yet; numbers of samples."""

    start: int
    end: int
    powers: list[float]
    """Mean square of each frame of speech."""


class Cutter:
    """Cuts one recording into segments: pass each frame to `push`, and at the end call `finish`."""

    def __init__(self, cuts: SegmentSettings) -> None:
        self._threshold, self._exit = cuts.threshold, cuts.exit
        self._max_frames = floor((cuts.max_seconds - 2 * cuts.pad) * FRAMES_PER_SECOND + 1e-6)
        self._min_frames = ceil(cuts.min_seconds * FRAMES_PER_SECOND - 1e-6)
        self._max_pause = floor(cuts.max_pause * FRAMES_PER_SECOND + 1e-6)
        self._pad = round(cuts.pad * SAMPLING_RATE)
        self._now = 0
        self._speaking = False
        self._open: _OpenSegment | None = None
        self._ended: _EndedSegment | None = None
        self._last_end: int | None = None
        self._background: deque[float] = deque(maxlen=BACKGROUND)

    @property
    def earliest(self) -> int:
        """Number of the first sample (at 16 kHz) that segments not yet returned can contain."""
        if self._ended is not None:
            return self._ended.start
        return max(0, (self._now if self._open is None else self._open.start) * FRAME - self._pad)

    def push(self, probability: float, power: float) -> Iterator[SpeechSegment]:
        """Process the next frame of the recording; yield the segments that are now complete.

        Args:
            probability: probability of speech in the frame.
            power: mean square of the samples of the frame, full scale 1.
        """
        quiet = probability < self._exit
        self._speaking = probability >= self._threshold or (self._speaking and not quiet)
        if quiet:
            self._background.append(power)
        if self._speaking and self._open is None:
            yield from self._release(self._now * FRAME)
            self._open = _OpenSegment(self._now, self._now)
        self._now += 1
        if self._open is None:
            yield from self._release_in_silence()
            return
        self._open.frames.append((probability, power))
        if self._speaking:
            yield from self._continue(self._open)
        elif self._now - self._open.end > self._max_pause:
            yield from self._close(self._open)
            yield from self._release_in_silence()

    def finish(self) -> Iterator[SpeechSegment]:
        """Yield the remaining segments at the end of the recording."""
        if self._open is not None:
            yield from self._close(self._open)
        yield from self._release(None)

    def _continue(self, segment: _OpenSegment) -> Iterator[SpeechSegment]:
        if segment.length and segment.end < self._now - 1:
            segment.pauses.append((segment.end, self._now - 1))
        segment.end = self._now
        if segment.length > self._max_frames + self._min_frames:
            yield from self._divide(segment)

    def _close(self, segment: _OpenSegment) -> Iterator[SpeechSegment]:
        while segment.length > self._max_frames:
            yield from self._divide(segment)
        self._end(segment, segment.end)
        self._open = None

    def _divide(self, segment: _OpenSegment) -> Iterator[SpeechSegment]:
        """Divide a segment that is too long: yield its first part, and keep the rest open."""
        end, start = _best_cut(segment, self._min_frames, self._max_frames)
        self._end(segment, end)
        yield from self._release(start * FRAME)
        del segment.frames[: start - segment.start]
        segment.pauses = [pause for pause in segment.pauses if pause[0] >= start]
        segment.start = start

    def _end(self, segment: _OpenSegment, end: int) -> None:
        """End a segment at frame `end` and pad its beginning; its final padding depends on the next one."""
        begin, over = segment.start * FRAME, end * FRAME
        pause = begin if self._last_end is None else (begin - self._last_end) // 2
        frames = segment.frames[: end - segment.start]
        powers = [power for probability, power in frames if probability >= self._threshold]
        self._ended = _EndedSegment(begin - min(self._pad, pause), over, powers)
        self._last_end = over

    def _release_in_silence(self) -> Iterator[SpeechSegment]:
        """Yield the ended segment once the pause after it has room for the padding of both segments."""
        if self._ended is not None and self._now * FRAME - self._ended.end >= 2 * self._pad:
            yield from self._release(None)

    def _release(self, next_start: int | None) -> Iterator[SpeechSegment]:
        ended, self._ended = self._ended, None
        if ended is None:
            return
        pad = self._pad if next_start is None else min(self._pad, (next_start - ended.end) // 2)
        knows_noise = len(self._background) >= MIN_BACKGROUND
        count = len(ended.powers)
        yield SpeechSegment(
            ended.start,
            ended.end + pad,
            speech_seconds=count / FRAMES_PER_SECOND,
            speech_power=sum(ended.powers) / max(1, count),
            noise_power=median(self._background) if knows_noise else None,
        )


def _best_cut(segment: _OpenSegment, shortest: int, longest: int) -> tuple[int, int]:
    """Return the frames at which the first part of a segment ends and the next part begins.

    The first part gets `shortest` to `longest` frames, the rest at least `shortest` if possible. Pauses are
    compared by their squared length, because a pause of 32 ms may be a plosive within a word.
    """
    pauses = [pause for pause in segment.pauses if shortest <= pause[0] - segment.start <= longest]
    before_speech = [pause for pause in pauses if segment.end - pause[1] >= shortest]
    if pauses:
        return max(
            before_speech or pauses,
            key=lambda pause: (pause[1] - pause[0]) ** 2 * (pause[0] - segment.start),
        )
    last = min(longest, segment.length - shortest)
    if last < max(1, shortest):
        last = longest
    first = min(last, max(1, shortest, ceil(last / 2)))
    cut = segment.start + min(range(first, last + 1), key=lambda place: _loudness(segment, place))
    return cut, cut


def _loudness(segment: _OpenSegment, place: int) -> tuple[float, float]:
    """Return probability of speech and power at the boundary before frame `place`; lower is better to cut."""
    (left, left_power), (right, right_power) = segment.frames[place - 1 : place + 1]
    return round((left + right) / 2, 1), left_power + right_power
