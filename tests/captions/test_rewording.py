"""Rewording keeps the whole meaning of a caption, or gives it up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.captions import parse, render
from budew.captions.caption_prompt import STYLES
from budew.captions.rewording import is_fully_parsed, reworded
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, EMOTIONS

PROFILES = st.builds(
    VoiceProfile,
    st.dictionaries(st.sampled_from(list(EMOTIONS)), st.sampled_from([0.25, 0.5, 0.75, 1.0]), max_size=3),
    st.lists(st.sampled_from(list(BURSTS)), max_size=2, unique=True),
    st.fixed_dictionaries(
        {},
        optional={
            "gender": st.sampled_from(["female", "male"]),
            "age": st.sampled_from(["adult", "elderly"]),
        },
    ),
).filter(lambda profile: not profile.is_withheld)


@given(PROFILES, st.sampled_from(STYLES), st.integers(0, 99))
def test_a_reworded_caption_is_parsed_as_the_same_profile(profile, style, seed):
    text = render(profile, seed=seed, wording="plain")
    caption = reworded(text, seed=seed + 1, style=style)
    assert caption is None or parse(caption).profile == parse(text).profile
    assert caption == reworded(text, seed=seed + 1, style=style)


@given(PROFILES, st.integers(0, 99))
def test_captions_in_the_plain_wording_are_fully_parsed(profile, seed):
    assert is_fully_parsed(render(profile, seed=seed, style="prose", wording="plain"))


def test_seeds_give_many_wordings():
    texts = {reworded("A man speaks with moderate anger.", seed=seed, style="prose") for seed in range(40)}
    assert len(texts) > 20


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[music]",
        "A woman sounds slightly sad, but not afraid.",
        "An old man, furious about the weather.",
        "A girl speaks joyfully in a crowded street.",
        "A calm voice at first, then panicking.",
        "A man and a woman talk angrily.",
        'A man says "I am so happy" in an angry tone.',
        "Anger: 2.0",
    ],
)
def test_a_caption_that_says_more_than_a_profile_is_not_reworded(text):
    assert reworded(text, seed=1) is None


def test_gender_and_age_of_the_speaker_can_be_given():
    text = reworded("A woman sounds extremely proud.", seed=4, speaker={"gender": "male", "age": "elderly"})
    assert dict(parse(text).traits) == {"gender": "male", "age": "elderly"}
    assert dict(parse(text).emotions) == {"Pride": 1.0}
    assert reworded("Extremely lustful.", seed=4, speaker={"age": "child"}) is None
