"""Pooled pairs: metrics and intervals are those of numpy and scipy on the drawn pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from budew.statistics.pair_metrics import PAIR_METRICS, pair_intervals, permuted_pairs
from budew.statistics.resampling import UNDEFINED, Resampling

FEW = Resampling(20, 5)
VALUES = st.sampled_from([0.0, 2.5, 10 / 3, 5.0, 20 / 3, 7.5, 10.0])


def expected(reference, predicted):
    error = predicted - reference
    found = {"mae": np.abs(error).mean(), "rmse": np.sqrt((error**2).mean())}
    if np.ptp(reference) == 0:
        return found | {"pearson": np.nan, "spearman": np.nan}
    if np.ptp(predicted) == 0:
        return found | {"pearson": 0.0, "spearman": 0.0}
    return found | {
        "pearson": stats.pearsonr(reference, predicted)[0],
        "spearman": stats.spearmanr(reference, predicted)[0],
    }


def check(estimates, reference, predicted, drawn):
    point = expected(reference, predicted)
    sampled = [expected(reference[rows], predicted[rows]) for rows in drawn]
    for name in PAIR_METRICS:
        values = np.array([one[name] for one in sampled])
        defined = values[np.isfinite(values)]
        if np.isnan(point[name]) or not len(defined):
            assert estimates[name].value is None
            continue
        assert estimates[name].value == pytest.approx(point[name], abs=1e-9)
        assert estimates[name].low == pytest.approx(np.quantile(defined, 0.025), abs=1e-9)
        assert estimates[name].high == pytest.approx(np.quantile(defined, 0.975), abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=30), st.integers(0, 99))
def test_metrics_and_intervals_are_those_of_scipy_on_the_drawn_pairs(pairs, seed):
    reference, predicted = np.array(sorted(pairs)).T
    draws = np.random.default_rng(seed).integers(len(pairs), size=(20, len(pairs)))
    check(pair_intervals(reference, predicted, Resampling(20, seed=seed)), reference, predicted, draws)


def test_pairs_of_a_cluster_are_drawn_together():
    generator = np.random.default_rng(4)
    reference, predicted = generator.integers(0, 5, 60) * 2.5, generator.random(60) * 10
    clusters = np.array([f"voice {number % 7}" for number in range(60)])
    names = sorted(set(clusters))
    draws = np.random.default_rng(9).integers(7, size=(30, 7))
    drawn = [np.concatenate([np.flatnonzero(clusters == names[one]) for one in row]) for row in draws]
    estimates = pair_intervals(reference, predicted, Resampling(30, seed=9), clusters=list(clusters))
    check(estimates, reference, predicted, drawn)


def test_the_order_of_pairs_does_not_matter():
    generator = np.random.default_rng(1)
    reference, predicted = generator.integers(0, 3, 50) * 5.0, generator.random(50)
    order = generator.permutation(50)
    clusters = generator.integers(0, 4, 50).astype(str)
    for options in ({}, {"clusters": clusters}):
        moved = {name: values[order] for name, values in options.items()}
        again = pair_intervals(reference[order], predicted[order], FEW, **moved)
        assert again == pair_intervals(reference, predicted, FEW, **options)
    again = permuted_pairs(reference[order], predicted[order], FEW)
    assert again == permuted_pairs(reference, predicted, FEW)


def test_permuted_predictions_of_independent_pairs_correlate_with_nothing():
    reference = np.arange(500.0)
    permuted = permuted_pairs(reference, reference, Resampling(permutations=50))
    assert abs(permuted["pearson"].value) < 0.02
    assert permuted["pearson"].low < 0 < permuted["pearson"].high
    assert permuted["mae"].value == pytest.approx(500 / 3, rel=0.05)


def test_without_pairs_nothing_is_defined():
    nothing = np.array([])
    for found in (pair_intervals(nothing, nothing, FEW), permuted_pairs(nothing, nothing, FEW)):
        assert found == dict.fromkeys(PAIR_METRICS, UNDEFINED)
