"""`Cutter`: probabilities of speech in, stretches to cut out, decided frame by frame in one pass.

Speech begins and ends with silero-vad's two thresholds. Across pauses up to `max_pause` it is one stretch.
One that becomes too long is divided at a pause, a long one rather than a late one; where there is no pause,
at the least probable, then quietest place of its later half. A stretch is decided as soon as later frames
cannot change it, so memory is bounded by the longest clip, however long the recording is.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, floor
from statistics import median

from budew.segmentation.segment_settings import SegmentSettings
from budew.segmentation.voice_activity import FRAME, SAMPLING_RATE

FRAMES_PER_SECOND = SAMPLING_RATE / FRAME
BACKGROUND = round(3 * FRAMES_PER_SECOND)
"""The last frames without speech, whose median is the noise behind a stretch."""
MIN_BACKGROUND = round(0.3 * FRAMES_PER_SECOND)
"""With fewer frames the noise is unknown."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Speech to cut out.

    Attributes:
        start, end: samples at 16 kHz, padding included; `end` may lie behind the end of the recording.
        speech: seconds in which the probability reached the threshold.
        speech_power: mean square in them, full scale 1.
        noise_power: median mean square of the last frames without speech, None where there were few.
    """

    start: int
    end: int
    speech: float
    speech_power: float
    noise_power: float | None


@dataclass(slots=True)
class _Open:
    """A stretch that goes on: frame numbers, and (probability, power) of each frame from `start` on."""

    start: int
    end: int
    """After the last frame of speech."""
    frames: list[tuple[float, float]] = field(default_factory=list)
    pauses: list[tuple[int, int]] = field(default_factory=list)

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A stretch whose end is not padded yet, in samples."""

    start: int
    end: int
    speech: list[float]


class Cutter:
    """The state between frames. Give every frame to `push`, and at the end of the recording call `finish`."""

    def __init__(self, cuts: SegmentSettings) -> None:
        self._threshold, self._exit = cuts.threshold, cuts.exit
        self._room = floor((cuts.max_seconds - 2 * cuts.pad) * FRAMES_PER_SECOND + 1e-6)
        self._least = ceil(cuts.min_seconds * FRAMES_PER_SECOND - 1e-6)
        self._max_pause = floor(cuts.max_pause * FRAMES_PER_SECOND + 1e-6)
        self._pad = round(cuts.pad * SAMPLING_RATE)
        self._now = 0
        self._speaking = False
        self._open: _Open | None = None
        self._waiting: _Waiting | None = None
        self._spoken_until: int | None = None
        self._background: deque[float] = deque(maxlen=BACKGROUND)

    @property
    def earliest(self) -> int:
        """The first sample (at 16 kHz) that a stretch still to come may begin with."""
        if self._waiting is not None:
            return self._waiting.start
        return max(0, (self._now if self._open is None else self._open.start) * FRAME - self._pad)

    def push(self, probability: float, power: float) -> Iterator[Stretch]:
        """Take the next frame and give the stretches that are decided by it.

        Args:
            probability: that there is speech in it.
            power: its mean square, full scale 1.
        """
        quiet = probability < self._exit
        self._speaking = probability >= self._threshold or (self._speaking and not quiet)
        if quiet:
            self._background.append(power)
        if self._speaking and self._open is None:
            yield from self._release(self._now * FRAME)
            self._open = _Open(self._now, self._now)
        self._now += 1
        if self._open is None:
            yield from self._release_in_silence()
            return
        self._open.frames.append((probability, power))
        yield from self._go_on(self._open) if self._speaking else self._pause(self._open)

    def finish(self) -> Iterator[Stretch]:
        """Give the stretches that end with the recording."""
        if self._open is not None:
            yield from self._close(self._open)
        yield from self._release(None)

    def _go_on(self, stretch: _Open) -> Iterator[Stretch]:
        if stretch.length and stretch.end < self._now - 1:
            stretch.pauses.append((stretch.end, self._now - 1))
        stretch.end = self._now
        if stretch.length > self._room + self._least:
            yield from self._divide(stretch)

    def _pause(self, stretch: _Open) -> Iterator[Stretch]:
        if self._now - stretch.end > self._max_pause:
            yield from self._close(stretch)
            yield from self._release_in_silence()

    def _close(self, stretch: _Open) -> Iterator[Stretch]:
        while stretch.length > self._room:
            yield from self._divide(stretch)
        self._put(stretch, stretch.end)
        self._open = None

    def _divide(self, stretch: _Open) -> Iterator[Stretch]:
        """Cut the first clip off, so that enough for another remains."""
        end, start = _best_cut(stretch, self._least, self._room)
        self._put(stretch, end)
        yield from self._release(start * FRAME)
        del stretch.frames[: start - stretch.start]
        stretch.pauses = [pause for pause in stretch.pauses if pause[0] >= start]
        stretch.start = start

    def _put(self, stretch: _Open, end: int) -> None:
        """Pad the beginning of what ends at frame `end`, and let it wait for what comes after."""
        begin, over = stretch.start * FRAME, end * FRAME
        pause = begin if self._spoken_until is None else (begin - self._spoken_until) // 2
        frames = stretch.frames[: end - stretch.start]
        speech = [power for probability, power in frames if probability >= self._threshold]
        self._waiting = _Waiting(begin - min(self._pad, pause), over, speech)
        self._spoken_until = over

    def _release_in_silence(self) -> Iterator[Stretch]:
        """Let go what waits, once the pause behind it has room for its padding and the neighbour's."""
        if self._waiting is not None and self._now * FRAME - self._waiting.end >= 2 * self._pad:
            yield from self._release(None)

    def _release(self, next_start: int | None) -> Iterator[Stretch]:
        waiting, self._waiting = self._waiting, None
        if waiting is None:
            return
        pad = self._pad if next_start is None else min(self._pad, (next_start - waiting.end) // 2)
        enough = len(self._background) >= MIN_BACKGROUND
        count = len(waiting.speech)
        yield Stretch(
            waiting.start,
            waiting.end + pad,
            speech=count / FRAMES_PER_SECOND,
            speech_power=sum(waiting.speech) / max(1, count),
            noise_power=median(self._background) if enough else None,
        )


def _best_cut(stretch: _Open, least: int, most: int) -> tuple[int, int]:
    """Return where the first clip ends and the next begins, in frames.

    The first gets `least` to `most` of them, and what remains `least` too, where it can be had. The length of
    a pause counts squared, as 32 ms may be the silence of a plosive within a word.
    """
    pauses = [pause for pause in stretch.pauses if least <= pause[0] - stretch.start <= most]
    roomy = [pause for pause in pauses if stretch.end - pause[1] >= least]
    if pauses:
        return max(roomy or pauses, key=lambda pause: (pause[1] - pause[0]) ** 2 * (pause[0] - stretch.start))
    last = min(most, stretch.length - least)
    if last < max(1, least):
        last = most
    places = range(min(last, max(1, least, ceil(last / 2))), last + 1)
    cut = stretch.start + min(places, key=lambda place: _loudness(stretch, place))
    return cut, cut


def _loudness(stretch: _Open, place: int) -> tuple[float, float]:
    """Return what to cut by: how surely there is speech around a place, then how loud it is."""
    (left, left_power), (right, right_power) = stretch.frames[place - 1 : place + 1]
    return round((left + right) / 2, 1), left_power + right_power
