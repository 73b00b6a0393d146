"""`Cuts`: when speech begins and ends, and how long a clip may be. All lengths are in seconds."""

from collections.abc import Iterator
from dataclasses import dataclass

from budew.errors import CorpusError

LONGEST = 600.0
"""Seconds of a clip: what is held in memory while it is cut (230 MB at 96 kHz)."""
SHORTEST = 0.5
"""Seconds that `max_seconds` leaves at least, without the padding."""
HYSTERESIS, LEAST_EXIT = 0.15, 0.01
"""Of the exit threshold under the entry threshold, as in silero-vad's own `get_speech_timestamps`."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where clips begin and end.

    Attributes:
        threshold: speech begins where its probability reaches this, between 0 and 1.
        exit_threshold: speech goes on until the probability is under this; 0.15 under `threshold` when None.
        min_seconds: shorter clips are left out; padding counts.
        max_seconds: longer stretches are divided, at a pause if there is one; padding counts.
        pad: kept before and after speech, at most half of the pause to the neighbour.
        max_pause: speech goes on across pauses of at most this.
        min_speech: a stretch with less speech than this is taken for noise.

    Raises:
        CorpusError: the values contradict each other.
    """

    threshold: float = 0.5
    exit_threshold: float | None = None
    min_seconds: float = 1.0
    max_seconds: float = 30.0
    pad: float = 0.1
    max_pause: float = 0.5
    min_speech: float = 0.25

    def __post_init__(self) -> None:
        fault = next(self._faults(), None)
        if fault is not None:
            raise CorpusError(f"clips cannot be cut like this: {fault}")

    def _faults(self) -> Iterator[str]:
        """Give what is wrong, by the names that the options of `budew corpus segment` have."""
        if not 0 < self.threshold < 1:
            yield f"--threshold {self.threshold:g}: give more than 0 and less than 1"
        if not 0 <= self.exit <= self.threshold:
            yield f"exit_threshold {self.exit:g}: give 0 to --threshold {self.threshold:g}"
        for name in ("min_seconds", "pad", "max_pause", "min_speech"):
            if not getattr(self, name) >= 0:
                option = name.removesuffix("_seconds").replace("_", "-")
                yield f"--{option} {getattr(self, name):g}: give 0 s or more"
        if not self.max_seconds <= LONGEST:
            yield f"--max {self.max_seconds:g}: give at most {LONGEST:g} s"
        if not self.max_pause <= self.max_seconds:
            yield f"--max-pause {self.max_pause:g} is longer than --max {self.max_seconds:g}: shorten it"
        if not self.max_seconds - 2 * self.pad >= max(self.min_seconds, SHORTEST):
            least = f"--min {self.min_seconds:g}" if self.min_seconds > SHORTEST else f"{SHORTEST:g} s"
            both = f"--max {self.max_seconds:g} without --pad {self.pad:g} on both sides"
            yield f"{both} is shorter than {least}: give a larger --max"

    @property
    def exit(self) -> float:
        """The probability under which speech ends."""
        if self.exit_threshold is not None:
            return self.exit_threshold
        return max(self.threshold - HYSTERESIS, min(LEAST_EXIT, self.threshold))
