"""How long the clips of a corpus are: a distribution in constant memory.

Lengths are counted in bins 2 % apart from 10 ms to twelve days, so that a quantile is right to within 1 %,
and their sum, the shortest and the longest exactly.
"""

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import accumulate
from math import log
from typing import Any

EDGES = (0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 20.0, 30.0, 60.0, 600.0)
"""Seconds at which the shown histogram changes bins; 30 s is what Whisper hears at once."""
QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)

_LEAST, _STEP, _BINS = 0.01, 1.02, 960


@dataclass(slots=True)
class Durations:
    """Lengths in seconds.

    Attributes:
        count: how many.
        total: their sum.
        shortest, longest: infinity and 0 while there is none.
        histogram: clips up to each of `EDGES`, and of those that are longer than the last.
    """

    count: int = 0
    total: float = 0.0
    shortest: float = float("inf")
    longest: float = 0.0
    histogram: list[int] = field(default_factory=lambda: [0] * (len(EDGES) + 1))
    _fine: list[int] = field(default_factory=lambda: [0] * _BINS)

    def add(self, seconds: float) -> None:
        """Count one length."""
        self.count += 1
        self.total += seconds
        self.shortest = min(self.shortest, seconds)
        self.longest = max(self.longest, seconds)
        self.histogram[bisect_left(EDGES, seconds)] += 1
        place = int(log(max(seconds, _LEAST) / _LEAST) / log(_STEP))
        self._fine[min(place, _BINS - 1)] += 1

    def quantile(self, share: float) -> float:
        """Return the length that a share of the clips does not exceed; 0 where there is no clip."""
        if not self.count:
            return 0.0
        place = bisect_left(list(accumulate(self._fine)), max(1.0, share * self.count))
        middle: float = _LEAST * _STEP ** (place + 0.5)
        return min(max(middle, self.shortest), self.longest)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: sum, extremes, quantiles, and the histogram as [up to, clips]."""
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
