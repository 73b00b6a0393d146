"""`Render`: captions for a corpus from templates, one or several for the profile of each clip."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from budew.captions import render
from budew.captions.caption_prompt import STYLES, Style
from budew.captions.content_selection import EVERYTHING, ContentSelection, has_content
from budew.captions.salience import Baseline, salient
from budew.corpora.clip import Caption, Clip
from budew.errors import CorpusError, FilteredError, InputError
from budew.io.resources import folder_sha256
from budew.jobs.job import OnFailed, each
from budew.randomness import derived_seed


@dataclass(frozen=True, slots=True)
class Render:
    """Job that renders captions of each clip from its profile, replacing those of an earlier `Render`.

    Attributes:
        seed: seed of the wording, together with the id of the clip and the number of the caption.
        per_clip: number of captions for each clip.
        style: "prose", "short" or "tags"; None for a mixture of all.
        selection: which parts of a profile to express, and the largest number of words.
        baseline: distribution of each emotion in the corpus; if given, captions name only emotions that stand
            out.
        min_z: smallest distance from the median, in spreads of `baseline`, at which an emotion stands out.

    Raises:
        InputError: the style is unknown, or `per_clip` is below 1.

    Example:
        >>> from budew import Clip, VoiceProfile
        >>> clips = iter([Clip("a", b"", "flac", profile=VoiceProfile({"Anger": 1.0}))])
        >>> [clip.captions[0].text for clip in Render(style="tags").run(clips, failed=print)]
        ['Rage']
    """

    seed: int = 0
    per_clip: int = 1
    style: Style | None = None
    selection: ContentSelection = EVERYTHING
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
        return {
            "seed": self.seed,
            "per_clip": self.per_clip,
            "style": self.style,
            "max_emotions": self.selection.max_emotions,
            "min_level": self.selection.min_level,
            "max_words": self.selection.max_words,
            "leave_out": sorted(self.selection.leave_out),
            "baseline": self.baseline.to_dict() if self.baseline else None,
            "min_z": self.min_z if self.baseline else None,
            "templates_sha256": folder_sha256("caption_templates"),
        }

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Yield the clips with their captions.

        A clip without a profile fails; a clip whose profile has nothing that a caption could say is left out.
        """
        return each(clips, self._with_captions, failed)

    def _with_captions(self, clip: Clip) -> Clip:
        if clip.profile is None:
            raise CorpusError(f"clip {clip.id!r} has no profile to render: annotate the corpus first")
        profile = salient(clip.profile, self.baseline, min_z=self.min_z) if self.baseline else clip.profile
        if not has_content(profile, self.selection):
            raise FilteredError(
                f"clip {clip.id!r} has no rated emotion, burst or trait that captions describe"
            )
        new = tuple(self._caption(clip.id, number, profile) for number in range(self.per_clip))
        others = tuple(caption for caption in clip.captions if caption.made_by.get("by") != self.name)
        return replace(clip, captions=others + new)

    def _caption(self, id: str, number: int, profile: Any) -> Caption:
        seed = derived_seed("render", self.seed, id, number)
        text = render(profile, seed=seed, style=self.style, selection=self.selection)
        return Caption(text, {"by": self.name, "seed": seed})
