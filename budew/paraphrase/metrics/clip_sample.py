"""A random sample of rewritten clips in bounded memory: its diversity, its fidelity, and examples of it."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import Any

from budew.captions import expressible, parse, render
from budew.captions.tokens import words_of
from budew.corpora.clip import Caption, Clip
from budew.paraphrase.metrics.candidate_counts import Refusal, is_fallback, refusals_of, written_by_rewriting
from budew.paraphrase.metrics.diversity import Diversity, diversity
from budew.paraphrase.metrics.fidelity import Fidelity, fidelity
from budew.profile import VoiceProfile
from budew.randomness import derived_seed, generator
from budew.statistics.resampling import Resampling

COMPARED = ("templates", "paraphrases", "written")
"""Captions that were rewritten, the result, and the result with fallbacks, as a model is trained on it."""


@dataclass(frozen=True, slots=True)
class RewrittenClip:
    """The captions of a clip that rewriting wrote, and the candidates that the gate refused."""

    id: str
    profile: VoiceProfile | None
    captions: tuple[Caption, ...]
    refusals: tuple[Refusal, ...]

    @property
    def paraphrases(self) -> tuple[Caption, ...]:
        """The captions that are no fallbacks."""
        return tuple(caption for caption in self.captions if not is_fallback(caption))

    def choose(self, captions: Sequence[Caption], *, seed: int) -> Caption:
        """Return one of the captions at random."""
        return generator("side", self.id, seed).choice(captions)

    def pair(self, *, seed: int) -> tuple[str, Caption] | None:
        """Return one of the paraphrases at random and its template; None where there is no such pair."""
        if not self.paraphrases:
            return None
        caption = self.choose(self.paraphrases, seed=seed)
        template = self.template_of(caption, seed=seed)
        return None if template is None else (template, caption)

    def template_of(self, caption: Caption, *, seed: int) -> str | None:
        """Return the template that was rewritten, else a fresh rendering; None without a profile."""
        template = caption.made_by.get("of")
        if isinstance(template, str):
            return template
        if self.profile is None:
            return None
        return render(self.profile, seed=derived_seed("template", self.id, seed))

    def target_of(self, caption: Caption) -> VoiceProfile | None:
        """Return what a caption should express: what its template does, if in the profile, else all of it.

        A template may express the strongest emotions only. None where there is no profile.
        """
        if self.profile is None:
            return None
        whole, template = expressible(self.profile), caption.made_by.get("of")
        if isinstance(template, str):
            parsed = parse(template).profile
            if parsed.emotions.items() <= whole.emotions.items():
                return parsed
        return whole

    def with_targets(self, captions: Sequence[Caption]) -> list[tuple[VoiceProfile, str]]:
        """Return the target and the text of each caption that has a target."""
        targets = ((self.target_of(caption), caption.text) for caption in captions)
        return [(target, text) for target, text in targets if target is not None]

    def refused_with_target(self) -> list[tuple[VoiceProfile, str]]:
        """Return the refused candidates with their target; none where the captions have different ones."""
        targets = [target for target, _ in self.with_targets(self.captions)]
        if not targets or any(target.emotions != targets[0].emotions for target in targets):
            return []
        return [(targets[0], refusal.text) for refusal in self.refusals]


@dataclass(slots=True)
class ClipSample:
    """At most `size` of the clips added: those whose hash with the seed is lowest, in whatever order."""

    size: int
    seed: int
    _kept: list[tuple[bytes, str, list[str], RewrittenClip]] = field(default_factory=list)

    def add(self, clip: Clip) -> None:
        """Consider a clip that has captions by rewriting."""
        rank = hashlib.sha256(f"{self.seed}/{clip.id}".encode()).digest()
        captions = written_by_rewriting(clip)
        rewritten = RewrittenClip(clip.id, clip.profile, captions, tuple(refusals_of(clip)))
        self._kept.append((rank, clip.id, [caption.text for caption in captions], rewritten))
        if len(self._kept) > 2 * self.size:
            self._drop_all_but_lowest()

    def clips(self) -> list[RewrittenClip]:
        """Return the sample in the order of the hashes."""
        self._drop_all_but_lowest()
        return [rewritten for *_, rewritten in self._kept]

    def _drop_all_but_lowest(self) -> None:
        self._kept.sort(key=lambda entry: entry[:3])
        del self._kept[self.size :]


def compare_diversity(clips: Sequence[RewrittenClip], *, seed: int) -> Mapping[str, Diversity]:
    """Measure `COMPARED` on as many captions each, and as many words; empty where no clip has a paraphrase.

    Of each clip one random caption is taken, and the template that it was made from: four paraphrases of one
    template are not four templates.
    """
    pairs = [pair for clip in clips if (pair := clip.pair(seed=seed)) is not None]
    if not pairs:
        return {}
    templates = [template for template, _ in pairs]
    paraphrases = [paraphrase.text for _, paraphrase in pairs]
    written = [clip.choose(clip.captions, seed=seed).text for clip in clips]
    words = min(sum(len(words_of(text)) for text in texts) for texts in (templates, paraphrases))
    return {
        name: diversity(texts, seed=seed, sample=len(pairs), compared_words=words)
        for name, texts in zip(COMPARED, (templates, paraphrases, written), strict=True)
    }


def fidelity_after(clips: Sequence[RewrittenClip], *, seed: int) -> Fidelity | None:
    """Compare the captions, fallbacks included, with their targets; None where no caption has a target."""
    pairs = [clip.with_targets(clip.captions) for clip in clips]
    return fidelity(pairs, settings=Resampling(seed=seed)) if any(pairs) else None


def fidelity_before(
    clips: Sequence[RewrittenClip], counts: Mapping[str, int], *, seed: int
) -> Fidelity | None:
    """Compare all candidates that the gate judged, before any was refused or repaired, with their targets.

    Of those that failed some texts are known: texts are weighted such that passed and failed ones have their
    shares in `counts`. None where there are no candidates, or where of one group no text was stored.
    """
    passed = [
        clip.with_targets([caption for caption in clip.paraphrases if "repaired" not in caption.made_by])
        for clip in clips
    ]
    failed = [clip.refused_with_target() for clip in clips]
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


@dataclass(frozen=True, slots=True)
class RewritingExample:
    """A text of the clip `id` beside the template that was rewritten.

    Attributes:
        made_by: what wrote the text, for readers.
        refusal: why it was refused; None where it was not.
    """

    id: str
    profile: VoiceProfile | None
    template: str
    text: str
    made_by: str = ""
    refusal: Refusal | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        parts = {"id": self.id, "template": self.template, "text": self.text}
        if self.refusal is None:
            return parts | {"made_by": self.made_by}
        return parts | self.refusal.model_dump(include={"codes", "missed", "unknown"})


def accepted_examples(
    clips: Sequence[RewrittenClip], most: int, *, seed: int
) -> tuple[RewritingExample, ...]:
    """Return at most `most` paraphrases, one of a clip, in the random order of the clips."""
    pairs = ((clip, pair) for clip in clips if (pair := clip.pair(seed=seed)) is not None)
    return tuple(
        RewritingExample(clip.id, clip.profile, template, caption.text, _origin(caption))
        for clip, (template, caption) in islice(pairs, most)
    )


def _origin(caption: Caption) -> str:
    parts = (caption.made_by.get(name) for name in ("backend", "model", "style"))
    origin = ", ".join(str(part) for part in parts if part not in (None, ""))
    if "repaired" in caption.made_by:
        origin += f", with {caption.made_by['repaired']} added"
    return origin


def refused_examples(clips: Sequence[RewrittenClip], most: int, *, seed: int) -> tuple[RewritingExample, ...]:
    """Return at most `most` refused candidates: one of each first reason, then another of each."""
    by_code: dict[str, list[RewritingExample]] = defaultdict(list)
    for clip in clips:
        template = clip.template_of(clip.captions[0], seed=seed) if clip.captions else None
        if template is None:
            continue
        for refusal in clip.refusals:
            found = by_code[refusal.codes[0] if refusal.codes else ""]
            if len(found) < most:
                found.append(RewritingExample(clip.id, clip.profile, template, refusal.text, refusal=refusal))
    rounds = zip_longest(*(by_code[code] for code in sorted(by_code)))
    return tuple(islice((example for turn in rounds for example in turn if example is not None), most))
