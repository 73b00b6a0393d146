"""What rewriting made of a corpus as terminal tables, and the metrics that the page shows too."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from budew.paraphrase.candidate_selection import OUTCOMES
from budew.paraphrase.lexicon_gaps import LexiconGap
from budew.paraphrase.metrics.candidate_counts import ranked
from budew.paraphrase.metrics.fidelity import Fidelity
from budew.paraphrase.metrics.report import ParaphraseReport
from budew.reports.formatting import LISTED, share, written
from budew.reports.terminal_tables import empty_table
from budew.statistics.resampling import ConfidenceInterval


class DiversityMetric(NamedTuple):
    """A metric of diversity: attribute of `Diversity`, label, what is better ("more", "less", ""), digits."""

    name: str
    label: str
    better: str
    digits: int


DIVERSITY = (
    DiversityMetric("distinct_1", "distinct-1", "more", 3),
    DiversityMetric("distinct_2", "distinct-2", "more", 3),
    DiversityMetric("distinct_3", "distinct-3", "more", 3),
    DiversityMetric("self_bleu", "self-BLEU", "less", 1),
    DiversityMetric("compression_ratio", "compression ratio", "less", 2),
    DiversityMetric("openings", "different first three words", "more", 3),
    DiversityMetric("syntactic_openings", "different syntactic openings", "more", 3),
    DiversityMetric("emotion_words", "type–token ratio of emotion words", "more", 3),
    DiversityMetric("effective_vocabulary", "effective vocabulary", "more", 1),
    DiversityMetric("mean_words", "words a caption", "", 1),
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
        captions = next(iter(found.diversity.values())).captions
        title = f"diversity of {captions:,} captions each, seed {found.seed}"
        table = empty_table("metric", *found.diversity, title=title)
        table.add_column("better")
        for metric in DIVERSITY:
            values = (getattr(side, metric.name) for side in found.diversity.values())
            table.add_row(metric.label, *(written(value, metric.digits) for value in values), metric.better)
        parts.append(table)
    if found.after is not None:
        title = f"fidelity of {found.sampled:,} clips, with 95 % intervals"
        sides = fidelity_sides(found)
        table = empty_table("rate", *(f"{name} the gate" for name in sides), title=title)
        for rate, label in FIDELITY.items():
            table.add_row(label, *(_interval_text(getattr(side, rate)) for side in sides.values()))
        parts.append(table)
    return Group(*parts, Text("\n".join(_overused_lines(found))))


def fidelity_sides(found: ParaphraseReport) -> dict[str, Fidelity]:
    """Return fidelity before and after the gate, as far as it is known."""
    sides = {"before": found.before, "after": found.after}
    return {name: side for name, side in sides.items() if side is not None}


def _interval_text(estimate: ConfidenceInterval) -> str:
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
    yield (
        f"requests: {counts['requests']:,}, unanswered {counts['unanswered']:,}, "
        f"retried {counts['retried']:,}"
    )
    outcomes = (f"{name} {counts[name]:,} ({share(counts[name], candidates)})" for name in OUTCOMES)
    yield f"candidates: {candidates:,}; {', '.join(outcomes)}"
    if totals.codes:
        yield f"refused for: {_listed(ranked(totals.codes))}"
    fallbacks = sum(captions.fallbacks.values())
    yield f"captions: {captions.captions:,}, fallbacks {fallbacks:,} ({share(fallbacks, captions.captions)})"
    for label, tally in ({"fallbacks for": captions.fallbacks} | captions.origins).items():
        if tally:
            yield f"{label}: {_listed(ranked(tally))}"
    if totals.wrong:
        yield f"the counts are INCONSISTENT in {totals.wrong:,} clips, such as:"
        yield from (f"    {id}: {problem}" for id, problem in totals.listed)
    elif totals.clips:
        yield f"the counts of all {totals.clips:,} clips are consistent"
    if totals.clips < found.clips:
        yield f"{found.clips - totals.clips:,} clips have no record of their candidates"


def _overused_lines(found: ParaphraseReport) -> Iterator[str]:
    lint = found.overused
    yield f"lint of {lint.captions:,} paraphrases: {lint.errors:,} errors, {lint.warnings:,} warnings"
    for title, phrases in (("openings", lint.openings), ("phrases", lint.phrases)):
        if phrases:
            yield f"overused {title}"
        for phrase in phrases[:LISTED]:
            yield f"    {share(phrase.captions, lint.captions):>7}  {phrase.phrase}"


def _listed(counted: list[tuple[str, int]]) -> str:
    text = ", ".join(f"{name} {count:,}" for name, count in counted[:LISTED])
    more = len(counted) - LISTED
    return f"{text} and {more:,} more" if more > 0 else text


def lexicon_gaps_table(gaps: Iterable[LexiconGap]) -> Table:
    """Return the words that the lexicon lacks, with an example each."""
    table = Table("word", "missed", "as an emotion", "passed", "emotions missed", "for example")
    for gap in gaps:
        emotions = ", ".join(f"{name} {count}" for name, count in gap.emotions[:3])
        counts = (f"{count:,}" for count in (gap.missed, gap.named, gap.passed))
        table.add_row(gap.word, *counts, emotions, gap.examples[0][:80])
    return table
