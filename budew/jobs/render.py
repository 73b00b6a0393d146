"""`Render`: template captions for a corpus, one or several for each clip's profile."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from budew.captions import render
from budew.captions.budget import MOST_WORDS
from budew.captions.frames import STYLES
from budew.captions.render import Style, says_anything
from budew.captions.salience import Baseline, salient
from budew.corpora.clip import Caption, Clip
from budew.errors import CorpusError, FilteredError, InputError
from budew.jobs.job import OnFailed, each
from budew.randomness import derived_seed


@dataclass(frozen=True, slots=True)
class Render:
    """Give each clip captions of its profile, in place of those that a render gave it before.

    Attributes:
        seed: decides the wording, with the id of the clip and the number of the caption.
        per_clip: captions for each clip.
        style: "prose", "short" or "tags"; all of them where None.
        max_emotions: name so many at most, the strongest.
        min_level: name no emotion below it.
        leave_out: parts of the profile not to render.
        max_words: longest caption; the least salient parts are left out.
        baseline: of the corpus; with it, the emotions that stand out are named.
        min_z: spreads above the median from which one stands out.
    """

    seed: int = 0
    per_clip: int = 1
    style: Style | None = None
    max_emotions: int | None = None
    min_level: float = 0.0
    leave_out: tuple[str, ...] = ()
    max_words: int = MOST_WORDS
    baseline: Baseline | None = None
    min_z: float = 1.0
    name: str = "render"

    def __post_init__(self) -> None:
        if self.style is not None and self.style not in STYLES:
            raise InputError(f"no style {self.style!r}: there are {', '.join(STYLES)}")
        if self.per_clip < 1:
            raise InputError("per_clip must be 1 or more")

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the output."""
        names = ("seed", "per_clip", "style", "max_emotions", "min_level", "max_words")
        return {
            **{name: getattr(self, name) for name in names},
            "leave_out": sorted(self.leave_out),
            "baseline": self.baseline.to_dict() if self.baseline else None,
            "min_z": self.min_z if self.baseline else None,
        }

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Pass on the clips with their captions.

        Those without a profile fail, those of which nothing is known are left out.
        """
        return each(clips, self._captioned, failed)

    def _captioned(self, clip: Clip) -> Clip:
        if clip.profile is None:
            raise CorpusError(f"clip {clip.id!r} has no profile to render: annotate the corpus first")
        profile = salient(clip.profile, self.baseline, min_z=self.min_z) if self.baseline else clip.profile
        if not says_anything(profile, **self._choices()):
            raise FilteredError(f"clip {clip.id!r}: nothing is known of the voice that a caption could say")
        new = tuple(self._caption(clip.id, number, profile) for number in range(self.per_clip))
        kept = tuple(caption for caption in clip.captions if caption.made_by.get("by") != self.name)
        return replace(clip, captions=kept + new)

    def _caption(self, id: str, number: int, profile: Any) -> Caption:
        seed = derived_seed("render", self.seed, id, number)
        text = render(profile, seed=seed, style=self.style, **self._choices())
        return Caption(text, {"by": self.name, "seed": seed})

    def _choices(self) -> dict[str, Any]:
        names = ("max_emotions", "min_level", "leave_out", "max_words")
        return {name: getattr(self, name) for name in names}
