"""What a captioner gives back: a caption for each window of a recording, and one profile for all of it."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budew.profile import VoiceProfile

SILENCE = "[silence]"
"""Stands for a caption where there is nothing to hear. It parses to the empty profile."""


@dataclass(frozen=True, slots=True)
class WindowCaption:
    """What was heard between `start` and `end` (seconds). `profile` is the parse of `text`, or
    what a panel of listeners agreed on where one was asked.
    """

    start: float
    end: float
    text: str
    profile: VoiceProfile

    @property
    def silent(self) -> bool:
        """Whether there was nothing to hear, so that no model was asked."""
        return self.text == SILENCE

    @property
    def emotions(self) -> dict[str, float]:
        """Emotions that the caption tells of and their intensities in (0, 1]."""
        return dict(self.profile.emotions)

    def to_dict(self) -> dict[str, Any]:
        """Return the window as JSON values."""
        return {"start": self.start, "end": self.end, "caption": self.text, "emotions": self.emotions}


@dataclass(frozen=True, slots=True)
class Captioned:
    """A recording, captioned.

    Attributes:
        source: path as it was given, id of the clip, or "samples" for an array.
        duration: seconds that were heard.
        windows: in order, at least one.
        profile: of the recording as a whole, see `budew.inference.pool`.
        warnings: what a reader may want to know: letters that were removed from a caption.
        damaged: what is wrong with the audio and how much of it could be used; None where it is whole.
    """

    source: str
    duration: float
    windows: tuple[WindowCaption, ...]
    profile: VoiceProfile
    warnings: tuple[str, ...] = ()
    damaged: str | None = None

    @property
    def caption(self) -> str:
        """The whole text: one caption, or a line with times for each window of a longer recording.

        Silent windows that follow each other share a line.
        """
        if len(self.windows) == 1:
            return self.windows[0].text
        if all(window.silent for window in self.windows):
            return SILENCE
        stretches = [list(group) for _, group in groupby(enumerate(self.windows), key=_stretch)]
        return "\n".join(
            f"{clock(some[0][1].start)}–{clock(some[-1][1].end)} {some[0][1].text}" for some in stretches
        )

    @property
    def emotions(self) -> dict[str, float]:
        """Emotions of the recording as a whole and their intensities in (0, 1]; the others are 0."""
        return dict(self.profile.emotions)

    def vector(self) -> NDArray[np.float32]:
        """Return the 40 intensities in [0, 1], float32 (40,), in the order of `budew.EMOTIONS`."""
        return self.profile.vector()

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON values. `windows` is left out where there is one: it says nothing new."""
        windows = [window.to_dict() for window in self.windows]
        return {
            "source": self.source,
            "duration": round(self.duration, 3),
            "caption": self.caption,
            **self.profile.to_dict(),
            **({"windows": windows} if len(windows) > 1 else {}),
            **({"damaged": self.damaged} if self.damaged else {}),
            **({"warnings": list(self.warnings)} if self.warnings else {}),
        }


@dataclass(frozen=True, slots=True)
class Failure:
    """A recording that could not be captioned, and why. As text: one line with both."""

    source: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


def clock(seconds: float) -> str:
    """Return a time as people write it: `0:08`, `1:02:05`; with tenths where it is not a whole second."""
    tenths = round(seconds * 10)
    hours, minutes, rest = tenths // 36_000, tenths // 600 % 60, tenths % 600
    text = f"{rest // 10:02d}" + (f".{rest % 10}" if rest % 10 else "")
    return f"{hours}:{minutes:02d}:{text}" if hours else f"{minutes}:{text}"


def _stretch(numbered: tuple[int, WindowCaption]) -> int:
    """One key for all silent windows in a row, another for each window with a voice."""
    number, window = numbered
    return -1 if window.silent else number
