"""Reports as data: cards with the main results, sections (tables, plots, clips), and notes.

Each result is described once, as a `Report`. `section_layout.report_html` converts it to one HTML file
without script, `terminal_tables.report_tables` to terminal tables with the same numbers. A metric with its
interval is a `ConfidenceInterval` or its form in JSON: `Card("Pearson r", result["pearson"])`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from budew.statistics.resampling import ConfidenceInterval

Metric: TypeAlias = float | ConfidenceInterval | Mapping[str, float | None] | None
"""A number, or a number with its interval: a `ConfidenceInterval` or the mapping of its `to_dict`."""


class BarCell(NamedTuple):
    """A cell with a bar below its text.

    Attributes:
        percent: length of the bar in per cent of the cell; None for no bar.
        warning: whether the cell is highlighted as a warning.
    """

    text: str
    percent: float | None = None
    warning: bool = False


Cell: TypeAlias = str | Metric | BarCell
"""Text, an integer, a metric, or text with a bar; None is shown as a dash."""


@dataclass(frozen=True, slots=True)
class Card:
    """A main result, shown in large type.

    Attributes:
        label: name of the metric, with its unit or range, if any.
        value: metric or text; None if it is undefined.
        note: a few words below the value.
        digits: decimals of a metric.
        track: right end of a line from 0 on which value, interval and baseline are drawn; None for no line.
        baseline: value of the permutation baseline, which is marked on the line; None for no mark.
        warning: whether the card is highlighted as a warning.
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
    """A table of text and numbers; the first column has the names of the rows.

    Attributes:
        rows: the cells of each row. Rows whose names are emotions are grouped by family on the page.
        highlighted: indices of highlighted rows, such as the evaluated model among published ones.
        note: explanation below the heading.
        digits: decimals of metrics.
    """

    heading: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    highlighted: Collection[int] = ()
    note: str = ""
    digits: int = 2


@dataclass(frozen=True, slots=True)
class BarRow:
    """A row of `Bars`: its label, its value, and reference values by name as `marks` (None is left out)."""

    label: str
    value: Metric
    marks: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bars:
    """A bar chart: one value per row as a bar from zero, its interval as a line, reference values as marks.

    Attributes:
        axis: ends of the axis, which is widened if values exceed them; None to fit the values and zero.
        measure: name of the value of the bars, for the legend.
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
        values: values of each row; None for an empty cell.
        low, high: values with the lightest and the strongest colour.
        diverging: whether values below and above zero have different colours.
        axes: names of what the rows and the columns stand for, such as "label" and "caption".
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
    """A chart with a bar of several parts for each row, such as distributions of ratings or counts by level.

    Attributes:
        legend: names of the parts, which are drawn from light to dark.
        rows: label of the row, and a count or share for each part.
        whole: value of a bar of full length, if parts are shown as counts. None if parts are shown in per
            cent of their sum, so that all bars have full length.
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
        lines: name and points (x, y) of each line, by increasing x; lines with the same name look alike.
            Points whose y is None are left out.
        over: name of the horizontal axis, such as "step".
        ends: ends of the vertical axis, which is widened if values exceed them; None to fit the values and
            zero.
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
        rows: name, its count as text, and the length of its bar in per cent of the longest bar.
        more: number of names that are not listed.
    """

    heading: str
    rows: Sequence[tuple[str, str, float]]
    more: int = 0


@dataclass(frozen=True, slots=True)
class BarLists:
    """Small lists of counts, shown side by side; lists without rows are left out."""

    heading: str
    lists: Sequence[BarList]
    note: str = ""


class EmotionBar(NamedTuple):
    """An emotion of a clip, shown as one or more bars from 0 to 1.

    Attributes:
        intensities: length of a bar for each name in the legend of the section: intensity, or score as a
            share of its scale.
        meaning: the intensities in words.
        number: text after the name.
    """

    emotion: str
    intensities: Sequence[float]
    meaning: str
    number: str = ""


@dataclass(frozen=True, slots=True)
class ClipCard:
    """A clip to listen to, or an image to look at.

    Attributes:
        source, why: the audio as a data URI, or the reason why there is none, see
            `budew.reports.page.players`.
        facts: pairs of a term and a text, such as the label of the clip.
        right: whether the caption is right; None if unknown.
        without_bars: text that is shown if there are no bars.
        image: image as a data URI, shown instead of a player; "" for none.
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
    """Clips, shown side by side in HTML reports only; `legend` has the names of several bars per emotion."""

    heading: str
    clips: Sequence[ClipCard]
    note: str = ""
    legend: Sequence[str] = ()


TextPiece: TypeAlias = tuple[str, bool]
"""A piece of text, and whether it is missing in the other text of its pair."""


class TextPair(NamedTuple):
    """A text and its paraphrase.

    Attributes:
        before, after: pieces of the text, and of the paraphrase.
        facts: one line about the profile, above the texts, and one about the paraphrase, below them.
        reason: why the paraphrase was rejected; "" if it was accepted.
    """

    name: str
    before: Sequence[TextPiece]
    after: Sequence[TextPiece]
    facts: tuple[str, str] = ("", "")
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TextPairs:
    """Texts above their paraphrases, with marked differences; shown in HTML reports only."""

    heading: str
    pairs: Sequence[TextPair]
    note: str = ""


Section: TypeAlias = Table | Bars | HeatMap | StackedBars | Curves | BarLists | ClipCards | TextPairs


def with_content(*sections: Section | None) -> list[Section]:
    """Return the sections that are not None and not empty, in order."""
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
    """A report: title, cards with the main results, sections and notes.

    Attributes:
        notes: pairs of a term and its explanation.
        remark: a line below the subtitle.

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
    remark: str = ""
