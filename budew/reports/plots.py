"""Where bars, ticks, marks and cells of plots in HTML and CSS lie: places in per cent of their axis."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from budew.reports.page import percent

_TICKS = 6
"""Approximate number of ticks on an axis."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A horizontal axis from `low` to `high` with ticks at multiples of `step`."""

    low: float
    high: float
    step: float

    @classmethod
    def over(cls, values: Iterable[float | None], ends: tuple[float, float] | None = None) -> "Axis":
        """Return an axis that holds all values and `ends`, or zero; beyond the ends up to the next tick."""
        given = [value for value in values if value is not None]
        low, high = min([*given, *(ends or (0.0,))]), max([*given, *(ends or (0.0,))])
        step = _round_step((high - low) or 1.0)
        low = ends[0] if ends and low >= ends[0] else step * math.floor(low / step + 1e-9)
        high = ends[1] if ends and high <= ends[1] else step * math.ceil(high / step - 1e-9)
        return cls(low, high if high > low else low + 1, step)

    def at(self, value: float) -> float:
        """Return the place of a value."""
        return percent(value - self.low, self.high - self.low, 1)

    def length(self, part: float) -> float:
        """Return the length of a difference."""
        return percent(part, self.high - self.low, 1)

    @property
    def zero(self) -> float:
        """Place where bars begin: zero, or the end next to it."""
        return self.at(min(max(0.0, self.low), self.high))

    @property
    def ticks(self) -> list[tuple[str, float]]:
        """Return the label and the place of each tick."""
        first, last = math.ceil(self.low / self.step - 1e-9), math.floor(self.high / self.step + 1e-9)
        values = [round(number * self.step, 10) + 0.0 for number in range(first, last + 1)]
        return [(f"{value:g}".replace("-", "−"), self.at(value)) for value in values]

    def bar(self, value: float | None, low: float | None, high: float | None) -> dict[str, float] | None:
        """Return where a bar begins, how long it is and where its interval lies; None of no value."""
        if value is None:
            return None
        end = self.at(value)
        made = {"left": min(self.zero, end), "width": round(abs(end - self.zero), 1)}
        if low is not None and high is not None:
            made |= {"low": self.at(low), "reach": self.length(high - low)}
        return made


def _round_step(span: float) -> float:
    """Return 1, 2 or 5 times a power of ten that divides a span into about `_TICKS` parts."""
    power = 10.0 ** math.floor(math.log10(span / _TICKS))
    return next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= _TICKS * 1.2)


def shade(value: float | None, low: float, high: float, *, diverging: bool = False) -> float | None:
    """Return the depth of a cell's colour in per cent, 0 at `low` and 100 at `high`.

    With `diverging`, 0 is at zero, and values below it are negative, −100 at `low`.
    """
    if value is None:
        return None
    if diverging:
        end = low if value < 0 else high
        return math.copysign(min(100.0, percent(value, end, 1)), value) if end else 0.0
    return min(100.0, max(0.0, percent(value - low, high - low, 1)))


def lengths(counts: Sequence[float]) -> list[float]:
    """Return the length of each part of a stacked bar; zeros of no counts."""
    whole = sum(counts)
    return [percent(count, whole) for count in counts]
