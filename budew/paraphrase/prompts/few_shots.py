"""Few-shots: which of the rewritten captions in `paraphrase/examples.yaml` a request shows.

Those of the request's style that share its emotions come first. None shows an emotion that is not asked for
and easily taken for one that is: the model would learn to blur the two. Takes about 40 µs a request.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from random import Random

from budew.captions import render
from budew.captions.render import Style
from budew.profile import VoiceProfile
from budew.randomness import derived_seed
from budew.taxonomy import EMOTION_GROUPS, EMOTIONS

_SAME_STYLE, _SHARED, _FURTHER = 3.0, 4.0, -0.75
"""Scores of an example: its style, each shared emotion not shown yet, each further emotion."""
_BIT = {name: 1 << number for number, name in enumerate(EMOTIONS)}


@dataclass(frozen=True, slots=True)
class Example:
    """A rewritten caption of a style, and the profile that it expresses."""

    profile: VoiceProfile
    style: str
    text: str

    def template(self, source_style: Style) -> str:
        """Return the template caption of which this is a rewriting."""
        return render(self.profile, seed=derived_seed("example", self.text), style=source_style)


@dataclass(frozen=True)
class FewShots:
    """The examples of a prompt.

    Attributes:
        count: how many a request shows.
        examples: all there are.
        confusable: emotions taken for each other, besides those of one family of the taxonomy.
    """

    count: int = 0
    examples: tuple[Example, ...] = ()
    confusable: tuple[tuple[str, ...], ...] = ()

    def choose(self, emotions: Iterable[str], style: str, chance: Random) -> tuple[Example, ...]:
        """Return at most `count` examples of different profiles, the best one last.

        Args:
            emotions: canonical names of those that a caption shall express.
            style: in which it shall be written.
            chance: draws among those that are about as good.
        """
        asked = _bits(emotions)
        confusable = reduce(or_, (group for group in self._groups if group & asked), 0) & ~asked
        left = [
            (
                number,
                shows,
                _SAME_STYLE * (of == style) + _FURTHER * (shows & ~asked).bit_count() + chance.random(),
            )
            for number, shows, of in self._rows
            if not shows & confusable and (of == style or shows & asked)
        ]
        found: list[Example] = []
        missing = asked
        while left and len(found) < self.count:
            number, shows, _ = max(left, key=lambda row: row[2] + _SHARED * (row[1] & missing).bit_count())
            found.append(self.examples[number])
            missing &= ~shows
            left = [row for row in left if self.examples[row[0]].profile is not found[-1].profile]
        return tuple(reversed(found))

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
