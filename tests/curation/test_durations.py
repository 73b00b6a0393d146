"""Quantiles are right to within a per cent, and no length is lost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from budew.curation.durations import EDGES, Durations

lengths = st.lists(st.floats(0.02, 1e5), min_size=1, max_size=60)


def counted(given: list[float]) -> Durations:
    durations = Durations()
    for seconds in given:
        durations.add(seconds)
    return durations


@given(lengths, st.floats(0, 1))
def test_a_quantile_is_within_two_percent_of_a_length_of_that_rank(given, share):
    ranked = sorted(given)
    truth = ranked[max(0, int(np.ceil(share * len(ranked))) - 1)]
    assert abs(counted(given).quantile(share) / truth - 1) < 0.021


@given(lengths)
def test_every_length_is_in_one_bin_and_extremes_are_exact(given):
    durations = counted(given)
    assert sum(durations.histogram) == durations.count == len(given)
    assert (durations.shortest, durations.longest) == (min(given), max(given))
    assert durations.histogram[-1] == sum(seconds > EDGES[-1] for seconds in given)
    told = durations.to_dict()
    assert sum(told["histogram"].values()) == told["clips"]


def test_no_length_and_lengths_out_of_range_are_no_error():
    assert Durations().to_dict() == {"clips": 0}
    assert counted([0.0, 1e12]).quantile(0.5) == 0.01 * 1.02**0.5
