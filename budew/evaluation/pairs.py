"""What an evaluation compares: one clip's true profile and the predicted one."""

from dataclasses import dataclass
from pathlib import Path

from budew.profile import VoiceProfile


@dataclass(frozen=True, slots=True)
class Pair:
    """One clip: what is true of it and what was predicted.

    `caption` is the predicted caption, where the prediction came as one. `audio` is kept for the few clips
    that a
    report plays: encoded bytes or a path.
    """

    id: str
    truth: VoiceProfile
    predicted: VoiceProfile
    caption: str | None = None
    audio: bytes | Path | None = None

    @property
    def silent(self) -> bool:
        """Whether nothing at all was understood: no emotion, no vocal burst, no trait."""
        return not (self.predicted.emotions or self.predicted.bursts or self.predicted.traits)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A clip left out of the figures, and why."""

    id: str
    reason: str
