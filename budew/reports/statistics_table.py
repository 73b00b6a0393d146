"""Statistics of a corpus as terminal tables."""

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from budew.curation.attributes import attribute_line
from budew.curation.durations import Durations
from budew.curation.statistics import Statistics
from budew.taxonomy import ATTRIBUTES, LEVEL_NAMES

LONGEST_NAME = 200
"""Characters of a name that are shown."""


def statistics_tables(found: Statistics) -> RenderableType:
    """Return what is in a corpus for `rich.print`: a line, the emotions, bursts and traits."""
    emotions = [_emotions(found)] if found.judged else []
    return Group(Text(_summary(found)), *emotions, Text("\n".join(_words(found))))


def _summary(found: Statistics) -> str:
    languages = _listed(found.languages.most_common(12))
    lengths = found.durations
    untimed = "" if lengths.count == found.clips else f" (of {lengths.count:,} clips with a duration)"
    unjudged = f" (emotions unknown in {found.unjudged:,})" if found.unjudged else ""
    return (
        f"{found.corpus}: {found.clips:,} clips, {lengths.total / 3600:,.2f} hours{untimed}\n"
        f"with a profile {found.with_profile:,}{unjudged}, with a caption {found.with_caption:,}, "
        f"not readable {found.bad:,}\n"
        f"{_lengths(lengths)}languages: {languages or 'none'}\n{_speakers(found)}"
    )


def _lengths(lengths: Durations) -> str:
    if not lengths.count:
        return ""
    low, middle, high = (lengths.quantile(share) for share in (0.05, 0.5, 0.95))
    return (
        f"duration: median {middle:.1f} s, 5 % under {low:.1f} s, 5 % over {high:.1f} s, "
        f"{lengths.shortest:.2f} to {lengths.longest:.2f} s\n"
    )


def _speakers(found: Statistics) -> str:
    tally = found.speakers
    if not len(tally):
        return "speakers: none named"
    about, more = "" if tally.exact else "about ", "…" * (tally.distinct > 5)
    unnamed = found.clips - found.clips_with_speaker if tally.exact else 0
    return f"speakers: {about}{tally.distinct:,} ({_listed(tally.most_common(5))}{more})" + (
        f", none named in {unnamed:,} clips" * bool(unnamed)
    )


def _emotions(found: Statistics) -> Table:
    table = Table(box=SIMPLE_HEAD)
    table.add_column("emotion", no_wrap=True)
    for heading in (*LEVEL_NAMES[1:], "% of judged", "median", "spread"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, counts in sorted(found.levels.items(), key=lambda pair: -found.present(pair[0])):
        if not found.present(name):
            continue
        usual = found.baseline
        table.add_row(
            name,
            *(f"{counts[level]:,}" for level in LEVEL_NAMES[1:]),
            f"{100 * found.present(name) / found.judged:.1f}",
            f"{usual.median[name]:.2f}" if usual else "–",
            f"{usual.spread[name]:.2f}" if usual else "–",
        )
    return table


def _words(found: Statistics) -> list[str]:
    lines = [f"{key}: {_listed(words.most_common(12))}" for key, words in sorted(found.traits.items())]
    lines += [attribute_line(found.attributes[name]) for name in ATTRIBUTES if name in found.attributes]
    if found.bursts:
        lines.append(f"bursts: {_listed(found.bursts.most_common(12))}")
    if len(found.not_understood):
        lines.append(f"labels that are not understood: {_listed(found.not_understood.most_common(12))}")
    return lines


def _listed(counted: list[tuple[str, int]]) -> str:
    return ", ".join(f"{printable(name) or 'unknown'} {count:,}" for name, count in counted)


def printable(text: str) -> str:
    """Return what a corpus says of itself such that no character of it is a command to a terminal."""
    shown = (letter if letter.isprintable() else "\ufffd" for letter in text[:LONGEST_NAME])
    return "".join(shown) + "…" * (len(text) > LONGEST_NAME)
