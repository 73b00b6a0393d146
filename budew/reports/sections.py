"""Reports in sections: a benchmark describes its report once, as data, for a page and for the terminal.

`render_sections` gives one HTML file without script, `section_tables.terminal` the same numbers as tables;
both take the parts of a `Report`. Metrics with intervals come as they are in the JSON:
`Card("Pearson r", **result["pearson"])`. Rows of emotions are by family on the page.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from budew.reports.page import Row, by_family, render_page
from budew.reports.plots import Axis, lengths, shade
from budew.reports.tables import written
from budew.taxonomy import EMOTIONS

Interval: TypeAlias = Mapping[str, float | None]
"""A metric and its bounds: `ConfidenceInterval.to_dict()`, with `value`, `low` and `high`."""
Cell: TypeAlias = str | float | Interval | None
"""Text, a whole number, a metric, one with its interval; None is a dash."""


@dataclass(frozen=True, slots=True)
class Card:
    """One main result, in large type.

    Attributes:
        label: name of the metric, with its unit or range where it has one.
        value: metric, or text; None where it is undefined.
        low, high: bounds of the interval; None without one.
        note: a few words below it.
        digits: of a metric after the point.
    """

    label: str
    value: str | float | None
    low: float | None = None
    high: float | None = None
    note: str = ""
    digits: int = 2


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text and numbers, in the order given; the first column names the row.

    Attributes:
        columns: headings.
        rows: each with a cell a column.
        highlighted: places of rows that stand out, from 0, such as one's own model among published ones.
        note: what is shown, below the heading.
        digits: of metrics after the point.
    """

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    highlighted: Collection[int] = ()
    note: str = ""
    digits: int = 2


@dataclass(frozen=True, slots=True)
class BarRow:
    """A bar, its interval, and the values of others on the same axis, by name (None is left out)."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    marks: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bars:
    """One value a row as a bar from zero, with the interval as a line and reference values as marks.

    Attributes:
        axis: its ends; widened to hold all values. None fits the values and zero.
        measure: what the bars are, for the legend.
    """

    heading: str
    rows: Sequence[BarRow]
    axis: tuple[float, float] | None = None
    note: str = ""
    measure: str = "value"
    digits: int = 2


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A matrix as coloured cells with their numbers.

    Attributes:
        rows, columns: names.
        values: a sequence a row; None stays empty.
        low, high: values with the lightest and the deepest colour.
        diverging: two colours, for the values below and above zero.
        axes: what rows and columns are.
    """

    heading: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float | None]]
    low: float = 0.0
    high: float = 1.0
    diverging: bool = False
    note: str = ""
    axes: tuple[str, str] = ("", "")
    digits: int = 2


@dataclass(frozen=True, slots=True)
class StackedBars:
    """Parts of a whole, a bar a row: shares of agreement, distributions of ratings.

    Attributes:
        legend: names of the parts, drawn from light to deep.
        rows: a label, and a count or share for each part; bars are as long as the parts of their sum.
    """

    heading: str
    legend: Sequence[str]
    rows: Sequence[tuple[str, Sequence[float]]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Curves:
    """Lines over a common horizontal axis, such as a metric over training steps.

    Attributes:
        lines: names with points, x ascending; lines of one name look alike. Undefined values are left out.
        over: what the horizontal axis is, such as "step".
        ends: of the vertical axis; widened to hold all values. None fits the values and zero.
    """

    heading: str
    lines: Sequence[tuple[str, Sequence[tuple[float, float | None]]]]
    over: str
    ends: tuple[float, float] | None = None
    note: str = ""
    digits: int = 2


@dataclass(frozen=True, slots=True)
class PlayedClip:
    """A clip to listen to.

    Attributes:
        name: of the clip.
        source, why: of `budew.reports.page.players`.
        caption: what a model said of it.
        facts: terms and texts, such as its label.
        right: whether the caption is right; None where that is not known.
    """

    name: str
    source: str
    why: str
    caption: str
    facts: Sequence[tuple[str, str]] = ()
    right: bool | None = None


@dataclass(frozen=True, slots=True)
class PlayedClips:
    """Clips to listen to, side by side; on the page only."""

    heading: str
    clips: Sequence[PlayedClip]
    note: str = ""


Section: TypeAlias = Table | Bars | HeatMap | StackedBars | Curves | PlayedClips


class Report(NamedTuple):
    """All parts of a report: `render_sections(*report)`, `terminal(*report)`."""

    title: str
    subtitle: str
    cards: Sequence[Card]
    sections: Sequence[Section]
    notes: Iterable[tuple[str, str]] = ()
    """Terms and what they mean here."""


def render_sections(
    title: str,
    subtitle: str,
    cards: Sequence[Card],
    sections: Sequence[Section],
    notes: Iterable[tuple[str, str]] = (),
) -> str:
    """Return a report as one HTML page that loads nothing; `budew.reports.page.write_page` writes it."""
    return render_page(
        "sections_page",
        **page_parts(sections),
        title=title,
        subtitle=subtitle,
        cards=cards,
        notes=list(notes),
    )


def page_parts(sections: Sequence[Section]) -> dict[str, Any]:
    """Return what `render_page` needs for a page with sections; its template imports `sections.html.j2`."""
    return {
        "sheets": ("sections",),
        "filters": {"cell": cell, "written": written},
        "interval": interval,
        "sections": [_laid_out(section) for section in sections],
    }


def cell(value: Cell, digits: int = 2) -> str:
    """Format a cell: text as it is, whole numbers with thousands, metrics with `digits`."""
    if isinstance(value, Mapping):
        value = value["value"]
    if isinstance(value, str):
        return value
    return written(value, 0 if isinstance(value, int) else digits)


def interval(low: float | None, high: float | None, digits: int = 2, between: str = " to ") -> str:
    """Format the bounds of an interval; nothing where there is none."""
    return "" if low is None or high is None else f"{written(low, digits)}{between}{written(high, digits)}"


def _laid_out(section: Section) -> dict[str, Any]:
    """Return what the template shows of a section, besides its fields."""
    made: dict[str, Any] = {"kind": type(section).__name__, "of": section}
    match section:
        case Table():
            rows = [(row, place in section.highlighted) for place, row in enumerate(section.rows)]
            groups = _grouped([(cell(row[0]), (row, mine)) for row, mine in rows])
            return made | {"groups": groups, "text": text_columns(section.rows)}
        case Bars():
            return made | _bars(section) | {"numbers": _laid_out(in_numbers(section))}
        case HeatMap():
            return made | {"rows": _shaded(section)}
        case StackedBars():
            return made | _stacked(section) | {"numbers": _laid_out(in_numbers(section))}
        case Curves():
            return made | _drawn(section) | {"numbers": _laid_out(in_numbers(section))}
        case PlayedClips():
            return made


def _bars(section: Bars) -> dict[str, Any]:
    drawn = ([row.value, row.low, row.high, *row.marks.values()] for row in section.rows)
    axis = Axis.over((value for values in drawn for value in values), section.axis)
    rows = [(row, axis.bar(row.value, row.low, row.high), _in_words(row, section)) for row in section.rows]
    labels = [label for label, _ in axis.ticks]
    return {
        "axis": axis,
        "always": {"0" if "0" in labels else labels[0], labels[-1]},
        "marks": {name: place for place, name in enumerate(_mark_names(section))},
        "has_intervals": any(row.low is not None for row in section.rows),
        "groups": _grouped([(row.label, (row, *rest)) for row, *rest in rows]),
    }


def in_numbers(section: Bars | StackedBars | Curves) -> Table:
    """Return a plot as a table: value and marks of a bar, its parts in per cent, or the values of a line."""
    if isinstance(section, Curves):
        places = sorted({x for _, points in section.lines for x, _ in points})
        found = [(name, dict(points)) for name, points in section.lines]
        rows = [(name, *(values.get(x) for x in places)) for name, values in found]
        return Table(
            section.heading, (section.over, *(f"{x:g}" for x in places)), rows, digits=section.digits
        )
    if isinstance(section, StackedBars):
        rows = [(name, *(f"{length:.1f} %" for length in lengths(counts))) for name, counts in section.rows]
        return Table(section.heading, ("", *section.legend), rows)
    names = _mark_names(section)
    return Table(
        section.heading,
        ("", section.measure, *names),
        [(row.label, _estimate(row), *(row.marks.get(name) for name in names)) for row in section.rows],
        digits=section.digits,
    )


def _estimate(row: BarRow) -> Interval:
    return {"value": row.value, "low": row.low, "high": row.high}


def _mark_names(section: Bars) -> list[str]:
    return list(dict.fromkeys(name for row in section.rows for name in row.marks))


def _in_words(row: BarRow, section: Bars) -> str:
    """Return what a plot shows, for those who cannot see it."""
    others = [f"{name} {written(value, section.digits)}" for name, value in row.marks.items()]
    bounds = interval(row.low, row.high, section.digits)
    return "; ".join(
        [written(row.value, section.digits), *([f"95 % interval {bounds}"] if bounds else []), *others]
    )


def _shaded(section: HeatMap) -> list[tuple[str, list[tuple[float | None, float | None]]]]:
    def depth(value: float | None) -> float | None:
        return shade(value, section.low, section.high, diverging=section.diverging)

    return [
        (name, [(value, depth(value)) for value in values])
        for name, values in zip(section.rows, section.values, strict=True)
    ]


def _stacked(section: StackedBars) -> dict[str, Any]:
    last = max(1, len(section.legend) - 1)
    depths = [12 + round(88 * place / last) for place in range(len(section.legend))]
    rows = []
    for label, counts in section.rows:
        pieces = list(zip(lengths(counts), depths, _share_texts(section, counts), strict=True))
        seen = [piece for piece in pieces if piece[0]]
        rows.append((label, (label, seen, "; ".join(text for *_, text in seen))))
    return {"depths": depths, "groups": _grouped(rows)}


def _drawn(section: Curves) -> dict[str, Any]:
    lines = [(name, [(x, y) for x, y in points if y is not None]) for name, points in section.lines]
    across = Axis.over(x for _, points in lines for x, _ in points)
    upward = Axis.over((y for _, points in lines for _, y in points), section.ends)
    names = list(dict.fromkeys(name for name, _ in lines))
    return {
        "across": across,
        "upward": [(label, 100 - at) for label, at in upward.ticks],
        "always": {across.ticks[0][0], across.ticks[-1][0]},
        "names": {name: place for place, name in enumerate(names)},
        "drawn": [
            (name, " ".join(f"{across.at(x)},{round(100 - upward.at(y), 1)}" for x, y in points))
            for name, points in lines
        ],
    }


def _share_texts(section: StackedBars, counts: Sequence[float]) -> list[str]:
    shares = zip(section.legend, lengths(counts), strict=True)
    return [f"{name} {written(length, 1)} %" for name, length in shares]


def _grouped(rows: list[tuple[str, Row]]) -> list[tuple[str, list[Row]]]:
    """Return rows that are mostly emotions by family, behind the others; else all in one group."""
    emotions = [(label, row) for label, row in rows if label in EMOTIONS]
    if 2 * len(emotions) <= max(2, len(rows)):
        return [("", [row for _, row in rows])]
    others = [row for label, row in rows if label not in EMOTIONS]
    return [("", others)] * bool(others) + by_family(emotions)


def text_columns(rows: Sequence[Sequence[Cell]]) -> list[bool]:
    """Return for each column whether it holds words, which start at the left and may be broken."""
    return [
        place == 0 or any(isinstance(value, str) and any(map(str.isalpha, value)) for value in column)
        for place, column in enumerate(zip(*rows, strict=True))
    ]
