"""The metric of the library `evaluate` works without network and gives what `score` gives."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import budew.evaluation
from budew import render
from budew.evaluation import score
from budew.profile import VoiceProfile

CODE = """
import json, sys
import evaluate
from budew.evaluation.hub_metric import EmotionScores

given = json.load(sys.stdin)
for metric in (EmotionScores(), evaluate.load(sys.argv[1])):
    for predictions in given["predictions"]:
        metric.add_batch(predictions=predictions[:2], references=given["references"][:2])
        print(json.dumps(metric.compute(predictions=predictions[2:], references=given["references"][2:])))
"""
SCRIPT = Path(budew.evaluation.__file__).with_name("hub_metric.py")


def test_the_metric_computes_offline_what_the_function_does(tmp_path: Path) -> None:
    references = np.random.default_rng(0).random((6, 40))
    references[:, 20:] = np.nan
    predicted = [VoiceProfile({"Fear": level}) for level in (0, 0.25, 0.5, 0.75, 1, 0)]
    predictions = [[*map(render, predicted[:5]), ""], [profile.vector().tolist() for profile in predicted]]
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(SCRIPT)],
        input=json.dumps({"predictions": predictions, "references": references.tolist()}),
        env={"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert found == [pytest.approx(score(some, references)) for some in predictions] * 2
