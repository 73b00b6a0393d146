"""The languages with their lines and accents, and the challenges, as the data files of acting have them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from budew.synthesis.clip_plan import synthesis_table

NO_ACCENT = "none"
"""The accent of speech for which none is asked."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language as in `languages.yaml`, its lines by emotion and its neutral lines; `slots` fill the lines.

    Attributes:
        accents: accent → voice of espeak-ng, None where it has none.
    """

    code: str
    name: str
    rhythm: str
    sounds: str
    accents: Mapping[str, str | None]
    neutral: tuple[str, ...]
    lines: Mapping[str, Sequence[str]]
    slots: Mapping[str, Sequence[str]]


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
def languages() -> dict[str, Language]:
    """Return the languages by code."""
    return {
        code: Language(
            code,
            **row,
            neutral=tuple(f"{text}." for text in synthesis_table("texts")[code]),
            **synthesis_table(f"acting/lines/{code}"),
        )
        for code, row in synthesis_table("acting/languages").items()
    }


@cache
def challenges() -> dict[str, Challenge]:
    """Return the challenges by name."""
    found = {}
    for name, row in synthesis_table("acting/challenges").items():
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
        }
        found[name] = Challenge(name, **fields)
    return found
