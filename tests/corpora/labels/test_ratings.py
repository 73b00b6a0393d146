"""Ratings are the same in every shape, and a profile is their mean whoever gives them, in whatever order."""

import json
import random

import pyarrow as pa
import pyarrow.parquet
import pytest

from budew.corpora import read
from budew.corpora.labels.ratings import (
    LONGEST,
    Rating,
    answers_in,
    looks_like_answers,
    profile_of,
    profiles_of,
    rated_name,
)
from budew.curation.rating_tables import read_ratings
from budew.errors import CorpusError
from budew.profile import VoiceProfile
from budew.taxonomy.rating_scales import scale_named

RATINGS = [
    Rating("a", "r1", "Awe", 1.0),
    Rating("a", "r2", "Awe", 0.5),
    Rating("b", "r1", "Awe", 0.0),
    Rating("a", "r1", "Pride", 0.5),
    Rating("b", "r1", "Arousal", 0.5),
    Rating("b", "r2", "Arousal", 1.0),
]


def test_names_are_those_of_emotions_and_attributes():
    assert [rated_name("Hopelessness"), rated_name("arousal_best")] == ["Helplessness", "Arousal"]
    with pytest.raises(CorpusError, match="'Joyful' is neither an emotion"):
        rated_name("Joyful")


def test_profiles_are_means_over_those_who_were_asked_in_any_order():
    found = profiles_of(random.Random(1).sample(RATINGS, len(RATINGS)))
    assert dict(found["a"].emotions) == {"Awe": 0.75, "Pride": 0.5}
    assert found["b"] == VoiceProfile({}, traits={"Arousal": 3.0}, rated=["Awe"])
    assert profile_of(rating for rating in RATINGS if rating.item == "a") == found["a"]


def test_emotions_are_unknown_where_nobody_was_asked_for_any():
    arousal = [rating for rating in RATINGS if rating.emotion == "Arousal"]
    assert profile_of(arousal).to_dict() == {"emotions": None, "bursts": [], "traits": {"Arousal": 3.0}}


ANSWERS = [("human-1", "Shame", 1.0), ("human-4", "Shame", 2.0)]
NOT_PLAIN = ["[{'h': {'Shame': 1}}", "__import__('os').system('true')", "[" * 5000 + "]" * 5000, "9" * 60000]
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
        [{"human-1": {"Shame": "Mildly Present"}}, {"human-4": {"Shame": "intensely_present"}}],
    ],
)
def test_every_shape_gives_the_same_answers(value):
    assert answers_in(value) == ANSWERS


def test_an_answer_in_words_is_on_the_scale_of_the_ratings():
    words = [{"Shame": "not present", "Awe": "Mildly Present", "Fear": "intensely_present"}]
    assert [number for _, _, number in answers_in(words, scale=scale_named("1-7"))] == [1, 4, 7]


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
        ("[{'h': 1, 'i': {'Shame': 1}}]", "answers of a rater as an object"),
        ("[1]", "answers of a rater as an object"),
        ("[{'h': {}}]", "no rating"),
        *((text, "not a list") for text in NOT_PLAIN),
        ("'" + "x" * LONGEST + "'", "longer"),
    ],
)
def test_invalid_answers_are_reported(value, fault):
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
        (None, False),
    ],
)
def test_labels_of_other_kinds_are_left_alone(value, looks):
    assert looks_like_answers(value) is looks


LABELS = [
    "[{'human-1': {'Shame': 1}}, {'human-4': {'Shame': 2}}]",
    "[{'h-1': {'Impatience%20and%20Irritability': 2}}, {'h-2': {'Impatience%20and%20Irritability': 2}}]",
    "[{'human-2': {'Authenticity': 1}}, {'human-3': {'Authenticity': 2}}]",
    "[{'human-2': {'Pain': 0}}, {'human-3': {'Pain': 0}}, {'human-5': {'Pain': 0}}]",
]


def shard(tmp_path, mp3, labels):
    audio = [{"bytes": mp3, "path": f"{number:08x}_segment.mp3"} for number in range(len(labels))]
    path = tmp_path / "bench" / "train-00000-of-00003.parquet"
    path.parent.mkdir(exist_ok=True)
    pyarrow.parquet.write_table(pa.table({"audioId": audio, "label": labels}), path)
    return path


def test_profiles_are_the_means_of_the_ratings_which_alone_give_the_same(tmp_path, mp3):
    path = shard(tmp_path, mp3, [*LABELS, "happy"])
    *clips, other = read(path)
    assert [dict(clip.profile.emotions) for clip in clips] == [
        {"Shame": 0.75},
        {"Impatience and Irritability": 1.0},
        {},
        {},
    ]
    assert dict(clips[2].profile.traits) == {"Authenticity": 3.0}
    assert [bool(clip.profile.rated) for clip in clips] == [True, True, False, True]
    assert [clip.metadata["asked_for"] for clip in clips][2:] == [["Authenticity"], ["Pain"]]
    assert clips[0].id == "train-00000-of-00003-00000000"
    assert clips[0].metadata == {
        "file_name": "00000000_segment.mp3",
        "asked_for": ["Shame"],
        "ratings": [
            {"rater": "human-1", "emotion": "Shame", "value": 0.5},
            {"rater": "human-4", "emotion": "Shame", "value": 1.0},
        ],
        "profile_from": {"form": "emonet-voice", "scale": "emonet-voice", "raters": 2},
    }
    assert other.metadata["label"] == "happy"
    ratings = list(read_ratings(shard(tmp_path, mp3, LABELS)))
    assert len(ratings) == 9
    assert profiles_of(ratings) == {clip.id: clip.profile for clip in clips}


@pytest.mark.parametrize(
    ("label", "fault"),
    [
        ("[{'human-1': {'Shame': 3}}]", "not on the scale"),
        ("[{'human-1': {'Shame': -0.1}}]", "not on the scale"),
        ("[{'human-1': {'Shame': 1}", "is not a list of plain values"),
    ],
)
def test_a_broken_label_costs_its_row_only(tmp_path, mp3, label, fault):
    path = shard(tmp_path, mp3, [LABELS[0], label, LABELS[1]])
    for reader, count in ((read, 2), (read_ratings, 4)):
        errors = []
        assert len(list(reader(path, on_bad=errors.append))) == count
        (error,) = map(str, errors)
        assert f"{path}: row 1: " in error
        assert fault in error
