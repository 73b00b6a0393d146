"""Terminal reports on corpora: splits, weights, duplicates, overlap, ratings, bins and acting plans."""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import astuple
from typing import TYPE_CHECKING

from budew.annotation.bins import ALL, Bins
from budew.curation.consensus import ConsensusStatistics, RatingStatistics
from budew.curation.duplicates import Duplicates
from budew.curation.overlap import REASONS, Overlap
from budew.curation.stratified_split import SplitReport
from budew.curation.weights import NO_EMOTION, WeightReport, effective_number, shares
from budew.reports.page import page_notes, section_note, shortened
from budew.reports.sections import Card, Cell, Report, Table, with_content
from budew.taxonomy import EMOTIONS
from budew.taxonomy.rating_scales import level_name

if TYPE_CHECKING:
    from budew.synthesis.acting.acting_hours import Preview

SHOWN = 20
"""Number of groups or pairs of the same clips that are shown; the JSON has all."""


def split_report(report: SplitReport) -> Report:
    """Report a split: one row per part, and remarks."""
    rows: list[tuple[Cell, ...]] = []
    for part in report.parts:
        most = max(report.deviations(part).items(), key=lambda item: abs(item[1]), default=None)
        rows.append(
            (
                part.name,
                part.counts["clips"],
                part.speakers,
                100 * report.share(part),
                100 * part.asked,
                report.mean_deviation(part),
                f"{most[0]} {most[1]:+.2f}" if most else None,
            )
        )
    columns = ("part", "clips", "speakers", "share %", "target %", "mean deviation", "largest deviation")
    note = "Deviation of emotion frequencies from those of the whole corpus, in percentage points."
    return Report("", "", (), [Table("Split", columns, rows, note=note)], list(_split_remarks(report)))


def _split_remarks(report: SplitReport) -> Iterator[tuple[str, str]]:
    if report.emotions_unknown:
        yield "clips with unknown emotions, which count for no emotion", f"{report.emotions_unknown:,}"
    recordings, recorded, unnamed = (
        sum(getattr(part, name) for part in report.parts) for name in ("recordings", "recorded", "unnamed")
    )
    if recorded:
        yield from page_notes("split_recordings", recorded=recorded, recordings=recordings)
    if unnamed > recorded:
        how = "each placed on its own" if report.listed else "placed by the hash of their ids"
        what = "clips without a speaker or a recording" if recorded else "clips without a speaker"
        yield what, f"{unnamed - recorded:,}, {how}: one voice may be in two parts"
    for part in report.parts:
        if missing := report.missing(part):
            yield f"{part.name} has no clip with", ", ".join(missing)


def weights_report(report: WeightReport) -> Report:
    """Report sampling weights: shares of emotions before and after, and the effective sample size."""
    before, after = shares(report.balance.masses), shares(report.weighted)
    names = sorted(
        (name for name in (*EMOTIONS, NO_EMOTION) if name in before), key=lambda name: -before[name]
    )
    rows = [
        (name, 100 * before[name], 100 * after.get(name, 0.0), report.balance.factor(name)) for name in names
    ]
    share = 100 * report.effective_clips / max(1, report.clips)
    cards = [
        Card("clips", report.clips, note=f"weights from {report.lightest:.2f} to {report.heaviest:.2f}"),
        Card("effective sample size", report.effective_clips, note=f"{share:.0f} % of the clips", digits=0),
        Card(
            "effective number of emotions",
            effective_number(after),
            note=f"{effective_number(before):.1f} before",
            digits=1,
        ),
    ]
    unweighted = {
        "without a profile, and so without a weight": report.without_profile,
        "with unknown emotions, and so without a weight": report.emotions_unknown,
    }
    cards += [Card(f"clips {what}", count) for what, count in unweighted.items() if count]
    table = Table("Shares of emotions", ("emotion", "% before", "% weighted", "factor"), rows)
    return Report("Sampling weights", "", cards, [table])


def duplicates_report(found: Duplicates) -> Report:
    """Report duplicates: counts, and one row for each of the first groups."""
    rows = []
    for (keep, _), *others in found.groups[:SHOWN]:
        more = f" and {len(others) - 5:,} more" if len(others) > 5 else ""
        rows.append((shortened(keep), ", ".join(shortened(id) for id, _ in others[:5]) + more))
    what = "transcripts" if found.by == "transcript" else "recordings"
    cards = [
        Card("clips", found.clips),
        Card("not readable", found.bad),
        Card(f"{what} that occur more than once", len(found.groups)),
        Card("redundant clips", len(found.extra), note=f"{found.extra_hours:,.2f} hours"),
    ]
    rest = {
        "damaged, compared by what could be decoded": found.damaged,
        "without a transcript, not compared": found.without_transcript,
    }
    cards += [Card(f"clips {name}", count) for name, count in rest.items() if count]
    groups = Table("First groups of duplicates", ("keep", "equal to it"), rows)
    return Report(found.corpus, "", cards, with_content(groups))


def overlap_report(found: Overlap) -> Report:
    """Report clips of a test set in training data: counts by reason, and the first clips."""
    counts = Counter(found.reasons.values())
    rows = [(shortened(test), shortened(train), reason) for test, train, reason in found.pairs[:SHOWN]]
    cards = [
        Card("clips of the test set", found.test_clips),
        Card("training clips", found.train_clips),
        Card("not readable", found.bad),
        Card("test clips in the training data", len(found.reasons), warning=bool(found.reasons)),
        *(Card(f"by the same {reason}", counts[reason]) for reason in REASONS if counts[reason]),
    ]
    table = Table("First pairs", ("test clip", "training clip", "the same"), rows)
    return Report(f"{found.test} in {found.train}", "", cards, with_content(table))


def rating_report(title: str, found: RatingStatistics, agreed: ConsensusStatistics) -> Report:
    """Report ratings by emotion, and the consensus of raters by number of ratings."""
    names = ("ratings", "items", "raters", "present", "mean", "agreement", "alpha")
    rows = [
        (emotion, *(getattr(counts, name) for name in names))
        for emotion, counts in [*found.emotions.items(), ("all", found.all)]
    ]
    outcomes = ("ratings", "pairs", "present", "absent", "mixed", "exact")
    pairs = [astuple(one) for one in agreed.outcomes]
    majority = ", ".join(f"{value:.4g} {count:,}" for value, count in agreed.majority.items())
    consensus = section_note("corpus", "consensus", agreed=agreed, majority=majority)
    sections = [
        Table("Ratings", ("emotion", *names), rows),
        Table("Consensus of the raters of an item and emotion", outcomes, pairs, note=consensus),
    ]
    return Report(title, "", (), sections, page_notes("ratings"))


def bins_table(bins: Bins) -> Table:
    """Return a table of bin edges, with one row per measure and group."""
    rows = [
        (name, "all" if group == ALL else group, *(f"{number:g}" for number in row))
        for name, groups in bins.rows.items()
        for group, row in groups.items()
    ]
    return Table("Bin edges", ("measure", "group", "very low", "low", "high", "very high"), rows)


def plan_report(found: "Preview", clip_seconds: float) -> Report:
    """Report an acting plan: clips by axis, and the first clips; `clip_seconds` is the duration of one."""
    rows: list[tuple[Cell, ...]] = []
    for axis, levels in found.counts.items():
        named = ", ".join(f"{name} {clips:,}" for name, clips in levels.items())
        rows.append((axis, len(levels), _range(levels.values()), named))
    filled_cells = sum(clips > 0 for clips in found.cells)
    named = "all have a clip" if filled_cells == len(found.cells) else f"{filled_cells:,} have a clip"
    rows.append(("voice × emotion × accent", len(found.cells), _range(found.cells), named))
    parts = found.parts or found.counts["language"]
    hours = ", ".join(f"{name} {clips * clip_seconds / 3600:,.2f}" for name, clips in parts.items())
    rows.append(("hours", len(parts), "", f"{hours}, at {clip_seconds:g} s a clip"))
    first = [
        (
            item.id,
            item.voice,
            f"{item.emotion}, {level_name(item.intensity)}; {item.language}, {item.accent}; {item.challenge}"
            + ("" if item.persona == "none" else f"; {item.persona}"),
            item.text,
        )
        for item in found.first
    ]
    sections = [
        Table("Clips of the plan", ("axis", "levels", "clips each", ""), rows),
        Table("First clips", ("clip", "voice", "what", "line"), first),
    ]
    return Report("", "", (), sections)


def _range(clips: Collection[int]) -> str:
    least, most = min(clips), max(clips)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
