"""Agreement is that of published examples, consensus is as defined, and a label says what was rated."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from budew.annotation.existing_labels import read_labels
from budew.corpora.labels.ratings import Rating
from budew.curation.consensus import (
    answers_of,
    consensus_of,
    consensus_profiles,
    consensus_statistics,
    majority,
    rating_statistics,
    write_labels,
)

NAMES = ("Awe", "Pain", "Arousal")
RATINGS = st.lists(
    st.tuples(*map(st.sampled_from, ("abc", "rstu", NAMES, (0.0, 0.5, 1.0)))), unique_by=lambda row: row[:3]
)


def answers(rows):
    return answers_of(Rating(*row) for row in rows)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_the_majority_is_the_mode_and_among_modes_the_nearest_to_the_mean_then_the_lower(size):
    for given_answers in product((0, 1, 2), repeat=size):
        often = np.bincount(given_answers, minlength=3)
        modes = np.flatnonzero(often == often.max())
        expected = modes[np.argmin(np.abs(modes - np.mean(given_answers)).round(9))]
        assert majority(given_answers) == expected
        if len(modes) == 1:
            assert majority(given_answers) == stats.mode(given_answers).mode
    cases = ((0, 2), (0, 1), (0, 0, 1, 2, 2), (0, 0, 2, 2, 1, 3))
    assert [majority(one) for one in cases] == [0, 0, 0, 2]


@given(RATINGS)
def test_consensus_of_every_kind_is_counted_as_defined(rows):
    pairs = answers(rows)
    found = consensus_statistics(pairs)
    several = [given_answers for given_answers in pairs.values() if len(given_answers) > 1]
    presence = [one for one in several if min(one) > 0 or max(one) == 0]
    exact = [one for one in several if max(one) == min(one)]
    assert (found.presence, found.exact) == (len(presence), len(exact))
    assert found.majority == Counter(map(majority, pairs.values()))
    assert sum(one.pairs for one in found.outcomes) == len(pairs)
    assert sum(one.exact for one in found.outcomes if one.ratings > 1) == found.exact
    assert sum(one.present + one.absent for one in found.outcomes if one.ratings > 1) == found.presence
    for name, shown in found.patterns.items():
        of_it = [one for (_, emotion), one in pairs.items() if emotion == name]
        assert shown == Counter(f"{sum(v > 0 for v in one)}:{sum(v == 0 for v in one)}" for one in of_it)
    assert found.patterns.keys() == {emotion for _, emotion in pairs}
    assert all(consensus_of(one, "presence") == pytest.approx(np.mean(one)) for one in presence)
    assert all(consensus_of(one, "exact") == one[0] for one in exact)


ROWS = [
    *[("a", rater, "Awe", 0.5) for rater in "rst"],
    ("a", "r", "Pain", 0.5),
    ("a", "s", "Pain", 1.0),
    ("b", "r", "Pain", 0.0),
    ("b", "s", "Pain", 0.0),
    ("c", "r", "Awe", 0.0),
    ("c", "s", "Awe", 1.0),
    ("d", "r", "Awe", 1.0),
    ("e", "r", "Arousal", 0.5),
    ("e", "s", "Arousal", 0.5),
]


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("presence", {"a": {"Awe": 0.5, "Pain": 0.75}, "b": {"Pain": 0.0}, "e": {}}),
        ("exact", {"a": {"Awe": 0.5}, "b": {"Pain": 0.0}, "e": {}}),
        (
            "majority",
            {"a": {"Awe": 0.5, "Pain": 0.5}, "b": {"Pain": 0}, "c": {"Awe": 0}, "d": {"Awe": 1}, "e": {}},
        ),
    ],
)
def test_labels_rate_only_the_emotions_with_consensus(tmp_path, kind, labels):
    write_labels(tmp_path / "l.jsonl", consensus_profiles(answers(ROWS), kind), made_by={"consensus": kind})
    found = read_labels(tmp_path / "l.jsonl")
    rated = {
        item: {name: profile.emotions.get(name, 0) for name in profile.rated}
        for item, profile in found.items()
    }
    assert rated == labels
    assert dict(found["e"].traits) == {"Arousal": 2.0}


@pytest.mark.parametrize("kind", ["presence", "exact", "majority"])
def test_fewer_raters_than_asked_for_have_no_consensus(kind):
    asked = answers_of((Rating(*row) for row in ROWS), min_raters=3)
    found = consensus_profiles(asked, kind)
    assert {item: dict(profile.emotions) for item, profile in found.items()} == {"a": {"Awe": 0.5}}
    counts = consensus_statistics(asked)
    assert (counts.presence, counts.exact, len(counts.outcomes)) == (1, 1, 1)


def test_ties_and_single_ratings_are_counted():
    found = consensus_statistics(answers(ROWS)).to_dict()
    assert (found["presence"], found["exact"], found["tied"]) == (4, 3, 2)
    assert found["majority"] == {"0": 2, "0.5": 3, "1": 1}
    counts = {"ratings": 1, "pairs": 1, "present": 1, "absent": 0, "mixed": 0, "exact": 1}
    assert found["by_ratings"][0] == counts


# The example of Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): 12 units, 4 observers.
OBSERVED = {
    "A": "1 2 3 3 2 1 4 1 2 . . .",
    "B": "1 2 3 3 2 2 4 1 2 5 . 3",
    "C": ". 3 3 3 2 3 4 2 2 5 1 .",
    "D": "1 2 3 3 2 4 4 1 2 5 1 .",
}


def test_alpha_is_that_of_the_published_example():
    counts = rating_statistics(
        Rating(f"unit {unit}", rater, "Awe", int(answer) / 5)
        for rater, answers in OBSERVED.items()
        for unit, answer in enumerate(answers.split())
        if answer != "."
    ).all
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
    assert (found.emotions["Awe"].agreement, found.emotions["Awe"].alpha) == (None, None)
    assert found.to_dict()["emotions"]["Pain"]["mean"] == 0.5


@pytest.mark.parametrize(
    ("answers", "agreement", "alpha"),
    [((1, 1, 1), 1.0, 1.0), ((1, 1, 0), 1 / 3, 0.0), ((1, 0.5, 0), 0.0, 0.0), ((), None, None)],
)
def test_agreement_is_the_share_of_pairs_with_the_same_answer(answers, agreement, alpha):
    ratings = [Rating("a", str(rater), "Awe", answer) for rater, answer in enumerate(answers)]
    found = rating_statistics(ratings).all
    assert (found.agreement, found.alpha) == (pytest.approx(agreement), pytest.approx(alpha))
    assert found.mean == pytest.approx(sum(answers) / max(1, len(answers)))
