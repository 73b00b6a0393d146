"""Emotions that are rated and absent, beside unrated ones, are denied, and parsed back as absent."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budew.captions import ContentSelection, expressible, load_lexicon, parse, render
from budew.captions.caption_prompt import STYLES
from budew.captions.content_selection import MOST_DENIED, SMALLEST_MAX_WORDS, denied_emotions, has_content
from budew.captions.lint.caption import lint_caption
from budew.captions.salience import Baseline, salient
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, CATEGORIES, EMOTIONS

absent = st.builds(
    VoiceProfile,
    st.just({}),
    st.lists(st.sampled_from(BURSTS), max_size=3),
    st.fixed_dictionaries(
        {}, optional={key: st.sampled_from(values) for key, values in CATEGORIES.items()}
    ).filter(lambda traits: traits.get("age") not in ("child", "teenager")),
    st.lists(st.sampled_from(EMOTIONS), min_size=1, max_size=6),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    absent,
    st.integers(),
    st.sampled_from((None, *STYLES)),
    st.sampled_from(("varied", "plain")),
    st.just(84) | st.integers(SMALLEST_MAX_WORDS, 40),
)
def test_absent_emotions_are_denied_and_parsed_back(profile, seed, style, wording, max_words):
    selection = ContentSelection(max_words=max_words)
    caption = render(profile, seed=seed, style=style, wording=wording, selection=selection)
    parsed, denied = parse(caption), denied_emotions(profile, selection=selection)
    assert 1 <= len(denied) <= min(MOST_DENIED, len(profile.rated))
    assert set(denied) <= set(profile.rated)
    assert set(parsed.absent) == set(denied), caption
    assert parsed.profile == expressible(profile, selection=selection), caption
    assert all(
        parsed.profile.rated.count(name) and not parsed.vector()[EMOTIONS.index(name)] for name in denied
    )
    assert len(caption.split()) <= max_words
    assert not lint_caption(caption), caption


def test_every_word_denies_its_emotion_alone_after_no_and_not():
    sentences = {"noun": "There is no {} in her voice.", "adjective": "She does not sound {}."}
    for form, of_emotion in load_lexicon().varied.denied.items():
        assert of_emotion.keys() == set(EMOTIONS)
        for name, words in of_emotion.items():
            assert words
            for word in words:
                parsed = parse(sentences[form].format(word))
                assert (parsed.absent, dict(parsed.emotions)) == ((name,), {}), word


def test_captions_of_one_profile_vary_and_name_the_speaker():
    profile = VoiceProfile({}, (), {"gender": "male"}, ["Disgust"])
    for style in STYLES:
        texts = {render(profile, seed=seed, style=style) for seed in range(60)}
        assert len(texts) > 10
        assert all(parse(text).traits == {"gender": "male"} for text in texts)


@pytest.mark.parametrize(
    "profile",
    [
        VoiceProfile({}),  # neutral
        VoiceProfile(None, ["Sobs"]),
        VoiceProfile({"Fear": 0.5}, rated=["Fear", "Pride"]),
        VoiceProfile({}, (), {"age": "child"}, ["Sexual Lust"]),
    ],
)
def test_nothing_is_denied_of_other_profiles(profile):
    assert denied_emotions(profile) == ()
    assert all(not parse(render(profile, seed=seed)).absent for seed in range(20))


def test_a_selection_without_emotions_denies_none():
    profile = VoiceProfile({}, rated=["Fear"])
    assert has_content(profile)
    for selection in (ContentSelection(leave_out=["emotions"]), ContentSelection(max_emotions=0)):
        assert not has_content(profile, selection)
        assert denied_emotions(profile, selection=selection) == ()


def test_an_emotion_that_is_present_but_does_not_stand_out_is_not_denied():
    angry = [VoiceProfile({"Anger": level / 4}, rated=["Anger", "Fear"]) for level in (2, 3, 3, 4)]
    usual = salient(angry[1], Baseline.from_profiles(angry))
    assert not usual.emotions
    assert denied_emotions(usual) == ("Fear",)


def test_a_denial_beside_an_affirmed_emotion_is_listed_as_absent():
    parsed = parse("A sad voice, not angry; no longer afraid.")
    assert (parsed.absent, dict(parsed.emotions)) == (("Anger",), {"Sadness": 0.5})
