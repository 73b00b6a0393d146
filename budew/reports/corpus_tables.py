"""Corpora in the terminal: statistics, inspection, splits, weights, duplicates, ratings, acting plans."""

from collections.abc import Collection, Iterator
from dataclasses import astuple
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from budew.annotation.quantile_thresholds import ALL, Thresholds
from budew.curation.consensus import ConsensusStatistics, RatingCounts, RatingStatistics
from budew.curation.corpus_counts import CorpusStatistics, Tally
from budew.curation.duplicates import Duplicates
from budew.curation.inspection import Inspection
from budew.curation.stratified_split import SplitReport
from budew.curation.weights import NO_EMOTION, WeightReport, effective_number, shares
from budew.reports.formatting import LISTED, visible_name, written
from budew.reports.terminal_tables import empty_table
from budew.taxonomy import ATTRIBUTES, EMOTIONS, LEVEL_NAMES
from budew.taxonomy.scales import level_name

if TYPE_CHECKING:
    from budew.synthesis.acting.acting_hours import Preview

LONGEST_NAME = 200
"""Characters of a name that are shown."""
SHOWN = 20
"""Broken items and groups of duplicates that are shown; the JSON has more."""


def statistics_tables(found: CorpusStatistics) -> RenderableType:
    """Return what a corpus holds: a summary, the emotions, bursts and traits."""
    emotions = [_emotions(found)] if found.emotions_known else []
    return Group(Text("\n".join(_summary(found))), *emotions, Text("\n".join(_traits(found))))


def inspection_tables(found: Inspection) -> RenderableType:
    """Return what was found: files, audio, statistics, oddities, broken items."""
    how = "every sample decoded" if found.decoded else "by their headers"
    lines = [f"files: {files_line(found)}"]
    lines += [f"labels: {_tally(found.labels, 6)}"] if found.labels else []
    rates, channels = _tally(found.sampling_rates, 6, " Hz"), _tally(found.channels, 6, "-channel")
    lines.append(f"audio, {how}: {_tally(found.formats, 6)}; {rates}; {channels}")
    faults = [
        f"{what}: {remark.clips:,} clips, such as {', '.join(map(printable, remark.first))}"
        for what, remark in sorted(found.remarks.items())
    ]
    bad = found.statistics.bad
    faults.append(f"broken: {bad:,}" if bad else "broken: nothing")
    faults += [f"  {printable(reason)}" for reason in found.broken[:SHOWN]]
    if bad > SHOWN:
        faults.append(f"  and {bad - SHOWN:,} more")
    return Group(Text("\n".join(lines)), statistics_tables(found.statistics), Text("\n".join(faults)))


def split_table(report: SplitReport) -> RenderableType:
    """Return a row for each part, then remarks on them."""
    table = empty_table(
        "part", "clips", "speakers", "share %", "target %", "mean deviation", "largest deviation"
    )
    for part in report.parts:
        counts = (f"{part.counts['clips']:,}", f"{part.speakers:,}")
        shares = (100 * report.share(part), 100 * part.asked, report.mean_deviation(part))
        most = max(report.deviations(part).items(), key=lambda item: abs(item[1]), default=None)
        worst = f"{most[0]} {most[1]:+.2f}" if most else "–"
        table.add_row(part.name, *counts, *(f"{share:.2f}" for share in shares), worst)
    return Group(table, Text("\n".join(_split_remarks(report))))


def weights_table(report: WeightReport) -> RenderableType:
    """Return the share of each emotion before and after, and the effective sample size."""
    before, after = shares(report.balance.masses), shares(report.weighted)
    table = empty_table("emotion", "% before", "% weighted", "factor")
    names = (name for name in (*EMOTIONS, NO_EMOTION) if name in before)
    for name in sorted(names, key=lambda name: -before[name]):
        row = (100 * before[name], 100 * after.get(name, 0.0), report.balance.factor(name))
        table.add_row(name, *(f"{value:.2f}" for value in row))
    lines = [
        f"{report.clips:,} clips, weights from {report.lightest:.2f} to {report.heaviest:.2f}",
        f"effective sample size: {report.effective_clips:,.0f} clips, "
        f"{100 * report.effective_clips / max(1, report.clips):.0f} %",
        f"effective number of emotions: {effective_number(before):.1f} before, "
        f"{effective_number(after):.1f} weighted",
    ]
    without = {"without a profile": report.without_profile, "with unknown emotions": report.emotions_unknown}
    lines += [f"clips {what}, and so without a weight: {count:,}" for what, count in without.items() if count]
    return Group(table, Text("\n".join(lines)))


def duplicates_table(found: Duplicates) -> RenderableType:
    """Return a summary, and a row for each of the first groups."""
    table = Table(box=SIMPLE_HEAD)
    table.add_column("keep", overflow="fold")
    table.add_column("equal to it", overflow="fold")
    for group in found.groups[:SHOWN]:
        (keep, _), *others = group
        more = f" and {len(others) - 5:,} more" if len(others) > 5 else ""
        table.add_row(printable(keep), ", ".join(printable(id) for id, _ in others[:5]) + more)
    what = "recordings" if found.by == "samples" else "transcripts"
    lines = [
        f"{found.corpus}: {found.clips:,} clips, not readable {found.bad:,}",
        f"{what} that occur more than once: {len(found.groups):,}",
        f"redundant clips: {len(found.extra):,}, {found.extra_hours:,.2f} hours",
    ]
    rest = {
        "damaged, compared by what could be decoded": found.damaged,
        "without a transcript, not compared": found.without_transcript,
    }
    lines += [f"{what}: {count:,} clips" for what, count in rest.items() if count]
    return Group(Text("\n".join(lines)), *([table] if found.groups else []))


def rating_table(found: RatingStatistics, *, title: str) -> Table:
    """Return a row for each emotion, and one for all."""
    head = ("emotion", "ratings", "items", "raters", "present", "mean", "agreement", "alpha")
    table = empty_table(*head, title=title)
    table.title_justify = table.caption_justify = "left"
    table.caption = _AGREEMENT
    table.show_footer = True
    for column, total in zip(table.columns, ("all", *_rating_cells(found.all)), strict=True):
        column.footer = total
    for emotion, counts in found.emotions.items():
        table.add_row(emotion, *_rating_cells(counts))
    return table


def consensus_table(found: ConsensusStatistics) -> Table:
    """Return a row for each number of ratings; the caption has the consensus of each kind."""
    table = empty_table("ratings", "pairs", "present", "absent", "mixed", "exact", title="consensus")
    table.title_justify = table.caption_justify = "left"
    for one in found.outcomes:
        table.add_row(*(f"{count:,}" for count in astuple(one)))
    majority = ", ".join(f"{value:.4g} {count:,}" for value, count in found.majority.items())
    table.caption = (
        "pairs of item and emotion by number of ratings: present or absent for all raters, or for some; "
        "exact: all ratings equal. With two ratings or more, consensus on presence: "
        f"{found.presence:,}, exact: {found.exact:,}. Majority rating, as intensity: {majority}; "
        f"{found.tied:,} were tied."
    )
    return table


_AGREEMENT = (
    "agreement: pairs of raters with the same answer, many by chance alone where most answers are alike. "
    "alpha: Krippendorff's for intervals, corrected for chance; a near miss counts less than a far one: 1 is "
    "perfect, 0 is chance, below 0 worse; from 0.8 on reliable, from 0.67 on for tentative conclusions "
    "(Krippendorff 2004). It is a rough estimate with few items or two raters."
)


def files_line(found: Inspection) -> str:
    """Return the files of a corpus by kind on one line."""
    kinds = (f"{kind} {count:,} ({decimal(size)})" for kind, (count, size) in found.files.items())
    return ", ".join(kinds) or "no local files"


def printable(text: str) -> str:
    """Return a name from a corpus on one line without control characters, cut to `LONGEST_NAME`."""
    return visible_name(text[:LONGEST_NAME]) + ("…" if len(text) > LONGEST_NAME else "")


def _tally(counts: Tally, most: int = LISTED, unit: str = "") -> str:
    listed = (f"{printable(name) or 'unknown'}{unit} {count:,}" for name, count in counts.most_common(most))
    return ", ".join(listed) or "none"


def _summary(found: CorpusStatistics) -> Iterator[str]:
    lengths, speakers = found.durations, found.speakers
    hours = f"{lengths.total / 3600:,.2f} hours" if lengths.count or not found.clips else "hours unknown"
    if 0 < lengths.count < found.clips:
        hours += f" (duration of {found.clips - lengths.count:,} clips unknown)"
    yield f"{found.corpus}: {found.clips:,} clips, {hours}"
    unknown = f" (emotions unknown in {found.emotions_unknown:,})" if found.emotions_unknown else ""
    yield (
        f"with a profile {found.with_profile:,}{unknown}, with a caption {found.with_caption:,}, "
        f"not readable {found.bad:,}"
    )
    if lengths.count:
        low, middle, high = (lengths.quantile(share) for share in (0.05, 0.5, 0.95))
        yield (
            f"duration: median {middle:.1f} s, 5 % under {low:.1f} s, 5 % over {high:.1f} s, "
            f"{lengths.shortest:.2f} to {lengths.longest:.2f} s"
        )
    yield f"languages: {_tally(found.languages)}"
    least = "" if speakers.exact else "over "
    more = "…" if speakers.distinct > 5 else ""
    unnamed = found.clips - speakers.total()
    named = f"{least}{speakers.distinct:,} ({_tally(speakers, 5)}{more})" if speakers else "none named"
    without = f", none named in {unnamed:,} clips" if speakers and unnamed else ""
    yield f"speakers: {named}{without}"


def _emotions(found: CorpusStatistics) -> Table:
    table = empty_table("emotion", *LEVEL_NAMES[1:], "% of rated", "median", "spread")
    usual = found.baseline
    for name, counts in sorted(found.levels.items(), key=lambda pair: -found.present(pair[0])):
        if found.present(name):
            table.add_row(
                name,
                *(f"{counts[level]:,}" for level in LEVEL_NAMES[1:]),
                f"{100 * found.present(name) / found.rated[name]:.1f}",
                f"{usual.median[name]:.2f}" if usual else "–",
                f"{usual.spread[name]:.2f}" if usual else "–",
            )
    return table


def _traits(found: CorpusStatistics) -> Iterator[str]:
    yield from (f"{key}: {_tally(words)}" for key, words in sorted(found.traits.items()))
    for counts in (found.attributes[name] for name in ATTRIBUTES if name in found.attributes):
        near = ", ".join(f"{clips:,} at {value:g}" for value, clips in counts.by_value())
        yield f"{counts.label}: {counts.clips:,} clips, mean {counts.mean:.2f}; {near}"
    if found.bursts:
        bursts = (f"{name} {count:,}" for name, count in found.bursts.most_common(LISTED))
        yield f"bursts: {', '.join(bursts)}"
    if found.not_understood:
        yield f"labels that are not understood: {_tally(found.not_understood)}"


def _split_remarks(report: SplitReport) -> Iterator[str]:
    yield "deviation: of emotion frequencies from those of the whole corpus, in percentage points"
    if report.emotions_unknown:
        yield f"clips with unknown emotions, counted for none: {report.emotions_unknown:,}"
    recordings, recorded, unnamed = (
        sum(getattr(part, name) for part in report.parts) for name in ("recordings", "recorded", "unnamed")
    )
    if recorded:
        yield (
            f"clips without a speaker: {recorded:,} of {recordings:,} recordings, each recording in one part:"
            " a voice of two recordings may be in two parts"
        )
    if unnamed > recorded:
        how = "each placed on its own" if report.listed else "placed by the hash of their ids"
        what = "clips without a speaker or a recording" if recorded else "clips without a speaker"
        yield f"{what}: {unnamed - recorded:,}, {how}: one voice may be in two parts"
    for part in report.parts:
        if missing := report.missing(part):
            yield f"{part.name} has no clip with {', '.join(missing)}"


def _rating_cells(counts: RatingCounts) -> tuple[str, ...]:
    whole = (counts.ratings, counts.items, counts.raters, counts.present)
    rates = (counts.mean, counts.agreement, counts.alpha)
    return (*(f"{count:,}" for count in whole), *map(written, rates))


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


def _range(clips: Collection[int]) -> str:
    least, most = min(clips), max(clips)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
