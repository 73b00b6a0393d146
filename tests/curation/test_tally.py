"""A tally is exact while it can be, and says how far off it is when it cannot."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from budew.curation.tally import Tally

names = st.lists(st.text(alphabet="abcdef", max_size=2), max_size=300)


def tallied(given: list[str], most: int) -> Tally:
    tally = Tally(most)
    for name in given:
        tally.add(name)
    return tally


@given(names)
def test_few_names_are_counted_exactly_whatever_their_order(given):
    tally, back = tallied(given, 100), tallied(given[::-1], 100)
    assert dict(tally.most_common()) == Counter(given)
    assert tally.most_common() == back.most_common()
    assert tally.most_common(3) == tally.most_common()[:3]
    assert (tally.exact, tally.short, tally.distinct) == (True, 0, len(set(given)))


@given(names, st.integers(2, 12))
def test_of_many_names_no_count_is_too_high_or_further_off_than_it_says(given, most):
    tally, truth = tallied(given, most), Counter(given)
    assert len(tally) <= most
    assert tally.short <= 2 * len(given) / most
    assert tally.exact == (len(truth) <= most)
    assert all(truth[name] - tally.short <= tally[name] <= truth[name] for name in truth)
    assert tally.distinct == len(truth)  # as the sketch holds all of so few


def test_long_names_are_told_apart_and_kept_short():
    tally = tallied(["x" * 10_000, "x" * 10_000, "x" * 10_000 + "y"], 100)
    assert sorted(tally.counts()) == [1, 2]
    assert all(len(name) < 300 for name, _ in tally.most_common())


def test_how_many_names_there_are_is_estimated_within_ten_percent_and_the_frequent_ones_stay():
    tally = tallied([f"voice {number % 20_000}" for number in range(30_000)] + ["often"] * 500, 1_000)
    assert abs(tally.distinct - 20_001) < 2_000
    assert tally.most_common(1)[0][0] == "often"
    assert not tally.exact
