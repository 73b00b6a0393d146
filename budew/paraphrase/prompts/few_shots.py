"""Few-shots: which of the rewritten captions in `paraphrase/examples.yaml` a request shows.

Those of the request's style that share its feelings come first. None shows a feeling that is not asked for
and easily taken for one that is: it would teach the model to blur the two. Takes about 40 µs a request.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any

from budew.captions import render
from budew.captions.render import Style
from budew.profile import ProfileError, VoiceProfile
from budew.prompt_file import Section
from budew.randomness import derived_seed
from budew.taxonomy import (
    EMOTION_GROUPS,
    EMOTIONS,
    LEVEL_NAMES,
    LEVELS,
    RangeError,
    TraitError,
    UnknownNameError,
    emotion,
)

_OF_STYLE, _SHARED, _EXTRA = 3.0, 4.0, -0.75
"""What counts for an example: that it is of the style, each feeling shared and not shown yet, each other."""
_BIT = {name: 1 << number for number, name in enumerate(EMOTIONS)}


@dataclass(frozen=True, slots=True)
class Example:
    """A rewritten caption of a style, and the profile that it says."""

    profile: VoiceProfile
    style: str
    text: str


@dataclass(frozen=True)
class FewShots:
    """The examples of a prompt.

    Attributes:
        count: how many a request shows.
        examples: all there are.
        confusable: emotions that are taken for each other, besides those of one family of the taxonomy.
    """

    count: int = 0
    examples: tuple[Example, ...] = ()
    confusable: tuple[tuple[str, ...], ...] = ()

    def chosen(self, emotions: Iterable[str], style: str, chance: Random) -> tuple[Example, ...]:
        """Return at most `count` examples of different profiles, the best one last.

        Args:
            emotions: canonical names of those that a caption shall say.
            style: in which it shall be written.
            chance: draws among those that are about as good.
        """
        asked = _bits(emotions)
        forbidden = self._near(asked) & ~asked
        left = [
            (
                number,
                shows,
                _OF_STYLE * (of == style) + _EXTRA * (shows & ~asked).bit_count() + chance.random(),
            )
            for number, shows, of in self._rows
            if not shows & forbidden and (of == style or shows & asked)
        ]
        found: list[Example] = []
        missing = asked
        while left and len(found) < self.count:
            number, shows, _ = max(left, key=lambda row: row[2] + _SHARED * (row[1] & missing).bit_count())
            found.append(self.examples[number])
            missing &= ~shows
            left = [row for row in left if self.examples[row[0]].profile is not found[-1].profile]
        return tuple(reversed(found))

    def _near(self, asked: int) -> int:
        """Return the emotions that are easily taken for one of those."""
        near = 0
        for group in self._groups:
            if group & asked:
                near |= group
        return near

    @cached_property
    def _rows(self) -> tuple[tuple[int, int, str], ...]:
        return tuple(
            (number, _bits(example.profile.emotions), example.style)
            for number, example in enumerate(self.examples)
        )

    @cached_property
    def _groups(self) -> tuple[int, ...]:
        return tuple(map(_bits, (*EMOTION_GROUPS.values(), *self.confusable)))


def _bits(emotions: Iterable[str]) -> int:
    return sum(_BIT[name] for name in emotions)


def template_of(example: Example, source_style: Style) -> str:
    """Return the caption of which the example is a rewriting."""
    return render(example.profile, seed=derived_seed("example", example.text), style=source_style)


def read_examples(file: Section, styles: Iterable[str]) -> FewShots:
    """Return the examples of a file, whose profiles have levels in words.

    Raises:
        PromptError: one is of no style or has no profile; names the file and the example.
    """
    file.only(("confusable", "examples"))
    known, rows = tuple(styles), file.table.get("examples")
    if not isinstance(rows, list):
        raise file.error("examples", "must be a list")
    examples = tuple(
        Example(profile, style, text)
        for number, row in enumerate(rows)
        for profile, style, text in _of_row(file, f"examples[{number}]", row, known)
    )
    return FewShots(0, examples, tuple(_confusable(file)))


def _of_row(
    file: Section, key: str, row: object, styles: tuple[str, ...]
) -> Iterator[tuple[VoiceProfile, str, str]]:
    section = Section(file.file, "", {key: row}).section(key)
    section.only(("emotions", "bursts", "traits", "captions"))
    captions = section.section("captions").only(styles)
    profile = _profile(section)
    yield from ((profile, style, captions.text(style)) for style in captions)


def _profile(row: Section) -> VoiceProfile:
    levels: Mapping[str, Any] = row.section("emotions").table if "emotions" in row else {}
    for name, level in levels.items():
        if level not in LEVEL_NAMES[1:]:
            raise row.error(f"emotions.{name}", f"must be {', '.join(LEVEL_NAMES[1:])}")
    emotions = {name: LEVELS[LEVEL_NAMES.index(level)] for name, level in levels.items()}
    try:
        return VoiceProfile(emotions, row.table.get("bursts", ()), row.table.get("traits", {}))
    except (ProfileError, UnknownNameError, RangeError, TraitError) as error:
        raise row.error("emotions, bursts or traits", f"are no profile ({error})") from error


def _confusable(file: Section) -> Iterator[tuple[str, ...]]:
    groups = file.table.get("confusable", [])
    try:
        yield from (tuple(emotion(name) for name in group) for group in groups)
    except (UnknownNameError, TypeError, AttributeError) as error:
        raise file.error("confusable", f"must be lists of emotions ({error})") from error
