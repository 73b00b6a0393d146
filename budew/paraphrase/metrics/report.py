"""Report on rewritten corpora in one pass: candidates, diversity, fidelity, over-used phrases, examples.

Counts are of all clips. Diversity, fidelity and examples are of a sample, drawn by seed and clip id. 0.3 ms a
caption on one core and 0.3 GB.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from budew.addresses import shown
from budew.captions.lint.corpus import Overused, Row, lint_corpus
from budew.captions.lint.corpus import Report as LintReport
from budew.corpora import read
from budew.errors import CorpusError, InputError, OnBad, report
from budew.files import whole_file
from budew.paraphrase.metrics.candidate_counts import (
    CandidateCounts,
    CaptionCounts,
    is_fallback,
    written_by_rewriting,
)
from budew.paraphrase.metrics.comparison import compare_diversity, fidelity_after, fidelity_before
from budew.paraphrase.metrics.diversity import Diversity
from budew.paraphrase.metrics.fidelity import Fidelity
from budew.paraphrase.metrics.sample import Example, Sample, accepted_examples, refused_examples

SAMPLE = 2000
"""Clips of which diversity and fidelity are measured."""
EXAMPLES = 12
Progress = Callable[[int], None]
"""Called with the number of clips that are done."""


@dataclass(frozen=True, slots=True)
class ParaphraseReport:
    """Metrics of rewritten corpora.

    Attributes:
        corpora: names.
        clips, others, bad: clips with captions by rewriting, clips without, unreadable items.
        candidates, captions: counts over all clips.
        sampled, seed: clips of which the following are measured, and the seed of the sample.
        diversity: by `COMPARED`.
        before, after: fidelity of all candidates, and of what was written; None where it is unknown.
        overused: findings of `budew lint` on the paraphrases of all clips, without fallbacks.
        accepted, refused: examples.
    """

    corpora: tuple[str, ...]
    clips: int
    others: int
    bad: int
    candidates: CandidateCounts
    captions: CaptionCounts
    sampled: int
    seed: int
    diversity: Mapping[str, Diversity]
    before: Fidelity | None
    after: Fidelity | None
    overused: LintReport
    accepted: tuple[Example, ...]
    refused: tuple[Example, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return everything, ready for JSON; undefined metrics are None."""
        return {
            "corpora": list(self.corpora),
            "clips": self.clips,
            "clips_without_paraphrases": self.others,
            "bad_items": self.bad,
            "candidates": self.candidates.to_dict(),
            "captions": self.captions.to_dict(),
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
class _Read:
    """Counts of what was read so far."""

    sample: Sample
    clips: int = 0
    others: int = 0
    bad: int = 0
    candidates: CandidateCounts = field(default_factory=CandidateCounts)
    captions: CaptionCounts = field(default_factory=CaptionCounts)


def paraphrase_report(
    corpora: Sequence[str | Path],
    *,
    sample: int = SAMPLE,
    seed: int = 0,
    examples: int = EXAMPLES,
    on_bad: OnBad | None = None,
    progress: Progress | None = None,
) -> ParaphraseReport:
    """Measure rewritten corpora.

    Args:
        corpora: each anything that `budew.read` takes.
        sample: clips of which diversity and fidelity are measured.
        seed: draws them.
        examples: of paraphrases, and of refused candidates, to keep.
        on_bad: receives the error of each unreadable item; without it the first is raised.
        progress: called with the number of clips read.

    Raises:
        CorpusError: there is no such corpus, or an item of it cannot be read.
        InputError: no clip has a caption by rewriting.
    """
    found = _Read(Sample(max(1, sample), seed))
    overused = lint_corpus(_rows(corpora, found, on_bad, progress))
    names = tuple(shown(str(corpus)) for corpus in corpora)
    if not found.clips:
        raise InputError(
            f"{', '.join(names) or 'no corpus'}: none of {found.others:,} clips has a paraphrase: "
            "write them with budew paraphrase run"
        )
    clips = found.sample.clips()
    return ParaphraseReport(
        corpora=names,
        clips=found.clips,
        others=found.others,
        bad=found.bad,
        candidates=found.candidates,
        captions=found.captions,
        sampled=len(clips),
        seed=seed,
        diversity=compare_diversity(clips, seed=seed),
        before=fidelity_before(clips, found.candidates.counts, seed=seed),
        after=fidelity_after(clips, seed=seed),
        overused=overused,
        accepted=accepted_examples(clips, examples, seed=seed),
        refused=refused_examples(clips, examples, seed=seed),
    )


def banned_phrases(overused: Iterable[Overused]) -> tuple[str, ...]:
    """Return over-used phrases for `--ban`, the most frequent first, each run of words once.

    A formula of six words is over-used as three phrases of four; the first of them is enough to ban it.
    """
    kept: list[tuple[str, ...]] = []
    for found in overused:
        words = tuple(found.phrase.split())
        if not any(set(_runs(words)) & set(_runs(other)) for other in kept):
            kept.append(words)
    return tuple(" ".join(words) for words in kept)


def write_ban(overused: Iterable[Overused], path: Path) -> tuple[str, ...]:
    """Write the phrases as YAML, `phrases: […]`, replacing what is at `path`, and return them."""
    phrases = banned_phrases(overused)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        yaml.safe_dump({"phrases": list(phrases)}, file, allow_unicode=True, sort_keys=False, width=1000)
    return phrases


def _runs(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the runs of more than half of the words."""
    length = len(words) // 2 + 1
    return (words[at : at + length] for at in range(len(words) - length + 1))


def _rows(
    corpora: Sequence[str | Path], found: _Read, on_bad: OnBad | None, progress: Progress | None
) -> Iterator[Row]:
    """Count all clips, and yield their paraphrases for the linter."""

    def bad(error: CorpusError) -> None:
        found.bad += 1
        report(error, on_bad)

    for clip in chain.from_iterable(read(corpus, on_bad=bad) for corpus in corpora):
        captions = written_by_rewriting(clip)
        found.candidates.add(clip, captions)
        found.clips += bool(captions)
        found.others += not captions
        if captions:
            found.sample.add(clip)
        for caption in captions:
            found.captions.add(caption)
            if not is_fallback(caption):
                yield Row(clip.id, caption.text, clip.profile)
        if progress:
            progress(found.clips + found.others)
