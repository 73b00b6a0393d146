"""Emotions in words count as they do in a caption."""

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
