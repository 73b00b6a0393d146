"""A profile is the mean of what its raters said, whoever they are and in whatever order they say it."""

import random

import pytest

from budew.corpora.labels.ratings import Rating, named, profile_of, profiles_of
from budew.errors import CorpusError

RATINGS = [
    Rating("a", "r1", "Awe", 1.0),
    Rating("a", "r2", "Awe", 0.5),
    Rating("b", "r1", "Awe", 0.0),
    Rating("a", "r1", "Pride", 0.5),
    Rating("b", "r1", "Arousal", 0.5),
    Rating("b", "r2", "Arousal", 1.0),
]


def test_names_are_those_of_emotions_and_attributes():
    assert [named("Hopelessness"), named("arousal_best")] == ["Helplessness", "Arousal"]
    with pytest.raises(CorpusError, match="'Joyful' is neither an emotion"):
        named("Joyful")


def test_profiles_are_means_over_those_who_were_asked_in_any_order():
    found = profiles_of(random.Random(1).sample(RATINGS, len(RATINGS)))
    assert dict(found["a"].emotions) == {"Awe": 0.75, "Pride": 0.5}
    assert found["b"].to_dict() == {"emotions": {}, "bursts": [], "traits": {"Arousal": 3.0}}
    assert profile_of(rating for rating in RATINGS if rating.item == "a") == found["a"]


def test_emotions_are_unknown_where_nobody_was_asked_for_any():
    arousal = [rating for rating in RATINGS if rating.emotion == "Arousal"]
    assert profile_of(arousal).to_dict() == {"emotions": None, "bursts": [], "traits": {"Arousal": 3.0}}
