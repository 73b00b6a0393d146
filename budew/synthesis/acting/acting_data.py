"""The data files of acting, read once: lines, languages, accents, challenges. Tests check them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from budew.resources import packaged_table
from budew.synthesis.clip_plan import table


@dataclass(frozen=True, slots=True)
class Accent:
    """A way to speak a language. `espeak` is the voice of espeak-ng, None where it has none."""

    name: str
    espeak: str | None = None
    unmarked: bool = False


@dataclass(frozen=True, slots=True)
class Language:
    """A language with its accents, its lines by emotion and its neutral lines; `slots` fill the lines."""

    code: str
    name: str
    accents: tuple[Accent, ...]
    neutral: tuple[str, ...]
    lines: Mapping[str, Sequence[str]]
    slots: Mapping[str, Sequence[str]]

    def accent(self, name: str) -> Accent:
        """Return the accent of this name. Raises KeyError where the language has none such."""
        return {accent.name: accent for accent in self.accents}[name]


@dataclass(frozen=True, slots=True)
class Challenge:
    """An acting challenge. Fields as in `challenges.yaml`."""

    name: str
    direction: str
    parts: tuple[float, ...] = (1.0,)
    cues: Mapping[str, float] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    between: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    style: str | None = None

    @property
    def bursts(self) -> tuple[str, ...]:
        """The vocal bursts that are asked for."""
        return (*self.before, *self.between, *self.after)


@cache
def data(name: str) -> Any:
    """Return the parsed data file `name`.yaml of this folder."""
    return packaged_table(__package__, name)


@cache
def languages() -> dict[str, Language]:
    """Return the languages by code."""
    return {
        code: Language(
            code,
            row["name"],
            accents=tuple(Accent(name, **how) for name, how in row["accents"].items()),
            neutral=tuple(f"{text}." for text in table("texts")[code]),
            **data(f"lines/{code}"),
        )
        for code, row in data("languages").items()
    }


@cache
def challenges() -> dict[str, Challenge]:
    """Return the challenges by name."""
    found = {}
    for name, row in data("challenges").items():
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
        }
        found[name] = Challenge(name, **fields)
    return found
