"""What rewriting made of a corpus as one HTML page: metrics, plots, captions in pairs."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from budew.paraphrase.candidate_selection import OUTCOMES
from budew.paraphrase.metrics import ParaphraseReport
from budew.paraphrase.metrics.candidate_counts import ranked
from budew.paraphrase.metrics.clip_sample import RewritingExample
from budew.paraphrase.metrics.diversity import Diversity
from budew.reports.page import (
    BarList,
    bar_list,
    by_family,
    percent,
    render_page,
    shortened,
    strongest_first,
)
from budew.reports.paraphrase_tables import diversity_rows, fidelity_rows, interval_text
from budew.reports.tables import share, written
from budew.reports.visible_text import visible
from budew.taxonomy import EMOTIONS
from budew.taxonomy.scales import level_name

Piece = tuple[str, bool]
"""Some text, and whether it is not in the other text."""
_WORD = re.compile(r"\s*\S+\s*")
_EDGES = ".,;:!?\"'()“”‘’…"


def paraphrase_html(found: ParaphraseReport) -> str:
    """Return the report on rewriting as HTML."""
    counts = found.candidates.counts
    return render_page(
        "paraphrase_page",
        filters={"written": written, "interval": interval_text},
        found=found,
        cards=_cards(found),
        fates=[(name, counts[name], percent(counts[name], counts["candidates"])) for name in OUTCOMES],
        lists=_lists(found),
        diversity=_diversity(found.diversity),
        fidelity=fidelity_rows(found),
        emotions=_emotions(found),
        overused=_overused(found),
        accepted=[_pair(example) for example in found.accepted],
        refused=[_pair(example) for example in found.refused],
    )


def _cards(found: ParaphraseReport) -> list[tuple[str, str]]:
    counts, captions = found.candidates.counts, found.captions
    judged = sum(counts[name] for name in ("accepted", "repaired", "refused"))
    fallbacks = sum(captions.fallbacks.values())
    return [
        ("clips", f"{found.clips:,}"),
        ("captions", f"{captions.captions:,}"),
        ("candidates", f"{counts['candidates']:,}"),
        ("passed the gate", share(counts["accepted"], judged)),
        ("fallbacks", share(fallbacks, captions.captions)),
        ("ρ before the gate", written(found.before.spearman.value if found.before else None, 3)),
        ("ρ after the gate", written(found.after.spearman.value if found.after else None, 3)),
    ]


def _lists(found: ParaphraseReport) -> list[BarList]:
    """Return what candidates and captions are counted by, the most frequent first."""
    captions = found.captions
    tallies = {
        "refused, by first reason": found.candidates.codes,
        "fallbacks, by reason": captions.fallbacks,
        **captions.origins,
    }
    return [bar_list(name, ranked(tally), len(tally)) for name, tally in tallies.items() if tally]


def _diversity(sides: Mapping[str, Diversity]) -> list[Mapping[str, Any]]:
    """Return each metric with its values and bars; the longest bar of a metric is its largest value."""
    rows: list[Mapping[str, Any]] = []
    for metric, values in diversity_rows(sides):
        most = max([1e-12, *(value for value in values.values() if value is not None)])
        cells = [
            (side, written(value, metric.digits), percent(value or 0.0, most))
            for side, value in values.items()
        ]
        rows.append({"label": metric.label, "better": metric.better, "cells": cells})
    return rows


def _emotions(found: ParaphraseReport) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Return by family what is known of each emotion: its words on both sides, fidelity before and after."""
    found_rows: list[tuple[str, Mapping[str, Any]]] = []
    sides = {label: side.by_emotion for label, side in found.diversity.items() if label != "written"}
    most = max([1, *(row.phrases for side in sides.values() for row in side.values())])
    fidelity = [(label, side) for label, side in (("before", found.before), ("after", found.after)) if side]
    for at, name in enumerate(EMOTIONS):
        words = [(label, side[name], percent(side[name].phrases, most)) for label, side in sides.items()]
        rates = [(label, side.by_emotion[at]) for label, side in fidelity]
        if any(row.said for _, row, _ in words) or any(row.wanted or row.said for _, row in rates):
            found_rows.append((name, {"name": name, "words": words, "rates": rates}))
    return by_family(found_rows)


def _overused(found: ParaphraseReport) -> list[tuple[str, list[tuple[str, str, float]], int]]:
    """Return overused openings and phrases with the share of the captions that have them."""
    lint, total = found.overused, found.overused.captions
    return [
        (title, [(row.phrase, share(row.captions, total), percent(row.captions, total)) for row in rows], 0)
        for title, rows in (("openings", lint.openings), ("phrases", lint.phrases))
        if rows
    ]


def _pair(example: RewritingExample) -> Mapping[str, Any]:
    """Return a text beside its template, both cut into what they share and what they do not."""
    template, text = word_diff(shortened(example.template), shortened(example.text))
    return {"example": example, "template": template, "text": text, "wanted": list(_wanted(example))}


def _wanted(example: RewritingExample) -> Iterable[str]:
    """Yield what a profile holds, in words."""
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


def word_diff(one: str, other: str) -> tuple[list[Piece], list[Piece]]:
    """Return both texts in pieces, which together are the texts made visible.

    Words are equal in any case and with any punctuation around them.
    """
    words, others = (_WORD.findall(text) for text in (one, other))
    matcher = SequenceMatcher(None, _folded(words), _folded(others), autojunk=False)
    left: list[Piece] = []
    right: list[Piece] = []
    for kind, start, stop, other_start, other_stop in matcher.get_opcodes():
        changed = kind != "equal"
        left += [(visible("".join(words[start:stop])), changed)] * (stop > start)
        right += [(visible("".join(others[other_start:other_stop])), changed)] * (other_stop > other_start)
    return left, right


def _folded(words: Sequence[str]) -> list[str]:
    return [word.strip().strip(_EDGES).lower() for word in words]
