"""The report on rewriting as terminal tables."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from budew.paraphrase.candidate_selection import OUTCOMES
from budew.paraphrase.lexicon_gaps import LexiconGap
from budew.paraphrase.metrics.candidate_counts import ranked
from budew.paraphrase.metrics.diversity import Diversity
from budew.paraphrase.metrics.report import ParaphraseReport
from budew.reports.tables import LISTED, share, table, written
from budew.statistics.resampling import ConfidenceInterval


class Metric(NamedTuple):
    """A metric of diversity: attribute of `Diversity`, label, what is better ("more", "less", ""), digits."""

    name: str
    label: str
    better: str
    digits: int


DIVERSITY = (
    Metric("distinct_1", "distinct-1", "more", 3),
    Metric("distinct_2", "distinct-2", "more", 3),
    Metric("distinct_3", "distinct-3", "more", 3),
    Metric("self_bleu", "self-BLEU", "less", 1),
    Metric("compression_ratio", "compression ratio", "less", 2),
    Metric("openings", "different first three words", "more", 3),
    Metric("syntactic_openings", "different syntactic openings", "more", 3),
    Metric("emotion_words", "type–token ratio of emotion words", "more", 3),
    Metric("effective_vocabulary", "effective vocabulary", "more", 1),
    Metric("mean_words", "words a caption", "", 1),
)
FIDELITY = {
    "spearman": "Spearman ρ",
    "exact": "exact level",
    "within_one": "within one level",
    "recall": "recall of emotions",
    "precision": "precision of emotions",
}
"""Labels of the rates of `Fidelity`."""


def paraphrase_report_tables(found: ParaphraseReport) -> RenderableType:
    """Return counts, diversity and fidelity, for `rich.print`."""
    parts: list[RenderableType] = [Text("\n".join(_counts(found)))]
    if found.diversity:
        parts.append(_diversity(found))
    if found.after is not None:
        parts.append(_fidelity(found))
    return Group(*parts, Text("\n".join(_overused(found))))


def diversity_rows(
    compared: Mapping[str, Diversity],
) -> list[tuple[Metric, dict[str, float | None]]]:
    """Return each metric with its values."""
    return [(row, {name: getattr(side, row.name) for name, side in compared.items()}) for row in DIVERSITY]


def fidelity_rows(found: ParaphraseReport) -> list[tuple[str, list[str]]]:
    """Return each rate of fidelity before and after the gate, as far as they are known."""
    sides = [side for side in (found.before, found.after) if side is not None]
    return [
        (label, [interval_text(getattr(side, rate)) for side in sides]) for rate, label in FIDELITY.items()
    ]


def interval_text(estimate: ConfidenceInterval) -> str:
    """Format a rate with its interval."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "–"
    return f"{written(estimate.value, 3)} ({written(estimate.low, 3)} to {written(estimate.high, 3)})"


def _counts(found: ParaphraseReport) -> Iterator[str]:
    totals, captions = found.candidates, found.captions
    counts, candidates = totals.counts, totals.counts["candidates"]
    yield (
        f"{', '.join(found.corpora)}: {found.clips:,} clips with paraphrases, "
        f"{found.others:,} without, not readable {found.bad:,}"
    )
    fates = ", ".join(f"{name} {counts[name]:,} ({share(counts[name], candidates)})" for name in OUTCOMES)
    asked = ("unanswered", "retried")
    yield f"requests: {counts['requests']:,}, {', '.join(f'{name} {counts[name]:,}' for name in asked)}"
    yield f"candidates: {candidates:,}; {fates}"
    if totals.codes:
        yield f"refused for: {_listed(ranked(totals.codes))}"
    fallbacks = sum(captions.fallbacks.values())
    yield f"captions: {captions.captions:,}, fallbacks {fallbacks:,} ({share(fallbacks, captions.captions)})"
    for label, tally in ({"fallbacks for": captions.fallbacks} | captions.origins).items():
        if tally:
            yield f"{label}: {_listed(ranked(tally))}"
    if totals.wrong:
        yield f"the counts are INCONSISTENT in {totals.wrong:,} clips, such as:"
        yield from (f"    {id}: {what}" for id, what in totals.listed)
    elif totals.clips:
        yield f"the counts of all {totals.clips:,} clips are consistent"
    if totals.clips < found.clips:
        yield f"{found.clips - totals.clips:,} clips have no record of their candidates"


def _diversity(found: ParaphraseReport) -> Table:
    captions = next(iter(found.diversity.values())).captions
    title = f"diversity of {captions:,} captions each, seed {found.seed}"
    made = table("metric", *found.diversity, title=title)
    made.add_column("better")
    for row, values in diversity_rows(found.diversity):
        made.add_row(row.label, *(written(value, row.digits) for value in values.values()), row.better)
    return made


def _fidelity(found: ParaphraseReport) -> Table:
    sides = [label for label in ("before", "after") if getattr(found, label) is not None]
    headings = (f"{label} the gate" for label in sides)
    made = table("rate", *headings, title=f"fidelity of {found.sampled:,} clips, with 95 % intervals")
    for label, rates in fidelity_rows(found):
        made.add_row(label, *rates)
    return made


def _overused(found: ParaphraseReport) -> Iterator[str]:
    lint = found.overused
    yield f"lint of {lint.captions:,} paraphrases: {lint.errors:,} errors, {lint.warnings:,} warnings"
    for title, phrases in (("openings", lint.openings), ("phrases", lint.phrases)):
        if phrases:
            yield f"overused {title}"
        for phrase in phrases[:LISTED]:
            yield f"    {share(phrase.captions, lint.captions):>7}  {phrase.phrase}"


def _listed(counted: list[tuple[str, int]]) -> str:
    more = len(counted) - LISTED
    return ", ".join(f"{name} {count:,}" for name, count in counted[:LISTED]) + (
        f" and {more:,} more" * (more > 0)
    )


def lexicon_gaps_table(gaps: Iterable[LexiconGap]) -> Table:
    """Return the words that the lexicon lacks, with an example each."""
    rows = Table("word", "missed", "as an emotion", "passed", "emotions missed", "for example")
    for gap in gaps:
        emotions = ", ".join(f"{name} {count}" for name, count in gap.emotions[:3])
        counts = (f"{count:,}" for count in (gap.missed, gap.named, gap.passed))
        rows.add_row(gap.word, *counts, emotions, gap.examples[0][:80])
    return rows
