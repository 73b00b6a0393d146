"""Counts add up, and agreement is what its definitions say."""

import pytest

from budew.corpora.ratings import Rating
from budew.curation.rating_statistics import rating_statistics

# The example of Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): 12 units, 4 observers.
OBSERVED = {
    "A": "1 2 3 3 2 1 4 1 2 . . .",
    "B": "1 2 3 3 2 2 4 1 2 5 . 3",
    "C": ". 3 3 3 2 3 4 2 2 5 1 .",
    "D": "1 2 3 3 2 4 4 1 2 5 1 .",
}


def example():
    for rater, answers in OBSERVED.items():
        for unit, answer in enumerate(answers.split()):
            if answer != ".":
                yield Rating(f"unit {unit}", rater, "Awe", int(answer) / 5)


def test_alpha_is_that_of_the_published_example():
    counts = rating_statistics(example()).all
    assert counts.alpha == pytest.approx(0.849, abs=5e-4)
    assert (counts.ratings, counts.items, counts.raters) == (41, 12, 4)


def test_counts_are_by_emotion_in_the_order_of_the_taxonomy():
    ratings = [
        Rating("a", "r1", "Pain", 1.0),
        Rating("a", "r2", "Pain", 0.0),
        Rating("b", "r1", "Awe", 1.0),
        Rating("b", "r1", "Arousal", 0.5),
    ]
    found = rating_statistics(ratings)
    assert list(found.emotions) == ["Awe", "Pain", "Arousal"]
    assert (found.all.ratings, found.all.items, found.all.raters, found.all.present) == (4, 2, 2, 3)
    assert found.emotions["Pain"].agreement == 0.0
    assert found.emotions["Awe"].agreement is None
    assert found.emotions["Awe"].alpha is None
    assert found.to_dict()["emotions"]["Pain"]["mean"] == 0.5


@pytest.mark.parametrize(("answers", "agreement"), [((1, 1, 1), 1.0), ((1, 1, 0), 1 / 3), ((1, 0.5, 0), 0.0)])
def test_agreement_is_the_share_of_pairs_with_the_same_answer(answers, agreement):
    ratings = [Rating("a", str(rater), "Awe", answer) for rater, answer in enumerate(answers)]
    assert rating_statistics(ratings).all.agreement == pytest.approx(agreement)


def test_alpha_of_raters_who_always_say_the_same_is_1_and_of_none_unknown():
    ratings = [Rating(item, rater, "Awe", 1.0) for item in "ab" for rater in "rs"]
    assert rating_statistics(ratings).all.alpha == 1.0
    counts = rating_statistics([]).all
    assert (counts.ratings, counts.items, counts.mean, counts.alpha) == (0, 0, 0.0, None)
