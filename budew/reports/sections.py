"""A report as data: cards with the main results, sections (tables, plots, clips), and notes.

Each result is described once, as a `Report`: `section_layout.report_html` makes one HTML file without script
of it, `terminal_tables.report_tables` tables with the same numbers.
A metric with its interval is given as it is, or as it is in the JSON: `Card("Pearson r", result["pearson"])`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from budew.statistics.resampling import ConfidenceInterval

Metric: TypeAlias = float | ConfidenceInterval | Mapping[str, float | None] | None
"""A number, or one with its interval: the object, or what `ConfidenceInterval.to_dict()` gives."""


class BarCell(NamedTuple):
    """A cell with a bar below its text.

    Attributes:
        percent: length of the bar; None: no bar.
    """

    text: str
    percent: float | None = None
    warning: bool = False


Cell: TypeAlias = str | Metric | BarCell
"""Text, a whole number, a metric, a text with a bar; None is shown as a dash."""


@dataclass(frozen=True, slots=True)
class Card:
    """One main result, in large type.

    Attributes:
        label: name of the metric, with its unit or range where it has one.
        value: metric, or text; None where it is undefined.
        note: a few words below it.
        digits: of a metric after the point.
        track: draws value, interval and baseline on a line from 0 to this value; None: no line.
        baseline: value of the permutation baseline on that line.
    """

    label: str
    value: str | Metric
    note: str = ""
    digits: int = 2
    track: float | None = None
    baseline: float | None = None
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text and numbers, in the order given; the first column names the row.

    Attributes:
        rows: each with a cell for each column. Rows named by emotions are grouped by family on the page.
        highlighted: indices of rows that stand out, such as one's own model among published ones.
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
    """A bar with its interval, and the values of others on the same axis, by name (None is left out)."""

    label: str
    value: Metric
    marks: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bars:
    """One value a row as a bar from zero, with the interval as a line and reference values as marks.

    Attributes:
        axis: its ends; widened to hold all values. None fits the values and zero.
        measure: what the bars are, for the legend.
        columns: further columns beside the plot: heading → a cell for each row.
    """

    heading: str
    rows: Sequence[BarRow]
    axis: tuple[float, float] | None = None
    note: str = ""
    measure: str = "value"
    digits: int = 2
    columns: Mapping[str, Sequence[Cell]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A matrix as coloured cells with their numbers.

    Attributes:
        values: a sequence for each row; None stays empty.
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
    """Parts of a whole, a bar for each row: shares of agreement, distributions of ratings, counts by level.

    Attributes:
        legend: names of the parts, drawn from light to deep.
        rows: a label, and a count or share for each part.
        whole: value of a bar of full length, the parts are shown as counts; None: each bar is as long as the
            sum of its parts, which are shown in per cent.
        columns: further columns beside the plot: heading → a cell for each row.
    """

    heading: str
    legend: Sequence[str]
    rows: Sequence[tuple[str, Sequence[float]]]
    note: str = ""
    whole: float | None = None
    columns: Mapping[str, Sequence[Cell]] = field(default_factory=dict)


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


class BarList(NamedTuple):
    """Names with their counts as bars, the most frequent first.

    Attributes:
        rows: name, its count as text, and its length in per cent of the longest bar.
        more: names that are not listed.
    """

    heading: str
    rows: Sequence[tuple[str, str, float]]
    more: int = 0


@dataclass(frozen=True, slots=True)
class BarLists:
    """Small lists of counts, side by side; those without rows are left out."""

    heading: str
    lists: Sequence[BarList]
    note: str = ""


class EmotionBar(NamedTuple):
    """An emotion of a clip as bars from 0 to 1.

    Attributes:
        intensities: one for each name in the legend of the section; the raw score as a share of its scale.
        meaning: the same in words.
        number: shown behind the name.
    """

    emotion: str
    intensities: Sequence[float]
    meaning: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class ClipCard:
    """A clip to listen to, or an image to look at.

    Attributes:
        source, why: of `budew.reports.page.players`: the audio as a data URI, or why there is none.
        facts: terms and texts, such as its label.
        right: whether the caption is right; None where that is not known.
        without_bars: shown where it has no emotions.
        image: a data URI, shown instead of a player.
    """

    name: str
    source: str = ""
    why: str = ""
    caption: str = ""
    facts: Sequence[tuple[str, str]] = ()
    right: bool | None = None
    bars: Sequence[EmotionBar] = ()
    without_bars: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class ClipCards:
    """Clips side by side, shown in HTML reports only. `legend` names the bars of an emotion if several."""

    heading: str
    clips: Sequence[ClipCard]
    note: str = ""
    legend: Sequence[str] = ()


TextPiece: TypeAlias = tuple[str, bool]
"""Some text, and whether it is missing from the other text of its pair."""


class TextPair(NamedTuple):
    """A text and its rewriting.

    Attributes:
        before, after: the texts in pieces.
        facts: one line about the subject, above the texts; and one about the rewriting, below them.
        reason: why the rewriting was refused.
    """

    name: str
    before: Sequence[TextPiece]
    after: Sequence[TextPiece]
    facts: tuple[str, str] = ("", "")
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TextPairs:
    """Each text above its rewriting, differences marked. Shown in HTML reports, not in the terminal."""

    heading: str
    pairs: Sequence[TextPair]
    note: str = ""


Section: TypeAlias = Table | Bars | HeatMap | StackedBars | Curves | BarLists | ClipCards | TextPairs


def with_content(*sections: Section | None) -> list[Section]:
    """Return the sections that have something to show, in order."""
    return [section for section in sections if section is not None and _has_content(section)]


def _has_content(section: Section) -> bool:
    match section:
        case Table() | Bars() | HeatMap() | StackedBars():
            return bool(section.rows)
        case Curves():
            return bool(section.lines)
        case BarLists():
            return any(one.rows for one in section.lists)
        case ClipCards():
            return bool(section.clips)
        case TextPairs():
            return bool(section.pairs)


@dataclass(frozen=True, slots=True)
class Report:
    """All parts of a report.

    Attributes:
        notes: terms and their meaning here.

    Example:
        >>> from budew.reports import Card, Report, Table, report_html
        >>> rows = [("ours", 0.61), ("published", 0.58)]
        >>> board = Table("Leaderboard", ("model", "Pearson r"), rows, highlighted=[0])
        >>> page = report_html(Report("A benchmark", "12 clips", [Card("Pearson r", 0.61)], [board]))
        >>> "Leaderboard" in page
        True
    """

    title: str
    subtitle: str
    cards: Sequence[Card]
    sections: Sequence[Section]
    notes: Sequence[tuple[str, str]] = ()
