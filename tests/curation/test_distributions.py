"""Names, durations and attribute values are counted exactly while memory allows, and never lost."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from budew.curation.distributions import EDGES, OTHER, AttributeCounts, Durations, Tally

names = st.lists(st.text(alphabet="abcdef", max_size=2), max_size=300)
lengths = st.lists(st.floats(0.02, 1e5), min_size=1, max_size=60)


def tallied(given: list[str], most: int) -> Tally:
    tally = Tally(most)
    for name in given:
        tally.add(name)
    return tally


def counted(given: list[float]) -> Durations:
    durations = Durations()
    for seconds in given:
        durations.add(seconds)
    return durations


@given(names, st.integers(0, 5))
def test_few_names_are_counted_exactly_whatever_their_order(given, most):
    tally, back = tallied(given, 100), tallied(given[::-1], 100)
    assert dict(tally.most_common()) == Counter(given)
    assert tally.most_common() == back.most_common()
    assert tally.most_common(most) == tally.most_common()[:most]
    counts = [count for _, count in tally.most_common()]
    assert counts == sorted(counts, reverse=True)
    assert (tally.exact, tally.distinct) == (True, len(set(given)))


@given(names, st.integers(1, 12))
def test_names_beyond_the_limit_are_counted_together(given, most):
    tally = tallied(given, most)
    assert tally.total() == len(given)
    assert tally.exact == (len(set(given)) <= most)
    assert tally.distinct == min(most, len(set(given)))
    assert all(count <= Counter(given)[name] for name, count in tally.items() if name != OTHER)


def test_long_names_are_distinguished_and_kept_short():
    tally = tallied(["x" * 10_000, "x" * 10_000, "x" * 10_000 + "y", "x" * 200], 100)
    assert sorted(tally.values()) == [1, 1, 2]
    assert all(len(name) < 300 for name in tally)
    assert "x" * 200 in tally


@given(lengths, st.floats(0, 1))
def test_a_quantile_is_the_duration_of_that_rank_to_a_hundredth(given, share):
    reference = sorted(given)[max(0, int(np.ceil(share * len(given))) - 1)]
    assert abs(counted(given).quantile(share) - reference) < 0.0051
    assert (Durations().quantile(share), Durations().to_dict()) == (0, {"clips": 0})


@given(lengths)
def test_every_duration_is_in_one_bin_and_extremes_are_exact(given):
    durations = counted(given)
    assert sum(durations.histogram) == durations.count == len(given)
    assert (durations.shortest, durations.longest) == (min(given), max(given))
    assert durations.histogram[-1] == sum(seconds > EDGES[-1] for seconds in given)
    table = durations.to_dict()
    assert sum(table["histogram"].values()) == table["clips"]
    assert table["mean"] == round(sum(given) / len(given), 3)


def test_attribute_values_are_counted_at_the_nearest_of_five_levels():
    counts = AttributeCounts("Arousal")
    for value in (0, 0.4, 2, 4):
        counts.add(value)
    assert counts.label == "Arousal (0 very calm, 4 very excited)"
    assert counts.to_dict() == {"clips": 4, "mean": 1.6, "levels": {"0": 2, "1": 0, "2": 1, "3": 0, "4": 1}}
