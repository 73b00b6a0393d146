"""Statistics of a corpus as terminal tables."""

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from budew.corpora.statistics import Statistics
from budew.taxonomy import LEVEL_NAMES


def statistics_tables(found: Statistics) -> RenderableType:
    """Return what is in a corpus for `rich.print`: a line, the emotions, bursts and traits."""
    return Group(Text(_summary(found)), _emotions(found), Text("\n".join(_words(found))))


def _summary(found: Statistics) -> str:
    languages = ", ".join(f"{name or 'unknown'} {count:,}" for name, count in found.languages.most_common(12))
    untimed = "" if found.timed == found.clips else f" (of {found.timed:,} clips with a duration)"
    return (
        f"{found.corpus}: {found.clips:,} clips, {found.seconds / 3600:,.2f} hours{untimed}\n"
        f"with a profile {found.with_profile:,}, with a caption {found.with_caption:,}, "
        f"not readable {found.bad:,}\n"
        f"languages: {languages or 'none'}"
    )


def _emotions(found: Statistics) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("emotion", no_wrap=True)
    for heading in (*LEVEL_NAMES[1:], "% of profiles", "median", "spread"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, counts in sorted(found.levels.items(), key=lambda pair: -_present(pair[1])):
        if not _present(counts):
            continue
        usual = found.baseline
        table.add_row(
            name,
            *(f"{counts[level]:,}" for level in LEVEL_NAMES[1:]),
            f"{100 * _present(counts) / found.with_profile:.1f}",
            f"{usual.median[name]:.2f}" if usual else "–",
            f"{usual.spread[name]:.2f}" if usual else "–",
        )
    return table


def _present(counts: dict[str, int]) -> int:
    return sum(counts.get(level, 0) for level in LEVEL_NAMES[1:])


def _words(found: Statistics) -> list[str]:
    lines = [f"{key}: {_listed(words.most_common(12))}" for key, words in sorted(found.traits.items())]
    if found.bursts:
        lines.append(f"bursts: {_listed(found.bursts.most_common(12))}")
    return lines


def _listed(counted: list[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counted)
