"""What pages have in common: texts of others made safe to show, and bars."""

from collections.abc import Iterable

from jinja2 import Environment, StrictUndefined

from budew.terminal import visible

LONGEST_TEXT = 600
"""Characters of a caption, a transcript or a reason that are shown."""
Bar = tuple[str, int, float]
"""A name, its count, and its length in per cent of the longest."""


def page_environment() -> Environment:
    """Return how pages are made: all is escaped, a missing value is an error; with filters of all pages."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["shown"] = shown
    environment.filters["breakable"] = lambda name: name.replace("/", "/\u200b")
    return environment


def shown(text: str) -> str:
    """Return a text that is no command, shortened where it is long."""
    return visible(text[:LONGEST_TEXT]) + "…" * (len(text) > LONGEST_TEXT)


def bars(counted: Iterable[tuple[str, int]]) -> list[Bar]:
    """Return a bar for each name and count."""
    rows = list(counted)
    most = max([1, *(count for _, count in rows)])
    return [(name, count, percent(count, most)) for name, count in rows]


def percent(part: float, whole: float) -> float:
    """Return a share in per cent, to hundredths; 0 of nothing."""
    return round(100 * part / whole, 2) if whole else 0.0
