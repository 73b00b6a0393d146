"""Report of a paraphrased corpus: metrics, plots, and paraphrases beside their template captions."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher

from budew.io.resources import packaged_table
from budew.paraphrase.candidate_selection import OUTCOMES
from budew.paraphrase.lexicon_gaps import LexiconGap
from budew.paraphrase.metrics.candidate_counts import ranked
from budew.paraphrase.metrics.clip_sample import RewritingExample
from budew.paraphrase.metrics.fidelity import EmotionFidelity, Fidelity
from budew.paraphrase.metrics.report import ParaphraseReport
from budew.reports.formatting import share, visible, written
from budew.reports.page import bar_list, page_notes, percent, section_note, shortened, strongest_first
from budew.reports.sections import (
    BarCell,
    BarList,
    BarLists,
    Card,
    Cell,
    Report,
    StackedBars,
    Table,
    TextPair,
    TextPairs,
    TextPiece,
    with_content,
)
from budew.taxonomy import EMOTIONS
from budew.taxonomy.rating_scales import level_name

LOW_RATE = 0.95
"""Rates of an emotion below this value are highlighted on the page."""

_WORD = re.compile(r"\s*\S+\s*")
_EDGES = ".,;:!?\"'()“”‘’…"
_BY_EMOTION = "By emotion"
_METRICS = packaged_table(__package__, "paraphrase_metrics")


def rewriting_report(found: ParaphraseReport) -> Report:
    """Report the metrics of a paraphrased corpus, with some paraphrases beside their templates."""
    sections = with_content(
        _candidates(found),
        _tallies(found),
        _diversity(found),
        _fidelity(found),
        _by_emotion(found),
        _overused(found),
        TextPairs(
            "Rewritten",
            [_pair(example) for example in found.accepted],
            "The template above, its paraphrase below. Words that only one has are marked: removed, added.",
        ),
        TextPairs(
            "Refused",
            [_pair(example) for example in found.refused],
            "Candidates that the gate refused, with the reasons: one for each first reason, then others.",
        ),
    )
    others = f" ({found.others:,} more have no paraphrase)" if found.others else ""
    bad = f"; {found.bad:,} items could not be read" if found.bad else ""
    return Report(
        f"Paraphrases of {', '.join(found.corpora)}",
        f"Counts cover all {found.clips:,} clips{others}{bad}. Diversity, fidelity and examples cover "
        f"{found.sampled:,} clips sampled by seed {found.seed}.",
        _cards(found),
        sections,
        page_notes("paraphrases"),
    )


def rewriting_summary(report: Report) -> Report:
    """Shorten the report for a terminal: without single emotions and notes."""
    sections = [section for section in report.sections if section.heading != _BY_EMOTION]
    return replace(report, sections=sections, notes=())


def lexicon_gaps_table(gaps: Iterable[LexiconGap]) -> Table:
    """Return a table of the words that the lexicon lacks, each with an example."""
    rows = []
    for gap in gaps:
        emotions = ", ".join(f"{name} {count}" for name, count in gap.emotions[:3])
        rows.append((gap.word, gap.missed, gap.named, gap.passed, emotions, gap.examples[0][:80]))
    columns = ("word", "missed", "as an emotion", "passed", "emotions missed", "for example")
    return Table("Words that the lexicon lacks", columns, rows)


def _cards(found: ParaphraseReport) -> list[Card]:
    counts, captions = found.candidates.counts, found.captions
    judged = sum(counts[name] for name in ("accepted", "repaired", "refused"))
    fallbacks = sum(captions.fallbacks.values())
    lint = found.overused
    return [
        Card("clips", found.clips),
        Card(
            "captions",
            captions.captions,
            note=f"linter: {lint.errors:,} errors, {lint.warnings:,} warnings",
        ),
        Card("candidates", counts["candidates"]),
        Card("passed the gate", share(counts["accepted"], judged)),
        Card("fallbacks", share(fallbacks, captions.captions)),
        Card("ρ before the gate", found.before.spearman.value if found.before else None, digits=3),
        Card("ρ after the gate", found.after.spearman.value if found.after else None, digits=3),
    ]


def _candidates(found: ParaphraseReport) -> StackedBars:
    totals = found.candidates
    counts = totals.counts
    note = section_note("paraphrases", "candidates", counts=counts)
    if totals.clips < found.clips:
        note += f" {found.clips - totals.clips:,} clips have no record of their candidates."
    legend = [f"{name} {counts[name]:,}" for name in OUTCOMES]
    return StackedBars("Candidates", legend, [("candidates", [counts[name] for name in OUTCOMES])], note)


def _tallies(found: ParaphraseReport) -> BarLists:
    """Return what candidates and captions are counted by, the most frequent first."""
    tallies = {
        "refused, by first reason": found.candidates.codes,
        "fallbacks, by reason": found.captions.fallbacks,
        **found.captions.origins,
    }
    lists = [bar_list(name, ranked(tally), len(tally)) for name, tally in tallies.items()]
    return BarLists("Reasons and origins", lists)


def _diversity(found: ParaphraseReport) -> Table | None:
    """Return each metric with bars; the longest bar of a metric is its largest value."""
    if not found.diversity:
        return None
    rows: list[list[Cell]] = []
    for name, (label, better, digits) in _METRICS["diversity"].items():
        values = [getattr(side, name) for side in found.diversity.values()]
        most = max([1e-12, *(value for value in values if value is not None)])
        cells = [BarCell(written(value, digits), percent(value or 0.0, most)) for value in values]
        rows.append([label, *cells, better])
    note = section_note("paraphrases", "diversity", of=found.diversity["templates"])
    return Table("Diversity", ["metric", *found.diversity, "better"], rows, note=note)


def _fidelity(found: ParaphraseReport) -> Table | None:
    if found.after is None:
        return None
    sides = _fidelity_sides(found)
    rates: dict[str, str] = _METRICS["fidelity"]
    rows = [[label, *(getattr(side, rate) for side in sides.values())] for rate, label in rates.items()]
    known = "before_the_gate" if found.before else "unknown_before_the_gate"
    before = section_note("paraphrases", known, found=found.before)
    note = section_note("paraphrases", "fidelity", before=before, after=found.after)
    return Table("Fidelity", ["rate", *(f"{name} the gate" for name in sides)], rows, note=note, digits=3)


def _fidelity_sides(found: ParaphraseReport) -> dict[str, Fidelity]:
    """Return fidelity before and after the gate, as far as it is known."""
    sides = {"before": found.before, "after": found.after}
    return {name: side for name, side in sides.items() if side is not None}


def _by_emotion(found: ParaphraseReport) -> Table:
    """Return for each emotion its words in templates and paraphrases, and fidelity before and after."""
    words = {name: side.by_emotion for name, side in found.diversity.items() if name != "written"}
    most = max([1, *(row.phrases for side in words.values() for row in side.values())])
    sides = _fidelity_sides(found)
    rows: list[list[Cell]] = []
    for number, name in enumerate(EMOTIONS):
        spoken = [side[name] for side in words.values()]
        rates = [side.by_emotion[number] for side in sides.values()]
        if any(row.said for row in spoken) or any(row.wanted or row.said for row in rates):
            bars = [BarCell(f"{row.phrases} of {row.said}", percent(row.phrases, most)) for row in spoken]
            rows.append([name, *bars, *(cell for row in rates for cell in _rate_cells(row))])
    columns = ["emotion", *(f"words in {name}" for name in words)]
    for name in sides:
        columns += [f"captions {name}", f"recall {name}", f"precision {name}", f"level {name}"]
    where = ", in templates and paraphrases" if words else ""
    note = section_note("paraphrases", "by_emotion", where=where)
    return Table(_BY_EMOTION, columns, rows, note=note)


def _rate_cells(row: EmotionFidelity) -> list[BarCell]:
    rates = (row.recall, row.precision, row.exact)
    cells = [
        BarCell("–" if rate is None else f"{100 * rate:.0f} %", warning=rate is not None and rate < LOW_RATE)
        for rate in rates
    ]
    return [BarCell(f"{row.wanted:.0f}"), *cells]


def _overused(found: ParaphraseReport) -> BarLists:
    """Return overused openings and phrases with the share of the captions that have them."""
    lint, total = found.overused, found.overused.captions
    lists = [
        BarList(
            title, [(row.phrase, share(row.captions, total), percent(row.captions, total)) for row in rows]
        )
        for title, rows in (("openings", lint.openings), ("phrases", lint.phrases))
    ]
    return BarLists("Over-used", lists, section_note("paraphrases", "overused", total=total))


def _pair(example: RewritingExample) -> TextPair:
    before, after = word_diff(shortened(example.template), shortened(example.text))
    wanted = " · ".join(_profile_words(example))
    if example.refusal is None:
        return TextPair(example.id, before, after, (wanted, example.made_by))
    reasons = [", ".join(example.refusal.codes) or "no reason given"]
    if example.refusal.missed:
        reasons.append(f"missing: {', '.join(example.refusal.missed)}")
    if example.refusal.unknown:
        reasons.append(f"not in the lexicon: {', '.join(example.refusal.unknown)}")
    if example.refusal.added:
        reasons.append(f"added: {', '.join(example.refusal.added)}")
    return TextPair(example.id, before, after, (wanted, ""), "; ".join(reasons))


def _profile_words(example: RewritingExample) -> Iterator[str]:
    """Yield the emotions, bursts and traits of a profile in words."""
    if example.profile is None:
        return
    levels = example.profile.emotions
    for name in strongest_first(levels):
        if level_name(levels[name]) != level_name(0.0):
            yield f"{name} {level_name(levels[name])}"
    yield from example.profile.bursts
    for name, value in example.profile.traits.items():
        if isinstance(value, str):
            yield f"{name} {value}"


def word_diff(one: str, other: str) -> tuple[list[TextPiece], list[TextPiece]]:
    """Split two texts into pieces that differ and pieces that are equal; control characters are made visible.

    Case, and punctuation around a word, are ignored.
    """
    words, others = (_WORD.findall(text) for text in (one, other))
    matcher = SequenceMatcher(None, _folded(words), _folded(others), autojunk=False)
    left: list[TextPiece] = []
    right: list[TextPiece] = []
    for kind, start, stop, other_start, other_stop in matcher.get_opcodes():
        changed = kind != "equal"
        if stop > start:
            left.append((visible("".join(words[start:stop])), changed))
        if other_stop > other_start:
            right.append((visible("".join(others[other_start:other_stop])), changed))
    return left, right


def _folded(words: Sequence[str]) -> list[str]:
    return [word.strip().strip(_EDGES).lower() for word in words]
