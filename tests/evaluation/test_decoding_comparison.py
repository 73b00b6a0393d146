"""Decodings are scored on clips that no calibration has seen, with the metrics of scipy and scikit-learn."""

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.isotonic import IsotonicRegression

from budew.evaluation.calibration import is_for_fitting
from budew.evaluation.decoding_comparison import GREEDY, compare_decodings
from budew.evaluation.pairs import Pair, Skipped
from budew.evaluation.predictors import Decoding
from budew.profile import VoiceProfile
from budew.statistics.resampling import Resampling
from budew.taxonomy import EMOTIONS

K4 = Decoding(num_samples=4)
FEW = Resampling(resamples=50, seed=3)


@pytest.fixture(scope="module")
def decoded() -> dict:
    """150 clips with one rated emotion and two with none; K = 4 is finer than greedy and takes longer."""
    rng = np.random.default_rng(0)
    pairs = {GREEDY: [], K4: []}
    for number in range(152):
        name, label = str(rng.choice(EMOTIONS)), float(rng.choice([0, 0.25, 0.5, 1]))
        rated = [name] if number < 150 else []
        reference = VoiceProfile({name: label} if rated else None, rated=rated)
        for decoding, steps in ((GREEDY, 4), (K4, 16)):
            said = np.clip(np.round((0.5 * label + 0.3 + rng.normal(0, 0.2)) * steps) / steps, 0, 1)
            pairs[decoding].append(Pair(f"c{number}", reference, VoiceProfile({name: float(said)})))
    seconds = {GREEDY: 15.2, K4: 45.6}
    return {"pairs": pairs, "seconds": seconds, "model": "m", "skipped": [Skipped("broken", "why")]}


def test_metrics_are_those_of_the_clips_that_were_not_fitted(decoded):
    result = compare_decodings(**decoded, data="d", share=0.4, settings=FEW).to_dict()
    rated = [pair.id for pair in decoded["pairs"][GREEDY] if pair.reference.rated]
    fitting = np.array([is_for_fitting(id, share=0.4, seed=3) for id in rated])
    assert (result["fitted_clips"], result["scored_clips"]) == (fitting.sum(), (~fitting).sum())
    for row, decoding in zip(result["decodings"], (GREEDY, K4), strict=True):
        pairs = [
            (pair.reference.emotions.get(name, 0), pair.predicted.emotions.get(name, 0))
            for pair in decoded["pairs"][decoding]
            for name in pair.reference.rated
        ]
        label, said = np.array(pairs, float).T * 10
        curve = IsotonicRegression(out_of_bounds="clip").fit(said[fitting], label[fitting])
        for key, predicted in (("raw", said), ("calibrated", curve.predict(said))):
            held, expected = predicted[~fitting], label[~fitting]
            values = {name: row[key][name]["value"] for name in row[key]}
            assert values == pytest.approx(
                {
                    "pearson": pearsonr(expected, held)[0],
                    "spearman": spearmanr(expected, held)[0],
                    "mae": np.abs(expected - held).mean(),
                    "rmse": np.sqrt(np.square(expected - held).mean()),
                },
                abs=1e-9,
            )
            assert all(one["low"] <= one["value"] <= one["high"] for one in row[key].values())
        assert row["calibrated"]["rmse"]["value"] < row["raw"]["rmse"]["value"]


def test_time_is_for_a_clip_and_relative_to_greedy(decoded):
    rows = compare_decodings(**decoded, data="d", settings=FEW).to_dict()["decodings"]
    assert [(row["name"], row["num_samples"]) for row in rows] == [("greedy", 0), ("K = 4", 4)]
    assert [row["seconds_per_clip"] for row in rows] == pytest.approx([0.1, 0.3])
    assert [row["relative_time"] for row in rows] == pytest.approx([1, 3])
