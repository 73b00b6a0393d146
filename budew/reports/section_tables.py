"""Reports in sections as terminal tables, with the numbers of the page."""

from collections.abc import Iterable, Mapping, Sequence
from textwrap import fill

from rich.console import Group, RenderableType
from rich.table import Table as RichTable
from rich.text import Text

from budew.reports.sections import (
    Card,
    Cell,
    HeatMap,
    PlayedClips,
    Section,
    Table,
    cell,
    in_numbers,
    interval,
    text_columns,
)
from budew.reports.tables import table

_NARROWEST = 10
"""Characters to which headings of numbers are broken."""


def terminal(
    title: str,
    subtitle: str,
    cards: Sequence[Card],
    sections: Sequence[Section],
    notes: Iterable[tuple[str, str]] = (),
) -> RenderableType:
    """Return a report as tables of rich; heat maps are left to the page."""
    bounds = [interval(card.low, card.high, card.digits, " … ") for card in cards]
    bounded = any(bounds)
    main = table("", "value", *(["95 % interval"] if bounded else []), "", title=f"{title}\n{subtitle}")
    main.columns[-1].no_wrap, main.columns[-1].justify = False, "left"
    for card, bound in zip(cards, bounds, strict=True):
        value = cell(card.value, card.digits)
        main.add_row(*map(Text, (card.label, value, *([bound] if bounded else []), card.note)))
    tables = [made for section in sections if (made := terminal_table(section))]
    return Group(main, *tables, *(Text(f"{term}: {text}") for term, text in notes))


def terminal_table(section: Section) -> RichTable | None:
    """Return a section as a table of rich; None of a heat map, and of clips to listen to."""
    if isinstance(section, HeatMap | PlayedClips):
        return None
    shown = section if isinstance(section, Table) else in_numbers(section)
    rows, columns = shown.rows, shown.columns
    intervals = sum(any(isinstance(row[place], Mapping) for row in rows) for place in range(len(columns)))
    cells = [
        [_terminal_cell(value, shown.digits, " " if intervals < 3 else "\n") for value in row] for row in rows
    ]
    made = table(title=shown.heading)
    for place, is_text in enumerate(text_columns(rows) or [True] * len(columns)):
        width = max([_NARROWEST, *(len(line) for row in cells for line in row[place].splitlines())])
        name = columns[place] if is_text else fill(columns[place], width)
        made.add_column(Text(name), justify="left" if is_text else "right", overflow="fold")
    for place, row in enumerate(cells):
        made.add_row(*map(Text, row), style="bold" if place in shown.highlighted else None)
    return made


def _terminal_cell(value: Cell, digits: int, apart: str) -> str:
    """Format a cell with its interval behind or below the value."""
    bounds = interval(value["low"], value["high"], digits, "…") if isinstance(value, Mapping) else ""
    return f"{cell(value, digits)}{apart}({bounds})" if bounds else cell(value, digits)
