"""`budew benchmark calibrate`: a curve in a file, and what it was fitted on."""

import json
from pathlib import Path

from budew.evaluation.calibration import is_for_fitting, read_calibration
from budew.evaluation.predictors import Decoding
from budew.model.checkpoint import identity
from tests.evaluation.benchmarks.emonet_voice_set import rated_rows, write_scores, write_set


def test_a_calibration_records_its_model_and_decoding(budew, tmp_path, whisper_folder):
    data, out = write_set(tmp_path / "data", rated_rows(per_category=8)), tmp_path / "calibration.json"
    options = ("--data", data, "--share", "0.9", "--seed", "5", "-o", out)
    outcome = budew("benchmark", "calibrate", *options, "--model", whisper_folder, "--num-beams", "2")
    assert outcome.status == 0, outcome.err
    calibration = read_calibration(out)
    assert f"{calibration.ratings} ratings of {len(calibration.clips)} clips" in outcome.out
    calibration.check(identity(whisper_folder), Decoding(num_beams=2))
    assert (calibration.share, calibration.seed, calibration.data) == (0.9, 5, str(data))


def test_clips_without_predictions_are_listed_and_inputs_are_not_replaced(budew, tmp_path):
    rows = rated_rows(per_category=8)
    data = write_set(tmp_path / "data", rows)
    path = write_scores(tmp_path / "p.jsonl", {row.file: {row.category: 0.5} for row in rows[:40]})
    options = ("benchmark", "calibrate", "--data", data, "--predictions", path, "--share", "0.9")
    outcome = budew(*options, "-o", tmp_path / "c.json")
    assert outcome.status == 1
    rated = {Path(row.file).stem for row in rows[40:] if row.category not in ("Authenticity", "Arousal")}
    chosen = {id for id in rated if is_for_fitting(id, share=0.9, seed=0)}
    assert {line.split(": ")[2] for line in outcome.err.splitlines() if "no prediction" in line} == chosen
    assert json.loads((tmp_path / "c.json").read_text())["model"] is None
    before = path.read_bytes()
    assert budew(*options, "-o", path).status == 1
    assert path.read_bytes() == before
