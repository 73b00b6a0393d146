"""What a model writes is counted as it is: unread, looping, or in agreement with what is rated."""

from math import isnan

import pytest

from budew.captions import render
from budew.profile import VoiceProfile
from budew.training.clip_index import ClipRecord
from budew.training.targets import scalars
from budew.training.validation import (
    ValidationCaptions,
    caption_metrics,
    correlations,
    mean_spearman,
    predicted_profile,
    reference_profile,
)

THREE = [VoiceProfile({name: 1.0}) for name in ("Anger", "Awe", "Fear")]


def test_texts_without_content_have_no_profile():
    assert predicted_profile("voice voice", "mixed") is None
    assert predicted_profile("", "template") is None
    assert predicted_profile(render(THREE[0], seed=1), "paraphrase").emotions
    assert predicted_profile(scalars(THREE[0]), "scalars") == THREE[0]
    for malformed in ("", "0.5 " * 39, "angry " * 40, render(THREE[0], seed=1)):
        assert predicted_profile(malformed, "scalars") is None


@pytest.mark.parametrize(
    ("captions", "emotions", "is_rated"),
    [
        ({"paraphrase": ("He is a little sad.",), "original": ("A very angry man.",)}, {"Anger"}, True),
        ({"paraphrase": ("A very angry man.",), "model": ("He is sad.",)}, {"Anger"}, True),
        ({"model": ("He is sad.",)}, set(), False),
        ({"original": ("voice voice",)}, set(), False),
    ],
)
def test_the_reference_of_a_clip_without_profile_is_its_first_written_caption(captions, emotions, is_rated):
    profile = reference_profile(ClipRecord("a", None, captions, {}))
    assert (set(profile.emotions), bool(profile.rated)) == (emotions, is_rated)
    assert reference_profile(ClipRecord("a", THREE[1], captions, {})) == THREE[1]


def test_correlation_ignores_unrated_emotions():
    assert mean_spearman(THREE, THREE) == 1
    unrated, wrong = [VoiceProfile(None), VoiceProfile()], [VoiceProfile({"Anger": 1.0})] * 2
    assert mean_spearman([*THREE, unrated[0]], [*THREE, wrong[0]]) == 1
    assert mean_spearman([*THREE, unrated[1]], [*THREE, wrong[1]]) < 1
    partly = [VoiceProfile({"Anger": level}, rated=["Anger"]) for level in (0.25, 0.5, 1.0)]
    noise = [VoiceProfile({**one.emotions, "Fear": 1 - one.emotions["Anger"]}) for one in partly]
    assert mean_spearman(partly, noise) == 1
    assert isnan(mean_spearman([VoiceProfile(None)], THREE[:1]))
    assert isnan(mean_spearman([], []))


def test_each_corpus_has_a_correlation_of_its_own():
    texts = [render(profile, seed=1) for profile in THREE]
    written = ValidationCaptions([*texts, texts[1], texts[0], texts[2]], [False] * 6)
    found = correlations(written, [*THREE, *THREE], ["a"] * 3 + ["b"] * 3, "template")
    assert found["a"] == 1
    assert found["b"] < 1
    assert list(found) == ["a", "b"]


def test_captions_are_counted():
    texts = [render(profile, seed=seed) for seed, profile in enumerate(THREE)]
    whole = caption_metrics(ValidationCaptions(texts, [False] * 3), THREE, "template")
    assert (whole["spearman"], whole["unparsed"], whole["looping"]) == (1, 0, 0)
    written = ValidationCaptions([*texts[:2], "voice voice voice"], [False, True, True])
    counted = caption_metrics(written, THREE, "template")
    assert counted["unparsed"] == pytest.approx(1 / 3)
    assert counted["looping"] == pytest.approx(2 / 3)
    assert counted["distinct_2"] < whole["distinct_2"]
    assert counted["spearman"] < 1
    numbers = [scalars(profile) for profile in THREE]
    scored = caption_metrics(ValidationCaptions([*numbers[:2], "0.0"], [False] * 3), THREE, "scalars")
    assert scored["unparsed"] == pytest.approx(1 / 3)
