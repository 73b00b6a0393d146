"""Layout of a report as one HTML page: positions of bars, ticks and marks in per cent of their axis."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from budew.reports.formatting import written
from budew.reports.page import Row, by_family, percent, render_page
from budew.reports.sections import (
    BarCell,
    BarList,
    BarLists,
    BarRow,
    Bars,
    Card,
    Cell,
    ClipCards,
    Curves,
    HeatMap,
    Metric,
    Report,
    Section,
    StackedBars,
    Table,
    TextPairs,
)
from budew.statistics.resampling import ConfidenceInterval
from budew.taxonomy import EMOTIONS

_TICKS = 6
"""Approximate number of ticks on an axis."""


def report_html(report: Report) -> str:
    """Return a report as one HTML page that loads no other file; `write_page` writes it to a file."""
    return render_page(
        "sections_page",
        filters={"cell": cell_text, "written": written, "interval": interval_text},
        report=report,
        cards=[(card, _track(card)) for card in report.cards],
        sections=[_laid_out(section) for section in report.sections],
    )


@dataclass(frozen=True, slots=True)
class Axis:
    """A horizontal axis from `low` to `high` with ticks at multiples of `step`."""

    low: float
    high: float
    step: float

    @classmethod
    def over(cls, values: Iterable[float | None], ends: tuple[float, float] | None = None) -> "Axis":
        """Return an axis for all values and `ends` (None: zero); beyond `ends` it reaches the next tick."""
        given = [value for value in values if value is not None]
        low = min([*given, *(ends or (0.0,))])
        high = max([*given, *(ends or (0.0,))])
        step = _round_step((high - low) or 1.0)
        low = ends[0] if ends and low >= ends[0] else step * math.floor(low / step + 1e-9)
        high = ends[1] if ends and high <= ends[1] else step * math.ceil(high / step - 1e-9)
        return cls(low, high if high > low else low + 1, step)

    def at(self, value: float) -> float:
        """Return the position of a value in per cent of the axis."""
        return percent(value - self.low, self.high - self.low, 1)

    @property
    def zero(self) -> float:
        """Position where bars begin: zero, or the end of the axis that is nearer to it."""
        return self.at(min(max(0.0, self.low), self.high))

    @property
    def ticks(self) -> list[tuple[str, float]]:
        """Label and position of each tick."""
        first = math.ceil(self.low / self.step - 1e-9)
        last = math.floor(self.high / self.step + 1e-9)
        values = [round(number * self.step, 10) + 0.0 for number in range(first, last + 1)]
        return [(f"{value:g}".replace("-", "−"), self.at(value)) for value in values]

    def bar(self, found: ConfidenceInterval) -> dict[str, float] | None:
        """Return `left` and `width` of a bar, and `low` and `reach` of its interval; None without a value."""
        if found.value is None:
            return None
        end = self.at(found.value)
        bar = {"left": min(self.zero, end), "width": round(abs(end - self.zero), 1)}
        if found.low is not None and found.high is not None:
            reach = percent(found.high - found.low, self.high - self.low, 1)
            bar |= {"low": self.at(found.low), "reach": reach}
        return bar


def _round_step(span: float) -> float:
    """Return 1, 2 or 5 times a power of ten that divides a span into about `_TICKS` parts."""
    power = 10.0 ** math.floor(math.log10(span / _TICKS))
    return next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= _TICKS * 1.2)


def shade(value: float | None, low: float, high: float, *, diverging: bool = False) -> float | None:
    """Return the strength of a cell's colour in per cent, 0 at `low` and 100 at `high`.

    With `diverging`, the strength of the value 0 is 0, and negative values get a negative one, −100 at `low`.
    """
    if value is None:
        return None
    if diverging:
        end = low if value < 0 else high
        return math.copysign(min(100.0, percent(value, end, 1)), value) if end else 0.0
    return min(100.0, max(0.0, percent(value - low, high - low, 1)))


def lengths(counts: Sequence[float], whole: float | None = None) -> list[float]:
    """Return the length of each part of a stacked bar, in per cent of `whole` (None: of their sum)."""
    return [percent(count, sum(counts) if whole is None else whole) for count in counts]


def cell_text(value: Cell, digits: int = 2) -> str:
    """Format a cell: text unchanged, integers with thousands separators, metrics with `digits` decimals."""
    if isinstance(value, BarCell):
        return value.text
    if isinstance(value, str):
        return value
    number = estimate(value).value
    return written(number, 0 if isinstance(number, int) else digits)


def estimate(value: Metric) -> ConfidenceInterval:
    """Convert a metric to a `ConfidenceInterval`, whose bounds are None if the metric has no interval."""
    if isinstance(value, ConfidenceInterval):
        return value
    if isinstance(value, Mapping):
        return ConfidenceInterval(value["value"], value["low"], value["high"])
    return ConfidenceInterval(value, None, None)


def interval_text(value: Cell, digits: int = 2, between: str = " to ") -> str:
    """Format the bounds of the interval of a cell; "" if it has no interval."""
    if isinstance(value, str | BarCell):
        return ""
    found = estimate(value)
    if found.low is None or found.high is None:
        return ""
    return f"{written(found.low, digits)}{between}{written(found.high, digits)}"


def text_columns(rows: Sequence[Sequence[Cell]]) -> list[bool]:
    """Return for each column whether it has words, which are aligned left and may be broken."""
    return [index == 0 or _has_words(column) for index, column in enumerate(zip(*rows, strict=True))]


def _has_words(column: Iterable[Cell]) -> bool:
    return any(isinstance(value, str) and any(map(str.isalpha, value)) for value in column)


def in_numbers(section: Table | Bars | HeatMap | StackedBars | Curves | BarLists) -> Table:
    """Convert a section to a table of its numbers: bars with marks, parts in per cent, points, counts."""
    match section:
        case Table():
            return section
        case Bars():
            names = _mark_names(section)
            columns = ["", section.measure, *names]
            rows: list[list[Cell]] = [
                [row.label, row.value, *(row.marks.get(name) for name in names), *beside]
                for row, beside in zip(section.rows, _cells_beside(section), strict=True)
            ]
            columns += section.columns
        case HeatMap():
            columns = ["", *section.columns]
            rows = [[name, *values] for name, values in zip(section.rows, section.values, strict=True)]
        case StackedBars():
            columns = ["", *section.legend, *section.columns]
            rows = [
                [label, *_part_texts(section, counts), *beside]
                for (label, counts), beside in zip(section.rows, _cells_beside(section), strict=True)
            ]
        case Curves():
            xs = sorted({x for _, points in section.lines for x, _ in points})
            lines = [(name, dict(points)) for name, points in section.lines]
            columns = [section.over, *(f"{x:g}" for x in xs)]
            rows = [[name, *(points.get(x) for x in xs)] for name, points in lines]
        case BarLists():
            columns = ["", ""]
            rows = [[one.heading, _counts_text(one)] for one in section.lists if one.rows]
    digits = 2 if isinstance(section, StackedBars | BarLists) else section.digits
    return Table(section.heading, columns, rows, note=section.note, digits=digits)


def _counts_text(counts: BarList) -> str:
    listed = ", ".join(f"{name or 'unknown'} {count}" for name, count, _ in counts.rows)
    return f"{listed} and {counts.more:,} more" if counts.more else listed


def _cells_beside(section: Bars | StackedBars) -> list[tuple[Cell, ...]]:
    """Return for each row its cells in the columns beside the plot."""
    return list(zip(*section.columns.values(), strict=True)) if section.columns else [()] * len(section.rows)


def _mark_names(section: Bars) -> list[str]:
    return list(dict.fromkeys(name for row in section.rows for name in row.marks))


def _part_texts(section: StackedBars, counts: Sequence[float]) -> list[str]:
    if section.whole is not None:
        return [f"{count:,}" for count in counts]
    return [f"{length:.1f} %" for length in lengths(counts)]


def _track(card: Card) -> dict[str, float]:
    """Return where value, interval and baseline of a card lie on its line."""
    if not card.track or isinstance(card.value, str):
        return {}
    marks = estimate(card.value).to_dict() | {"baseline": card.baseline}
    return {name: percent(max(mark, 0), card.track, 1) for name, mark in marks.items() if mark is not None}


def _laid_out(section: Section) -> dict[str, Any]:
    """Return the template variables of a section: its kind, its fields (`of`), and the layout."""
    shown: dict[str, Any] = {"kind": type(section).__name__, "of": section}
    match section:
        case Table():
            rows = [(row, index in section.highlighted) for index, row in enumerate(section.rows)]
            groups = _grouped([(cell_text(row[0]), (row, own)) for row, own in rows])
            return shown | {"groups": groups, "text": text_columns(section.rows)}
        case Bars():
            return shown | _bars(section) | _beside(section)
        case HeatMap():
            return shown | {"rows": _shaded(section)}
        case StackedBars():
            return shown | _stacked(section) | _beside(section)
        case Curves():
            return shown | _drawn(section) | {"numbers": _laid_out(in_numbers(section))}
        case BarLists() | ClipCards() | TextPairs():
            return shown


def _beside(section: Bars | StackedBars) -> dict[str, Any]:
    """Return the headings beside a plot, whether their columns are text, and the plot as numbers."""
    words = {name: _has_words(cells) for name, cells in section.columns.items()}
    return {"columns": words, "numbers": _laid_out(in_numbers(section))}


def _bars(section: Bars) -> dict[str, Any]:
    estimates = [estimate(row.value) for row in section.rows]
    values = [value for found in estimates for value in found.to_dict().values()]
    marks = [value for row in section.rows for value in row.marks.values()]
    axis = Axis.over([*values, *marks], section.axis)
    rows = [
        (row.label, (row, found.value, axis.bar(found), _in_words(row, section), cells))
        for row, found, cells in zip(section.rows, estimates, _cells_beside(section), strict=True)
    ]
    labels = [label for label, _ in axis.ticks]
    return {
        "axis": axis,
        "always": {"0" if "0" in labels else labels[0], labels[-1]},
        "marks": {name: number for number, name in enumerate(_mark_names(section))},
        "has_intervals": any(found.low is not None for found in estimates),
        "groups": _grouped(rows),
    }


def _in_words(row: BarRow, section: Bars) -> str:
    """Return the content of a row of bars, for screen readers."""
    parts = [written(estimate(row.value).value, section.digits)]
    if bounds := interval_text(row.value, section.digits):
        parts.append(f"95 % interval {bounds}")
    parts += [f"{name} {written(value, section.digits)}" for name, value in row.marks.items()]
    return "; ".join(parts)


def _shaded(section: HeatMap) -> list[tuple[str, list[tuple[float | None, float | None]]]]:
    def depth(value: float | None) -> float | None:
        return shade(value, section.low, section.high, diverging=section.diverging)

    return [
        (name, [(value, depth(value)) for value in values])
        for name, values in zip(section.rows, section.values, strict=True)
    ]


def _stacked(section: StackedBars) -> dict[str, Any]:
    last = max(1, len(section.legend) - 1)
    depths = [12 + round(88 * number / last) for number in range(len(section.legend))]
    rows = []
    for (label, counts), cells in zip(section.rows, _cells_beside(section), strict=True):
        texts = map(" ".join, zip(section.legend, _part_texts(section, counts), strict=True))
        parts = zip(lengths(counts, section.whole), depths, texts, strict=True)
        shown = [part for part in parts if part[0]]
        rows.append((label, (label, shown, "; ".join(text for *_, text in shown), cells)))
    return {"depths": depths, "groups": _grouped(rows)}


def _drawn(section: Curves) -> dict[str, Any]:
    lines = [(name, [(x, y) for x, y in points if y is not None]) for name, points in section.lines]
    across = Axis.over(x for _, points in lines for x, _ in points)
    upward = Axis.over((y for _, points in lines for _, y in points), section.ends)
    names = list(dict.fromkeys(name for name, _ in lines))
    return {
        "across": across,
        "upward": [(label, 100 - position) for label, position in upward.ticks],
        "always": {across.ticks[0][0], across.ticks[-1][0]},
        "names": {name: number for number, name in enumerate(names)},
        "drawn": [
            (name, " ".join(f"{across.at(x)},{round(100 - upward.at(y), 1)}" for x, y in points))
            for name, points in lines
        ],
    }


def _grouped(rows: list[tuple[str, Row]]) -> list[tuple[str, list[Row]]]:
    """Return rows that are mostly emotions by family, behind the others; else all in one group."""
    emotions = [(label, row) for label, row in rows if label in EMOTIONS]
    if 2 * len(emotions) <= max(2, len(rows)):
        return [("", [row for _, row in rows])]
    others = [row for label, row in rows if label not in EMOTIONS]
    families = by_family(emotions)
    return [("", others), *families] if others else families
