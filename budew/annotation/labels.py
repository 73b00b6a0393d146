"""Profiles from labels that a corpus has already: those of its rows, or its captions, parsed.

Scores, votes and words of other corpora become profiles when they are read (`budew.corpora.labels`); this
job keeps them and notes their origin. The captions of a clip that has nothing else are parsed.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from budew.captions import parse
from budew.corpora.clip import Clip
from budew.errors import CorpusError, InputError
from budew.jobs import OnFailed, each
from budew.profile import VoiceProfile
from budew.version import __version__

SOURCES = ("profile", "captions")
"""In the order in which they are looked for."""
_DIGITS = 4


@dataclass(frozen=True, slots=True)
class AnnotateByLabels:
    """The job `annotate labels`. `source` is one of `SOURCES`, or None for the first that a clip has."""

    source: str | None = None
    name: ClassVar[str] = "annotate"

    def __post_init__(self) -> None:
        if self.source not in (None, *SOURCES):
            raise InputError(f"labels come from {' or '.join(SOURCES)}, not from {self.source!r}")

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the output. Parsing depends on the version."""
        return {"by": "labels", "source": self.source, "budew": __version__}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Annotate one clip after the other; those without labels fail."""
        return each(clips, partial(label_clip, source=self.source), failed)


def label_clip(clip: Clip, *, source: str | None = None) -> Clip:
    """Return the clip with the profile that its labels give; `source` as for `AnnotateByLabels`.

    Emotions and bursts of captions replace those of the profile, and so do traits; traits that captions do
    not mention stay.

    Raises:
        CorpusError: it has no labels.
    """
    if source != "captions" and clip.profile is not None and not (source is None and _is_bare(clip)):
        return clip if "annotated_by" in clip.metadata else _noted(clip, clip.profile, "profile")
    if source != "profile" and clip.captions:
        return _noted(clip, _from_captions(clip), "captions")
    raise CorpusError(
        f"clip {clip.id!r}: has no {source or 'labels'}: leave it out, or annotate it with heads or an LLM"
    )


def _is_bare(clip: Clip) -> bool:
    """Return whether the profile was made of columns on the speaker alone, and there are captions."""
    origin = clip.metadata.get("profile_from")
    return bool(clip.captions) and isinstance(origin, Mapping) and origin.get("form") == "speaker"


def _noted(clip: Clip, profile: VoiceProfile, source: str) -> Clip:
    note = {"by": "labels", "from": source, "budew": __version__}
    return replace(clip, profile=profile, metadata={**clip.metadata, "annotated_by": note})


def _from_captions(clip: Clip) -> VoiceProfile:
    """Return the mean of parsed captions: means of emotions, bursts and traits that most of them name."""
    profiles = [parse(caption.text).profile for caption in clip.captions]
    count, sums = len(profiles), Counter[str]()
    for profile in profiles:
        sums.update(profile.emotions)
    bursts = Counter(burst for profile in profiles for burst in profile.bursts)
    traits = Counter(trait for profile in profiles for trait in profile.traits.items())
    before = {} if clip.profile is None else clip.profile.traits
    return VoiceProfile(
        {name: round(total / count, _DIGITS) for name, total in sums.items()},
        [burst for burst, times in bursts.items() if 2 * times > count],
        {**before, **{name: value for (name, value), times in traits.items() if 2 * times > count}},
    )
