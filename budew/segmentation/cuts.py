"""`Cuts`: when speech begins and ends, and how long a clip may be. All lengths are in seconds."""

from dataclasses import dataclass

from budew.corpora.errors import CorpusError

LONGEST = 600.0
"""Seconds of a clip: what is held in memory while it is cut (230 MB at 96 kHz)."""
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
        for wrong, message in (
            (not 0 < self.threshold < 1, "threshold must be between 0 and 1"),
            (not 0 <= self.exit <= self.threshold, "exit_threshold must be between 0 and threshold"),
            (not min(self.min_seconds, self.pad, self.max_pause, self.min_speech) >= 0, "less than 0 s"),
            (not self.max_seconds <= LONGEST, f"max_seconds must be at most {LONGEST:g}"),
            (not self.max_pause <= self.max_seconds, "max_pause must be at most max_seconds"),
            (
                not self.max_seconds - 2 * self.pad >= max(self.min_seconds, 0.5),
                "max_seconds must leave min_seconds, and half a second, without the padding on both sides",
            ),
        ):
            if wrong:
                raise CorpusError(f"clips cannot be cut like this: {message}: {self}")

    @property
    def exit(self) -> float:
        """The probability under which speech ends."""
        if self.exit_threshold is not None:
            return self.exit_threshold
        return max(self.threshold - HYSTERESIS, min(LEAST_EXIT, self.threshold))
