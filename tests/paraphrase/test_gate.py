"""The gate lets through what means the profile and gives the reason for everything else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.captions import render
from budew.paraphrase import judge
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, EMOTIONS

PROFILE = VoiceProfile(
    {"Anger": 0.75, "Fear": 0.25, "Awe": 0.05},
    ["Chuckle"],
    {"gender": "female", "age": "elderly", "accent": "French", "Arousal": 2.0},
)
GOOD = "An old woman, deeply furious and a little scared, chuckling with a French accent."


@pytest.mark.parametrize(
    "candidate",
    [
        GOOD,
        GOOD.replace(" with a French accent", ""),
        GOOD.replace("deeply", "extremely"),
        GOOD.upper(),
        "Strong rage and a hint of dread. She is an elderly female speaker; there is a chuckle.",
    ],
)
def test_what_keeps_the_meaning_is_accepted(candidate):
    assert judge(candidate, PROFILE).reasons == ()
    assert judge(candidate, PROFILE).accepted


UNKNOWN = VoiceProfile(None, (), {"gender": "androgynous", "pace": "slow"})


def test_any_rendering_of_unknown_emotions_is_accepted():
    for seed in range(200):
        caption = render(UNKNOWN, seed=seed)
        assert judge(caption, UNKNOWN).accepted, caption


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("Fearful and", "Fear"),
        ("Without any fear and", "not Fear"),
        ("With no particular emotion and", "no particular emotion"),
        ("Neutral and", "Neutral"),
    ],
)
def test_of_unknown_emotions_nothing_may_be_said_not_even_that_there_are_none(said, what):
    verdict = judge(f"{said} slowly, a gender-neutral voice speaks.", UNKNOWN)
    assert [(reason.code, reason.what) for reason in verdict.reasons] == [("added", what)]
    if what != "Fear":
        known = VoiceProfile({}, (), dict(UNKNOWN.traits))
        assert judge(f"{said} slowly, a gender-neutral voice speaks.", known).accepted


@pytest.mark.parametrize(
    ("candidate", "code", "what"),
    [
        ("", "empty", ""),
        (" \n", "empty", ""),
        (GOOD.replace(" and a little scared", ""), "lost", "Fear"),
        (GOOD.replace("deeply furious", "not furious"), "lost", "Anger"),
        (GOOD.replace("deeply", "slightly"), "moved", "Anger"),
        (GOOD.replace("chuckling", "chuckling and in awe"), "added", "Awe"),
        (GOOD.replace("chuckling", "smiling"), "lost-burst", "Chuckle"),
        (GOOD.replace("chuckling", "chuckling, coughing"), "added-burst", "Coughing"),
        (GOOD.replace("woman", "person"), "lost-trait", "gender"),
        (GOOD.replace("woman", "man"), "other-trait", "gender"),
        (GOOD.replace("French", "Dutch"), "other-trait", "accent"),
        (GOOD + " It is whispered.", "added-trait", "style"),
        (GOOD + " Level 3.", "digit", ""),
        (GOOD + " Level ٣.", "digit", ""),
        ("Emotions: " + GOOD, "field", "Emotions:"),
        (GOOD + " Jealousy & Envy is absent.", "field", "jealousy & envy"),
        (GOOD + " **bold**", "field", "*"),
        (GOOD + " and so on" * 60, "long", "194 words"),
    ],
)
def test_what_does_not_is_refused_with_its_reason(candidate, code, what):
    verdict = judge(candidate, PROFILE)
    assert not verdict.accepted
    assert (code, what) in {(reason.code, reason.what) for reason in verdict.reasons}


def test_tolerance_says_how_far_a_level_may_move_but_absent_is_never_present():
    assert not judge(GOOD.replace("deeply", "extremely"), PROFILE, tolerance=0).accepted
    assert judge(GOOD.replace("deeply", "slightly"), PROFILE, tolerance=2).accepted
    assert not judge(GOOD.replace(" and a little scared", ""), PROFILE, tolerance=4).accepted


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(EMOTIONS), st.floats(0, 1)),
    st.lists(st.sampled_from(BURSTS), max_size=82),
    st.integers(0, 99),
)
def test_every_template_rendering_passes_without_tolerance(emotions, bursts, seed):
    profile = VoiceProfile(emotions, bursts, {"gender": "male", "age": "adult", "accent": "Swiss"})
    assert judge(render(profile, seed=seed), profile, tolerance=0).reasons == ()


@given(st.text())
def test_any_string_gets_a_verdict(text):
    verdict = judge(text, PROFILE)
    assert verdict.accepted == (not verdict.reasons)
