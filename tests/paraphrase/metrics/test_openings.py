"""Synonyms, ages and emotions do not hide that two captions begin alike; another frame does."""

import pytest

from budew.paraphrase.metrics.openings import PLACES, first_words, opening_pattern


def test_other_words_in_the_same_places_are_the_same_pattern() -> None:
    pattern = opening_pattern("A young woman reveals deep sorrow, and sobs.")
    assert pattern == opening_pattern("An old man displays slight joy, and laughs.")
    assert pattern[0] == "a"
    assert {"trait", "intensity", "emotion"} < set(pattern)


@pytest.mark.parametrize(
    "other",
    ["Deep sorrow is what a young woman reveals.", "Young, female, deeply sad.", "In her voice: sorrow."],
)
def test_another_order_is_another_pattern(other: str) -> None:
    assert opening_pattern(other) != opening_pattern("A young woman reveals deep sorrow.")


def test_a_pattern_ends_early_and_of_nothing_is_nothing() -> None:
    assert len(opening_pattern("She is sad and he is glad and they are angry and we are tired.")) == PLACES
    assert opening_pattern("") == first_words("") == ()


def test_the_first_words_are_three_in_any_case() -> None:
    assert first_words("A Young WOMAN, sad.") == first_words("a young: woman") == ("a", "young", "woman")
