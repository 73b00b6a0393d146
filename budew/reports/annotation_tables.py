"""Trained heads and quantile thresholds as terminal tables."""

from typing import TYPE_CHECKING

from rich.table import Table

from budew.annotation.thresholds import ALL, Thresholds

if TYPE_CHECKING:
    from budew.annotation.train_heads import Trained

_NAMED = 5


def quality_table(trained: "Trained") -> Table:
    """Return a row a head, best first; those that are no better than the mean are marked as left out."""
    table = Table("head", "clips", "variance explained", "mean error", "of the mean", "")
    for name, quality in sorted(trained.quality.items(), key=lambda item: -item[1].r2):
        values = (f"{quality.r2:.2f}", f"{quality.error:.2f}", f"{quality.error_of_mean:.2f}")
        table.add_row(name, str(quality.clips), *values, "" if quality.r2 > 0 else "left out")
    return table


def rare_line(trained: "Trained") -> str:
    """Return which emotions and attributes have no head for want of clips, and what to do."""
    from budew.annotation.train_heads import FEWEST, FEWEST_TO_CHECK  # which imports torch

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
