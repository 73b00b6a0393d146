"""Corpora in the terminal: statistics, inspection, splits, weights, duplicates, ratings."""

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from budew.curation.duplicates import Duplicates
from budew.curation.human_ratings import RatingCounts, RatingStatistics
from budew.curation.inspection import Inspection
from budew.curation.split_corpus import Part, SplitReport
from budew.curation.statistics import Durations, Statistics, Tally
from budew.curation.weights import NO_EMOTION, WeightReport, effective_number, shares
from budew.reports.tables import LISTED, table
from budew.taxonomy import ATTRIBUTES, EMOTIONS, LEVEL_NAMES

LONGEST_NAME = 200
"""Characters of a name that are shown."""
SHOWN = 20
"""Broken items and groups of duplicates that are shown; the JSON has more."""


def statistics_tables(found: Statistics) -> RenderableType:
    """Return what a corpus holds: a summary, the emotions, bursts and traits."""
    emotions = [_emotions(found)] if found.emotions_known else []
    return Group(Text(_summary(found)), *emotions, Text("\n".join(_traits(found))))


def inspection_tables(found: Inspection) -> RenderableType:
    """Return what was found: files, audio, statistics, oddities, broken items."""
    how = "every sample decoded" if found.decoded else "by their headers"
    lines = [f"files: {files_line(found)}"]
    lines += [f"labels: {_tally(found.labels, 6)}"] if found.labels else []
    lines.append(
        f"audio, {how}: {_tally(found.formats, 6)}; {_tally(found.sampling_rates, 6, ' Hz')}; "
        f"{_tally(found.channels, 6, '-channel')}"
    )
    faults = [
        f"{what}: {remark.clips:,} clips, such as {', '.join(map(printable, remark.first))}"
        for what, remark in sorted(found.remarks.items())
    ]
    bad = found.statistics.bad
    faults.append(f"broken: {bad:,}" if bad else "broken: nothing")
    faults += [f"  {printable(reason)}" for reason in found.broken[:SHOWN]]
    faults += [f"  and {bad - SHOWN:,} more"] * (bad > SHOWN)
    return Group(Text("\n".join(lines)), statistics_tables(found.statistics), Text("\n".join(faults)))


def split_table(report: SplitReport) -> RenderableType:
    """Return a row for each part, then remarks on them."""
    made = table("part", "clips", "speakers", "share %", "target %", "mean deviation", "largest deviation")
    for part in report.parts:
        made.add_row(
            part.name,
            f"{part.counts['clips']:,}",
            f"{part.speakers:,}",
            f"{100 * report.share(part):.2f}",
            f"{100 * part.asked:.2f}",
            f"{report.mean_deviation(part):.2f}",
            _largest_deviation(report, part),
        )
    return Group(made, Text("\n".join(_split_remarks(report))))


def weights_table(report: WeightReport) -> RenderableType:
    """Return the share of each emotion before and after, and the effective sample size."""
    before, after = shares(report.balance.masses), shares(report.weighted)
    made = table("emotion", "% before", "% weighted", "factor")
    names = (name for name in (*EMOTIONS, NO_EMOTION) if name in before)
    for name in sorted(names, key=lambda name: -before[name]):
        row = (100 * before[name], 100 * after.get(name, 0.0), report.balance.factor(name))
        made.add_row(name, *(f"{value:.2f}" for value in row))
    lines = [
        f"{report.clips:,} clips, weights from {report.lightest:.2f} to {report.heaviest:.2f}",
        f"effective sample size: {report.effective_clips:,.0f} clips, "
        f"{100 * report.effective_clips / max(1, report.clips):.0f} %",
        f"effective number of emotions: {effective_number(before):.1f} before, "
        f"{effective_number(after):.1f} weighted",
    ]
    without = {"without a profile": report.without_profile, "with unknown emotions": report.emotions_unknown}
    lines += [f"clips {what}, and so without a weight: {count:,}" for what, count in without.items() if count]
    return Group(made, Text("\n".join(lines)))


def duplicates_table(found: Duplicates) -> RenderableType:
    """Return a summary, and a row for each of the first groups."""
    made = Table(box=SIMPLE_HEAD)
    made.add_column("keep", overflow="fold")
    made.add_column("equal to it", overflow="fold")
    for group in found.groups[:SHOWN]:
        (keep, _), *others = group
        more = f" and {len(others) - 5:,} more" * (len(others) > 5)
        made.add_row(printable(keep), ", ".join(printable(id) for id, _ in others[:5]) + more)
    what = "recordings" if found.by == "samples" else "transcripts"
    lines = [
        f"{found.corpus}: {found.clips:,} clips, not readable {found.bad:,}",
        f"{what} that occur more than once: {len(found.groups):,}",
        f"redundant clips: {len(found.extra):,}, {found.extra_hours:,.2f} hours",
    ]
    if found.damaged:
        lines.append(f"damaged, compared by what could be decoded: {found.damaged:,} clips")
    if found.without_transcript:
        lines.append(f"without a transcript, not compared: {found.without_transcript:,} clips")
    return Group(Text("\n".join(lines)), *([made] if found.groups else []))


def rating_table(found: RatingStatistics, *, title: str) -> Table:
    """Return a row for each emotion, and one for all."""
    head = ("emotion", "ratings", "items", "raters", "present", "mean", "agreement", "alpha")
    made = table(*head, title=title)
    made.title_justify = made.caption_justify = "left"
    made.caption, made.show_footer = _AGREEMENT, True
    for column, total in zip(made.columns, ("all", *_rating_cells(found.all)), strict=True):
        column.footer = total
    for emotion, counts in found.emotions.items():
        made.add_row(emotion, *_rating_cells(counts))
    return made


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
    """Return a name from a corpus without control characters, cut to `LONGEST_NAME`."""
    shown = (letter if letter.isprintable() else "\ufffd" for letter in text[:LONGEST_NAME])
    return "".join(shown) + "…" * (len(text) > LONGEST_NAME)


def _tally(counts: Tally, most: int = LISTED, unit: str = "") -> str:
    listed = (f"{printable(name) or 'unknown'}{unit} {count:,}" for name, count in counts.most_common(most))
    return ", ".join(listed) or "none"


def _summary(found: Statistics) -> str:
    lengths, unmeasured = found.durations, found.clips - found.durations.count
    hours = f"{lengths.total / 3600:,.2f} hours" + f" (duration of {unmeasured:,} clips unknown)" * bool(
        unmeasured
    )
    if found.clips and not lengths.count:
        hours = "hours unknown"
    unknown = f" (emotions unknown in {found.emotions_unknown:,})" if found.emotions_unknown else ""
    return (
        f"{found.corpus}: {found.clips:,} clips, {hours}\n"
        f"with a profile {found.with_profile:,}{unknown}, with a caption {found.with_caption:,}, "
        f"not readable {found.bad:,}\n"
        f"{_quantiles(found.durations)}languages: {_tally(found.languages)}\n{_speakers(found)}"
    )


def _quantiles(lengths: Durations) -> str:
    if not lengths.count:
        return ""
    low, middle, high = (lengths.quantile(share) for share in (0.05, 0.5, 0.95))
    return (
        f"duration: median {middle:.1f} s, 5 % under {low:.1f} s, 5 % over {high:.1f} s, "
        f"{lengths.shortest:.2f} to {lengths.longest:.2f} s\n"
    )


def _speakers(found: Statistics) -> str:
    speakers = found.speakers
    if not speakers:
        return "speakers: none named"
    least, more = "" if speakers.exact else "over ", "…" * (speakers.distinct > 5)
    unnamed = found.clips - speakers.total()
    return f"speakers: {least}{speakers.distinct:,} ({_tally(speakers, 5)}{more})" + (
        f", none named in {unnamed:,} clips" * bool(unnamed)
    )


def _emotions(found: Statistics) -> Table:
    made = table("emotion", *LEVEL_NAMES[1:], "% of known", "median", "spread")
    usual = found.baseline
    for name, counts in sorted(found.levels.items(), key=lambda pair: -found.present(pair[0])):
        if found.present(name):
            made.add_row(
                name,
                *(f"{counts[level]:,}" for level in LEVEL_NAMES[1:]),
                f"{100 * found.present(name) / found.emotions_known:.1f}",
                f"{usual.median[name]:.2f}" if usual else "–",
                f"{usual.spread[name]:.2f}" if usual else "–",
            )
    return made


def _traits(found: Statistics) -> list[str]:
    lines = [f"{key}: {_tally(words)}" for key, words in sorted(found.traits.items())]
    for counts in (found.attributes[name] for name in ATTRIBUTES if name in found.attributes):
        near = ", ".join(f"{clips:,} at {value:g}" for value, clips in counts.by_value())
        lines.append(f"{counts.label}: {counts.clips:,} clips, mean {counts.mean:.2f}; {near}")
    if found.bursts:
        bursts = (f"{name} {count:,}" for name, count in found.bursts.most_common(LISTED))
        lines.append(f"bursts: {', '.join(bursts)}")
    if found.not_understood:
        lines.append(f"labels that are not understood: {_tally(found.not_understood)}")
    return lines


def _largest_deviation(report: SplitReport, part: Part) -> str:
    name, largest = max(report.deviations(part).items(), key=lambda item: abs(item[1]), default=("", None))
    return "–" if largest is None else f"{name} {largest:+.2f}"


def _split_remarks(report: SplitReport) -> list[str]:
    lines = ["deviation: of emotion frequencies from those of the whole corpus, in percentage points"]
    if report.emotions_unknown:
        lines.append(f"clips with unknown emotions, counted for none: {report.emotions_unknown:,}")
    recordings, recorded, unnamed = (
        sum(getattr(part, name) for part in report.parts) for name in ("recordings", "recorded", "unnamed")
    )
    if recorded:
        lines.append(
            f"clips without a speaker: {recorded:,} of {recordings:,} recordings, each recording in one part:"
            " a voice of two recordings may be in two parts"
        )
    if unnamed > recorded:
        how = "each placed on its own" if report.listed else "placed by the hash of their ids"
        what = "clips without a speaker or a recording" if recorded else "clips without a speaker"
        lines.append(f"{what}: {unnamed - recorded:,}, {how}: one voice may be in two parts")
    missing = {part.name: report.missing(part) for part in report.parts}
    return lines + [f"{name} has no clip with {', '.join(lacks)}" for name, lacks in missing.items() if lacks]


def _rating_cells(counts: RatingCounts) -> tuple[str, ...]:
    whole = (counts.ratings, counts.items, counts.raters, counts.present)
    rates = (counts.mean, counts.agreement, counts.alpha)
    return (*(f"{count:,}" for count in whole), *("–" if rate is None else f"{rate:.2f}" for rate in rates))
