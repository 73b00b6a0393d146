"""Emotions in words count as in a caption; columns on the speaker are traits; other words are listed."""

import pytest

from budew.corpora.labels import Scales, described
from budew.corpora.labels.words import emotions_in


@pytest.mark.parametrize(
    ("text", "emotions"),
    [
        ("Anger", {"Anger": 0.5}),
        ("angry", {"Anger": 0.5}),
        ("Hopelessness", {"Helplessness": 0.5}),
        ("malevolence_malice", {"Malevolence/Malice": 0.5}),
        ("very sad", {"Sadness": 0.75}),
        ("slightly_amused", {"Amusement": 0.25}),
        ("not angry", {}),
        ("neutral", {}),
        ("", {}),
    ],
)
def test_words_are_read_as_captions_are(text, emotions):
    assert emotions_in(text) == emotions


def test_a_field_of_words_makes_a_profile_and_stays():
    found = described({"emotion": ["very sad", "angry", 3]}, "x", Scales())
    assert found["profile"] == {"emotions": {"Sadness": 0.75, "Anger": 0.5}}
    assert found["profile_from"] == {"form": "words", "field": "emotion"}
    assert found["emotion"] == ["very sad", "angry", 3]


@pytest.mark.parametrize("said", ["neutral", " Neutral ", ["neutral"], "no emotion"])
def test_neutral_is_a_profile_without_emotions_which_is_not_unknown(said):
    found = described({"emotion": said}, "x", Scales())
    assert found["profile"] == {"emotions": {}}
    assert found["profile_from"] == {"form": "words", "field": "emotion"}
    assert "not_understood" not in found


def test_a_profile_that_is_there_is_kept():
    row = {"profile": {"emotions": {"Fear": 1.0}}, "emotion": "angry"}
    assert described(row, "x", Scales()) == row


@pytest.mark.parametrize(
    ("said", "odd"),
    [
        ("joyfull", "joyfull"),
        (["angry", "joyfull", "x" * 99], "joyfull"),
        ("x" * 99, "x" * 60),
        *((nothing, None) for nothing in ("unknown", "", " ", "N/A")),
    ],
)
def test_words_that_name_no_emotion_are_listed_and_those_for_unknown_are_not(said, odd):
    found = described({"emotion": said}, "x", Scales())
    assert found.get("not_understood") == (odd and {"emotion": odd})
    assert ("profile" in found) == ("angry" in said)


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
    assert scored["profile"] == {
        "emotions": {"Anger": 0.75},
        "rated": ["Anger"],
        "traits": {"gender": "female"},
    }
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
