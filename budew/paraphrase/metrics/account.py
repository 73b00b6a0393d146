"""What the rewriting of a clip says it did, added up over a corpus and checked against what is there.

Each candidate has one fate and each caption one origin, so the counts of every clip must add up. Where they
do not, captions were lost, doubled or taken away since, and the report says so.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from budew.corpora.clip import Caption, Clip
from budew.curation.tally import Tally

BY = "paraphrase"
"""What made a caption, and where a clip keeps its account."""
FATES = ("accepted", "repaired", "spare", "refused")
"""Of a candidate: written as it came, with a clause added, not needed and so not judged, not let through."""
COUNTS = ("requests", "unanswered", "retried", "candidates", *FATES, "fallbacks")
MOST_TOLD = 20
"""Clips whose counts do not add up that are told by name."""
_LARGEST = 10**9
_LONGEST_CODE = 80
_MOST_CODES = 200
"""Reasons that are counted by name; the gate has some twenty."""


@dataclass(slots=True)
class Accounts:
    """The accounts of a corpus.

    Attributes:
        clips: that have one.
        counts: the sum of each of `COUNTS`.
        codes: refused candidates by their first reason.
        wrong: clips whose counts do not add up or cannot be read.
        told: of the first of them, its id and what is wrong.
    """

    clips: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    wrong: int = 0
    told: list[tuple[str, str]] = field(default_factory=list)

    def add(self, clip: Clip, written: Sequence[Caption]) -> None:
        """Add the account of a clip, and check it against the captions that rewriting wrote of it."""
        account = clip.metadata.get(BY)
        if account is None:
            return
        self.clips += 1
        problem = unreadable(account) or next(disagreements(account, written), "")
        if problem:
            self.wrong += 1
            self.told += [(clip.id, problem)] * (len(self.told) < MOST_TOLD)
        if not unreadable(account):
            self.counts.update({name: account.get(name, 0) for name in COUNTS})
            for code, count in account.get("codes", {}).items():
                known = code in self.codes or len(self.codes) < _MOST_CODES
                self.codes[code if known else "other"] += count

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "clips": self.clips,
            "counts": {name: self.counts[name] for name in COUNTS},
            "refused_by_code": dict(ranked(self.codes)),
            "clips_that_do_not_add_up": self.wrong,
            "first_that_do_not": [{"id": id, "what": what} for id, what in self.told],
        }


@dataclass(slots=True)
class Origins:
    """What wrote the captions of a corpus: how many there are of each."""

    captions: int = 0
    fallbacks: Tally = field(default_factory=lambda: Tally(1_000))
    repaired: int = 0
    styles: Tally = field(default_factory=lambda: Tally(1_000))
    backends: Tally = field(default_factory=lambda: Tally(1_000))
    prompts: Tally = field(default_factory=lambda: Tally(1_000))
    attempts: Tally = field(default_factory=lambda: Tally(1_000))

    def add(self, caption: Caption) -> None:
        """Count a caption by each part of its provenance."""
        made_by = caption.made_by
        self.captions += 1
        if is_fallback(caption):
            self.fallbacks.add(str(made_by["fallback"]))
            return
        self.repaired += "repaired" in made_by
        self.backends.add(_joined(made_by, "backend", "model") or "not told")
        for tally, told in (
            (self.styles, _joined(made_by, "style")),
            (self.prompts, _joined(made_by, "prompt", "prompt_version")),
            (self.attempts, _joined(made_by, "attempt")),
        ):
            if told:
                tally.add(told)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        tallies = ("fallbacks", "styles", "backends", "prompts", "attempts")
        counted = {name: dict(getattr(self, name).most_common(50)) for name in tallies}
        return {"captions": self.captions, "repaired": self.repaired, **counted}


def written_by_rewriting(clip: Clip) -> tuple[Caption, ...]:
    """Return the captions of a clip that rewriting wrote, fallbacks too."""
    return tuple(caption for caption in clip.captions if caption.made_by.get("by") == BY)


def is_fallback(caption: Caption) -> bool:
    """Whether a caption is a rendering that stands where no rewriting passed."""
    return "fallback" in caption.made_by


def unreadable(account: object) -> str:
    """Say what in an account is no count; empty where all are."""
    codes = account.get("codes", {}) if isinstance(account, Mapping) else None
    if not isinstance(account, Mapping) or not isinstance(codes, Mapping):
        return "its account is not an object of counts"
    for name, count in (*((name, account.get(name, 0)) for name in COUNTS), *codes.items()):
        if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count <= _LARGEST:
            return f"its count {str(name)[:40]!r} is {str(count)[:40]!r}, which is no count"
        if not isinstance(name, str) or len(name) > _LONGEST_CODE:
            return f"its reason {str(name)[:40]!r} is too long to be one"
    return ""


def disagreements(account: Mapping[str, Any], written: Sequence[Caption]) -> Iterator[str]:
    """Say, a sentence each, which counts of an account do not agree with each other or the captions."""
    count = {name: account.get(name, 0) for name in COUNTS}
    fates, by_code = sum(count[name] for name in FATES), sum(account.get("codes", {}).values())
    if count["candidates"] != fates:
        yield f"{count['candidates']} candidates, of which {fates} have a fate"
    if count["refused"] != by_code:
        yield f"{count['refused']} candidates refused, of which {by_code} for a reason"
    fallbacks = sum(map(is_fallback, written))
    repaired = sum("repaired" in caption.made_by for caption in written)
    found = {"fallbacks": fallbacks, "repaired": repaired, "accepted": len(written) - fallbacks - repaired}
    for name, there in found.items():
        if count[name] != there:
            yield f"{count[name]} captions counted as {name}, of which {there} are there"


def ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Return names with their counts, the most frequent first; of equal ones in alphabetical order."""
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


def _joined(made_by: Mapping[str, Any], *names: str) -> str:
    return " ".join(str(made_by[name]) for name in names if made_by.get(name) not in (None, ""))
