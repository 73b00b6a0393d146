"""Metrics agree with scipy, their intervals cover, and their conventions hold."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from budew.correlation import FloatArray, summarize
from budew.evaluation.metrics import bootstrap, permutation_baseline, score_emotions

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
    scores = score_emotions(reference, predicted).by_emotion
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
        values = score_emotions(reference, predicted).by_emotion[metric][0]
        assert np.isnan(values[0])
        assert values[1] == 0
        assert score_emotions(reference, predicted).mean[metric][0] == pytest.approx(values[1:].mean())
    assert np.isnan(score_emotions(reference, predicted).by_emotion["auc"][0, 0])
    assert list(score_emotions(reference, predicted).by_emotion["auc"][0, 1:]) == [0.5, 1]


def test_a_single_clip_has_errors_and_no_correlation() -> None:
    scores = score_emotions(np.array([[0.5, 0.0]]), np.array([[0.25, 0.0]]))
    assert np.isnan(scores.mean["spearman"]).all()
    assert np.isnan(
        score_emotions(np.zeros((2, 1)), np.zeros((2, 1))).mean["top1"]
    ).all()  # no clip has an emotion
    assert scores.mean["mae"] == pytest.approx(1.25)


def test_the_interval_of_the_mean_covers_the_true_correlation_about_19_times_in_20() -> None:
    generator = np.random.default_rng(9)
    covered = 0
    for trial in range(100):
        base = generator.standard_normal((80, 4))
        other = 0.6 * base + 0.8 * generator.standard_normal((80, 4))
        reference, predicted = stats.norm.cdf(base), stats.norm.cdf(other)
        sampled = bootstrap(reference, predicted, resamples=200, seed=trial).mean["spearman"]
        interval = summarize(0.0, sampled)
        assert interval.low is not None
        assert interval.high is not None
        covered += interval.low <= 6 / np.pi * np.arcsin(0.3) <= interval.high
    assert 87 <= covered <= 100


def test_resamples_in_several_chunks_give_what_one_pass_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    clips, resamples = 300, 70
    monkeypatch.setattr("budew.evaluation.metrics._CELLS_AT_A_TIME", 10_000)
    reference, predicted = intensities(clips, 2, seed=10), intensities(clips, 2, seed=11)
    draws = np.random.default_rng(1).multinomial(clips, np.full(clips, 1 / clips), size=resamples)
    whole = score_emotions(reference, predicted, draws.astype(float))
    chunked = bootstrap(reference, predicted, resamples=resamples, seed=1)
    assert chunked.mean["spearman"] == pytest.approx(whole.mean["spearman"])


def test_whole_clusters_are_drawn_and_scored_as_the_clips_in_them() -> None:
    reference, predicted = intensities(40, 2, seed=13), intensities(40, 2, seed=14)
    clusters = np.arange(40) % 5
    sampled = bootstrap(reference, predicted, resamples=8, seed=2, clusters=clusters)
    for row, draw in enumerate(np.random.default_rng(2).multinomial(5, np.full(5, 0.2), size=8)):
        clips = np.repeat(np.arange(40), draw[clusters])
        alone = score_emotions(reference[clips], predicted[clips])
        for metric in ("spearman", "auc", "mae"):
            assert sampled.mean[metric][row] == pytest.approx(alone.mean[metric][0])


def test_permuted_predictions_correlate_with_nothing() -> None:
    reference = intensities(300, 8, seed=12)
    baseline = permutation_baseline(reference, reference, permutations=40, seed=0)
    assert abs(baseline.mean["spearman"].mean()) < 0.02
    assert baseline.mean["mae"].mean() > 3


def test_the_strongest_emotion_is_scored_fairly_among_ties() -> None:
    reference = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 0, 0], [0.5, 0, 0]])
    predicted = np.array([[1, 1, 0], [0, 0.25, 0], [1, 0, 0], [0, 0, 0], [0.75, 0, 0.5]])
    assert score_emotions(reference, predicted).mean["top1"] == pytest.approx((0.5 + 1 + 0 + 1) / 4)
