"""Acting plans: clip after clip of voices × emotions × intensities × languages × accents × challenges.

Clip i is a function of the plan and i, so that a plan has no length: any beginning of it is balanced (see
`balanced_level`), and a longer corpus begins with the clips of a shorter one.

The instructions for a speech model are worded by `budew.captions.render`: they ask for what a caption would
say, and `parse` recovers it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import chain
from math import gcd
from typing import Any, NamedTuple, TypeVar

from pydantic import Field, field_validator

from budew.captions import render
from budew.errors import InputError
from budew.io.settings import Settings, validated
from budew.profile import VoiceProfile
from budew.randomness import derived_seed, generator
from budew.synthesis.acting.acting_data import NO_ACCENT, challenges, languages
from budew.synthesis.acting.speech_backend import PlannedClip, SpeechBackend
from budew.synthesis.clip_plan import synthesis_table
from budew.taxonomy import EMOTIONS, LEVEL_NAMES, LEVELS, emotion
from budew.taxonomy.rating_scales import level_name

T = TypeVar("T")
_Names = tuple[str, ...] | None


class Axes(Settings):
    """The levels of each axis by the names that people write; None for all of them.

    Example:
        >>> Axes(languages="en, de").languages
        ('en', 'de')
    """

    emotions: _Names = Field(default=None, description="In any spelling.")
    intensities: _Names = Field(default=None, description="Of slight, moderate, strong, extreme.")
    languages: _Names = Field(default=None, description="Of en, de, es, fr.")
    accents: _Names = Field(
        default=None, description="Languages without any of these use all of their accents."
    )
    voices: _Names = Field(default=None, description="Voices of the backend.")
    challenges: _Names = Field(default=None, description="Such as plain, whisper, hide it.")
    texts: _Names = Field(default=None, description="Lines: fitting the emotion, neutral, or both.")

    @field_validator("*", mode="before")
    @classmethod
    def _listed(cls, names: Any) -> Any:
        """Split `a, b` at its commas."""
        return tuple(name.strip() for name in names.split(",")) if isinstance(names, str) else names


FITTING, NEUTRAL = "fitting", "neutral"
TEXTS = (FITTING, NEUTRAL)
"""Kinds of lines: written for the emotion, or chosen without regard to it."""
PLAIN = "plain"
"""The level of the axis of challenges for acting without one."""


class ClipLevels(NamedTuple):
    """The level of each axis for one clip, as in `ActingPlan`; `kind` is that of the line, one of `TEXTS`."""

    emotion: str
    intensity: float
    voice: str
    language: str
    accent: str
    challenge: str
    kind: str


@dataclass(frozen=True, slots=True)
class ActingPlan:
    """The levels of each axis, and the seed, which decides which levels meet. `make_plan` makes one.

    Intensities are in (0, 1], accents by the code of the language. `wording` is a key of `instructions.yaml`,
    `part` the name of this part of a plan by hours.
    """

    seed: int
    wording: str
    emotions: tuple[str, ...]
    intensities: tuple[float, ...]
    voices: tuple[str, ...]
    accents: Mapping[str, tuple[str, ...]]
    challenges: tuple[str, ...]
    texts: tuple[str, ...]
    part: str = ""

    def levels(self, number: int) -> ClipLevels:
        """Return the levels of clip `number` of the plan, from 0."""
        turn, place = divmod(number, len(self.emotions))
        language = self._balanced("language", number, tuple(self.accents))
        in_language = turn // len(self.accents) * len(self.emotions) + place
        return ClipLevels(
            emotion=self._shuffled("emotion", place, self.emotions),
            intensity=self._balanced("intensity", number, self.intensities),
            voice=self._balanced("voice", number, self.voices),
            language=language,
            accent=self._balanced(f"accent {language}", in_language, self.accents[language]),
            challenge=self._balanced("challenge", number, self.challenges),
            kind=self._balanced("text", number, self.texts),
        )

    def clip(self, number: int) -> PlannedClip:
        """Return clip `number` of the plan, from 0."""
        levels, name = self.levels(number), self.id_of(number)
        again = number // len(self.emotions) // len(self.accents)  # as often the language had the emotion
        line, instructions = self._line(name, levels, again), self._instructions(name, levels)
        return PlannedClip(number, name, self.seed, *levels, text=line, instructions=instructions)

    def id_of(self, number: int) -> str:
        """Return the id of clip `number`."""
        return f"act-{self.seed}-{self.part and self.part + '-'}{number:07d}"

    def axes(self) -> dict[str, tuple[str, ...]]:
        """Return the names of all levels of each axis, in the order of `ClipLevels`."""
        accents = (f"{code} {accent}" for code, accents in self.accents.items() for accent in accents)
        levels = (self.emotions, map(level_name, self.intensities), self.voices, self.accents, accents)
        return dict(zip(ClipLevels._fields, map(tuple, (*levels, self.challenges, self.texts)), strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Return all that decides the clips."""
        return asdict(self)

    def _balanced(self, axis: str, number: int, levels: Sequence[T]) -> T:
        rounds, axis = len(self.emotions), self.part + axis
        return levels[balanced_level(number, size=len(levels), rounds=rounds, seed=self.seed, axis=axis)]

    def _shuffled(self, axis: str, number: int, levels: Sequence[T]) -> T:
        return levels[shuffled_level(number, size=len(levels), seed=self.seed, axis=self.part + axis)]

    def _line(self, name: str, levels: ClipLevels, again: int) -> str:
        spoken = languages()[levels.language]
        lines = spoken.lines[levels.emotion] if levels.kind == FITTING else spoken.neutral
        line = self._shuffled(f"line {levels.language} {levels.kind} {levels.emotion}", again, lines)
        if "{" not in line:
            return line
        rng = generator(self.seed, name, "slots")
        return line.format(**{slot: rng.choice(words) for slot, words in spoken.slots.items()})

    def _instructions(self, name: str, levels: ClipLevels) -> str:
        """Return the instructions for one clip, in English; its id decides the wording."""
        wording, spoken = synthesis_table("acting/instructions"), languages()[levels.language]
        frames: Sequence[str] = wording[self.wording]["frames"]
        seed = derived_seed("feeling", name)
        feeling = render(
            VoiceProfile({levels.emotion: levels.intensity}), style="tags", wording="plain", seed=seed
        )
        return frames[derived_seed("instructions", name) % len(frames)].format(
            language=spoken.name,
            accent="" if levels.accent == NO_ACCENT else wording["accent"].format(levels.accent),
            feeling=feeling[0].lower() + feeling[1:].rstrip("."),
            level=wording["levels"][level_name(levels.intensity)],
            challenge=challenges()[levels.challenge].direction,
            bounds=wording[self.wording]["bounds"].format(rhythm=spoken.rhythm, sounds=spoken.sounds),
        )


def make_plan(backend: SpeechBackend, *, seed: int, **axes: Any) -> ActingPlan:
    """Return a plan for a backend, from fields of `Axes`. An axis that is left out has all its levels.

    Raises:
        InputError: there is no such level of an axis, or an axis has none.
        SettingsError: an axis is unknown, or its names are not text.

    Example:
        >>> from budew.synthesis.acting import EspeakBackend
        >>> plan = make_plan(EspeakBackend(), seed=1, languages="en", emotions="Anger", challenges="whisper")
        >>> clip = plan.clip(0)
        >>> clip.id, clip.emotion, clip.challenge
        ('act-1-0000000', 'Anger', 'whisper')
    """
    chosen = validated(Axes, axes, name="the plan")
    codes = _chosen("language", chosen.languages, languages())
    spoken = {code: backend.accents(code) for code in codes}
    accents = _chosen("accent", chosen.accents, chain.from_iterable(map(backend.accents, languages())))
    levels = dict(zip(LEVEL_NAMES[1:], LEVELS[1:], strict=True))
    return ActingPlan(
        seed=seed,
        wording=backend.wording,
        emotions=_some("emotion", EMOTIONS if chosen.emotions is None else map(emotion, chosen.emotions)),
        intensities=tuple(levels[name] for name in _chosen("intensity", chosen.intensities, levels)),
        voices=_some("voice", backend.voices(chosen.voices)),
        accents={
            code: tuple(name for name in known if name in accents) or known for code, known in spoken.items()
        },
        challenges=_chosen("challenge", chosen.challenges, challenges()),
        texts=_chosen("kind of text", chosen.texts, TEXTS),
    )


def _chosen(axis: str, names: Sequence[str] | None, known: Iterable[str]) -> tuple[str, ...]:
    by_name = {name.casefold(): name for name in known}
    wanted = list(by_name) if names is None else [name.casefold() for name in names]
    for name in wanted:
        if name not in by_name:
            raise InputError(f"there is no {axis} {name!r}: use some of {', '.join(by_name.values())}")
    return _some(axis, map(by_name.__getitem__, wanted))


def _some(axis: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the names, each once."""
    if chosen := tuple(dict.fromkeys(names)):
        return chosen
    raise InputError(f"the plan needs at least one {axis}")


def balanced_level(number: int, *, size: int, rounds: int, seed: int, axis: str) -> int:
    """Return which of `size` levels of `axis` clip `number` has, in [0, size).

    The clips come in rounds of `rounds` (one for each emotion). Whatever the number of clips:

    * within one place of the round (one emotion) no level comes twice before all have come once;
    * after each whole round, no level is ahead of another by more than one clip.

    Over rounds × size clips each pair (place, level) occurs exactly once: a Latin square, its rows and
    columns shuffled again for each such run. Two axes are independent of each other.
    """
    square, within = divmod(number, size * rounds)
    return _square(size, rounds, seed, axis, square)[within]


@lru_cache(maxsize=256)
def _square(size: int, rounds: int, seed: int, axis: str, square: int) -> tuple[int, ...]:
    places = _shuffled(rounds, seed, axis, square, "places")
    levels = _shuffled(size, seed, axis, square, "levels")
    common = gcd(size, rounds)
    shifts = _shuffled(common, seed, axis, square, "shifts")
    positions = (turn * rounds + place for turn in range(size) for place in places)
    return tuple(
        levels[(position + shifts[position // (size * rounds // common)]) % size] for position in positions
    )


def shuffled_level(number: int, *, size: int, seed: int, axis: str) -> int:
    """Return which of `size` levels is the `number`-th: reshuffled when all have been used."""
    deck, place = divmod(number, size)
    return _shuffled(size, seed, axis, deck, "deck")[place]


@lru_cache(maxsize=4096)
def _shuffled(size: int, *parts: str | int) -> tuple[int, ...]:
    numbers = list(range(size))
    generator(*parts).shuffle(numbers)
    return tuple(numbers)
