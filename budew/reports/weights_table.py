"""What sampling weights do to a corpus, as a terminal table."""

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from budew.curation.weights import NO_EMOTION, WeightReport, effective_number, shares
from budew.taxonomy import EMOTIONS


def weights_table(report: WeightReport) -> RenderableType:
    """Return the share of each emotion before and after, and what is left of the sample size."""
    before, after = shares(report.balance.masses), shares(report.weighted)
    table = Table(box=SIMPLE_HEAD)
    table.add_column("emotion", no_wrap=True)
    for heading in ("% before", "% weighted", "factor"):
        table.add_column(heading, justify="right")
    names = (name for name in (*EMOTIONS, NO_EMOTION) if name in before)
    for name in sorted(names, key=lambda name: -before[name]):
        table.add_row(
            name,
            f"{100 * before[name]:.2f}",
            f"{100 * after.get(name, 0.0):.2f}",
            f"{report.balance.factor(name):.2f}",
        )
    return Group(table, Text("\n".join(_summary(report, before, after))))


def _summary(report: WeightReport, before: dict[str, float], after: dict[str, float]) -> list[str]:
    lines = [
        f"{report.clips:,} clips, weights from {report.lightest:.2f} to {report.heaviest:.2f}",
        f"effective sample size: {report.effective_clips:,.0f} clips, "
        f"{100 * report.effective_clips / max(1, report.clips):.0f} %",
        f"effective number of emotions: {effective_number(before):.1f} before, "
        f"{effective_number(after):.1f} weighted",
    ]
    if report.without_profile:
        lines.append(f"clips without a profile, and so without a weight: {report.without_profile:,}")
    if report.unjudged:
        lines.append(f"clips whose emotions are unknown, and so without a weight: {report.unjudged:,}")
    return lines
