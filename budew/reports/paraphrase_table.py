"""The report on rewriting as terminal tables."""

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from budew.paraphrase.metrics.account import FATES, ranked
from budew.paraphrase.metrics.figures import FIDELITY, diversity_rows, interval, share, written
from budew.paraphrase.metrics.report import ParaphraseReport

LISTED = 12
"""Names in each list; the JSON has more."""


def paraphrase_tables(found: ParaphraseReport) -> RenderableType:
    """Return counts, diversity and fidelity, for `rich.print`."""
    parts: list[RenderableType] = [Text("\n".join(_counts(found)))]
    if found.diversity:
        parts.append(_diversity(found))
    if found.after is not None:
        parts.append(_fidelity(found))
    return Group(*parts, Text("\n".join(_overused(found))))


def _counts(found: ParaphraseReport) -> Iterator[str]:
    accounts, origins = found.accounts, found.origins
    counts, candidates = accounts.counts, accounts.counts["candidates"]
    yield (
        f"{', '.join(found.corpora)}: {found.clips:,} clips with paraphrases, "
        f"{found.others:,} without, not readable {found.bad:,}"
    )
    fates = ", ".join(f"{name} {counts[name]:,} ({share(counts[name], candidates)})" for name in FATES)
    asked = ("unanswered", "retried")
    yield f"requests: {counts['requests']:,}, {', '.join(f'{name} {counts[name]:,}' for name in asked)}"
    yield f"candidates: {candidates:,}; {fates}"
    if accounts.codes:
        yield f"refused for: {_listed(ranked(accounts.codes))}"
    fallbacks = sum(origins.fallbacks.counts())
    yield f"captions: {origins.captions:,}, fallbacks {fallbacks:,} ({share(fallbacks, origins.captions)})"
    for label, tally in (
        ("fallbacks for", origins.fallbacks),
        ("styles", origins.styles),
        ("backends", origins.backends),
        ("prompts", origins.prompts),
        ("attempts", origins.attempts),
    ):
        if len(tally):
            yield f"{label}: {_listed(tally.most_common(LISTED))}"
    yield from _sums(found)


def _sums(found: ParaphraseReport) -> Iterator[str]:
    """Say whether the counts add up."""
    accounts = found.accounts
    if accounts.wrong:
        yield f"the counts do NOT add up in {accounts.wrong:,} clips, such as:"
        yield from (f"    {id}: {what}" for id, what in accounts.told)
    elif accounts.clips:
        yield f"the counts of all {accounts.clips:,} clips add up"
    if accounts.clips < found.clips:
        yield f"{found.clips - accounts.clips:,} clips tell nothing of their candidates"


def _diversity(found: ParaphraseReport) -> Table:
    captions = next(iter(found.diversity.values())).captions
    table = Table(box=SIMPLE_HEAD, title=f"diversity of {captions:,} captions each, seed {found.seed}")
    table.add_column("figure", no_wrap=True)
    for side in found.diversity:
        table.add_column(side, justify="right", no_wrap=True)
    table.add_column("better")
    for row, values in diversity_rows(found.diversity):
        table.add_row(row.label, *(written(value, row.digits) for value in values.values()), row.better)
    return table


def _fidelity(found: ParaphraseReport) -> Table:
    table = Table(box=SIMPLE_HEAD, title=f"fidelity of {found.sampled:,} clips, with 95 % intervals")
    table.add_column("rate", no_wrap=True)
    sides = {"before the gate": found.before, "after the gate": found.after}
    known = {label: side for label, side in sides.items() if side is not None}
    for label in known:
        table.add_column(label, justify="right", no_wrap=True)
    for rate, label in FIDELITY.items():
        table.add_row(label, *(interval(getattr(side, rate)) for side in known.values()))
    return table


def _overused(found: ParaphraseReport) -> Iterator[str]:
    lint = found.overused
    yield f"lint of {lint.captions:,} paraphrases: {lint.errors:,} errors, {lint.warnings:,} warnings"
    for title, phrases in (("openings", lint.openings), ("phrases", lint.phrases)):
        if phrases:
            yield f"over-used {title}"
        for phrase in phrases[:LISTED]:
            yield f"    {share(phrase.captions, lint.captions):>7}  {phrase.phrase}"


def _listed(counted: list[tuple[str, int]]) -> str:
    more = len(counted) - LISTED
    return ", ".join(f"{name} {count:,}" for name, count in counted[:LISTED]) + (
        f" and {more:,} more" * (more > 0)
    )
