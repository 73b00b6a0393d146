"""What a corpus holds several times, for the terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Group as Lines
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from budew.curation.duplicates import Duplicates, Group
from budew.reports.statistics_table import printable

SHOWN = 20
"""Groups that are shown; the JSON has all."""


def duplicates_table(found: Duplicates) -> RenderableType:
    """Return a summary, and a row for each of the first groups."""
    table = Table(box=SIMPLE_HEAD)
    table.add_column("keep", overflow="fold")
    table.add_column("copies of it", overflow="fold")
    table.add_column("bits that differ", justify="right")
    for group in found.groups[:SHOWN]:
        copies = ", ".join(printable(id) for id, _ in group.clips[1:6])
        more = f" and {len(group.clips) - 6:,} more" * (len(group.clips) > 6)
        table.add_row(printable(group.clips[0][0]), copies + more, _errors(group))
    tables = [table] if found.groups else []
    return Lines(Text("\n".join(_summary(found))), *tables)


def _errors(group: Group) -> str:
    return "none: exact" if group.exact else f"{100 * max(match.errors for match in group.matches):.1f} %"


def _summary(found: Duplicates) -> list[str]:
    exact = sum(group.exact for group in found.groups)
    hours = sum(seconds for _, seconds in found.extra) / 3600
    lines = [
        f"{found.corpus}: {found.clips:,} clips, not readable {found.bad:,}",
        f"recordings that are there more than once: {len(found.groups):,}, of which to the sample {exact:,}",
        f"clips too many: {len(found.extra):,}, {hours:,.2f} hours",
    ]
    if found.too_short:
        lines.append(f"too short for near copies to be found: {found.too_short:,} clips")
    if found.damaged:
        lines.append(f"damaged, and known by what could be decoded: {found.damaged:,} clips")
    return lines
