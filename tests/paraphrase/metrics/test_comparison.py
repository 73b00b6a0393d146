"""Sides are of equal size, templates are those that were rewritten, and candidates stand for their kind."""

from collections import Counter
from dataclasses import replace

import pytest

from budew.corpora import Caption
from budew.paraphrase.metrics.comparison import (
    COMPARED,
    compare_diversity,
    fidelity_after,
    fidelity_before,
    target_of,
)
from budew.paraphrase.metrics.diversity import diversity
from budew.profile import VoiceProfile
from tests.paraphrase.metrics.conftest import rewritten, sampled


def counts(**fates):
    return Counter({"accepted": 0, "repaired": 0, "spare": 0, "refused": 0, **fates})


def test_sides_are_measured_on_as_many_captions(clips) -> None:
    fallback = {"by": "paraphrase", "fallback": "lost"}
    bare = replace(rewritten(99), captions=(Caption("A voice.", fallback),))
    sides = compare_diversity(sampled([*clips, bare]), seed=0)
    assert tuple(sides) == COMPARED
    assert {side.captions for side in sides.values()} == {len(clips)}
    templates = [clip.captions[0].made_by["of"] for clip in clips]
    words = min(diversity(templates).words, sides["paraphrases"].words)
    assert sides["templates"] == diversity(templates, compared_words=words)
    for side in sides.values():
        assert words - 30 < side.compared_words <= words


def test_without_a_template_a_fresh_rendering_stands_for_it_and_without_a_profile_nothing() -> None:
    [clip] = sampled([rewritten(1)])
    caption = clip.captions[0]
    bare = Caption(caption.text, {"by": "paraphrase"})
    assert clip.template_of(caption, seed=0) == caption.made_by["of"]
    fresh = clip.template_of(bare, seed=0)
    assert fresh == clip.template_of(bare, seed=0)
    assert fresh is not None
    unknown = replace(clip, profile=None, captions=(bare,))
    assert unknown.template_of(bare, seed=0) is None
    assert compare_diversity([unknown], seed=0) == {}


def test_before_the_gate_each_kind_weighs_as_much_as_the_accounts_count(clips) -> None:
    held = sampled(clips)
    for passed, failed in ((100, 100), (10, 1000), (1000, 10)):
        before = fidelity_before(held, counts(accepted=passed, refused=failed), seed=0)
        assert before is not None
        assert before.spearman.value == pytest.approx(passed / (passed + failed), abs=0.06)
        same = fidelity_before(held, counts(accepted=passed, repaired=failed, spare=999), seed=0)
        assert same == before


def test_captions_are_held_to_what_their_template_says_of_the_profile() -> None:
    profile = VoiceProfile({"Sadness": 1, "Fear": 0.25})
    made_by = {"by": "paraphrase", "of": "An extremely sad voice."}
    part = Caption("Extreme sadness.", made_by)
    [clip] = sampled([replace(rewritten(1), profile=profile, captions=(part,))])
    assert target_of(clip, part) == VoiceProfile({"Sadness": 1})
    after = fidelity_after([clip], seed=0)
    assert after is not None
    assert after.recall.value == after.precision.value == 1
    for template in ("A slightly sad voice.", "An angry voice."):  # no part of the profile
        assert target_of(clip, Caption("", {"of": template})) == profile.quantized()
    assert target_of(clip, Caption("", {})) == profile.quantized()


def test_refused_candidates_of_captions_that_say_different_parts_are_left_out() -> None:
    profile = VoiceProfile({"Sadness": 1, "Fear": 0.25})
    texts = ("Extreme sadness.", "A hint of fear.")
    captions = tuple(Caption(text, {"by": "paraphrase", "of": text}) for text in texts)
    clip = replace(rewritten(1), profile=profile, captions=captions)
    judged = counts(accepted=5, refused=5)
    known = fidelity_before(sampled([clip, rewritten(2)]), judged, seed=0)
    assert known.captions == 4 + len(sampled([rewritten(2)])[0].refusals)
    assert fidelity_before(sampled([clip]), judged, seed=0) is None
    assert fidelity_before(sampled([replace(clip, captions=captions[:1])]), judged, seed=0) is not None


def test_where_texts_of_one_kind_are_unknown_nothing_is_compared(clips) -> None:
    silent = sampled([replace(clip, metadata={}) for clip in clips])
    for known, judged in (
        (silent, counts(accepted=5, refused=5)),
        (sampled(clips), counts()),
        (sampled(clips), counts(accepted=5)),
    ):
        assert fidelity_before(known, judged, seed=0) is None
    assert fidelity_before(silent, counts(accepted=5), seed=0).spearman.value == pytest.approx(1)
    after = fidelity_after(silent, seed=0)
    assert (after.captions, after.spearman.value) == (2 * len(clips), pytest.approx(1))
    assert fidelity_after([], seed=0) is None
