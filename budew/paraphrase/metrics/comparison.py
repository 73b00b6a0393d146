"""What is set side by side: templates and paraphrases, and candidates before the gate and after it."""

from collections.abc import Iterator, Mapping, Sequence

from budew.captions import expressible, parse, render
from budew.captions.tokens import words_of
from budew.corpora.clip import Caption
from budew.paraphrase.metrics.diversity import Diversity, diversity
from budew.paraphrase.metrics.fidelity import Fidelity, fidelity
from budew.paraphrase.metrics.sample import LONGEST, Rewritten
from budew.profile import VoiceProfile
from budew.randomness import derived_seed, generator

SIDES = ("templates", "paraphrases", "written")
"""The captions that were rewritten, what they became, and that with the fallbacks, as a model learns it."""


def template_of(clip: Rewritten, caption: Caption, *, seed: int) -> str | None:
    """Return the template caption that was rewritten; a fresh rendering where it is not told.

    None where there is no profile to render either.
    """
    told = caption.made_by.get("of")
    if isinstance(told, str):
        return told[:LONGEST]
    if clip.profile is None:
        return None
    return render(clip.profile, seed=derived_seed("template", clip.id, seed))


def chosen(clip: Rewritten, captions: Sequence[Caption], *, seed: int) -> Caption:
    """Return one caption of a clip, by lot."""
    return generator("side", clip.id, seed).choice(captions)


def side_by_side(clips: Sequence[Rewritten], *, seed: int) -> Mapping[str, Diversity]:
    """Measure the diversity of templates, paraphrases and captions as written, each of as many captions,
    and what is a share of words of as many words.

    Of each clip one caption is taken by lot, and the template that it was made from: four paraphrases of
    one template are no four templates.

    Returns:
        By the names in `SIDES`; empty where no clip has a paraphrase.
    """
    pairs = []
    for clip in clips:
        if clip.paraphrases:
            paraphrase = chosen(clip, clip.paraphrases, seed=seed)
            template = template_of(clip, paraphrase, seed=seed)
            if template is not None:
                pairs.append((template, paraphrase.text))
    if not pairs:
        return {}
    texts = (
        [template for template, _ in pairs],
        [paraphrase for _, paraphrase in pairs],
        [chosen(clip, clip.captions, seed=seed).text for clip in clips],
    )
    words = min(sum(len(words_of(text)) for text in side) for side in texts[:2])
    return {
        name: diversity(side, seed=seed, sample=len(pairs), compared_words=words)
        for name, side in zip(SIDES, texts, strict=True)
    }


def to_say(clip: Rewritten, caption: Caption) -> VoiceProfile | None:
    """Return what a caption should say: what its template says, if that is in the profile, or else all of it.

    A template may say the strongest emotions alone, or those that stand out. None where there is no profile.
    """
    if clip.profile is None:
        return None
    whole, template = expressible(clip.profile), caption.made_by.get("of")
    if isinstance(template, str):
        said = parse(template[:LONGEST]).profile
        if said.emotions.items() <= whole.emotions.items():
            return said
    return whole


def fidelity_after(clips: Sequence[Rewritten], *, seed: int) -> Fidelity | None:
    """Compare what was written, fallbacks too, with what it should say; None where there is nothing."""
    held = [list(_pairs(clip, clip.captions)) for clip in clips]
    return fidelity(held, seed=seed) if any(held) else None


def fidelity_before(clips: Sequence[Rewritten], counts: Mapping[str, int], *, seed: int) -> Fidelity | None:
    """Compare what the gate judged, before any of it was refused or mended, with what it should say.

    Of candidates that passed, all texts are known, and of those that did not, the ones that the accounts
    kept. Each group stands for all of its kind in the corpus: its texts are weighted such that passed and
    failed ones have the shares that the accounts count. A repaired one had failed. Spare ones nobody judged.

    Returns:
        None where there are no candidates, or where of one of the two groups no text was kept.
    """
    passed = [list(_pairs(clip, _as_they_came(clip))) for clip in clips]
    failed = [list(_refused(clip)) for clip in clips]
    known = [sum(map(len, passed)), sum(map(len, failed))]
    counted = [counts["accepted"], counts["repaired"] + counts["refused"]]
    if not any(counted) or any(
        (there > 0) != (all_of > 0) for there, all_of in zip(known, counted, strict=True)
    ):
        return None
    weight = [all_of / max(1, there) for all_of, there in zip(counted, known, strict=True)]
    return fidelity(
        [[*right, *wrong] for right, wrong in zip(passed, failed, strict=True)],
        weights=[
            [weight[0]] * len(right) + [weight[1]] * len(wrong)
            for right, wrong in zip(passed, failed, strict=True)
        ],
        seed=seed,
    )


def _pairs(clip: Rewritten, captions: Sequence[Caption]) -> Iterator[tuple[VoiceProfile, str]]:
    """Give what each caption should say, and what it says, where the first is known."""
    for caption in captions:
        wanted = to_say(clip, caption)
        if wanted is not None:
            yield wanted, caption.text


def _as_they_came(clip: Rewritten) -> list[Caption]:
    return [caption for caption in clip.paraphrases if "repaired" not in caption.made_by]


def _refused(clip: Rewritten) -> Iterator[tuple[VoiceProfile, str]]:
    """Give the refused candidates of a clip; none where its captions say different things: of which?"""
    wanted = [said for said, _ in _pairs(clip, clip.captions)]
    if wanted and all(said.emotions == wanted[0].emotions for said in wanted):
        yield from ((wanted[0], refusal.text) for refusal in clip.refusals)
