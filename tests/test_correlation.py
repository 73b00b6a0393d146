"""Correlations agree with scipy in every resample, and an interval is that of the percentiles."""

import numpy as np
import pytest
from scipy import stats

from budew.correlation import Estimate, FloatArray, mean_ranks, pearson, spearman, summarize


def drawn(counts: FloatArray) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts.astype(int))


@pytest.mark.parametrize("levels", [5, 1000])
def test_a_resample_scores_what_scipy_says_of_the_drawn_clips(levels: int) -> None:
    generator = np.random.default_rng(3)
    x, y = generator.integers(levels, size=(2, 30)) / levels
    counts = generator.multinomial(30, np.full(30, 1 / 30), size=40).astype(float)
    for row, ranks, rho, r in zip(
        counts, mean_ranks(x, counts), spearman(x, y, counts), pearson(x, y, counts), strict=True
    ):
        clips = drawn(row)
        assert ranks[clips] == pytest.approx(stats.rankdata(x[clips]))
        assert rho == pytest.approx(stats.spearmanr(x[clips], y[clips]).statistic)
        assert r == pytest.approx(stats.pearsonr(x[clips], y[clips]).statistic)


def test_nearly_constant_values_count_as_constant() -> None:
    varied, constant, counts = np.arange(5.0), np.full(5, 0.3), np.ones((1, 5))
    constant[2] += 1e-9
    assert np.isnan(pearson(constant, varied, counts)[0])
    assert pearson(varied, constant, counts)[0] == 0


def test_an_interval_leaves_out_2_5_percent_on_either_side() -> None:
    sampled = np.append(np.arange(1001) / 1000, np.nan)
    assert summarize(0.5, sampled) == Estimate(0.5, pytest.approx(0.025), pytest.approx(0.975))
    for value, samples in ((np.nan, sampled), (0.5, np.full(3, np.nan))):
        assert summarize(value, samples).to_dict() == {"value": None, "low": None, "high": None}
