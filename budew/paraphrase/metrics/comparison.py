"""Templates compared with paraphrases, and candidates before the gate with captions after it."""

from collections.abc import Iterator, Mapping, Sequence

from budew.captions import expressible, parse
from budew.captions.tokens import words_of
from budew.corpora.clip import Caption
from budew.paraphrase.metrics.diversity import Diversity, diversity
from budew.paraphrase.metrics.fidelity import Fidelity, fidelity
from budew.paraphrase.metrics.sample import Rewritten
from budew.profile import VoiceProfile

COMPARED = ("templates", "paraphrases", "written")
"""Captions that were rewritten, the result, and the result with fallbacks, as a model is trained on it."""


def compare_diversity(clips: Sequence[Rewritten], *, seed: int) -> Mapping[str, Diversity]:
    """Measure templates, paraphrases and captions as written: as many captions each, word shares on as many
    words.

    Of each clip one random caption is taken, and the template that it was made from: four paraphrases of one
    template are not four templates.

    Returns:
        By the names in `COMPARED`; empty where no clip has a paraphrase.
    """
    pairs = []
    for clip in clips:
        if clip.paraphrases:
            paraphrase = clip.choose(clip.paraphrases, seed=seed)
            template = clip.template_of(paraphrase, seed=seed)
            if template is not None:
                pairs.append((template, paraphrase.text))
    if not pairs:
        return {}
    texts = (
        [template for template, _ in pairs],
        [paraphrase for _, paraphrase in pairs],
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
    pairs = [list(_pairs(clip, clip.captions)) for clip in clips]
    return fidelity(pairs, seed=seed) if any(pairs) else None


def fidelity_before(clips: Sequence[Rewritten], counts: Mapping[str, int], *, seed: int) -> Fidelity | None:
    """Compare all candidates that the gate judged, before any was refused or repaired, with their targets.

    All texts that passed are known, and some of those that failed (repaired ones had failed; spare ones were
    not judged). The texts are weighted such that passed and failed ones have their shares in `counts`.

    Returns:
        None where there are no candidates, or where of one of the two groups no text was kept.
    """
    passed = [
        list(_pairs(clip, [caption for caption in clip.paraphrases if "repaired" not in caption.made_by]))
        for clip in clips
    ]
    failed = [list(_refused(clip)) for clip in clips]
    known = [sum(map(len, passed)), sum(map(len, failed))]
    counted = [counts["accepted"], counts["repaired"] + counts["refused"]]
    if not any(counted) or [number > 0 for number in known] != [total > 0 for total in counted]:
        return None
    weight = [total / max(1, number) for total, number in zip(counted, known, strict=True)]
    both = list(zip(passed, failed, strict=True))
    return fidelity(
        [[*right, *wrong] for right, wrong in both],
        weights=[[weight[0]] * len(right) + [weight[1]] * len(wrong) for right, wrong in both],
        seed=seed,
    )


def _pairs(clip: Rewritten, captions: Sequence[Caption]) -> Iterator[tuple[VoiceProfile, str]]:
    """Yield the target and the text of each caption that has a target."""
    for caption in captions:
        target = target_of(clip, caption)
        if target is not None:
            yield target, caption.text


def _refused(clip: Rewritten) -> Iterator[tuple[VoiceProfile, str]]:
    """Yield the refused candidates of a clip; none where its captions have different targets."""
    targets = [target for target, _ in _pairs(clip, clip.captions)]
    if targets and all(target.emotions == targets[0].emotions for target in targets):
        yield from ((targets[0], refusal.text) for refusal in clip.refusals)
