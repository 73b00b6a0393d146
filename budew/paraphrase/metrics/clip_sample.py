"""Random sample of rewritten clips in bounded memory; its diversity and fidelity, and examples from it."""

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
"""Kinds of captions that are compared: the templates that were rewritten, the paraphrases without fallbacks,
and all captions that were written, on which a model is trained."""


@dataclass(frozen=True, slots=True)
class RewrittenClip:
    """A clip with the captions that the rewriting job wrote, and with its refused candidates."""

    id: str
    profile: VoiceProfile | None
    captions: tuple[Caption, ...]
    refusals: tuple[Refusal, ...]

    @property
    def paraphrases(self) -> tuple[Caption, ...]:
        """The captions without fallbacks."""
        return tuple(caption for caption in self.captions if not is_fallback(caption))

    def choose(self, captions: Sequence[Caption], *, seed: int) -> Caption:
        """Return one of `captions` at random, by seed and id of the clip."""
        return generator("side", self.id, seed).choice(captions)

    def pair(self, *, seed: int) -> tuple[str, Caption] | None:
        """Return a random paraphrase as (template, paraphrase); None without paraphrase or template."""
        if not self.paraphrases:
            return None
        caption = self.choose(self.paraphrases, seed=seed)
        template = self.template_of(caption, seed=seed)
        return None if template is None else (template, caption)

    def template_of(self, caption: Caption, *, seed: int) -> str | None:
        """Return the template from which a caption was rewritten.

        If the caption does not name its template, one is rendered from the profile; None without a profile.
        """
        template = caption.made_by.get("of")
        if isinstance(template, str):
            return template
        if self.profile is None:
            return None
        return render(self.profile, seed=derived_seed("template", self.id, seed))

    def target_of(self, caption: Caption) -> VoiceProfile | None:
        """Return the profile that a caption should express; None if the clip has no profile.

        This is the parsed profile of its template, which may express only the strongest emotions, or the
        profile of the clip if the template has other emotions.
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
        """Return (profile to express, text) for each of `captions`; empty if the clip has no profile."""
        targets = ((self.target_of(caption), caption.text) for caption in captions)
        return [(target, text) for target, text in targets if target is not None]

    def refused_with_target(self) -> list[tuple[VoiceProfile, str]]:
        """Return (profile to express, text) for each refused candidate.

        Empty if the captions of the clip should express different profiles, since it is not stored to which
        caption a candidate belonged.
        """
        targets = [target for target, _ in self.with_targets(self.captions)]
        if not targets or any(target.emotions != targets[0].emotions for target in targets):
            return []
        return [(targets[0], refusal.text) for refusal in self.refusals]


@dataclass(frozen=True, slots=True)
class ClipSample:
    """Random sample of at most `size` of the clips that were added, whatever their order.

    The clips with the lowest hashes of seed and id are kept.
    """

    size: int
    seed: int
    _kept: list[tuple[bytes, str, list[str], RewrittenClip]] = field(default_factory=list)

    def add(self, clip: Clip) -> None:
        """Add a clip that has captions by the rewriting job; it may be dropped."""
        rank = hashlib.sha256(f"{self.seed}/{clip.id}".encode()).digest()
        captions = written_by_rewriting(clip)
        rewritten = RewrittenClip(clip.id, clip.profile, captions, tuple(refusals_of(clip)))
        self._kept.append((rank, clip.id, [caption.text for caption in captions], rewritten))
        if len(self._kept) > 2 * self.size:
            self._drop_all_but_lowest()

    def clips(self) -> list[RewrittenClip]:
        """Return the clips of the sample in random order (that of the hashes)."""
        self._drop_all_but_lowest()
        return [rewritten for *_, rewritten in self._kept]

    def _drop_all_but_lowest(self) -> None:
        self._kept.sort(key=lambda entry: entry[:3])
        del self._kept[self.size :]


def compare_diversity(clips: Sequence[RewrittenClip], *, seed: int) -> Mapping[str, Diversity]:
    """Return the diversity of each kind of captions in `COMPARED`; empty if no clip has a paraphrase.

    The kinds are measured on equal numbers of captions and words. Each clip contributes one random paraphrase
    and its template, since four paraphrases of one template are not four templates.
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
    """Return the fidelity of the written captions, with fallbacks; None if no clip has a profile.

    `seed` is that of the bootstrap.
    """
    pairs = [clip.with_targets(clip.captions) for clip in clips]
    return fidelity(pairs, settings=Resampling(seed=seed)) if any(pairs) else None


def fidelity_before(
    clips: Sequence[RewrittenClip], counts: Mapping[str, int], *, seed: int
) -> Fidelity | None:
    """Return the fidelity of all candidates that the gate judged, before any was refused or repaired.

    Not all refused candidates are stored. So the stored candidates are weighted such that accepted and
    refused ones have the same shares as in the counts.

    Args:
        clips: sampled clips.
        counts: number of candidates of the corpus, by the names in `COUNTS`.
        seed: random seed of the bootstrap.

    Returns:
        None if there are no candidates, or if none of the accepted or none of the refused ones is stored.
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
    """Example of a paraphrase or of a refused candidate.

    Attributes:
        id: id of the clip.
        profile: profile of the clip.
        template: template caption that was rewritten.
        text: the paraphrase or candidate.
        made_by: backend, model and style as one text, for display.
        refusal: reasons of the refusal; None for a paraphrase.
    """

    id: str
    profile: VoiceProfile | None
    template: str
    text: str
    made_by: str = ""
    refusal: Refusal | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return id, template and text, with `made_by` or the fields of the refusal, as JSON values."""
        parts = {"id": self.id, "template": self.template, "text": self.text}
        if self.refusal is None:
            return parts | {"made_by": self.made_by}
        return parts | self.refusal.model_dump(include={"codes", "missed", "unknown", "added"})


def accepted_examples(
    clips: Sequence[RewrittenClip], most: int, *, seed: int
) -> tuple[RewritingExample, ...]:
    """Return at most `most` random paraphrases, each from another clip."""
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
    """Return at most `most` refused candidates: one for each code of a first reason, then a second one, …"""
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
