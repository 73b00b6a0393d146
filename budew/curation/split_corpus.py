"""From a corpus to its splits: speaker-disjoint parts of given shares, each with its share of every emotion.

Clips without a speaker that `budew corpus segment` cut from one recording stay together, as those of a
speaker do. A function of the seed and of what is in the corpus, whatever its order. Memory: 0.7 kB a speaker
or recording, and as much for each clip with neither while those are at most 100,000; more of them are placed
by hash alone, whose error is then small.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from budew.corpora.clip import Clip
from budew.corpora.sources import read
from budew.curation.splits import KINDS, Splits, check_shares, group_of, part_by_hash
from budew.curation.statistics import Progress
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
_Row = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Part:
    """What a part came to.

    Attributes:
        name: such as "train".
        asked: the share that was asked for.
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
    """How well a split came out: its parts, and clips in each of `STRATA` in all.

    `listed` tells whether each clip with neither speaker nor recording was placed for balance, not by hash
    alone. `unjudged` clips have no profile, or one that does not know the emotions: they count as clips and
    for no emotion.
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
            "recordings": part.recordings,
            "clips_placed_by_recording": part.recorded,
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
    """Clips of each speaker, each recording, and each clip with neither, by stratum."""

    shares: Mapping[str, float]
    seed: int
    rows: dict[str, dict[str, _Row]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    by_hash: dict[str, _Row] = field(default_factory=dict)
    listed: bool = True
    unjudged: int = 0

    def add(self, clip: Clip) -> None:
        row = _row(clip.profile)
        self.unjudged += not row[1:].any()
        kind, name = group_of(clip)
        if kind == "clip":
            part = part_by_hash(self.shares, self.seed, kind, name)
            self.by_hash[part] = self.by_hash.get(part, 0) + row
        if kind != "clip" or self.listed:
            self.rows[kind][name] = self.rows[kind].get(name, 0) + row
        if len(self.rows["clip"]) > MOST_UNNAMED:
            self.listed = False
            self.rows["clip"].clear()

    def split(self) -> tuple[Splits, SplitReport]:
        names = [(kind, name) for kind in KINDS for name in self.rows[kind]]
        if self.listed and len(names) < len(self.shares):
            needed = "speakers or recordings" if self.rows["recording"] else "speakers"
            raise CorpusError(
                f"{len(self.shares)} parts need as many {needed}, and there are {len(names)}: ask for fewer"
            )
        names.sort(key=self._order)
        counts = np.array([self.rows[kind][name] for kind, name in names], np.int64).reshape(-1, len(STRATA))
        taken = None if self.listed else self._taken()
        parts = stratify(counts, np.array(list(self.shares.values())), taken=taken)
        placed: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
        for (kind, name), part in zip(names, parts.tolist(), strict=True):
            placed[kind][name] = list(self.shares)[part]
        splits = Splits(
            self.seed,
            dict(self.shares),
            placed["speaker"],
            placed["clip"],
            placed["recording"],
            self.listed,
        )
        return splits, self._report(splits, counts, parts, taken)

    def _order(self, pair: tuple[str, str]) -> tuple[int, bytes]:
        """Put the large before the small, by octaves, and leave it to the seed within an octave."""
        kind, name = pair
        size = int(self.rows[kind][name][0])
        drawn = f"{self.seed}/{kind}/{name}".encode("utf-8", "surrogatepass")
        return -size.bit_length(), hashlib.sha256(drawn).digest()

    def _clips(self, kind: str, placed: Mapping[str, str]) -> Counter[str]:
        """Count the clips of one kind in each part."""
        if kind == "clip" and not self.listed:
            return Counter({part: int(row[0]) for part, row in self.by_hash.items()})
        found: Counter[str] = Counter()
        for name, part in placed.items():
            found[part] += int(self.rows[kind][name][0])
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
        speakers, recordings = Counter(splits.speakers.values()), Counter(splits.recordings.values())
        recorded = self._clips("recording", splits.recordings)
        unnamed = self._clips("clip", splits.clips) + recorded
        found = tuple(
            Part(
                name,
                self.shares[name],
                speakers[name],
                unnamed[name],
                recordings[name],
                recorded[name],
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
