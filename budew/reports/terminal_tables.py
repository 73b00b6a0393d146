"""Reports as terminal tables, with the numbers of the page, and the look that all terminal tables share."""

from collections.abc import Mapping
from textwrap import fill

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from budew.reports.section_layout import cell_text, in_numbers, interval_text, text_columns
from budew.reports.sections import Bars, Cell, Curves, Report, Section, StackedBars, Table
from budew.statistics.resampling import ConfidenceInterval

_NARROWEST = 10
"""Characters to which headings of numbers are broken."""


def empty_table(*headings: str, title: str | None = None) -> RichTable:
    """Return a table without rows: names in the first column, numbers to the right in the others."""
    table = RichTable(box=SIMPLE_HEAD, title=title)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left", no_wrap=True)
    return table


def report_tables(report: Report) -> RenderableType:
    """Return a report as tables of rich, without what only a page can show."""
    bounds = [interval_text(card.value, card.digits, " … ") for card in report.cards]
    interval_column = ["95 % interval"] if any(bounds) else []
    cards = empty_table("", "value", *interval_column, "", title=f"{report.title}\n{report.subtitle}")
    cards.columns[-1].no_wrap = False
    cards.columns[-1].justify = "left"
    for card, bound in zip(report.cards, bounds, strict=True):
        interval = [bound] if interval_column else []
        cards.add_row(*map(Text, (card.label, cell_text(card.value, card.digits), *interval, card.note)))
    tables = filter(None, map(section_table, report.sections))
    return Group(cards, *tables, *(Text(f"{term}: {text}") for term, text in report.notes))


def section_table(section: Section) -> RichTable | None:
    """Return a section as a table of rich; None for heat maps, clips, lists and texts, which a page shows."""
    if not isinstance(section, Table | Bars | StackedBars | Curves):
        return None
    shown = section if isinstance(section, Table) else in_numbers(section)
    has_interval = (any(map(_is_interval, column)) for column in zip(*shown.rows, strict=True))
    between = " " if sum(has_interval) < 3 else "\n"
    cells = [[_cell_with_interval(value, shown.digits, between) for value in row] for row in shown.rows]
    table = empty_table(title=shown.heading)
    for index, is_text in enumerate(text_columns(shown.rows) or [True] * len(shown.columns)):
        width = max([_NARROWEST, *(len(line) for row in cells for line in row[index].splitlines())])
        name = shown.columns[index] if is_text else fill(shown.columns[index], width)
        table.add_column(Text(name), justify="left" if is_text else "right", overflow="fold")
    for index, row in enumerate(cells):
        table.add_row(*map(Text, row), style="bold" if index in shown.highlighted else None)
    return table


def _is_interval(value: Cell) -> bool:
    return isinstance(value, Mapping | ConfidenceInterval)


def _cell_with_interval(value: Cell, digits: int, between: str) -> str:
    """Format a cell with its interval behind or below the value."""
    bounds = interval_text(value, digits, "…")
    return f"{cell_text(value, digits)}{between}({bounds})" if bounds else cell_text(value, digits)
