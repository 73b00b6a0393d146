"""Counts of candidates and captions that the rewriting job reports, summed over a corpus and checked.

Each candidate has one outcome and each caption one origin, so the counts of every clip must add up. Where
they do not, captions were lost, doubled or removed since, and the report lists the clip.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt

from budew.corpora.clip import Caption, Clip
from budew.errors import SettingsError
from budew.io.settings import validated
from budew.paraphrase.candidate_selection import COUNTS, METADATA, OUTCOMES

MOST_LISTED = 20
"""Clips listed whose counts do not add up."""
ORIGINS = {
    "styles": ("style",),
    "backends": ("backend", "model"),
    "prompts": ("prompt", "prompt_version"),
    "attempts": ("attempt",),
}
"""What captions are counted by, and its keys in their provenance."""
_MOST_ORIGINS = 50


class Refusal(BaseModel):
    """A candidate that the gate refused: its codes, missed emotions, and words unknown to the lexicon."""

    model_config = ConfigDict(frozen=True, strict=True)  # from a file: unknown keys are ignored

    text: str = Field(max_length=4_000)
    codes: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class RewritingCounts(BaseModel):
    """What the job did for one clip: `counts` of `COUNTS`, and the first `codes` of refused candidates."""

    model_config = ConfigDict(frozen=True, strict=True)

    counts: dict[str, NonNegativeInt]
    codes: dict[str, NonNegativeInt] = {}
    refusals: tuple[Refusal, ...] = ()


def counts_of(clip: Clip) -> RewritingCounts | None:
    """Return the counts of a clip, None where there are none; SettingsError where they are not valid."""
    stored: Any = clip.metadata.get(METADATA)
    if stored is None:
        return None
    if not isinstance(stored, dict):
        raise SettingsError(f"{METADATA}: is not an object")
    counts = {name: stored.get(name, 0) for name in COUNTS}
    return validated(RewritingCounts, {**stored, "counts": counts}, name=METADATA)


def refusals_of(clip: Clip) -> tuple[Refusal, ...]:
    """Return the refused candidates of a clip; empty where its counts cannot be read."""
    try:
        counts = counts_of(clip)
    except SettingsError:
        return ()
    return () if counts is None else counts.refusals


def written_by_rewriting(clip: Clip) -> tuple[Caption, ...]:
    """Return the captions of a clip that rewriting wrote, fallbacks included."""
    return tuple(caption for caption in clip.captions if caption.made_by.get("by") == "paraphrase")


def is_fallback(caption: Caption) -> bool:
    """Whether a caption is a rendering in place of a rewriting that passed."""
    return "fallback" in caption.made_by


def ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return names with their counts, the most frequent first; equal ones in alphabetical order."""
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


@dataclass(slots=True)
class CandidateCounts:
    """The counts of candidates of a corpus.

    Attributes:
        clips: that have counts.
        counts: the sum of each of `COUNTS`.
        codes: refused candidates by their first reason.
        wrong: clips whose counts do not add up or cannot be read.
        listed: of the first of them, its id and what is wrong.
    """

    clips: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    listed: list[tuple[str, str]] = field(default_factory=list)

    def add(self, clip: Clip) -> None:
        """Add the counts of a clip, and check them against the captions that rewriting wrote of it."""
        try:
            found = counts_of(clip)
        except SettingsError as error:
            found, problem = RewritingCounts(counts={}), str(error)
        else:
            if found is None:
                return
            problem = next(_disagreements(found, written_by_rewriting(clip)), "")
        self.clips += 1
        self.counts.update(found.counts)
        self.codes.update(found.codes)
        if problem:
            self.wrong += 1
            if len(self.listed) < MOST_LISTED:
                self.listed.append((clip.id, problem))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "clips": self.clips,
            "counts": {name: self.counts[name] for name in COUNTS},
            "refused_by_code": dict(ranked(self.codes)),
            "clips_that_do_not_add_up": self.wrong,
            "first_that_do_not": [{"id": id, "what": what} for id, what in self.listed],
        }


@dataclass(slots=True)
class CaptionCounts:
    """The captions of a corpus: how many, fallbacks by their reason, and the others by each of `ORIGINS`."""

    captions: int = 0
    repaired: int = 0
    fallbacks: Counter[str] = field(default_factory=Counter)
    origins: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in ORIGINS})

    def add(self, caption: Caption) -> None:
        """Count a caption by each part of its provenance."""
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
        """Return plain data."""
        tallies = {"fallbacks": self.fallbacks, **self.origins}
        parts = {name: dict(ranked(tally)[:_MOST_ORIGINS]) for name, tally in tallies.items()}
        return {"captions": self.captions, "repaired": self.repaired, **parts}


def _disagreements(found: RewritingCounts, captions: Sequence[Caption]) -> Iterator[str]:
    """Yield a sentence for each count that does not agree with the others or with the captions."""
    count, by_code = found.counts, sum(found.codes.values())
    outcomes = sum(count[name] for name in OUTCOMES)
    if count["candidates"] != outcomes:
        yield f"{count['candidates']} candidates, of which {outcomes} have an outcome"
    if count["refused"] != by_code:
        yield f"{count['refused']} candidates refused, of which {by_code} for a reason"
    fallbacks = sum(map(is_fallback, captions))
    repaired = sum("repaired" in caption.made_by for caption in captions)
    there = {"fallbacks": fallbacks, "repaired": repaired, "accepted": len(captions) - fallbacks - repaired}
    for name, number in there.items():
        if count[name] != number:
            yield f"{count[name]} captions counted as {name}, of which {number} exist"
