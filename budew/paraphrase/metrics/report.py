"""Report on rewritten corpora in one pass: candidates, diversity, fidelity, overused phrases, examples.

Counts are of all clips. Diversity, fidelity and examples are of a sample, drawn by seed and clip id. 0.3 ms a
caption on one core and 0.3 GB.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from budew.captions.lint.corpus import LintReport, Overused, Row, lint_corpus
from budew.corpora import read
from budew.corpora.clip import Clip, without_withheld
from budew.errors import CorpusError, InputError, OnBad, report
from budew.io.addresses import without_secrets
from budew.io.files import whole_file
from budew.paraphrase.metrics.candidate_counts import (
    CandidateCounts,
    CaptionCounts,
    is_fallback,
    written_by_rewriting,
)
from budew.paraphrase.metrics.clip_sample import (
    ClipSample,
    RewritingExample,
    accepted_examples,
    compare_diversity,
    fidelity_after,
    fidelity_before,
    refused_examples,
)
from budew.paraphrase.metrics.diversity import Diversity
from budew.paraphrase.metrics.fidelity import Fidelity

SAMPLE = 2000
"""Clips of which diversity and fidelity are measured."""
EXAMPLES = 12
Progress = Callable[[int], None]
"""Called with the number of clips that are done."""


@dataclass(slots=True)
class ParaphraseReport:
    """Metrics of rewritten corpora.

    Attributes:
        corpora: names.
        seed: of the sample.
        clips, others, bad: clips with captions by rewriting, clips without, unreadable items.
        candidates, captions: counts over all clips.
        sampled: clips of which the following are measured.
        diversity: by `COMPARED`.
        before, after: fidelity of all candidates, and of what was written; None where it is unknown.
        overused: findings of `budew lint` on the paraphrases of all clips, without fallbacks.
        accepted, refused: examples.
    """

    corpora: tuple[str, ...]
    seed: int
    clips: int = 0
    others: int = 0
    bad: int = 0
    candidates: CandidateCounts = field(default_factory=CandidateCounts)
    captions: CaptionCounts = field(default_factory=CaptionCounts)
    sampled: int = 0
    diversity: Mapping[str, Diversity] = field(default_factory=dict)
    before: Fidelity | None = None
    after: Fidelity | None = None
    overused: LintReport = field(default_factory=lambda: lint_corpus(()))
    accepted: tuple[RewritingExample, ...] = ()
    refused: tuple[RewritingExample, ...] = ()

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
            "diversity": {name: asdict(side) for name, side in self.diversity.items()},
            "fidelity": {
                "before_the_gate": asdict(self.before) if self.before else None,
                "after_the_gate": asdict(self.after) if self.after else None,
            },
            "lint": self.overused.to_dict(),
            "examples": [example.to_dict() for example in self.accepted],
            "refused_examples": [example.to_dict() for example in self.refused],
        }


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
        sample, seed: clips of which diversity and fidelity are measured, and what draws them.
        examples: of paraphrases, and of refused candidates, to keep.
        on_bad: receives the error of each unreadable item; without it the first is raised.
        progress: called with the number of clips read.

    Raises:
        CorpusError: there is no such corpus, or an item of it cannot be read.
        InputError: no clip has a caption by rewriting.
    """
    found = ParaphraseReport(tuple(without_secrets(str(corpus)) for corpus in corpora), seed)
    drawn = ClipSample(max(1, sample), seed)

    def bad(error: CorpusError) -> None:
        found.bad += 1
        report(error, on_bad)

    clips: Iterator[Clip] = chain.from_iterable(read(corpus, on_bad=bad) for corpus in corpora)
    clips = without_withheld(clips, lambda _, error: bad(error))
    found.overused = lint_corpus(_rows(clips, found, drawn, progress))
    if not found.clips:
        names = ", ".join(found.corpora) or "no corpus"
        fault = f"{names}: none of {found.others:,} clips has a paraphrase"
        raise InputError(f"{fault}: write them with budew paraphrase run")
    sampled = drawn.clips()
    found.sampled = len(sampled)
    found.diversity = compare_diversity(sampled, seed=seed)
    found.before = fidelity_before(sampled, found.candidates.counts, seed=seed)
    found.after = fidelity_after(sampled, seed=seed)
    found.accepted = accepted_examples(sampled, examples, seed=seed)
    found.refused = refused_examples(sampled, examples, seed=seed)
    return found


def _rows(
    clips: Iterable[Clip], found: ParaphraseReport, sample: ClipSample, progress: Progress | None
) -> Iterator[Row]:
    """Count and sample all clips, and yield their paraphrases for the linter."""
    for clip in clips:
        captions = written_by_rewriting(clip)
        found.candidates.add(clip)
        found.clips += bool(captions)
        found.others += not captions
        if captions:
            sample.add(clip)
        for caption in captions:
            found.captions.add(caption)
            if not is_fallback(caption):
                yield Row(clip.id, caption.text, clip.profile)
        if progress:
            progress(found.clips + found.others)


def write_ban(overused: Iterable[Overused], path: Path) -> tuple[str, ...]:
    """Write overused phrases for `--ban` as YAML, `phrases: […]`, replacing what is at `path`; return them.

    The most frequent come first, each run of words once: a formula of six words is overused as three phrases
    of four, and the first of them is enough to ban it.
    """
    kept: list[tuple[str, ...]] = []
    for found in overused:
        words = tuple(found.phrase.split())
        if not any(_long_ngrams(words) & _long_ngrams(other) for other in kept):
            kept.append(words)
    phrases = [" ".join(words) for words in kept]
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        yaml.safe_dump({"phrases": phrases}, file, allow_unicode=True, sort_keys=False, width=1000)
    return tuple(phrases)


def _long_ngrams(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    """Return the n-grams of just over half of the words."""
    length = len(words) // 2 + 1
    return {words[at : at + length] for at in range(len(words) - length + 1)}
