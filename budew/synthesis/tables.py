"""The data files of the synthesizer, read once: correlates, cues, voices, texts, bursts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from budew.resources import packaged_table

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Correlates:
    """What a voice does under one extreme emotion.

    Attributes:
        cues: change of each vocal cue relative to the speaker's neutral voice, in [-1, 1].
        bursts: chance of each vocal burst.
    """

    cues: Mapping[str, float]
    bursts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Cue:
    """Physical size of a vocal cue at -1 (`low`) and at +1 (`high`), in `unit`."""

    unit: str
    low: float
    high: float

    def at(self, strength: float, *, neutral: float) -> float:
        """Return the setting for `strength`, clipped to [-1.1, 1.1]; 0 gives `neutral`."""
        strength = max(-1.1, min(1.1, strength))
        end = self.high if strength > 0 else self.low
        return neutral + abs(strength) * (end - neutral)


@cache
def table(name: str) -> Any:
    """Return the parsed data file `name`.yaml of this folder."""
    return packaged_table(__package__, name)


@cache
def cues() -> dict[str, Cue]:
    """Return the vocal cues by name, in the order of the file."""
    return {
        name: Cue(unit=row["unit"], low=float(row["low"]), high=float(row["high"]))
        for name, row in table("cues")["cues"].items()
    }


@cache
def correlates() -> dict[str, Correlates]:
    """Return the correlates by emotion. The file has the studies that each row comes from."""
    return {emotion: Correlates(row["cues"], row["bursts"]) for emotion, row in table("correlates").items()}
