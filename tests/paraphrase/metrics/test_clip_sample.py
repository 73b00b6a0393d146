"""A sample of rewritten clips depends on ids and seed alone; like is compared with like."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.corpora import Caption
from budew.paraphrase.metrics.clip_sample import COMPARED, compare_diversity, fidelity_after, fidelity_before
from budew.paraphrase.metrics.diversity import diversity
from budew.profile import VoiceProfile
from tests.paraphrase.metrics.conftest import rewritten, sampled


def test_a_smaller_sample_is_the_beginning_of_a_larger_one_in_any_order(clips) -> None:
    @given(st.permutations(clips), st.integers(1, 70))
    def check(shuffled, size) -> None:
        assert sampled(shuffled, size) == sampled(clips)[:size]

    check()
    assert sampled(clips, 10) != sampled(clips, 10, seed=1)


def test_diversity_is_compared_on_equally_many_captions_and_words(clips) -> None:
    fallback = {"by": "paraphrase", "fallback": "lost"}
    bare = replace(rewritten(99), captions=(Caption("A voice.", fallback),))
    sides = compare_diversity(sampled([*clips, bare]), seed=0)
    assert tuple(sides) == COMPARED
    assert {side.captions for side in sides.values()} == {len(clips)}
    templates = [clip.captions[0].made_by["of"] for clip in clips]
    words = min(diversity(templates).words, sides["paraphrases"].words)
    assert sides["templates"] == diversity(templates, compared_words=words)
    assert all(min(words, side.words) - 30 < side.compared_words <= words for side in sides.values())


def test_a_missing_template_is_rendered_from_the_profile_if_there_is_one() -> None:
    [clip] = sampled([rewritten(1)])
    caption, bare = clip.captions[0], Caption(clip.captions[0].text, {"by": "paraphrase"})
    assert clip.template_of(caption, seed=0) == caption.made_by["of"]
    assert clip.template_of(bare, seed=0) == clip.template_of(bare, seed=0) is not None
    unknown = replace(clip, profile=None, captions=(bare,))
    assert unknown.template_of(bare, seed=0) is None
    assert compare_diversity([unknown], seed=0) == {}


def counts(**fates):
    return Counter({"accepted": 0, "repaired": 0, "spare": 0, "refused": 0, **fates})


def test_fidelity_before_the_gate_weights_passed_and_failed_candidates_by_their_counts(clips) -> None:
    held = sampled(clips)
    for passed, failed in ((100, 100), (10, 1000), (1000, 10)):
        before = fidelity_before(held, counts(accepted=passed, refused=failed), seed=0)
        assert before.spearman.value == pytest.approx(passed / (passed + failed), abs=0.06)
        same = fidelity_before(held, counts(accepted=passed, repaired=failed, spare=999), seed=0)
        assert same == before


def test_captions_are_compared_with_the_part_of_the_profile_in_their_template() -> None:
    profile = VoiceProfile({"Sadness": 1, "Fear": 0.25})
    part = Caption("Extreme sadness.", {"by": "paraphrase", "of": "An extremely sad voice."})
    [clip] = sampled([replace(rewritten(1), profile=profile, captions=(part,))])
    assert clip.target_of(part) == VoiceProfile({"Sadness": 1})
    after = fidelity_after([clip], seed=0)
    assert after.recall.value == after.precision.value == 1
    for template in ("A slightly sad voice.", "An angry voice.", None):  # no part of the profile
        assert clip.target_of(Caption("", {"of": template})) == profile.quantized()


def test_refused_candidates_of_clips_with_different_targets_are_omitted() -> None:
    profile = VoiceProfile({"Sadness": 1, "Fear": 0.25})
    texts = ("Extreme sadness.", "A hint of fear.")
    captions = tuple(Caption(text, {"by": "paraphrase", "of": text}) for text in texts)
    clip = replace(rewritten(1), profile=profile, captions=captions)
    judged = counts(accepted=5, refused=5)
    known = fidelity_before(sampled([clip, rewritten(2)]), judged, seed=0)
    assert known.captions == 4 + len(sampled([rewritten(2)])[0].refusals)
    assert fidelity_before(sampled([clip]), judged, seed=0) is None
    assert fidelity_before(sampled([replace(clip, captions=captions[:1])]), judged, seed=0) is not None


def test_fidelity_before_the_gate_needs_texts_of_both_groups(clips) -> None:
    silent, both = sampled([replace(clip, metadata={}) for clip in clips]), counts(accepted=5, refused=5)
    for known, judged in ((silent, both), (sampled(clips), counts()), (sampled(clips), counts(accepted=5))):
        assert fidelity_before(known, judged, seed=0) is None
    assert fidelity_before(silent, counts(accepted=5), seed=0).spearman.value == pytest.approx(1)
    after = fidelity_after(silent, seed=0)
    assert (after.captions, after.spearman.value) == (2 * len(clips), pytest.approx(1))
    assert fidelity_after([], seed=0) is None
