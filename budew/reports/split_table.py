"""How a split came out, as a terminal table."""

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from budew.curation.split_corpus import Part, SplitReport


def split_table(report: SplitReport) -> RenderableType:
    """Return a row for each part, and below what is to be said of them."""
    table = Table(box=SIMPLE_HEAD)
    table.add_column("part", no_wrap=True)
    for heading in ("clips", "speakers", "share %", "asked %", "off by", "most off"):
        table.add_column(heading, justify="right")
    for part in report.parts:
        table.add_row(
            part.name,
            f"{part.counts['clips']:,}",
            f"{part.speakers:,}",
            f"{100 * report.share(part):.2f}",
            f"{100 * part.asked:.2f}",
            f"{report.mean_deviation(part):.2f}",
            _worst(report, part),
        )
    return Group(table, Text("\n".join(_remarks(report))))


def _worst(report: SplitReport, part: Part) -> str:
    deviations = report.deviations(part)
    if not deviations:
        return "–"
    name = max(deviations, key=lambda name: abs(deviations[name]))
    return f"{name} {deviations[name]:+.2f}"


def _remarks(report: SplitReport) -> list[str]:
    lines = ["off by: percentage points by which emotions are more or less frequent than in all, on average"]
    if report.unjudged:
        lines.append(f"clips whose emotions are unknown, and count for none: {report.unjudged:,}")
    lines += _without_speaker(report)
    for part in report.parts:
        missing = report.missing(part)
        if missing:
            lines.append(f"{part.name} has no clip with {', '.join(missing)}")
    return lines


def _without_speaker(report: SplitReport) -> list[str]:
    recordings, recorded, unnamed = (
        sum(getattr(part, name) for part in report.parts) for name in ("recordings", "recorded", "unnamed")
    )
    alone = unnamed - recorded
    lines = []
    if recorded:
        lines.append(
            f"clips without a speaker: {recorded:,} of {recordings:,} recordings, each recording in one part:"
            " a voice of two recordings may be in two parts"
        )
    if alone:
        how = "each placed on its own" if report.listed else "placed by the hash of their ids"
        what = "clips without a speaker or a recording" if recorded else "clips without a speaker"
        lines.append(f"{what}: {alone:,}, {how}: one voice may be in two parts")
    return lines
