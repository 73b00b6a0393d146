"""Report on rewritten corpora in one pass: candidates, diversity, fidelity, overused phrases, examples.

All clips are counted. Diversity, fidelity and examples come from a sample, drawn by seed and clip id. Takes
0.3 ms a caption on one core, and 0.3 GB.
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
"""Default number of clips on which diversity and fidelity are measured."""
EXAMPLES = 12
Progress = Callable[[int], None]
"""Function that is called with the number of clips read so far."""


@dataclass(slots=True)
class ParaphraseReport:
    """Metrics of rewritten corpora.

    Attributes:
        corpora: names of the corpora.
        seed: random seed of the sample.
        clips: number of clips with captions by `budew paraphrase run`.
        others: number of clips without such captions.
        bad: number of unreadable items.
        candidates, captions: counts of candidates and of captions, over all clips.
        sampled: number of clips in the sample, on which diversity and fidelity are measured.
        diversity: diversity of each kind of captions in `COMPARED`.
        before: fidelity of all candidates before the gate; None if refused candidates were not stored.
        after: fidelity of the captions that were written; None if no clip has a profile.
        overused: findings of `budew lint` on the paraphrases of all clips, without fallbacks.
        accepted, refused: examples of paraphrases and of refused candidates.
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
        """Return the report as JSON values; undefined metrics are None."""
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
    """Measure corpora that `budew paraphrase run` wrote: candidates, diversity, fidelity, overused phrases.

    Args:
        corpora: sources, see `budew.read`.
        sample: largest number of clips, drawn at random, on which diversity and fidelity are measured.
        seed: random seed of the sample.
        examples: largest number of paraphrases, and of refused candidates, shown as examples.
        on_bad: called with the error of each unreadable item; without it, the first error is raised.
        progress: called with the number of clips read so far.

    Raises:
        CorpusError: a corpus does not exist, or an item cannot be read and there is no `on_bad`.
        InputError: no clip has a caption by `budew paraphrase run`.
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
    """Count clips, add them to the sample, and yield their paraphrases for the linter."""
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
    """Write overused phrases as a ban list (YAML) for `budew paraphrase run --ban`; return the phrases.

    Of overlapping phrases only the first is written: a formula of six words is overused as three phrases of
    four words, and one of them is enough to ban it.

    Args:
        overused: phrases such as `ParaphraseReport.overused.phrases`, the most frequent first.
        path: file to write; an existing file is replaced.
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
    """Return the n-grams whose length is just over half the number of words."""
    length = len(words) // 2 + 1
    return {words[at : at + length] for at in range(len(words) - length + 1)}
