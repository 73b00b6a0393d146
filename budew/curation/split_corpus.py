"""Split a corpus into speaker-disjoint parts of given shares, each with its share of every emotion.

Clips without a speaker that `budew corpus segment` cut from one recording stay together, as those of a
speaker do. The result depends on the seed and on what is in the corpus, not on its order. Memory: 0.5 kB a
speaker or recording, whatever the number of clips, and as much for each clip with neither while those are at
most 100,000; more of them are placed by hash alone, whose error is then small.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budew.corpora.clip import Clip
from budew.corpora.sources import read
from budew.curation.splits import KINDS, Splits, check_shares, group_of, part_by_hash
from budew.curation.statistics import Progress, counted
from budew.curation.stratify import stratify
from budew.errors import CorpusError, OnBad
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS
from budew.taxonomy.scales import nearest_level

STRATA = ("clips", "no emotion", *EMOTIONS)
"""What is counted: all clips, those whose emotions are known and none, and those with each emotion."""
MOST_UNNAMED = 100_000
"""Clips with neither speaker nor recording up to which each is placed and listed."""

_PLACE = {name: place for place, name in enumerate(STRATA)}


@dataclass(frozen=True, slots=True)
class Part:
    """Result for one part.

    Attributes:
        name: such as "train".
        asked: the share that was requested.
        speakers: in it.
        unnamed: clips in it whose speaker is not known.
        recordings: in it, of those clips.
        recorded: clips of these recordings.
        counts: clips in each of `STRATA`.
    """

    name: str
    asked: float
    speakers: int
    unnamed: int
    recordings: int
    recorded: int
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SplitReport:
    """Quality of a split: its parts, and clips in each of `STRATA` in all.

    `listed` is whether each clip with neither speaker nor recording was placed for balance, not by hash
    alone. `emotions_unknown` counts clips without a profile, or with one that does not know the emotions:
    they count as clips and for no emotion.
    """

    parts: tuple[Part, ...]
    counts: Mapping[str, int]
    listed: bool
    emotions_unknown: int = 0

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
            "clips_with_unknown_emotions": self.emotions_unknown,
            "unnamed_clips_by_hash": not self.listed,
            "parts": {
                part.name: {
                    "asked": part.asked,
                    "share": round(self.share(part), 6),
                    "clips": part.counts["clips"],
                    "speakers": part.speakers,
                    "clips_without_speaker": part.unnamed,
                    "recordings": part.recordings,
                    "clips_placed_by_recording": part.recorded,
                    "mean_deviation": round(self.mean_deviation(part), 4),
                    "missing": self.missing(part),
                    "emotions": {
                        name: {"clips": part.counts[name], "deviation": round(value, 4)}
                        for name, value in self.deviations(part).items()
                    },
                }
                for part in self.parts
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
        InputError: shares that do not add up.
        CorpusError: fewer speakers than parts, or an item that cannot be read.
    """
    check_shares(shares)
    groups = _Groups(shares, seed)
    for clip in counted(read(corpus, scale=scale, on_bad=on_bad), progress):
        groups.add(clip)
    return groups.split()


class _Groups:
    """Clips by stratum of each speaker, each recording, and each clip with neither."""

    def __init__(self, shares: Mapping[str, float], seed: int) -> None:
        self._shares, self._seed = shares, seed
        self._tables = {kind: _table() for kind in KINDS}
        self._by_hash = np.zeros((len(shares), len(STRATA)), np.int64)
        self._listed = True
        self._emotions_unknown = 0

    def add(self, clip: Clip) -> None:
        kind, name = group_of(clip)
        strata = _strata(clip.profile)
        self._emotions_unknown += len(strata) == 1
        if kind == "clip":
            part = part_by_hash(self._shares, self._seed, kind, name)
            self._by_hash[list(self._shares).index(part), strata] += 1
        if kind != "clip" or self._listed:
            self._tables[kind][name][strata] += 1
        if len(self._tables["clip"]) > MOST_UNNAMED:
            self._listed = False
            self._tables["clip"] = _table()

    def split(self) -> tuple[Splits, SplitReport]:
        rows = [row for table in self._tables.values() for row in table.values()]
        counts = np.array(rows, np.int32).reshape(-1, len(STRATA))
        if self._listed and len(counts) < len(self._shares):
            needed = "speakers or recordings" if self._tables["recording"] else "speakers"
            raise CorpusError(
                f"{len(self._shares)} parts need as many {needed}, and there are {len(counts)}: ask for fewer"
            )
        taken = None if self._listed else self._by_hash
        shares = np.array(list(self._shares.values()))
        placed = stratify(counts, shares, order=self._order(counts), taken=taken)
        ends = np.cumsum([len(table) for table in self._tables.values()])
        parts = dict(zip(KINDS, np.split(placed, ends[:-1]), strict=True))
        names = list(self._shares)
        speakers, recordings, clips = (
            {name: names[part] for name, part in zip(table, parts[kind], strict=True)}
            for kind, table in self._tables.items()
        )
        splits = Splits(self._seed, dict(self._shares), speakers, clips, recordings, self._listed)
        return splits, self._report(parts)

    def _order(self, counts: NDArray[np.int32]) -> NDArray[np.intp]:
        """Return the large groups before the small, by octaves; within an octave the seed decides."""
        names = ((kind, name) for kind, table in self._tables.items() for name in table)
        drawn = (f"{self._seed}/{kind}/{name}".encode("utf-8", "surrogatepass") for kind, name in names)
        rank = np.zeros(len(counts), [("octave", np.int32), ("drawn", "S32")])
        rank["octave"] = [-int(size).bit_length() for size in counts[:, 0]]
        rank["drawn"] = np.fromiter((hashlib.sha256(text).digest() for text in drawn), "S32", len(counts))
        return np.argsort(rank, order=("octave", "drawn"))

    def _report(self, parts: Mapping[str, NDArray[np.intp]]) -> SplitReport:
        held = {kind: np.zeros((len(self._shares), len(STRATA)), np.int64) for kind in KINDS}
        for kind, table in self._tables.items():
            for part, row in zip(parts[kind], table.values(), strict=True):
                held[kind][part] += row
        if not self._listed:
            held["clip"] = self._by_hash
        groups = {kind: np.bincount(parts[kind], minlength=len(self._shares)) for kind in KINDS}
        total = held["speaker"] + held["recording"] + held["clip"]
        found = tuple(
            Part(
                name,
                self._shares[name],
                speakers=int(groups["speaker"][part]),
                unnamed=int(held["recording"][part, 0] + held["clip"][part, 0]),
                recordings=int(groups["recording"][part]),
                recorded=int(held["recording"][part, 0]),
                counts=dict(zip(STRATA, total[part].tolist(), strict=True)),
            )
            for part, name in enumerate(self._shares)
        )
        counts = dict(zip(STRATA, total.sum(axis=0).tolist(), strict=True))
        return SplitReport(found, counts, self._listed, self._emotions_unknown)


def _table() -> dict[str, NDArray[np.int32]]:
    """Return clips by stratum of each group of one kind, all 0."""
    return defaultdict(lambda: np.zeros(len(STRATA), np.int32))


def _strata(profile: VoiceProfile | None) -> list[int]:
    """Return the places in `STRATA` of a clip: 0 for all clips, then its emotions, or 1 for none."""
    if profile is None or not profile.emotions_known:
        return [0]
    present = [_PLACE[name] for name, intensity in profile.emotions.items() if nearest_level(intensity)]
    return [0, *(present or [1])]
