"""Metrics of emotions agree with scipy, for drawn clips too, and their conventions hold."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from budew.evaluation.emotion_metrics import score_emotions
from budew.statistics.arrays import FloatArray

LEVELS = np.array([0, 0.25, 0.5, 0.75, 1])


def intensities(clips: int, emotions: int, *, seed: int, levels: bool = True) -> FloatArray:
    generator = np.random.default_rng(seed)
    values = generator.random((clips, emotions))
    return LEVELS[(values * 5).astype(int)] if levels else values


@pytest.mark.parametrize("levels", [True, False])
def test_every_metric_equals_scipy_and_the_definition(levels: bool) -> None:
    reference, predicted = (
        intensities(50, 7, seed=1, levels=levels),
        intensities(50, 7, seed=2, levels=levels),
    )
    scores = score_emotions(reference, predicted)
    for e in range(7):
        x, y = reference[:, e], predicted[:, e]
        assert scores["pearson"][0, e] == pytest.approx(stats.pearsonr(x, y).statistic)
        assert scores["spearman"][0, e] == pytest.approx(stats.spearmanr(x, y).statistic)
        assert scores["mae"][0, e] == pytest.approx(10 * np.mean(np.abs(x - y)))
        assert scores["rmse"][0, e] == pytest.approx(10 * np.sqrt(np.mean((x - y) ** 2)))
        assert scores["auc"][0, e] == pytest.approx(
            roc_auc_score(x > 0, y) if levels else np.nan, nan_ok=True
        )


def test_a_constant_prediction_correlates_zero_and_a_constant_reference_not_at_all() -> None:
    reference, predicted = intensities(20, 3, seed=7), intensities(20, 3, seed=8)
    reference[:, 0] = 0.3
    predicted[:, 0:2] = 0.3
    predicted[:, 2] = reference[:, 2]
    for metric in ("spearman", "pearson"):
        values = score_emotions(reference, predicted)[metric][0]
        assert np.isnan(values[0])
        assert values[1] == 0
        assert score_emotions(reference, predicted)[f"mean_{metric}"][0] == pytest.approx(values[1:].mean())
    assert np.isnan(score_emotions(reference, predicted)["auc"][0, 0])
    assert list(score_emotions(reference, predicted)["auc"][0, 1:]) == [0.5, 1]


def test_the_strongest_emotion_is_scored_fairly_among_ties() -> None:
    reference = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 0, 0], [0.5, 0, 0]])
    predicted = np.array([[1, 1, 0], [0, 0.25, 0], [1, 0, 0], [0, 0, 0], [0.75, 0, 0.5]])
    assert score_emotions(reference, predicted)["top1"] == pytest.approx((0.5 + 1 + 0 + 1) / 4)


def test_metrics_of_a_resample_are_those_of_the_drawn_clips() -> None:
    reference, predicted = intensities(40, 2, seed=13), intensities(40, 2, seed=14)
    draws = np.random.default_rng(2).multinomial(40, np.full(40, 1 / 40), size=8)
    found = score_emotions(reference, predicted, draws.astype(float))
    for row, draw in enumerate(draws):
        clips = np.repeat(np.arange(40), draw)
        alone = score_emotions(reference[clips], predicted[clips])
        for metric in ("spearman", "auc", "mae", "mean_rmse", "top1"):
            assert found[metric][row] == pytest.approx(alone[metric][0])
