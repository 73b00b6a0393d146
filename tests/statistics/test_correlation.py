"""Correlations agree with scipy, and the area under the ROC curve with scikit-learn, in every resample."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from budew.statistics.arrays import FloatArray
from budew.statistics.correlation import mean_ranks, pearson, roc_auc, spearman


def drawn(counts: FloatArray) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts.astype(int))


@pytest.mark.parametrize("levels", [5, 1000])
def test_correlations_of_a_resample_are_those_of_scipy_for_the_drawn_clips(levels: int) -> None:
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


def test_the_area_under_the_roc_curve_is_that_of_scikit_learn_for_the_drawn_clips() -> None:
    generator = np.random.default_rng(7)
    positive, scores = generator.random(40) < 0.4, generator.integers(0, 5, 40) / 4
    counts = generator.multinomial(40, np.full(40, 1 / 40), size=20).astype(float)
    for row, area in zip(counts, roc_auc(positive, scores, counts), strict=True):
        clips = drawn(row)
        assert area == pytest.approx(roc_auc_score(positive[clips], scores[clips]), abs=1e-9)
    assert np.isnan(roc_auc(positive, scores, np.where(positive, counts, 0))).all()
