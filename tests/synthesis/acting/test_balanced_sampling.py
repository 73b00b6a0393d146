"""Levels are assigned evenly at every moment, whatever the numbers."""

from collections import Counter, defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from budew.synthesis.acting.balanced_sampling import balanced_level, shuffled_level

SIZES = st.integers(1, 13)


def spread(counts: Counter, levels: int) -> int:
    return max(counts.values()) - (min(counts.values()) if len(counts) == levels else 0)


@settings(max_examples=60, deadline=None)
@given(size=SIZES, rounds=SIZES, seed=st.integers(0, 9), clips=st.integers(1, 400))
def test_levels_places_and_rounds_are_even_at_any_moment(size, rounds, seed, clips):
    places, levels, whole = defaultdict(Counter), defaultdict(Counter), Counter()
    for number in range(clips):
        level, place = balanced_level(number, size=size, rounds=rounds, seed=seed, axis="a"), number % rounds
        places[place][level] += 1
        levels[level][place] += 1
        whole[level] += 1
        assert spread(places[place], size) <= 1
        assert spread(levels[level], rounds) <= 1
        assert place < rounds - 1 or spread(whole, size) <= 1


@given(size=SIZES, rounds=SIZES, seed=st.integers(0, 9), square=st.integers(0, 3))
def test_each_pair_comes_exactly_once_in_a_square(size, rounds, seed, square):
    numbers = range(square * size * rounds, (square + 1) * size * rounds)
    pairs = {(n % rounds, balanced_level(n, size=size, rounds=rounds, seed=seed, axis="a")) for n in numbers}
    assert len(pairs) == size * rounds


def test_independent_axes_meet_evenly_on_the_whole():
    pairs = Counter(
        tuple(
            balanced_level(number, size=4, rounds=40, seed=1, axis=axis) for axis in ("language", "intensity")
        )
        for number in range(8_000)
    )
    assert len(pairs) == 16
    assert all(abs(count - 500) < 100 for count in pairs.values())


@given(size=SIZES, seed=st.integers(0, 9))
def test_all_levels_come_before_they_are_shuffled_again(size, seed):
    cards = [shuffled_level(number, size=size, seed=seed, axis="line") for number in range(3 * size)]
    for start in range(0, 3 * size, size):
        assert sorted(cards[start : start + size]) == list(range(size))


def test_another_seed_and_another_axis_give_other_levels():
    levels = {
        tuple(balanced_level(number, size=6, rounds=10, seed=seed, axis=axis) for number in range(60))
        for seed, axis in ((1, "voice"), (2, "voice"), (1, "language"), (1, "voice"))
    }
    assert len(levels) == 3
