"""From a corpus to its splits: speaker-disjoint parts of given shares, each with its share of every emotion.

A function of the seed and of what is in the corpus, whatever its order. Memory: 0.7 kB a speaker, and as much
for each clip without one while those are at most 100,000; more of them are placed by hash alone, whose
error is then small.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budew.corpora.balance.splits import Splits, check_shares, part_by_hash
from budew.corpora.balance.stratify import stratify
from budew.corpora.clip import Clip
from budew.corpora.description.statistics import Progress
from budew.corpora.errors import CorpusError, OnBad
from budew.corpora.sources import read
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS
from budew.taxonomy.scales import nearest_level

STRATA = ("clips", "no emotion", *EMOTIONS)
"""What is counted: all clips, those whose emotions are known and none, and those with each emotion."""
MOST_UNNAMED = 100_000
"""Clips without a speaker up to which each is placed and listed."""

_PLACE = {name: place for place, name in enumerate(STRATA)}
_Row = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Part:
    """What a part came to.

    Attributes:
        name: such as "train".
        asked: the share that was asked for.
        speakers: in it.
        unnamed: clips in it whose speaker is not known.
        counts: clips in each of `STRATA`.
    """

    name: str
    asked: float
    speakers: int
    unnamed: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SplitReport:
    """How well a split came out: its parts, and clips in each of `STRATA` in all.

    `listed` tells whether each clip without a speaker was placed for balance, not by hash alone. `unjudged`
    clips have no profile, or one that does not know the emotions: they count as clips and for no emotion.
    """

    parts: tuple[Part, ...]
    counts: Mapping[str, int]
    listed: bool
    unjudged: int = 0

    def share(self, part: Part) -> float:
        """Return the share of all clips that a part has."""
        return part.counts["clips"] / max(1, self.counts["clips"])

    def deviations(self, part: Part) -> dict[str, float]:
        """Return how much more frequent each stratum is in a part than in all, in percentage points."""
        size, total = max(1, part.counts["clips"]), max(1, self.counts["clips"])
        return {
            name: 100 * (part.counts[name] / size - self.counts[name] / total)
            for name in STRATA[1:]
            if self.counts[name]
        }

    def mean_deviation(self, part: Part) -> float:
        """Return the mean over strata of the deviation without its sign, in percentage points."""
        deviations = self.deviations(part)
        return sum(map(abs, deviations.values())) / max(1, len(deviations))

    def missing(self, part: Part) -> list[str]:
        """Return the emotions of the corpus that no clip of a part has."""
        return [name for name in EMOTIONS if self.counts[name] and not part.counts[name]]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "clips": self.counts["clips"],
            "clips_with_unknown_emotions": self.unjudged,
            "unnamed_clips_by_hash": not self.listed,
            "parts": {part.name: self._described(part) for part in self.parts},
        }

    def _described(self, part: Part) -> dict[str, Any]:
        return {
            "asked": part.asked,
            "share": round(self.share(part), 6),
            "clips": part.counts["clips"],
            "speakers": part.speakers,
            "clips_without_speaker": part.unnamed,
            "mean_deviation": round(self.mean_deviation(part), 4),
            "missing": self.missing(part),
            "emotions": {
                name: {"clips": part.counts[name], "deviation": round(value, 4)}
                for name, value in self.deviations(part).items()
            },
        }


def split_corpus(
    corpus: str | Path,
    shares: Mapping[str, float],
    *,
    seed: int = 0,
    scale: str | None = None,
    on_bad: OnBad | None = None,
    progress: Progress | None = None,
) -> tuple[Splits, SplitReport]:
    """Split a corpus by speakers.

    Args:
        corpus: anything that `budew.read` takes.
        shares: of the clips, by the name of the part, adding up to 1.
        seed: another one gives other parts.
        scale: of scores that come without one, such as "0-4", as for `budew.read`.
        on_bad: called with the error of each item that cannot be read; without it the first is raised.
        progress: called with the number of clips that are done.

    Raises:
        CorpusError: shares that do not add up, fewer speakers than parts, or an item that cannot be read.
    """
    check_shares(shares)
    groups = _Groups(shares, seed)
    for done, clip in enumerate(read(corpus, scale=scale, on_bad=on_bad), start=1):
        groups.add(clip)
        if progress:
            progress(done)
    return groups.split()


@dataclass(slots=True)
class _Groups:
    """Clips of each speaker, and of each clip without one, by stratum."""

    shares: Mapping[str, float]
    seed: int
    speakers: dict[str, _Row] = field(default_factory=dict)
    unnamed: dict[str, _Row] = field(default_factory=dict)
    by_hash: dict[str, _Row] = field(default_factory=dict)
    listed: bool = True
    unjudged: int = 0

    def add(self, clip: Clip) -> None:
        row = _row(clip.profile)
        self.unjudged += not row[1:].any()
        if clip.speaker:
            self.speakers[clip.speaker] = self.speakers.get(clip.speaker, 0) + row
            return
        part = part_by_hash(self.shares, self.seed, "clip", clip.id)
        self.by_hash[part] = self.by_hash.get(part, 0) + row
        if self.listed:
            self.unnamed[clip.id] = self.unnamed.get(clip.id, 0) + row
        if len(self.unnamed) > MOST_UNNAMED:
            self.listed = False
            self.unnamed.clear()

    def split(self) -> tuple[Splits, SplitReport]:
        names = [("speaker", name) for name in self.speakers] + [("clip", name) for name in self.unnamed]
        if self.listed and len(names) < len(self.shares):
            raise CorpusError(
                f"{len(self.shares)} parts need as many speakers, and there are {len(names)}: ask for fewer"
            )
        names.sort(key=self._order)
        counts = np.array([self._of(kind)[name] for kind, name in names], np.int64).reshape(-1, len(STRATA))
        taken = None if self.listed else self._taken()
        parts = stratify(counts, np.array(list(self.shares.values())), taken=taken)
        at = {pair: list(self.shares)[part] for pair, part in zip(names, parts.tolist(), strict=True)}
        splits = Splits(
            self.seed,
            dict(self.shares),
            {name: part for (kind, name), part in at.items() if kind == "speaker"},
            {name: part for (kind, name), part in at.items() if kind == "clip"},
        )
        return splits, self._report(splits, counts, parts, taken)

    def _of(self, kind: str) -> dict[str, _Row]:
        return self.speakers if kind == "speaker" else self.unnamed

    def _order(self, pair: tuple[str, str]) -> tuple[int, bytes]:
        """Put the large before the small, by octaves, and leave it to the seed within an octave."""
        kind, name = pair
        size = int(self._of(kind)[name][0])
        drawn = f"{self.seed}/{kind}/{name}".encode("utf-8", "surrogatepass")
        return -size.bit_length(), hashlib.sha256(drawn).digest()

    def _unnamed(self, splits: Splits) -> Counter[str]:
        if not self.listed:
            return Counter({part: int(row[0]) for part, row in self.by_hash.items()})
        found: Counter[str] = Counter()
        for name, part in splits.clips.items():
            found[part] += int(self.unnamed[name][0])
        return found

    def _taken(self) -> NDArray[np.int64]:
        nothing = np.zeros(len(STRATA), np.int32)
        return np.array([self.by_hash.get(part, nothing) for part in self.shares], np.int64)

    def _report(
        self,
        splits: Splits,
        counts: NDArray[np.int64],
        parts: NDArray[np.intp],
        taken: NDArray[np.int64] | None,
    ) -> SplitReport:
        held = np.zeros((len(self.shares), len(STRATA)), np.int64) if taken is None else taken.copy()
        np.add.at(held, parts, counts)
        speakers = list(splits.speakers.values())
        unnamed = self._unnamed(splits)
        found = tuple(
            Part(
                name,
                self.shares[name],
                speakers.count(name),
                unnamed[name],
                dict(zip(STRATA, row.tolist(), strict=True)),
            )
            for name, row in zip(self.shares, held, strict=True)
        )
        counted = dict(zip(STRATA, held.sum(axis=0).tolist(), strict=True))
        return SplitReport(found, counted, self.listed, self.unjudged)


def _row(profile: VoiceProfile | None) -> _Row:
    row = np.zeros(len(STRATA), np.int32)
    row[0] = 1
    if profile is not None and profile.emotions_known:
        said = [name for name, intensity in profile.emotions.items() if nearest_level(intensity)]
        row[[_PLACE[name] for name in said] or [1]] = 1
    return row
