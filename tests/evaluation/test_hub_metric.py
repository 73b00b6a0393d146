"""The metric of the library `evaluate` works without network and gives what `score` gives."""

import sys
from pathlib import Path

import numpy as np
import pytest

from budew import render
from budew.evaluation import hub_metric, score
from budew.profile import VoiceProfile


@pytest.fixture
def evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The library, without network and with a cache of its own."""
    evaluate = pytest.importorskip("evaluate")
    monkeypatch.setattr(evaluate.config, "HF_EVALUATE_OFFLINE", True)
    monkeypatch.setattr(evaluate.config, "HF_MODULES_CACHE", tmp_path / "modules")
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", tmp_path / "metrics")
    monkeypatch.setattr(sys, "path", [*sys.path])
    return evaluate


def test_the_metric_computes_offline_what_the_function_does(evaluate) -> None:
    references = np.random.default_rng(0).random((6, 40))
    references[:, 20:] = np.nan
    predicted = [VoiceProfile({"Fear": level}) for level in (0, 0.25, 0.5, 0.75, 1, 0)]
    captions = [*map(render, predicted[:5]), ""]
    vectors = [profile.vector().tolist() for profile in predicted]
    for metric in (hub_metric.EmotionScores(), evaluate.load(hub_metric.__file__)):
        for predictions in (captions, vectors):
            metric.add_batch(predictions=predictions[:2], references=references[:2].tolist())
            found = metric.compute(predictions=predictions[2:], references=references[2:].tolist())
            assert found == pytest.approx(score(predictions, references))
