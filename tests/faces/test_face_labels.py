"""The layouts of EmoNet-Face are read: ratings by experts, present or absent, weak labels, demographics."""

import json

import pytest

from budew.errors import CorpusError
from budew.faces.face_labels import demographics_of, face_names, face_ratings, groups, taxonomy
from budew.taxonomy import EMOTIONS

from .conftest import face

RATED = {f"{group}|{name}": 0 for group, names in taxonomy()["groups"].items() for name in names}


def test_every_emotion_has_a_group_and_a_name():
    assert list(groups()) == list(EMOTIONS)
    assert set(EMOTIONS) <= set(face_names())
    assert len(set(face_names().values())) == 44
    assert sum(len(names) for names in taxonomy()["ethnicities"].values()) == 14


@pytest.mark.parametrize("column", ["annotations", "label"])
@pytest.mark.parametrize("write", [lambda answers: answers, repr, json.dumps], ids=["list", "python", "json"])
def test_the_ratings_of_experts_are_averaged(column, write):
    answers = [
        {f"human-{number}": RATED | {"Positive High-Energy Emotions|Elation": rating}}
        for number, rating in enumerate((7, 5, 0, 4))
    ]
    targets = face_ratings(face("a", **{column: write(answers)}))
    assert targets["Elation"] == 4.0
    assert set(targets) == set(EMOTIONS)
    assert targets["Anger"] == 0.0


def test_present_and_absent_are_the_ends_of_the_scale():
    assert face_ratings(face("a", annotator="human-1", value=True, emotion="Hopelessness")) == {
        "Helplessness": 7.0
    }
    assert face_ratings(
        face("a", annotations=[{"human-1": {"Anger": True}}, {"human-2": {"Anger": False}}])
    ) == {"Anger": 3.5}
    for value in (1, 0, "1", 0.0):
        expected = {"Anger": 7.0 * float(value)}
        assert face_ratings(face("a", emotion="Anger", label=value)) == expected
        assert face_ratings(face("a", emotion="Anger", value=value)) == expected
    assert face_ratings(face("a", emotion="Anger", rating=1)) == {"Anger": 1.0}
    assert face_ratings(face("a", emotion="Anger", value=3)) == {"Anger": 3.0}
    assert face_ratings(face("a", annotations=[{"human-1": {"Anger": 1}}])) == {"Anger": 1.0}
    words = {"Anger": "strongly present", "Awe": "Mildly Present", "Pain": "non-existent"}
    assert face_ratings(face("a", annotations=[words])) == {"Anger": 7.0, "Awe": 3.5, "Pain": 0.0}


def test_answers_of_models_in_both_protocols_are_labels():
    zero_shot = {"Positive High-Energy Emotions|Awe": 6} | dict.fromkeys(list(RATED)[11:35], 1)
    reasons = {key.partition("|")[2]: {"rating": 0, "reasoning": "…"} for key in RATED} | {
        "Awe": {"rating": 2, "reasoning": "raised brows"}
    }
    dimensions = {"Valence": {"rating": -2, "reasoning": "…"}}
    targets = face_ratings(
        face(
            "a",
            annotations=[
                {"model": "one", "predictions": zero_shot},
                {"model": "two", "predictions": {"emotions": reasons, "extra_dimensions": dimensions}},
            ],
        )
    )
    assert targets["Awe"] == 4.0
    assert targets["Valence"] == -2.0


@pytest.mark.parametrize(
    "labels",
    [
        {"annotations": [{"human-1": {"Glee": 3}}]},
        {"annotations": [{"human-1": {"Anger": 8}}]},
        {"annotations": "[{'human-1': __import__('os')}]"},
        {"annotations": ["Anger"]},
    ],
)
def test_labels_that_cannot_be_read_name_the_image(labels):
    with pytest.raises(CorpusError, match="broken"):
        face_ratings(face("broken", **labels))


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (
            "a focused close-up photo of a white caucasian european woman of 60 years, fear",
            ("White", "woman", 60),
        ),
        ("a photo of a South Asian non-binary person of 80 years", ("Indian", "non-binary person", 80)),
        ("a landscape", (None, None, None)),
    ],
)
def test_demographics_are_those_of_the_prompt(prompt, expected):
    found = demographics_of(face("a", prompt=prompt))
    assert (found.group, found.gender, found.age) == expected


def test_published_columns_of_demographics_are_read_in_any_case():
    found = demographics_of(
        face("a", Ethnicity="North African", Gender="man", Age=70.0, Prompt="of 20 years")
    )
    assert (found.group, found.gender, found.age) == ("Middle Eastern", "man", 70)


def test_the_field_demographics_counts_too():
    found = demographics_of(face("a", demographics={"ethnicity": "arabic", "gender": "woman", "age": 40}))
    assert (found.ethnicity, found.group, found.gender, found.age) == (
        "arabic",
        "Middle Eastern",
        "woman",
        40,
    )
