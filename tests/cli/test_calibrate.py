"""`budew benchmark calibrate`: a curve in a file, and what it was fitted on."""

import json
from dataclasses import replace
from pathlib import Path

from budew.corpora import read, write_shard
from budew.evaluation.calibration import is_for_fitting, measure_presence, read_calibration
from budew.evaluation.predictors import Decoding, ModelPredictor
from budew.inference.options import ModelOptions, WritingOptions
from budew.io.resources import data_folder
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


def test_probabilities_of_presence_are_measured_on_other_people_and_shown_in_captions(budew, tmp_path):
    def people(name: str, speakers: str) -> Path:
        clips = [
            replace(clip, id=f"{name}-{number}", speaker=speakers[number % 2])
            for number, clip in enumerate(read(data_folder("demo_clips")))
        ]
        write_shard(tmp_path / f"{name}.tar", clips)
        return tmp_path / f"{name}.tar"

    fit, test = people("fit", "ab"), people("test", "cd")
    out, page = tmp_path / "c.json", tmp_path / "r.html"
    options = ("--samples", "2", "--device", "cpu", "--num-beams", "1")
    outcome = budew(
        *("benchmark", "calibrate", "--data", fit, "--share", "1", *options, "-o", out),
        *("--test", test, "--html", page),
    )
    assert outcome.status == 0, outcome.err
    assert "Expected calibration error, after calibration" in outcome.out
    predictor = ModelPredictor(ModelOptions(device="cpu"), WritingOptions(num_beams=1, num_samples=2))
    found, _ = measure_presence(test, predictor, read_calibration(out))
    assert found["ratings"] == 16 * 40
    assert {one["probability"] for one in found["before"]["bins"]} <= {0.0, 0.5, 1.0}  # shares of two samples
    assert found["after"]["brier"] < found["before"]["brier"]  # the same clips under other names
    assert f"{found['after']['ece']:.3f}" in outcome.out
    assert "Reliability: share present" in page.read_text()
    captioned = budew(
        *("caption", fit, *options, "--calibration", out, "--format", "jsonl", "--scores", "--quiet")
    )
    presence = json.loads(captioned.out.splitlines()[0])["presence"]
    curves = read_calibration(out).presence
    assert len(presence) == 40
    assert presence["Pride"] in {curves.applied_to({"Pride": share})["Pride"] for share in (0.0, 0.5, 1.0)}
    other = budew("caption", fit, "--samples", "3", "--calibration", out)
    assert other.status == 1
    assert "the calibration holds for" in other.err
