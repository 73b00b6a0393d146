"""Emotions in words count as in a caption; columns on the speaker are traits; other words are listed."""

import pytest

from budew.corpora.labels import Scales, described
from budew.corpora.labels.words import emotions_in, odd_labels
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTION_TABLE


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
    assert found["profile"] == {"emotions": {"Sadness": 0.75, "Anger": 0.5}, "rated": ["Sadness", "Anger"]}
    read_as = {"very sad": {"Sadness": 0.75}, "angry": {"Anger": 0.5}}
    assert found["profile_from"] == {"form": "words", "field": "emotion", "read_as": read_as}
    assert found["emotion"] == ["very sad", "angry", 3]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("emotion", value) for value in ("neutral", " Neutral ", ["neutral"], "no emotion")),
        *(("label", value) for value in ("neu", "NEU", "neutral", "no_emotion")),
    ],
)
def test_neutral_rates_all_emotions_as_absent(field, value):
    found = described({field: value}, "x", Scales())
    assert found["profile"] == {"emotions": {}}
    assert found["profile_from"]["form"] == "words"
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
        ({"age": "fourties", "gender": "male_masculine"}, {"age": "middle-aged", "gender": "male"}),
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
        ({"age": 3.5}, {"age": "a number on an unknown scale"}),
        ({"age": "3", "arousal": "0.5"},
         {"age": "a number on an unknown scale", "arousal": "a number on an unknown scale"}),
        ({"age": 0}, {"age": "a number on an unknown scale"}),
        ({"style": 3, "gender": ["x"], "accent": None}, None),
        ({"gender": "unknown", "age": "", "accent": "no accent"}, None),
    ],
)  # fmt: skip
def test_values_that_are_not_understood_are_listed_and_make_no_profile(row, odd):
    found = described(row, "x", Scales())
    assert "profile" not in found
    assert found.get("not_understood") == odd


@pytest.mark.parametrize("column", ["emotion", "label", "category"])
@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("joy", "Elation"), ("Happy", "Elation"), ("hap", "Elation"), ("EXC", "Elation"), ("ang", "Anger"),
        ("fru", "Impatience and Irritability"), ("surprised", "Astonishment/Surprise"), ("FEA", "Fear"),
        ("pleasant_surprise", "Astonishment/Surprise"), ("dis", "Disgust"), ("calm", "Contentment"),
        ("boredom", "Emotional Numbness"), ("anxious", "Distress"), ("jealous", "Jealousy & Envy"),
    ],
)  # fmt: skip
def test_the_usual_labels_are_read_and_rate_their_emotion_alone(column, written, name):
    found = described({column: written}, "x", Scales())
    assert found["profile"] == {"emotions": {name: 0.5}, "rated": [name]}
    assert found["profile_from"]["read_as"] == {written: {name: 0.5}}
    assert "not_understood" not in found


def test_a_set_of_labels_that_is_known_is_rated():
    found = described(
        {"label": "joy"}, "x", Scales(), classes={"label": ("anger", "joy", "neutral", "other")}
    )
    assert VoiceProfile.from_dict(found["profile"]) == VoiceProfile(
        {"Elation": 0.5}, rated=["Anger", "Elation"]
    )


@pytest.mark.parametrize(
    ("row", "level"),
    [
        ({"emotion": "ang", "intensity": "HI"}, 0.75),
        ({"emotion": "angry", "emotion_intensity": "weak"}, 0.25),
        ({"emotion": "very angry", "intensity": "XX"}, 0.75),
        ({"emotion": "angry", "intensity": 3}, 0.5),
        ({"emotion": "very angry", "intensity": "Mildly Present"}, 0.5),
        ({"emotion": "anger", "intensity": "not present"}, 0.0),
    ],
)
def test_the_intensity_beside_a_label_counts_where_it_is_a_word(row, level):
    assert described(row, "x", Scales())["profile"]["emotions"] == {"Anger": level}


@pytest.mark.parametrize("row", [{"label": "dog bark"}, {"category": "a sad song about love"}, {"class": 3}])
def test_labels_of_other_kinds_make_no_profile_and_no_complaint(row):
    assert described(row, "x", Scales()) == row


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"emotion": "joyfull"}, "emotion: joyfull (nearest: Elation)"),
        ({"emotion": "wut"}, "emotion: wut"),
        ({"emotion": 3}, "emotion: a number without a name"),
        ({"Angar": 2, "Fear": 1, "scale": "0-4"}, "Angar: a number: is it Anger?"),
        ({"scores": {"Sadnes": 2, "Fear": 1}, "scale": "0-4"}, "Sadnes: a number: is it Sadness?"),
        ({"joy": 0.5, "duration": 2.0}, "joy: a number: is it Elation?"),
        ({"age": 34, "gender": "femal", "price": "high", "rate": 2}, None),
    ],
)
def test_labels_that_are_not_understood_are_reported_with_the_nearest_name(row, said):
    assert list(odd_labels(described(row, "x", Scales()))) == ([said] if said else [])


def test_the_words_that_the_taxonomy_suggests_an_emotion_for_are_read_as_it():
    words = {word: row.name for row in EMOTION_TABLE.values() for word in row.words}
    assert {word: list(emotions_in(word)) for word in words} == {word: [name] for word, name in words.items()}
