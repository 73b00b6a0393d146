"""The job that makes traits of what was measured, by edges that `corpus_bins` found."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from budew.annotation.bins import Bins, BinsError, figures, read_bins
from budew.corpora.clip import Clip
from budew.errors import JobError
from budew.jobs import OnFailed, each
from budew.profile import VoiceProfile


class UnmeasuredError(ValueError):
    """A clip without figures."""


@dataclass(frozen=True, slots=True)
class AnnotateByMeasures:
    """The job `annotate measures`.

    Attributes:
        bins: file that `budew corpus bins` wrote.
        overwrite: let what was measured replace traits that a clip has; they are kept otherwise.
    """

    bins: str | Path
    overwrite: bool = False
    name: ClassVar[str] = "annotate"

    def settings(self) -> Mapping[str, Any]:
        """Return what decides the output: the edges themselves, by a hash."""
        return {"by": "measures", "bins": _name(read_bins(self.bins)), "overwrite": self.overwrite}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Annotate one clip after the other; those that were not measured fail.

        Raises:
            JobError: the file holds no edges.
        """
        try:
            bins = read_bins(self.bins)
        except (BinsError, OSError) as error:
            raise JobError(str(error)) from error
        return each(clips, lambda clip: with_traits(clip, bins, overwrite=self.overwrite), failed)


def with_traits(clip: Clip, bins: Bins, *, overwrite: bool = False) -> Clip:
    """Return the clip with the traits that its figures give it. Emotions that nobody told stay unknown.

    Args:
        clip: measured.
        bins: edges.
        overwrite: whether they replace traits that it has.

    Raises:
        UnmeasuredError: the clip has no figures.
    """
    if not figures(clip):
        raise UnmeasuredError(f"clip {clip.id!r}: nothing is measured: run budew corpus measure on it first")
    profile = clip.profile or VoiceProfile(emotions=None)
    traits: dict[str, str | float] = dict(profile.traits)
    for name, value in bins.traits(clip).items():
        if overwrite:
            traits.pop(name, None)
        if value is not None:
            traits.setdefault(name, value)
    told = VoiceProfile(profile.emotions, profile.bursts, traits)
    metadata = {**clip.metadata, "traits_by": {"by": "measures", "bins": _name(bins)}}
    return replace(clip, profile=told, metadata=metadata)


def _name(bins: Bins) -> str:
    """Return a name of the edges: the same for equal ones, wherever they lie."""
    told = json.dumps(bins.to_dict()["edges"], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
