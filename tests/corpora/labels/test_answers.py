"""Whatever shape the answers of raters have, they are the same answers."""

import json

import pytest

from budew.corpora.labels.ratings import LONGEST, answers_in, looks_like_answers
from budew.errors import CorpusError

ANSWERS = [("human-1", "Shame", 1.0), ("human-4", "Shame", 2.0)]
NOT_PLAIN = [
    "[{'h': {'Shame': 1}}",
    "__import__('os').system('true')",
    "[{'h': {'Shame': x}}]",
    "[1" * 50,
    "[" * 5000 + "]" * 5000,
    "-" * 60000 + "1",
    "9" * 60000,
    "1 + 1" * 10000,
    "",
]
LISTED = [{"human-1": {"Shame": 1}}, {"human-4": {"Shame": 2}}]


@pytest.mark.parametrize(
    "value",
    [
        LISTED,
        str(LISTED),
        json.dumps(LISTED),
        {"human-1": {"Shame": 1}, "human-4": {"Family|Shame": 2}},
        [{"annotator": "human-1", "Shame": 1}, {"annotator": "human-4", "Shame": 2}],
        [
            {"human-1": {"Shame": 1}, "human-4": None},
            {"human-1": None, "human-4": {"Shame": 2, "Fear": None}},
        ],
    ],
)
def test_every_shape_gives_the_same_answers(value):
    assert answers_in(value) == ANSWERS


def test_raters_without_a_name_are_numbered_or_called_as_they_are_given():
    assert [rater for rater, _, _ in answers_in([{"Shame": 1}, {"Shame": 2}])] == ["rater-1", "rater-2"]
    assert answers_in("{'Shame': 1}", rater="human-9") == [("human-9", "Shame", 1.0)]


def test_names_may_be_encoded_and_attributes_are_names_too():
    found = answers_in("[{'h': {'Impatience%20and%20Irritability': 0, 'Authenticity': 2}}]")
    assert [name for _, name, _ in found] == ["Impatience and Irritability", "Authenticity"]


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("[{'h': {'Sham': 1}}]", "neither an emotion"),
        ("[{'h': {'Shame': '1'}}]", "give a number"),
        ("[{'h': {'Shame': True}}]", "give a number"),
        ("[{'h': {'Shame': [1]}}]", "give a number"),
        ("[{'h': 1, 'i': {'Shame': 1}}]", "not the answers"),
        ("[1]", "not the answers"),
        ("[]", "no rating"),
        ("[{'h': {}}]", "no rating"),
        *((text, "not a list") for text in NOT_PLAIN),
        ("'" + "x" * LONGEST + "'", "longer"),
    ],
)
def test_what_is_no_answer_is_told(value, fault):
    with pytest.raises(CorpusError, match=fault):
        answers_in(value)


@pytest.mark.parametrize(
    ("value", "looks"),
    [
        (str(LISTED), True),
        (LISTED, True),
        ("happy", False),
        ("[{'start': 0.0, 'word': 'hi'}]", False),
        ([{"label": "anger", "score": 0.9}], False),
        ([], False),
        (None, False),
    ],
)
def test_labels_of_other_kinds_are_left_alone(value, looks):
    assert looks_like_answers(value) is looks
