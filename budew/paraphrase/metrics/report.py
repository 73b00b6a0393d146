"""From rewritten corpora to a report: fates, diversity, fidelity, over-used phrases, examples; in one pass.

Counts are those of all clips. Diversity, fidelity and examples are those of a sample that the ids of the
clips and the seed decide, not their order. Memory: the sample, and the tallies of `budew lint`. 0.3 ms a
caption on one core and 0.3 GB.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from budew.addresses import shown
from budew.captions.lint.corpus import Report as LintReport
from budew.captions.lint.corpus import Row, lint_corpus
from budew.corpora import Clip, read
from budew.errors import CorpusError, InputError
from budew.paraphrase.metrics.account import Accounts, Origins, is_fallback, written_by_rewriting
from budew.paraphrase.metrics.comparison import fidelity_after, fidelity_before, side_by_side
from budew.paraphrase.metrics.diversity import Diversity
from budew.paraphrase.metrics.examples import Example, accepted_examples, refused_examples
from budew.paraphrase.metrics.fidelity import Fidelity
from budew.paraphrase.metrics.sample import Rewritten, Sample

SAMPLE = 2000
"""Clips of which diversity and fidelity are measured."""
EXAMPLES = 12
Progress = Callable[[int], None]
"""Called with the number of clips that are done."""


@dataclass(frozen=True, slots=True)
class ParaphraseReport:
    """What rewriting made of some corpora.

    Attributes:
        corpora: what was read.
        clips: with captions by rewriting.
        others: clips without any.
        bad: items that could not be read.
        accounts, origins: of candidates and of captions, of all clips.
        sampled: clips in the sample that the following rest on.
        seed: that drew it.
        diversity: of templates, paraphrases and captions as written; of equally many captions.
        before, after: fidelity of all candidates, and of what was written; None where it cannot be known.
        overused: what `budew lint` finds in the paraphrases of all clips, fallbacks left out.
        accepted, refused: examples.
    """

    corpora: tuple[str, ...]
    clips: int
    others: int
    bad: int
    accounts: Accounts
    origins: Origins
    sampled: int
    seed: int
    diversity: Mapping[str, Diversity]
    before: Fidelity | None
    after: Fidelity | None
    overused: LintReport
    accepted: tuple[Example, ...]
    refused: tuple[Example, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON; undefined figures are None."""
        return {
            "corpora": list(self.corpora),
            "clips": self.clips,
            "clips_without_paraphrases": self.others,
            "bad_items": self.bad,
            "candidates": self.accounts.to_dict(),
            "captions": self.origins.to_dict(),
            "sampled_clips": self.sampled,
            "seed": self.seed,
            "diversity": {name: side.to_dict() for name, side in self.diversity.items()},
            "fidelity": {
                "before_the_gate": self.before.to_dict() if self.before else None,
                "after_the_gate": self.after.to_dict() if self.after else None,
            },
            "lint": self.overused.to_dict(),
            "examples": [example.to_dict() for example in self.accepted],
            "refused_examples": [example.to_dict() for example in self.refused],
        }


@dataclass(slots=True)
class _Seen:
    """What was seen so far."""

    sample: Sample
    clips: int = 0
    others: int = 0
    bad: int = 0
    accounts: Accounts = field(default_factory=Accounts)
    origins: Origins = field(default_factory=Origins)


def paraphrase_report(
    corpora: Sequence[str | Path],
    *,
    sample: int = SAMPLE,
    seed: int = 0,
    examples: int = EXAMPLES,
    on_bad: Callable[[CorpusError], None] | None = None,
    progress: Progress | None = None,
) -> ParaphraseReport:
    """Measure what rewriting made of corpora.

    Args:
        corpora: each anything that `budew.read` takes.
        sample: clips of which diversity and fidelity are measured.
        seed: draws them.
        examples: of paraphrases, and of refused candidates, that are kept to be shown.
        on_bad: called with the error of each item that cannot be read; without it the first is raised.
        progress: called with the number of clips that are done.

    Raises:
        CorpusError: there is no such corpus, or an item of it cannot be read.
        InputError: no clip has a caption by rewriting.
    """
    seen = _Seen(Sample(max(1, sample), seed))
    overused = lint_corpus(_rows(corpora, seen, on_bad, progress))
    names = tuple(shown(str(corpus)) for corpus in corpora)
    if not seen.clips:
        raise InputError(
            f"{', '.join(names) or 'no corpus'}: none of {seen.others:,} clips has a paraphrase: "
            "write them with budew paraphrase run"
        )
    clips = seen.sample.clips()
    return ParaphraseReport(
        corpora=names,
        clips=seen.clips,
        others=seen.others,
        bad=seen.bad,
        accounts=seen.accounts,
        origins=seen.origins,
        sampled=len(clips),
        seed=seed,
        **_measured(clips, seen.accounts, seed),
        overused=overused,
        accepted=accepted_examples(clips, examples, seed=seed),
        refused=refused_examples(clips, examples, seed=seed),
    )


def _measured(clips: Sequence[Rewritten], accounts: Accounts, seed: int) -> dict[str, Any]:
    return {
        "diversity": side_by_side(clips, seed=seed),
        "before": fidelity_before(clips, accounts.counts, seed=seed),
        "after": fidelity_after(clips, seed=seed),
    }


def _rows(
    corpora: Sequence[str | Path],
    seen: _Seen,
    on_bad: Callable[[CorpusError], None] | None,
    progress: Progress | None,
) -> Iterator[Row]:
    """Read all clips, take note of them, and give their paraphrases for the linter."""

    def tell(error: CorpusError) -> None:
        if on_bad is None:
            raise error
        seen.bad += 1
        on_bad(error)

    for corpus in corpora:
        for clip in read(corpus, on_bad=tell):
            yield from _noted(clip, seen)
            if progress:
                progress(seen.clips + seen.others)


def _noted(clip: Clip, seen: _Seen) -> Iterator[Row]:
    written = written_by_rewriting(clip)
    seen.accounts.add(clip, written)
    if not written:
        seen.others += 1
        return
    seen.clips += 1
    seen.sample.add(clip)
    for caption in written:
        seen.origins.add(caption)
        if not is_fallback(caption):
            yield Row(clip.id, caption.text, clip.profile)
