"""Distributions over the clips of a corpus: counts of names, durations, voice attributes."""

import hashlib
import heapq
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from budew.taxonomy import ATTRIBUTES, LEVELS
from budew.taxonomy.scales import from_intensity, nearest_level, to_intensity

LONGEST_NAME = 200
"""Characters of a name that are kept: no voice has a longer one, and a hostile file may."""
OTHER = "(other)"
"""Counts the clips of all names that a full `Tally` has not seen before."""
EDGES = (0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 20.0, 30.0, 60.0, 600.0)
"""Upper bounds in seconds of the bins of the histogram that is shown; 30 s is Whisper's window."""
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)


class Tally(Counter[str]):
    """Counts of names in bounded memory: once `most` names are known, new ones are counted as `OTHER`."""

    def __init__(self, most: int = 1_000_000) -> None:
        super().__init__()
        self.most = most

    @property
    def exact(self) -> bool:
        """Whether each name was counted by itself."""
        return OTHER not in self

    @property
    def distinct(self) -> int:
        """Number of names; the least number unless `exact`."""
        return len(self) - (not self.exact)

    def add(self, name: str) -> None:
        """Count a name once."""
        name = short_name(name)
        self[name if name in self or len(self) < self.most else OTHER] += 1

    def most_common(self, n: int | None = None) -> list[tuple[str, int]]:
        """Return names with their counts, the most frequent first; equal ones in alphabetical order."""
        return heapq.nsmallest(len(self) if n is None else n, self.items(), key=lambda row: (-row[1], row[0]))


def short_name(name: str) -> str:
    """Return a name as it is, or cut to a bounded length with a hash of all of it."""
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{name[:LONGEST_NAME]}…{digest}"


@dataclass(slots=True)
class Durations:
    """Durations in seconds; sum and extremes are exact, quantiles to a hundredth of a second.

    Attributes:
        count: how many.
        total: their sum.
        shortest, longest: infinity and 0 without any.
        histogram: clips up to each of `EDGES`, and those that are longer than the last.
    """

    count: int = 0
    total: float = 0.0
    shortest: float = float("inf")
    longest: float = 0.0
    histogram: list[int] = field(default_factory=lambda: [0] * (len(EDGES) + 1))
    _hundredths: Counter[int] = field(default_factory=Counter)

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.count += 1
        self.total += seconds
        self.shortest = min(self.shortest, seconds)
        self.longest = max(self.longest, seconds)
        self.histogram[bisect_left(EDGES, seconds)] += 1
        self._hundredths[round(100 * seconds)] += 1

    def quantile(self, share: float) -> float:
        """Return the duration that a share of the clips does not exceed; 0 without clips."""
        if not self.count:
            return 0.0
        ranked = sorted(self._hundredths.items())
        place = bisect_left(list(accumulate(clips for _, clips in ranked)), max(1.0, share * self.count))
        return min(max(ranked[place][0] / 100, self.shortest), self.longest)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: mean, extremes, quantiles, and clips by upper bound of the bins."""
        if not self.count:
            return {"clips": 0}
        names = [f"{edge:g}" for edge in EDGES] + ["longer"]
        return {
            "clips": self.count,
            "mean": round(self.total / self.count, 3),
            "shortest": round(self.shortest, 3),
            "longest": round(self.longest, 3),
            "quantiles": {f"{share:g}": round(self.quantile(share), 3) for share in QUANTILES},
            "histogram": dict(zip(names, self.histogram, strict=True)),
        }


@dataclass(slots=True)
class AttributeCounts:
    """Values of one voice attribute.

    Attributes:
        name: canonical, such as "Arousal".
        clips: that have it.
        total: sum of the values, on the attribute's own scale.
        levels: clips at each fourth of the scale, from its low end to its high end.
    """

    name: str
    clips: int = 0
    total: float = 0.0
    levels: list[int] = field(default_factory=lambda: [0] * len(LEVELS))

    def add(self, value: float) -> None:
        """Count one value."""
        self.clips += 1
        self.total += value
        self.levels[LEVELS.index(nearest_level(to_intensity(value, ATTRIBUTES[self.name].scale)))] += 1

    @property
    def mean(self) -> float:
        """Mean on the attribute's own scale."""
        return self.total / self.clips

    @property
    def label(self) -> str:
        """Name with the meaning of both ends of the scale: `Arousal (0 very calm, 4 very excited)`."""
        about = ATTRIBUTES[self.name]
        return f"{self.name} ({about.scale.low:g} {about.at_low}, {about.scale.high:g} {about.at_high})"

    def by_value(self) -> Iterator[tuple[float, int]]:
        """Yield the value of each of the five levels with its clips."""
        for level, clips in zip(LEVELS, self.levels, strict=True):
            yield from_intensity(level, ATTRIBUTES[self.name].scale), clips

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: clips, mean, clips by the nearest of five values."""
        levels = {f"{value:g}": clips for value, clips in self.by_value()}
        return {"clips": self.clips, "mean": round(self.mean, 4), "levels": levels}
