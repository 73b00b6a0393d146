"""An inspection for the terminal: what the corpus is, what it holds, what is wrong with it."""

from rich.console import Group, RenderableType
from rich.text import Text

from budew.curation.inspection import Inspection
from budew.curation.tally import Tally
from budew.reports.statistics_table import printable, statistics_tables

SHOWN = 20
"""Broken items that are shown; the JSON has more."""


def inspection_tables(found: Inspection) -> RenderableType:
    """Return what was found for `rich.print`: files, audio, statistics, remarks, broken items."""
    text = Text("\n".join(_audio(found)))
    return Group(text, statistics_tables(found.statistics), Text("\n".join(_wrong(found))))


def _audio(found: Inspection) -> list[str]:
    how = "every sample decoded" if found.decoded else "by their headers"
    labels = [f"labels: {_listed(found.labels)}"] if len(found.labels) else []
    return [
        f"files: {found.layout}",
        *labels,
        f"audio, {how}: {_listed(found.formats)}; {_listed(found.sampling_rates, ' Hz')}; "
        f"{_listed(found.channels, '-channel')}",
    ]


def _wrong(found: Inspection) -> list[str]:
    lines = [
        f"{what}: {remark.clips:,} clips, such as {', '.join(map(printable, remark.first))}"
        for what, remark in sorted(found.remarks.items())
    ]
    count = found.statistics.bad
    lines.append(f"broken: {count:,}" if count else "broken: nothing")
    lines += [f"  {printable(reason)}" for reason in found.broken[:SHOWN]]
    return lines + [f"  and {count - SHOWN:,} more"] * (count > SHOWN)


def _listed(tally: Tally, unit: str = "") -> str:
    return ", ".join(f"{printable(name)}{unit} {count:,}" for name, count in tally.most_common(6)) or "none"
