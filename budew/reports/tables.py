"""What terminal tables share: their look, and how numbers are written."""

from rich.box import SIMPLE_HEAD
from rich.table import Table

LISTED = 12
"""Names in each list of a table or a page; the JSON has more."""


def table(*headings: str, title: str | None = None) -> Table:
    """Return a table without rows: names in the first column, numbers to the right in the others."""
    made = Table(box=SIMPLE_HEAD, title=title)
    for place, heading in enumerate(headings):
        made.add_column(heading, justify="right" if place else "left", no_wrap=True)
    return made


def written(value: float | None, digits: int = 2) -> str:
    """Format a metric; a dash where it is undefined."""
    return "–" if value is None else f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")


def share(part: float, whole: float) -> str:
    """Format a share in per cent; a dash of nothing."""
    return f"{100 * part / whole:.1f} %" if whole else "–"
