"""Acting plans with given hours of speech by language and accent, and previews of plans."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, product
from math import inf
from typing import Any

from budew.errors import InputError
from budew.io.settings import validated
from budew.synthesis.acting.acting_data import challenges
from budew.synthesis.acting.acting_plan import (
    PLAIN,
    ActingPlan,
    Axes,
    ClipLevels,
    chosen_names,
    make_plan,
)
from budew.synthesis.acting.speech_backend import PlannedClip, SpeechBackend
from budew.synthesis.clip_plan import synthesis_table
from budew.taxonomy.rating_scales import level_name

CHALLENGES = "challenges"
"""Word in the name of a part of a plan by hours: the part has acting challenges."""
SHOWN_CLIPS = 5
"""Number of clips that a preview shows."""
_BLOCK = 10  # clips, among which each part has its share
_COUNTED = 10_000  # clips whose characters are counted by a preview; it estimates those of further clips


@dataclass(frozen=True, slots=True)
class HoursPlan:
    """Several acting plans (parts) in one, made by `make_hours_plan`. Clips are numbered from 0.

    The parts are interleaved: among about every ten clips each part has its share.

    Attributes:
        parts: plan of each part.
        clips: number of clips of each part.
    """

    parts: tuple[ActingPlan, ...]
    clips: tuple[int, ...]

    def __len__(self) -> int:
        return sum(self.clips)

    def axes(self) -> dict[str, tuple[str, ...]]:
        """Return the names of all levels by axis; the axes are the fields of `ClipLevels`, in their order."""
        parts = [part.axes() for part in self.parts]
        return {
            axis: tuple(dict.fromkeys(chain.from_iterable(part[axis] for part in parts))) for axis in parts[0]
        }

    def levels(self, number: int) -> ClipLevels:
        """Return the level of the clip with this number on each axis."""
        part, before = self._place(number)
        return self.parts[part].levels(before[part])

    def clip(self, number: int) -> PlannedClip:
        """Return the planned clip with this number: levels, line and instructions."""
        part, before = self._place(number)
        return self.parts[part].clip(before[part])

    def id_of(self, number: int) -> str:
        """Return the id of the clip with this number, which is the id that its part gives it."""
        part, before = self._place(number)
        return self.parts[part].id_of(before[part])

    def shares(self, clips: int) -> dict[str, int]:
        """Return how many of the first `clips` clips belong to each part, by name of the part."""
        return dict(zip((part.part for part in self.parts), self._place(clips)[1], strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields of the plan as JSON values."""
        return {"parts": [part.to_dict() for part in self.parts], "clips": list(self.clips)}

    def _place(self, number: int) -> tuple[int, list[int]]:
        """Return the part of a clip, and how many clips of each part come before the clip."""
        block = number * _blocks(self.clips) // len(self)  # or a later block, as starts are rounded down
        while sum(ends := _starts(self.clips, block + 1)) <= number:
            block += 1
        before = list(_starts(self.clips, block))
        left = number - sum(before)
        for part, end in enumerate(ends):
            taken = min(left, end - before[part])
            before[part] += taken
            left -= taken
            if before[part] < end:
                break
        return part, before


def _blocks(clips: tuple[int, ...]) -> int:
    return -(-sum(clips) // _BLOCK)


@lru_cache(maxsize=1024)
def _starts(clips: tuple[int, ...], block: int) -> tuple[int, ...]:
    """Return the number, within each part, of its first clip in a block."""
    blocks = _blocks(clips)
    return tuple(of_part * block // blocks for of_part in clips)


AnyPlan = ActingPlan | HoursPlan


def make_hours_plan(
    backend: SpeechBackend,
    *,
    seed: int,
    hours: Mapping[str, float],
    clip_seconds: float | None = None,
    **axes: Any,
) -> HoursPlan:
    """Return a plan with given hours of speech by language and accent, with or without acting challenges.

    Args:
        backend: speech backend, whose voices and accents are used.
        seed: random seed.
        hours: hours of each part, by its name: language codes joined by `+` (`en+de`). `en` means all accents
            of the plan, `en:Texan` only that one. With `+challenges`, the clips have challenges (all except
            `plain`).
        clip_seconds: mean duration of a clip, from which clips are counted; None for `mean_seconds`.
        axes: names of the levels to use, by axis (see `Axes`), without `languages`. `challenges` applies only
            to parts with challenges.

    Raises:
        InputError: a language or level does not exist, the backend lacks an accent, a part occurs twice,
            or no part uses the `challenges` or `accents`.
        SettingsError: an axis does not exist, or its names are not text.

    Example:
        >>> from budew.synthesis.acting import EspeakBackend
        >>> hours = {"en": 2, "en:British": 0.5, "de+challenges": 1}
        >>> plan = make_hours_plan(EspeakBackend(), seed=1, hours=hours)
        >>> plan.shares(len(plan))
        {'en': 1440, 'en-British': 360, 'de-challenges': 720}
    """
    chosen = validated(Axes, axes, name="the plan")
    if chosen.languages is not None:
        raise InputError("a plan by hours takes its languages from the names in hours: remove languages")
    seconds = clip_seconds or mean_seconds(backend)
    parts: dict[str, ActingPlan] = {}
    clips = []
    for name, length in hours.items():
        words = [word.strip().casefold() for word in name.split("+")]
        spoken: dict[str, list[str]] = {}
        for word in words:
            if word != CHALLENGES:
                code, marked, accent = word.partition(":")
                spoken.setdefault(code, []).extend([accent.strip()] if marked else [])
        hard = chosen.challenges or [each for each in challenges() if each != PLAIN]
        own = {"languages": list(spoken), "challenges": hard if CHALLENGES in words else [PLAIN]}
        plan = make_plan(backend, seed=seed, **{**chosen.model_dump(), **own})
        accents = {
            code: chosen_names("accent", accents, backend.accents(code), of=f" of {code} with {backend.name}")
            for code, accents in spoken.items()
            if accents
        }
        names = chain.from_iterable((code, *accents.get(code, ())) for code in plan.accents)
        part = "-".join((*names, *([CHALLENGES] if CHALLENGES in words else ()))).replace(" ", "-")
        if part in parts:
            raise InputError(f"the part {name} occurs twice: give it once, with the sum of its hours")
        parts[part] = replace(plan, part=part, accents={**plan.accents, **accents})
        clips.append(max(1, round(length * 3600 / seconds)))
    if chosen.accents and all(
        ":" in word for name in hours for word in name.split("+") if word.strip().casefold() != CHALLENGES
    ):
        raise InputError("every language of the plan has its own accent: remove accents")
    if chosen.challenges and not any(name.endswith(CHALLENGES) for name in parts):
        raise InputError(f"no part has challenges: add one such as {next(iter(parts))}+{CHALLENGES}=1")
    return HoursPlan(tuple(parts.values()), tuple(clips))


def mean_seconds(backend: SpeechBackend) -> float:
    """Return the mean duration of a clip: about that of a line, or the requested one of an improvisation."""
    return float(synthesis_table("acting/instructions")[backend.wording]["clip_seconds"])


def hours_in(text: str) -> dict[str, float]:
    """Return hours by part from a text: PART=HOURS with commas, or the name of published hours.

    Raises:
        InputError: there are no hours with the name, a part is malformed, or it occurs twice.

    Example:
        >>> hours_in("en:Texan=2,de+challenges=0.5")
        {'en:Texan': 2.0, 'de+challenges': 0.5}
        >>> hours_in("emonet-voice-big")["en:Louisiana"]
        133
    """
    published: dict[str, dict[str, float]] = synthesis_table("acting/hours")
    if text in published:
        return dict(published[text])
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, number = part.partition("=")
        try:
            hours = float(number)
        except ValueError:
            hours = 0.0
        if not name.strip() or name.strip() in found or not 0 < hours < inf:
            raise InputError(
                f"{part.strip()!r} is not a part of a plan: write it as en=100 or en:Texan=100, each once, "
                f"or use published hours: {', '.join(published)}"
            )
        found[name.strip()] = hours
    return found


@dataclass(frozen=True, slots=True)
class Preview:
    """Size and balance of a plan, computed without speech.

    Attributes:
        characters, instruction_characters: characters of all lines and of all instructions; estimated if the
            plan has over 10,000 clips.
        counts: number of clips by axis and name of the level.
        cells: number of clips of each combination of voice, emotion and accent of a language.
        parts: number of clips by part; empty unless it is a plan by hours.
        first: the first `SHOWN_CLIPS` clips.
    """

    characters: int
    instruction_characters: int
    counts: Mapping[str, Mapping[str, int]]
    cells: tuple[int, ...]
    parts: Mapping[str, int]
    first: tuple[PlannedClip, ...]


def preview(plan: AnyPlan, clips: int, *, moved: Callable[[int, int], None]) -> Preview:
    """Return the size and balance of the first `clips` clips of a plan; takes 10 µs for each clip.

    `moved` is called with the number of clips counted so far and `clips`.
    """
    axes = plan.axes()
    counts, cells = [Counter[Any]() for _ in axes], Counter[Any]()
    for start in range(0, clips, _COUNTED):
        moved(start, clips)
        drawn = map(plan.levels, range(start, min(start + _COUNTED, clips)))
        emotions, intensities, voices, codes, accents, *others = zip(*drawn, strict=True)
        spoken = [f"{code} {accent}" for code, accent in zip(codes, accents, strict=True)]
        levels = (emotions, map(level_name, intensities), voices, codes, spoken, *others)
        for counted, names in zip(counts, levels, strict=True):
            counted.update(names)
        cells.update(zip(voices, emotions, spoken, strict=True))
    counted_clips = min(clips, _COUNTED)
    planned = [plan.clip(number) for number in range(counted_clips)]
    characters, instructions = (
        round(sum(map(len, texts)) * clips / counted_clips)
        for texts in ([clip.text for clip in planned], [clip.instructions for clip in planned])
    )
    named = zip(axes.items(), counts, strict=True)
    return Preview(
        characters,
        instructions,
        counts={axis: {name: counted[name] for name in names} for (axis, names), counted in named},
        cells=tuple(cells[cell] for cell in product(axes["voice"], axes["emotion"], axes["accent"])),
        parts=plan.shares(clips) if isinstance(plan, HoursPlan) else {},
        first=tuple(planned[:SHOWN_CLIPS]),
    )
