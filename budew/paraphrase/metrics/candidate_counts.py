"""Counts of candidates and captions, which the rewriting job stores in clips, summed over a corpus."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from budew.corpora.clip import Caption, Clip
from budew.paraphrase.candidate_selection import COUNTS, METADATA

ORIGINS = {
    "styles": ("style",),
    "backends": ("backend", "model"),
    "prompts": ("prompt", "prompt_version"),
    "attempts": ("attempt",),
}
"""Properties by which captions are counted, and their keys in the provenance of a caption."""
_MOST_ORIGINS = 50


class Refusal(BaseModel):
    """Text of a candidate that the gate refused, with the fields of its `Verdict`; as stored in a clip."""

    model_config = ConfigDict(frozen=True, strict=True)  # from a file: unknown keys are ignored

    text: str = Field(max_length=4_000)
    codes: list[str] = []
    missed: list[str] = []
    unknown: list[str] = []
    added: list[str] = []


class RewritingCounts(BaseModel):
    """Counts that the rewriting job stored in a clip.

    Attributes:
        counts: counts by the names in `COUNTS`.
        codes: number of refused candidates by the code of their first reason.
        refusals: refused candidates, if they were kept.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    counts: dict[str, NonNegativeInt]
    codes: dict[str, NonNegativeInt] = {}
    refusals: list[Refusal] = []


def counts_of(clip: Clip) -> RewritingCounts | None:
    """Return the counts that the rewriting job stored in a clip; None if they are missing or invalid."""
    stored: Any = clip.metadata.get(METADATA)
    if not isinstance(stored, dict):
        return None
    try:
        return RewritingCounts(**{**stored, "counts": {name: stored.get(name, 0) for name in COUNTS}})
    except ValidationError:
        return None


def refusals_of(clip: Clip) -> Sequence[Refusal]:
    """Return the refused candidates that are stored in a clip."""
    counts = counts_of(clip)
    return counts.refusals if counts else ()


def written_by_rewriting(clip: Clip) -> tuple[Caption, ...]:
    """Return the captions of a clip that the rewriting job wrote, fallbacks included."""
    return tuple(caption for caption in clip.captions if caption.made_by.get("by") == "paraphrase")


def is_fallback(caption: Caption) -> bool:
    """Return whether a caption by the rewriting job is a template, used because no candidate was accepted."""
    return "fallback" in caption.made_by


def ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return names with their counts, the most frequent first, then in alphabetical order."""
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


@dataclass(slots=True)
class CandidateCounts:
    """Counts of candidates in a corpus.

    Attributes:
        clips: number of clips that have counts.
        counts: sums of their counts, by the names in `COUNTS`.
        codes: number of refused candidates by the code of their first reason.
    """

    clips: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, clip: Clip) -> None:
        """Add the counts of a clip, if it has any."""
        if found := counts_of(clip):
            self.clips += 1
            self.counts.update(found.counts)
            self.codes.update(found.codes)

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as JSON values: `clips`, `counts`, `refused_by_code`."""
        counts = {name: self.counts[name] for name in COUNTS}
        return {"clips": self.clips, "counts": counts, "refused_by_code": dict(ranked(self.codes))}


@dataclass(slots=True)
class CaptionCounts:
    """Counts of the captions in a corpus that the rewriting job wrote.

    Attributes:
        captions: number of captions.
        repaired: number of captions that were repaired.
        fallbacks: number of fallbacks (templates), by the reason for which no candidate was accepted.
        origins: for each property in `ORIGINS`, the number of other captions by its value.
    """

    captions: int = 0
    repaired: int = 0
    fallbacks: Counter[str] = field(default_factory=Counter)
    origins: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in ORIGINS})

    def add(self, caption: Caption) -> None:
        """Count a caption that the rewriting job wrote."""
        made_by = caption.made_by
        self.captions += 1
        if is_fallback(caption):
            self.fallbacks[str(made_by["fallback"])] += 1
            return
        self.repaired += "repaired" in made_by
        for name, keys in ORIGINS.items():
            origin = " ".join(str(made_by[key]) for key in keys if made_by.get(key) not in (None, ""))
            if origin or name == "backends":
                self.origins[name][origin or "unknown"] += 1

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as JSON values; only the 50 most frequent values of each property."""
        tallies = {"fallbacks": self.fallbacks, **self.origins}
        parts = {name: dict(ranked(tally)[:_MOST_ORIGINS]) for name, tally in tallies.items()}
        return {"captions": self.captions, "repaired": self.repaired, **parts}
