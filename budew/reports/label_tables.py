"""Acting plans, trained heads and quantile thresholds as terminal tables."""

from typing import TYPE_CHECKING

from rich.table import Table

from budew.annotation.quantile_thresholds import ALL, Thresholds
from budew.taxonomy.scales import level_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from budew.heads.fitting import Quality
    from budew.heads.head_training import TrainedHeads
    from budew.synthesis.acting.acting_hours import Preview

_NAMED = 5


def quality_table(found: "Mapping[str, Quality]") -> Table:
    """Return a row a head, best first; those that are no better than the mean are marked as left out."""
    table = Table("head", "clips", "variance explained", "mean error", "of the mean", "")
    for name, quality in sorted(found.items(), key=lambda item: -item[1].r2):
        values = (f"{quality.r2:.2f}", f"{quality.error:.2f}", f"{quality.error_of_mean:.2f}")
        table.add_row(name, str(quality.clips), *values, "" if quality.r2 > 0 else "left out")
    return table


def rare_line(trained: "TrainedHeads") -> str:
    """Return which emotions and attributes have no head for lack of clips, and what to do."""
    from budew.heads.fitting import FEWEST, FEWEST_TO_CHECK  # which imports torch

    more = len(trained.rare) - _NAMED
    named = ", ".join(trained.rare[:_NAMED]) + (f" and {more} more (see heads.json)" if more > 0 else "")
    return (
        f"too rare for a head: {named}. One needs {FEWEST} clips with it for training and "
        f"{FEWEST_TO_CHECK} of other speakers for validation: add such clips and train into a new folder"
    )


def thresholds_table(thresholds: Thresholds) -> Table:
    """Return a row for each measure and group."""
    table = Table("measure", "group", "very low", "low", "high", "very high")
    for name, groups in thresholds.rows.items():
        for group, row in groups.items():
            table.add_row(name, "all" if group == ALL else group, *(f"{number:g}" for number in row))
    return table


def plan_tables(found: "Preview", clip_seconds: float) -> Table:
    """Return the counts and the first clips of an acting plan, one table under the other."""
    counts = Table("axis", "levels", "clips each", "", box=None, header_style="bold")
    for axis, levels in found.counts.items():
        named = ", ".join(f"{name} {clips:,}" for name, clips in levels.items())
        counts.add_row(axis, f"{len(levels):,}", _range(levels.values()), named)
    filled = sum(clips > 0 for clips in found.cells)
    named = "all have a clip" if filled == len(found.cells) else f"{filled:,} have a clip"
    counts.add_row("voice × emotion × accent", f"{len(found.cells):,}", _range(found.cells), named)
    parts = found.parts or found.counts["language"]
    hours = ", ".join(f"{name} {clips * clip_seconds / 3600:,.2f}" for name, clips in parts.items())
    counts.add_row("hours", f"{len(parts):,}", "", f"{hours}, at {clip_seconds:g} s a clip")
    first = Table("clip", "voice", "what", "line", box=None, header_style="bold")
    for item in found.first:
        feeling = f"{item.emotion}, {level_name(item.intensity)}"
        first.add_row(
            item.id, item.voice, f"{feeling}; {item.language}, {item.accent}; {item.challenge}", item.text
        )
    whole = Table.grid(padding=(1, 0))
    whole.add_row(counts)
    whole.add_row(first)
    return whole


def _range(clips: "Collection[int]") -> str:
    least, most = min(clips), max(clips)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
