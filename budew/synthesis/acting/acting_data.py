"""Languages (lines, accents), acting challenges and personas, read from the data files of this package."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from budew.io.settings import Settings, validated
from budew.synthesis.clip_plan import synthesis_table

NONE = "none"
"""Name of the accent or persona that means that none is requested."""


@dataclass(frozen=True, slots=True)
class Language:
    """A language in which lines are spoken.

    Attributes:
        code: BCP 47 primary language, such as "en".
        name: English name.
        rhythm, sounds: what natural speech is like, requested of models that improvise.
        accents: voice of espeak-ng by name of the accent, None if espeak-ng does not have the accent.
        neutral: lines that are suitable for any emotion.
        lines: lines by emotion; `{slot}` in a line is replaced by one of its words.
        slots: words by name of the slot.
    """

    code: str
    name: str
    rhythm: str
    sounds: str
    accents: Mapping[str, str | None]
    neutral: tuple[str, ...]
    lines: Mapping[str, Sequence[str]]
    slots: Mapping[str, Sequence[str]]


class Challenge(Settings):
    """An acting challenge: an instruction that makes a line hard to act.

    Attributes:
        name: such as "whisper".
        direction: English instruction for a speech model.
        parts: factor on the strength of the emotion in each part of the line (`EspeakBackend`).
        cues: strength to add to vocal cues, by name (`EspeakBackend`).
        before, between, after: vocal bursts before the line, after its first part and at its end.
        style: speaking style for the profile, None for no style.
    """

    name: str
    direction: str
    parts: tuple[float, ...] = (1.0,)
    cues: Mapping[str, float] = {}
    before: tuple[str, ...] = ()
    between: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    style: str | None = None

    @property
    def bursts(self) -> tuple[str, ...]:
        """All vocal bursts that the challenge requests."""
        return (*self.before, *self.between, *self.after)


@cache
def languages() -> dict[str, Language]:
    """Return the languages by code; cached."""
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
    """Return the challenges by name; cached."""
    table = synthesis_table("acting/challenges")
    return {name: validated(Challenge, {"name": name, **row}, name=name) for name, row in table.items()}


@cache
def personas() -> dict[str, str]:
    """Return the instruction of each persona by name, empty for `NONE`; cached."""
    table = synthesis_table("acting/personas")
    return {
        name: table["direction"].format(scene) if scene else "" for name, scene in table["personas"].items()
    }
