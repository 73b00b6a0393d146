"""Voice attributes of a corpus: numbers on scales of their own, at the five levels of captions."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from budew.taxonomy import ATTRIBUTES, LEVELS
from budew.taxonomy.scales import from_intensity, nearest_level, to_intensity


@dataclass(slots=True)
class AttributeCounts:
    """One attribute in a corpus.

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

    def by_value(self) -> Iterator[tuple[float, int]]:
        """Give each of the five values that stand for a level, with its clips."""
        for level, clips in zip(LEVELS, self.levels, strict=True):
            yield from_intensity(level, ATTRIBUTES[self.name].scale), clips

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: clips, mean, clips by the nearest of five values."""
        levels = {f"{value:g}": clips for value, clips in self.by_value()}
        return {"clips": self.clips, "mean": round(self.mean, 4), "levels": levels}


def attribute_line(counts: AttributeCounts) -> str:
    """Return one attribute for the terminal: its scale, its mean and how often it is near which value."""
    near = ", ".join(f"{clips:,} at {value:g}" for value, clips in counts.by_value())
    return f"{attribute_scale(counts.name)}: {counts.clips:,} clips, mean {counts.mean:.2f}; {near}"


def attribute_scale(name: str) -> str:
    """Return an attribute with what the ends of its scale mean: `Arousal (0 very calm, 4 very excited)`."""
    about = ATTRIBUTES[name]
    return f"{name} ({about.scale.low:g} {about.at_low}, {about.scale.high:g} {about.at_high})"
