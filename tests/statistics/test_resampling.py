"""Intervals are percentiles of the drawn samples, of units, clusters and categories."""

import numpy as np
import pytest
from scipy import stats

from budew.statistics.resampling import (
    UNDEFINED,
    ConfidenceInterval,
    Resampling,
    bootstrap,
    bootstrap_intervals,
    category_intervals,
    cluster_intervals,
    index_draws,
    multinomial_draws,
    percentile_interval,
)

VALUES = np.random.default_rng(3).random((30, 2))


def means(counts):
    return {"one": counts @ VALUES[:, 0] / 30, "both": counts @ VALUES / 30}


def shares(sums):
    return {"share": sums[:, 1] / sums[:, 0]}


def test_an_interval_leaves_out_2_5_percent_on_either_side() -> None:
    sampled = np.append(np.arange(1001) / 1000, np.nan)
    bounds = pytest.approx(0.025), pytest.approx(0.975)
    assert percentile_interval(0.5, sampled) == ConfidenceInterval(0.5, *bounds)
    for value, samples in ((np.nan, sampled), (0.5, np.full(3, np.nan))):
        assert percentile_interval(value, samples) == UNDEFINED
    assert UNDEFINED.to_dict() == {"value": None, "low": None, "high": None}


@pytest.mark.parametrize("draw", [multinomial_draws, index_draws])
def test_every_column_of_every_metric_has_the_interval_of_the_drawn_units(draw) -> None:
    settings = Resampling(resamples=50, seed=4)
    found = bootstrap_intervals(means, 30, settings, draw=draw)
    counts = draw(np.random.default_rng(4), 50, 30).astype(int)
    assert counts.sum(axis=1).tolist() == [30] * 50
    sampled = np.array([np.repeat(VALUES, row, axis=0).mean(axis=0) for row in counts])
    for column, interval in enumerate(found["both"]):
        low, high = np.quantile(sampled[:, column], [0.025, 0.975])
        expected = (VALUES[:, column].mean(), low, high)
        assert (interval.value, interval.low, interval.high) == pytest.approx(expected)
    assert found["one"] == [ConfidenceInterval(*map(pytest.approx, vars_of(found["both"][0])))]


def vars_of(interval: ConfidenceInterval) -> tuple:
    return tuple(interval.to_dict().values())


@pytest.mark.parametrize("draw", [multinomial_draws, index_draws])
def test_resamples_in_several_parts_are_those_of_one_part(draw, monkeypatch) -> None:
    settings = Resampling(resamples=70, seed=1)
    whole = bootstrap(means, 30, settings, draw=draw)
    monkeypatch.setattr("budew.statistics.resampling._NUMBERS_AT_ONCE", 4_000)
    parts = bootstrap(means, 30, settings, draw=draw, width=800)
    for name in whole:
        assert parts[name] == pytest.approx(whole[name])


def test_whole_clusters_are_drawn() -> None:
    sums = np.column_stack([np.arange(1.0, 8), np.arange(7.0)])
    settings = Resampling(resamples=40, seed=2)
    sampled = [
        np.repeat(sums, row.astype(int), axis=0).sum(axis=0)
        for row in multinomial_draws(np.random.default_rng(2), 40, 7)
    ]
    low, high = np.quantile([b / a for a, b in sampled], [0.025, 0.975])
    (found,) = cluster_intervals(sums, shares, settings)["share"]
    assert vars_of(found) == pytest.approx((21 / 28, low, high))


def test_one_cluster_has_a_value_without_bounds() -> None:
    found = cluster_intervals(np.array([[4.0, 1.0]]), shares, Resampling(5))
    assert found == {"share": [ConfidenceInterval(0.25, None, None)]}
    with np.errstate(invalid="ignore"):
        assert cluster_intervals(np.zeros((1, 2)), shares, Resampling(5)) == {"share": [UNDEFINED]}


def test_a_share_of_all_clips_has_the_binomial_interval() -> None:
    (found,) = category_intervals(
        np.array([30.0, 70.0]), lambda counts: {"share": counts[:, 0] / 100}, Resampling(4000)
    )["share"]
    assert found.value == 0.3
    assert [found.low, found.high] == pytest.approx(stats.binom(100, 0.3).ppf([0.025, 0.975]) / 100, abs=0.01)
