"""Acting plans: balanced combinations of voices, emotions, intensities, languages, accents and challenges.

Each of these properties is an axis of the plan; the values that clips can have on an axis are its levels.
Clip i is a function of the plan and i, so a plan has no length: its first n clips are balanced for any n (see
`balanced_level`), and a longer corpus begins with the clips of a shorter one.

Instructions for a speech model contain a caption by `budew.captions.render`, from which `parse` recovers the
requested emotion.
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
from budew.synthesis.acting.acting_data import NONE, challenges, languages, personas
from budew.synthesis.acting.speech_backend import PlannedClip, SpeechBackend
from budew.synthesis.clip_plan import synthesis_table
from budew.taxonomy import EMOTIONS, LEVEL_NAMES, LEVELS, emotion
from budew.taxonomy.rating_scales import level_name

T = TypeVar("T")
_Names = tuple[str, ...] | None


class Axes(Settings):
    """Names of the levels to use on each axis, as a tuple or a text with commas; None for all levels.

    Example:
        >>> Axes(languages="en, de").languages
        ('en', 'de')
    """

    emotions: _Names = Field(default=None, description="Emotions, in any spelling.")
    intensities: _Names = Field(default=None, description="Some of slight, moderate, strong, extreme.")
    languages: _Names = Field(default=None, description="Some of en, de, es, fr.")
    accents: _Names = Field(
        default=None, description="Accents. A language that has none of these uses all of its accents."
    )
    voices: _Names = Field(default=None, description="Voices of the backend.")
    challenges: _Names = Field(default=None, description="Challenges, such as plain, whisper, hide it.")
    texts: _Names = Field(
        default=None, description="Kinds of lines: fitting (the emotion), neutral, or both."
    )
    personas: _Names = Field(
        default=(NONE,),
        description="Personas, such as caring nurse, trial lawyer (none: no persona; all: all of them).",
    )

    @field_validator("*", mode="before")
    @classmethod
    def _listed(cls, names: Any) -> Any:
        """Split `a, b` at its commas."""
        return tuple(name.strip() for name in names.split(",")) if isinstance(names, str) else names


FITTING, NEUTRAL = "fitting", "neutral"
TEXTS = (FITTING, NEUTRAL)
"""Kinds of lines: written for the emotion of the clip, or suitable for any emotion."""
PLAIN = "plain"
"""Name of the challenge that means acting without a challenge."""


class ClipLevels(NamedTuple):
    """Levels of a planned clip, one on each axis. `kind` is the kind of its line, one of `TEXTS`."""

    emotion: str
    intensity: float
    voice: str
    language: str
    accent: str
    challenge: str
    kind: str
    persona: str


@dataclass(frozen=True, slots=True)
class ActingPlan:
    """A balanced plan of acted clips, numbered from 0; made by `make_plan`.

    Attributes:
        seed: random seed, which determines the combinations of levels.
        wording: how instructions are worded, a key of `instructions.yaml`.
        emotions, voices, challenges: names of the levels on these axes.
        intensities: levels of intensity, in (0, 1].
        accents: names of accents by language code; its keys are the languages.
        texts: kinds of lines, of `TEXTS`.
        personas: names of the personas.
        part: name of the part, if the plan is part of a plan by hours (`HoursPlan`).
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
    personas: tuple[str, ...] = (NONE,)

    def levels(self, number: int) -> ClipLevels:
        """Return the level of the clip with this number on each axis."""
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
            persona=self._balanced("persona", number, self.personas),
        )

    def clip(self, number: int) -> PlannedClip:
        """Return the planned clip with this number: levels, line and instructions."""
        levels, name = self.levels(number), self.id_of(number)
        again = number // len(self.emotions) // len(self.accents)  # earlier clips of language and emotion
        line, instructions = self._line(name, levels, again), self._instructions(name, levels)
        return PlannedClip(number, name, self.seed, *levels, text=line, instructions=instructions)

    def id_of(self, number: int) -> str:
        """Return the id of the clip with this number."""
        return f"act-{self.seed}-{self.part and self.part + '-'}{number:07d}"

    def axes(self) -> dict[str, tuple[str, ...]]:
        """Return the names of all levels by axis; the axes are the fields of `ClipLevels`, in their order."""
        accents = (f"{code} {accent}" for code, accents in self.accents.items() for accent in accents)
        levels = (self.emotions, map(level_name, self.intensities), self.voices, self.accents, accents)
        others = (self.challenges, self.texts, self.personas)
        return dict(zip(ClipLevels._fields, map(tuple, (*levels, *others)), strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields of the plan as JSON values, without `personas` if none is requested."""
        fields = asdict(self)
        if self.personas == (NONE,):
            del fields["personas"]  # as in earlier versions, whose runs continue
        return fields

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
        """Return the English instructions for a clip, worded at random by its id."""
        wording, spoken = synthesis_table("acting/instructions"), languages()[levels.language]
        frames: Sequence[str] = wording[self.wording]["frames"]
        seed = derived_seed("feeling", name)
        feeling = render(
            VoiceProfile({levels.emotion: levels.intensity}), style="tags", wording="plain", seed=seed
        )
        return frames[derived_seed("instructions", name) % len(frames)].format(
            language=spoken.name,
            accent="" if levels.accent == NONE else wording["accent"].format(levels.accent),
            feeling=feeling[0].lower() + feeling[1:].rstrip("."),
            level=wording["levels"][level_name(levels.intensity)],
            challenge=f"{personas()[levels.persona]} {challenges()[levels.challenge].direction}".lstrip(),
            bounds=wording[self.wording]["bounds"].format(rhythm=spoken.rhythm, sounds=spoken.sounds),
        )


def make_plan(backend: SpeechBackend, *, seed: int, **axes: Any) -> ActingPlan:
    """Return a balanced plan of clips for a backend.

    Args:
        backend: speech backend, whose voices and accents are used.
        seed: random seed.
        axes: names of the levels to use, by axis (see `Axes`). All levels are used on other axes.

    Raises:
        InputError: a level does not exist, an axis is left without levels, or the backend plays no
            personas.
        SettingsError: an axis does not exist, or its names are not text.

    Example:
        >>> from budew.synthesis.acting import EspeakBackend
        >>> plan = make_plan(EspeakBackend(), seed=1, languages="en", emotions="Anger", challenges="whisper")
        >>> clip = plan.clip(0)
        >>> clip.id, clip.emotion, clip.challenge
        ('act-1-0000000', 'Anger', 'whisper')
    """
    chosen = validated(Axes, axes, name="the plan")
    codes = chosen_names("language", chosen.languages, languages())
    spoken = {code: backend.accents(code) for code in codes}
    accents = chosen_names("accent", chosen.accents, chain.from_iterable(map(backend.accents, languages())))
    levels = dict(zip(LEVEL_NAMES[1:], LEVELS[1:], strict=True))
    roles = chosen_names("persona", None if chosen.personas == ("all",) else chosen.personas, personas())
    if roles != (NONE,) and not backend.instructed:
        raise InputError(f"{backend.name} plays no personas: use a speech server, or remove personas")
    return ActingPlan(
        seed=seed,
        wording=backend.wording,
        emotions=_some("emotion", EMOTIONS if chosen.emotions is None else map(emotion, chosen.emotions)),
        intensities=tuple(levels[name] for name in chosen_names("intensity", chosen.intensities, levels)),
        voices=_some("voice", backend.voices(chosen.voices)),
        accents={
            code: tuple(name for name in known if name in accents) or known for code, known in spoken.items()
        },
        challenges=chosen_names("challenge", chosen.challenges, challenges()),
        texts=chosen_names("kind of text", chosen.texts, TEXTS),
        personas=roles,
    )


def chosen_names(
    axis: str, names: Sequence[str] | None, known: Iterable[str], *, of: str = ""
) -> tuple[str, ...]:
    """Return the names in the spelling of `known`, all of them for None; InputError if one is not known."""
    by_name = {name.casefold(): name for name in known}
    wanted = list(by_name) if names is None else [name.casefold() for name in names]
    for name in wanted:
        if name not in by_name:
            raise InputError(f"there is no {axis} {name!r}{of}: use some of {', '.join(by_name.values())}")
    return _some(axis, map(by_name.__getitem__, wanted))


def _some(axis: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return the names without duplicates; InputError if there are none."""
    if chosen := tuple(dict.fromkeys(names)):
        return chosen
    raise InputError(f"the plan needs at least one {axis}")


def balanced_level(number: int, *, size: int, rounds: int, seed: int, axis: str) -> int:
    """Return the level of a clip on an axis, as an index from 0 to `size` - 1.

    A round is `rounds` consecutive clips, one of each emotion. For any number of clips:

    * among the clips at the same place of a round (the same emotion), no level occurs twice before all levels
      have occurred once;
    * after each whole round, the counts of two levels differ by at most 1.

    In rounds × size clips each pair (place, level) occurs exactly once: a Latin square, whose rows and
    columns are shuffled again for each such run. Different axes are shuffled independently.
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
    """Return level `number` of a random sequence, as an index from 0 to `size` - 1.

    The sequence consists of shuffled runs, each with all `size` levels; `seed` and `axis` determine it.
    """
    deck, place = divmod(number, size)
    return _shuffled(size, seed, axis, deck, "deck")[place]


@lru_cache(maxsize=4096)
def _shuffled(size: int, *parts: str | int) -> tuple[int, ...]:
    numbers = list(range(size))
    generator(*parts).shuffle(numbers)
    return tuple(numbers)
