"""Columns on the speaker become traits, and what they say in words that are none of ours is listed."""

import pytest

from budew.corpora.labels import Scales, described


def test_columns_on_the_speaker_make_a_profile_that_does_not_know_the_emotions():
    row = {"gender": "female", "age": "young", "accent": "scottish", "pace": "fast", "id": "x"}
    found = described(row, "x", Scales())
    traits = {"gender": "female", "age": "young adult", "accent": "Scottish", "pace": "fast"}
    assert found["profile"] == {"emotions": None, "traits": traits}
    assert found["profile_from"] == {"form": "speaker"}
    assert {key: found[key] for key in row} == row
    assert "not_understood" not in found


def test_they_come_to_the_emotions_of_a_row_and_leave_its_own_traits():
    found = described({"emotion": "neutral", "gender": "M"}, "x", Scales())
    assert found["profile"] == {"emotions": {}, "traits": {"gender": "male"}}
    scored = described({"Anger": 3, "scale": "0-4", "sex": "F"}, "x", Scales())
    assert scored["profile"] == {"emotions": {"Anger": 0.75}, "traits": {"gender": "female"}}
    assert scored["profile_from"]["form"] == "scores"
    own = {"profile": {"emotions": {}, "traits": {"gender": "female"}}, "gender": "male"}
    assert described(own, "x", Scales()) == own


@pytest.mark.parametrize(
    ("row", "traits"),
    [
        ({"age": "fourties", "gender": "male_masculine"}, {"age": "adult", "gender": "male"}),
        ({"age": "teens", "accents": "United States English"},
         {"age": "teenager", "accent": "United States English"}),
    ],
)  # fmt: skip
def test_words_of_common_voice_are_read(row, traits):
    assert described(row, "x", Scales())["profile"]["traits"] == traits


@pytest.mark.parametrize(
    ("row", "odd"),
    [
        ({"gender": "femal"}, {"gender": "femal"}),
        ({"accent": "a/b <c>"}, {"accent": "a/b <c>"}),
        ({"age": 34}, {"age": "a number on an unknown scale"}),
        ({"age": "34", "arousal": "0.5"},
         {"age": "a number on an unknown scale", "arousal": "a number on an unknown scale"}),
        ({"style": 3, "gender": ["x"], "accent": None}, None),
        ({"gender": "unknown", "age": "", "accent": "no accent"}, None),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_listed_and_makes_no_profile(row, odd):
    found = described(row, "x", Scales())
    assert "profile" not in found
    assert found.get("not_understood") == odd
