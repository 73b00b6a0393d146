"""Probabilities of presence are calibrated emotion by emotion, and shrunk where ratings are few."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss

from budew.errors import BudewError
from budew.heads.head_files import CALIBRATION, read_presence
from budew.heads.presence import fit_presence, reliability
from budew.taxonomy import EMOTIONS

LOGITS = {"Anger": (-3.0, 8.0), "Fear": (-1.0, 3.0)}


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def ratings(count: int, seed: int):
    """Emotion, intensity and presence, drawn with the probabilities of `LOGITS`."""
    rng = np.random.default_rng(seed)
    names, values = rng.choice(list(LOGITS), count), rng.uniform(0, 1, count)
    intercepts, slopes = np.array([LOGITS[name] for name in names]).T
    return names.tolist(), values, rng.random(count) < sigmoid(intercepts + slopes * values)


def test_the_probabilities_that_made_the_ratings_are_found_and_reliable():
    curves = fit_presence(*ratings(20_000, seed=1))
    for name, (intercept, slope) in LOGITS.items():
        for value in (0.0, 0.3, 0.6, 1.0):
            wanted = sigmoid(intercept + slope * value)
            assert curves.applied_to({name: value})[name] == pytest.approx(wanted, abs=0.03)
    names, values, present = ratings(20_000, seed=2)
    after = [curves.applied_to({name: value})[name] for name, value in zip(names, values, strict=True)]
    before, after = (reliability(np.array(found), present) for found in (values, after))
    assert after["ece"] < 0.02 < 0.1 < before["ece"]
    assert after["brier"] < before["brier"]


def test_forty_emotions_with_ten_ratings_each_share_a_slope():
    rng = np.random.default_rng(5)
    values = rng.uniform(0, 1, 400)
    present = rng.random(400) < sigmoid(-3 + 6 * values)
    curves = fit_presence([EMOTIONS[number % 40] for number in range(400)], values, present)
    for value in (0.0, 1.0):
        found = list(curves.applied_to(dict.fromkeys(EMOTIONS, value)).values())
        assert np.abs(np.array(found) - sigmoid(-3 + 6 * value)).max() < 0.25


def test_an_emotion_with_few_ratings_has_the_curve_of_all_and_one_without_any_exactly():
    names, values, present = ratings(4_000, seed=3)
    odd = np.array([True, False])  # contradicts everything else
    curves = fit_presence([*names, "Awe", "Awe"], np.append(values, [0.0, 1.0]), np.append(present, odd))
    by_emotion = curves.applied_to(dict.fromkeys(("Awe", "Pride", "Anger"), 1.0))
    assert abs(by_emotion["Awe"] - by_emotion["Pride"]) < 0.2
    assert by_emotion["Pride"] == pytest.approx(sigmoid(sum(curves.pooled)), abs=1e-4)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_reliability_counts_each_rating_once_and_has_the_brier_score_of_sklearn(pairs):
    probabilities, present = np.array([one for one, _ in pairs]), np.array([one for _, one in pairs])
    found = reliability(probabilities, present)
    assert sum(one["ratings"] for one in found["bins"]) == len(pairs)
    assert found["brier"] == pytest.approx(brier_score_loss(present, probabilities, pos_label=True))
    assert 0 <= found["ece"] <= 1


def test_curves_are_read_from_the_calibration_in_a_folder(tmp_path):
    assert read_presence(tmp_path) is None
    curves = fit_presence(*ratings(100, seed=4))
    (tmp_path / CALIBRATION).write_text(json.dumps({"presence": curves.model_dump(mode="json")}))
    assert read_presence(tmp_path) == curves
    for content in ("[]", '{"presence": {"pooled": [1.0]}}'):
        (tmp_path / CALIBRATION).write_text(content)
        with pytest.raises(BudewError, match=CALIBRATION):
            read_presence(tmp_path)
