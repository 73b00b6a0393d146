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

from budew.captions import expressible, parse
from budew.captions.lint.corpus import Overused, Row, lint_corpus
from budew.captions.lint.corpus import Report as LintReport
from budew.captions.tokens import words_of
from budew.corpora import read
from budew.corpora.clip import Caption, Clip, without_withheld
from budew.errors import CorpusError, InputError, OnBad, report
from budew.io.addresses import shown
from budew.io.files import whole_file
from budew.paraphrase.metrics.candidate_counts import (
    CandidateCounts,
    CaptionCounts,
    is_fallback,
    written_by_rewriting,
)
from budew.paraphrase.metrics.diversity import Diversity, diversity
from budew.paraphrase.metrics.fidelity import Fidelity, fidelity
from budew.paraphrase.metrics.sample import Example, Rewritten, Sample, accepted_examples, refused_examples
from budew.profile import VoiceProfile
from budew.statistics.resampling import Resampling

SAMPLE = 2000
"""Clips of which diversity and fidelity are measured."""
EXAMPLES = 12
COMPARED = ("templates", "paraphrases", "written")
"""Captions that were rewritten, the result, and the result with fallbacks, as a model is trained on it."""
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
    accepted: tuple[Example, ...] = ()
    refused: tuple[Example, ...] = ()

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
        sample: clips of which diversity and fidelity are measured.
        seed: draws them.
        examples: of paraphrases, and of refused candidates, to keep.
        on_bad: receives the error of each unreadable item; without it the first is raised.
        progress: called with the number of clips read.

    Raises:
        CorpusError: there is no such corpus, or an item of it cannot be read.
        InputError: no clip has a caption by rewriting.
    """
    found = ParaphraseReport(tuple(shown(str(corpus)) for corpus in corpora), seed)
    drawn = Sample(max(1, sample), seed)

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
    clips: Iterable[Clip], found: ParaphraseReport, sample: Sample, progress: Progress | None
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


def compare_diversity(clips: Sequence[Rewritten], *, seed: int) -> Mapping[str, Diversity]:
    """Measure templates, paraphrases and captions as written: as many captions each, word shares on as many
    words.

    Of each clip one random caption is taken, and the template that it was made from: four paraphrases of one
    template are not four templates.

    Returns:
        By the names in `COMPARED`; empty where no clip has a paraphrase.
    """
    pairs = [pair for clip in clips if (pair := clip.pair(seed=seed)) is not None]
    if not pairs:
        return {}
    texts = (
        [template for template, _ in pairs],
        [paraphrase.text for _, paraphrase in pairs],
        [clip.choose(clip.captions, seed=seed).text for clip in clips],
    )
    words = min(sum(len(words_of(text)) for text in part) for part in texts[:2])
    return {
        name: diversity(part, seed=seed, sample=len(pairs), compared_words=words)
        for name, part in zip(COMPARED, texts, strict=True)
    }


def target_of(clip: Rewritten, caption: Caption) -> VoiceProfile | None:
    """Return what a caption should express: what its template does, if in the profile, else all of it.

    A template may express the strongest emotions only. None where there is no profile.
    """
    if clip.profile is None:
        return None
    whole, template = expressible(clip.profile), caption.made_by.get("of")
    if isinstance(template, str):
        parsed = parse(template).profile
        if parsed.emotions.items() <= whole.emotions.items():
            return parsed
    return whole


def fidelity_after(clips: Sequence[Rewritten], *, seed: int) -> Fidelity | None:
    """Compare the captions, fallbacks included, with their targets; None where there are none."""
    pairs = [_pairs(clip, clip.captions) for clip in clips]
    return fidelity(pairs, settings=Resampling(seed=seed)) if any(pairs) else None


def fidelity_before(clips: Sequence[Rewritten], counts: Mapping[str, int], *, seed: int) -> Fidelity | None:
    """Compare all candidates that the gate judged, before any was refused or repaired, with their targets.

    All texts that passed are known, and some of those that failed (repaired ones had failed; spare ones were
    not judged). The texts are weighted such that passed and failed ones have their shares in `counts`.

    Returns:
        None where there are no candidates, or where of one of the two groups no text was kept.
    """
    passed = [
        _pairs(clip, [caption for caption in clip.paraphrases if "repaired" not in caption.made_by])
        for clip in clips
    ]
    failed = [_refused(clip) for clip in clips]
    known = [sum(map(len, passed)), sum(map(len, failed))]
    counted = [counts["accepted"], counts["repaired"] + counts["refused"]]
    if not any(counted) or [number > 0 for number in known] != [total > 0 for total in counted]:
        return None
    weight = [total / max(1, number) for total, number in zip(counted, known, strict=True)]
    both = list(zip(passed, failed, strict=True))
    return fidelity(
        [[*right, *wrong] for right, wrong in both],
        weights=[[weight[0]] * len(right) + [weight[1]] * len(wrong) for right, wrong in both],
        settings=Resampling(seed=seed),
    )


def _pairs(clip: Rewritten, captions: Sequence[Caption]) -> list[tuple[VoiceProfile, str]]:
    """Return the target and the text of each caption that has a target."""
    targets = ((target_of(clip, caption), caption.text) for caption in captions)
    return [(target, text) for target, text in targets if target is not None]


def _refused(clip: Rewritten) -> list[tuple[VoiceProfile, str]]:
    """Return the refused candidates of a clip; none where its captions have different targets."""
    targets = [target for target, _ in _pairs(clip, clip.captions)]
    if not targets or any(target.emotions != targets[0].emotions for target in targets):
        return []
    return [(targets[0], refusal.text) for refusal in clip.refusals]


def write_ban(overused: Iterable[Overused], path: Path) -> tuple[str, ...]:
    """Write overused phrases for `--ban` as YAML, `phrases: […]`, replacing what is at `path`; return them.

    The most frequent come first, each run of words once: a formula of six words is overused as three phrases
    of four, and the first of them is enough to ban it.
    """
    kept: list[tuple[str, ...]] = []
    for found in overused:
        words = tuple(found.phrase.split())
        if not any(_runs(words) & _runs(other) for other in kept):
            kept.append(words)
    phrases = [" ".join(words) for words in kept]
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        yaml.safe_dump({"phrases": phrases}, file, allow_unicode=True, sort_keys=False, width=1000)
    return tuple(phrases)


def _runs(words: tuple[str, ...]) -> set[tuple[str, ...]]:
    """Return the runs of more than half of the words."""
    length = len(words) // 2 + 1
    return {words[at : at + length] for at in range(len(words) - length + 1)}
