"""Reports as terminal tables, with the same numbers and notes as the page."""

from collections.abc import Mapping
from textwrap import fill

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from budew.reports.section_layout import cell_text, in_numbers, interval_text, text_columns
from budew.reports.sections import Cell, ClipCards, HeatMap, Report, Section, TextPairs
from budew.statistics.resampling import ConfidenceInterval

_WIDEST_NAME = 30
"""Names of rows, in the first column, are not divided up to this width."""
_NARROWEST = 8
"""Characters to which headings of numbers are broken."""
_WIDEST_MAP = 8
"""Columns of a heat map that a terminal shows at most."""


def report_tables(report: Report) -> RenderableType:
    """Convert a report to tables of rich; plots become tables, and clips and texts are left out."""
    notes = (Text(f"{term}: {text}") for term, text in report.notes)
    return Group(card_table(report), *map(section_table, report.sections), *notes)


def card_table(report: Report) -> RenderableType:
    """Return the title of a report, and a table with one row for each card."""
    title = Group(*map(Text, filter(None, (report.title, report.subtitle, report.remark))))
    if not report.cards:
        return title
    bounds = [interval_text(card.value, card.digits, " … ") for card in report.cards]
    has_intervals = any(bounds)
    table = RichTable(box=SIMPLE_HEAD)
    table.add_column("")
    for heading in ("value", "95 % interval") if has_intervals else ("value",):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("")
    for card, bound in zip(report.cards, bounds, strict=True):
        interval = [bound] if has_intervals else []
        table.add_row(*map(Text, (card.label, cell_text(card.value, card.digits), *interval, card.note)))
    return Group(title, table)


def section_table(section: Section) -> RenderableType:
    """Convert a section to a table with its note; clips, texts and wide heat maps are left out."""
    is_wide = isinstance(section, HeatMap) and len(section.columns) > _WIDEST_MAP
    if is_wide or isinstance(section, ClipCards | TextPairs):
        return Group()
    shown = in_numbers(section)
    has_interval = (any(map(_is_interval, column)) for column in zip(*shown.rows, strict=True))
    between = " " if sum(has_interval) < 3 else "\n"
    cells = [[_cell_with_interval(value, shown.digits, between) for value in row] for row in shown.rows]
    table = RichTable(box=SIMPLE_HEAD, title=Text(shown.heading))
    for index, is_text in enumerate(text_columns(shown.rows) or [True] * len(shown.columns)):
        width = max([_NARROWEST, *(len(line) for row in cells for line in row[index].splitlines())])
        heading = shown.columns[index]
        name = heading if is_text else fill(heading, width, break_long_words=False)
        least = min(width, _WIDEST_NAME) if index == 0 else None
        table.add_column(Text(name), justify="left" if is_text else "right", overflow="fold", min_width=least)
    for index, row in enumerate(cells):
        table.add_row(*map(Text, row), style="bold" if index in shown.highlighted else None)
    return Group(table, Text(f"{shown.note}\n")) if shown.note else table


def _is_interval(value: Cell) -> bool:
    return isinstance(value, Mapping | ConfidenceInterval)


def _cell_with_interval(value: Cell, digits: int, between: str) -> str:
    """Format a cell with its interval behind or below the value."""
    bounds = interval_text(value, digits, "…")
    return f"{cell_text(value, digits)}{between}({bounds})" if bounds else cell_text(value, digits)
