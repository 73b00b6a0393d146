"""The data files of the synthesizer, read once and checked: correlates, cues, voices, texts, bursts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from budew.taxonomy import EMOTIONS, burst

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class TableError(ValueError):
    """A data file of the synthesizer contradicts itself."""


@dataclass(frozen=True, slots=True)
class Correlates:
    """What a voice does under one extreme emotion.

    Attributes:
        cues: change of each vocal cue relative to the speaker's neutral voice, in [-1, 1].
        bursts: chance of each vocal burst.
        basis: "measured" in speech or vocalizations, or "inferred" from neighbouring emotions that were.
        sources: the studies, in full.
    """

    cues: Mapping[str, float]
    bursts: Mapping[str, float]
    basis: str
    sources: tuple[str, ...]


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
    return yaml.safe_load(files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8"))


@cache
def cues() -> dict[str, Cue]:
    """Return the vocal cues by name, in the order of the file."""
    return {
        name: Cue(unit=row["unit"], low=float(row["low"]), high=float(row["high"]))
        for name, row in table("cues")["cues"].items()
    }


@cache
def correlates() -> dict[str, Correlates]:
    """Return the rows of all 40 emotions in the order of `EMOTIONS`.

    Raises:
        TableError: an emotion, cue, burst or study is unknown or missing.
    """
    rows = table("correlates")
    if set(rows) != set(EMOTIONS):
        raise TableError(
            f"correlates.yaml must have a row for each emotion: {sorted(set(rows) ^ set(EMOTIONS))}"
        )
    return {emotion: _correlates(emotion, rows[emotion]) for emotion in EMOTIONS}


def _correlates(emotion: str, row: Mapping[str, Any]) -> Correlates:
    literature = table("literature")
    unknown = [name for name in row["cues"] if name not in cues()]
    unknown += [name for name in row["bursts"] if name not in table("bursts") or burst(name) != name]
    unknown += [name for name in row["sources"] if name not in literature]
    if unknown:
        raise TableError(f"correlates.yaml, {emotion}: unknown {', '.join(unknown)}")
    sources = tuple(literature[name] for name in row["sources"])
    return Correlates(dict(row["cues"]), dict(row["bursts"]), row["basis"], sources)
