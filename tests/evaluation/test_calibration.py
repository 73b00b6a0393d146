"""A calibration is the isotonic regression of the clips that its file lists, and of no other."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression
from sklearn.isotonic import IsotonicRegression

from budew.corpora import Clip, read, write_shard
from budew.errors import CorpusError, InputError, SettingsError
from budew.evaluation.calibration import (
    Calibration,
    calibrate,
    fit_calibration,
    is_for_fitting,
    measure_presence,
    read_calibration,
    write_calibration,
)
from budew.evaluation.pairs import Pair
from budew.evaluation.prediction_files import audio_name
from budew.evaluation.predictors import Decoding, FilePredictor, ModelPredictor
from budew.inference.options import ModelOptions, WritingOptions
from budew.model.checkpoint import identity
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS
from tests.evaluation.benchmarks.emonet_voice_set import rated_rows, write_scores, write_set

K16 = Decoding(num_samples=16)


def _pairs(count: int, seed: int = 0) -> list[Pair]:
    """One rated emotion a clip, as in EmoNet-Voice Bench; the prediction knows something of it."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        name, label = str(rng.choice(EMOTIONS)), float(rng.choice([0.0, 0.25, 0.5, 1.0]))
        said = float(np.clip(np.round((0.6 * label + rng.normal(0, 0.2)) * 16) / 16, 0, 1))
        made.append(
            Pair(
                f"c{number}",
                VoiceProfile({name: label}, rated=[name]),
                VoiceProfile({name: said, "Awe": 0.3}),
            )
        )
    return made


def _rated(pair: Pair) -> tuple[float, float]:
    (name,) = pair.reference.rated
    return pair.predicted.emotions.get(name, 0.0), pair.reference.emotions.get(name, 0.0)


def test_the_curve_is_the_isotonic_regression_of_the_listed_clips():
    pairs = _pairs(400)
    calibration = fit_calibration(pairs, data="d", share=0.3, seed=4)
    assert 80 < len(calibration.clips) < 160
    assert calibration.clips == {pair.id for pair in pairs if is_for_fitting(pair.id, share=0.3, seed=4)}
    said, label = np.array([_rated(pair) for pair in pairs if pair.id in calibration.clips]).T
    levels, place, weights = np.unique(said, return_inverse=True, return_counts=True)
    means = np.bincount(place, label) / weights
    expected = isotonic_regression(means, weights=weights).x
    assert calibration.apply(levels) == pytest.approx(expected, abs=1e-9)
    assert calibration.ratings == len(label)

    # no other non-decreasing curve has a smaller error: not the identity, nor a constant
    def error(predicted):
        return np.square(predicted - label).mean()

    assert error(calibration.apply(said)) < min(error(said), label.var())


def test_the_order_of_clips_does_not_matter_and_others_do_not_count():
    pairs = _pairs(200)
    calibration = fit_calibration(pairs, data="d", model="m", decoding=K16, share=0.5, seed=1)
    chosen = [pair for pair in pairs if pair.id in calibration.clips]
    for some in (random.Random(2).sample(pairs, len(pairs)), chosen):
        assert fit_calibration(some, data="d", model="m", decoding=K16, share=0.5, seed=1) == calibration
    assert fit_calibration(pairs, data="d", share=0.5, seed=2).clips != calibration.clips


def test_what_is_written_is_read(tmp_path):
    calibration = fit_calibration(_pairs(60), data="d", model="m", decoding=K16, share=1)
    write_calibration(tmp_path / "new" / "calibration.json", calibration)
    assert read_calibration(tmp_path / "new" / "calibration.json") == calibration


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"values": [0.5]}, "equally many"),
        ({"thresholds": [0.2, 0.2]}, "increase"),
        ({"values": [0.5, 0.4]}, "decrease"),
        ({"values": [0.5, 1.4]}, "0, 1"),
        ({"clips": [3]}, "clips"),
        ({"seed": None}, "seed"),
    ],
)
def test_a_file_that_is_no_calibration_is_refused(tmp_path, wrong, named):
    path = tmp_path / "calibration.json"
    good = {"thresholds": [0.0, 1.0], "values": [0.1, 0.6], "model": None, "decoding": None, "data": "d",
            "share": 0.2, "seed": 0, "ratings": 20, "clips": ["a"]}  # fmt: skip
    path.write_text(json.dumps(good))
    assert read_calibration(path).apply([0.5]).tolist() == [0.35]
    path.write_text(json.dumps(good | wrong))
    with pytest.raises(SettingsError, match=named):
        read_calibration(path)
    path.write_text("[]")
    with pytest.raises(CorpusError, match="not an object"):
        read_calibration(path)


FITTED = {"data": "d", "share": 0.2, "seed": 0, "ratings": 20, "clips": frozenset({"a", "b"})}
CURVE = Calibration(thresholds=(0.25, 0.5), values=(0.2, 0.75), model="m", decoding=K16, **FITTED)


@given(st.dictionaries(st.sampled_from(EMOTIONS), st.floats(0, 1)), st.sets(st.sampled_from(EMOTIONS)))
def test_a_calibrated_profile_has_the_same_rated_emotions_each_calibrated(emotions, rated):
    emotions = {name: value for name, value in emotions.items() if name in rated}
    before = VoiceProfile(emotions, ["Relief Sigh"], {"gender": "male"}, rated=rated)
    after = CURVE.applied_to(before)
    assert (after.rated, after.bursts, after.traits) == (before.rated, before.bursts, before.traits)
    vector = before.vector().astype(float)
    expected = np.clip(0.2 + (vector - 0.25) / 0.25 * 0.55, 0.2, 0.75)
    assert after.vector() == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_a_curve_is_for_one_model_and_decoding():
    CURVE.check("m", K16)
    for model, decoding in (("n", K16), ("m", Decoding(num_samples=4)), ("m", Decoding()), (None, None)):
        with pytest.raises(InputError, match=r"K = 16.*calibrate"):
            CURVE.check(model, decoding)


def test_too_few_ratings_and_impossible_shares_are_refused():
    with pytest.raises(InputError, match="19 ratings"):
        fit_calibration(_pairs(19), data="d", share=1)
    for share in (0.0, 1.1):
        with pytest.raises(InputError, match="share"):
            fit_calibration(_pairs(30), data="d", share=share)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    rows = rated_rows(per_category=10)
    return rows, write_set(tmp_path_factory.mktemp("bench") / "data", rows)


def test_predictions_by_audio_file_calibrate_the_rated_emotions_of_the_chosen_clips(bench, tmp_path):
    rows, data = bench
    rng = np.random.default_rng(1)
    emotions = [row for row in rows if row.category in EMOTIONS]
    scores = {row.file: {row.category: float(rng.choice([0, 0.5, 1]))} for row in emotions[1:]}
    path = write_scores(tmp_path / "p.jsonl", scores)
    calibration, skipped = calibrate(data, FilePredictor(path), share=0.7, seed=2)
    files = {Path(row.file).stem: row.file for row in rows}
    chosen = {files[id] for id in files if is_for_fitting(id, share=0.7, seed=2)} & scores.keys()
    assert {files[id] for id in calibration.clips} == chosen
    label, said = np.array(
        [(row.label / 10, scores[row.file][row.category]) for row in emotions if row.file in chosen]
    ).T
    curve = IsotonicRegression().fit(said, label)
    assert calibration.apply([0, 0.5, 1]) == pytest.approx(curve.predict([0, 0.5, 1]), abs=1e-9)
    assert (calibration.model, calibration.decoding) == (None, None)
    without = {clip.id for clip in skipped if "no prediction" in clip.reason}
    assert without == {
        id for id in files if files[id] == emotions[0].file and is_for_fitting(id, share=0.7, seed=2)
    }


def test_a_model_is_calibrated_for_its_decoding(bench, whisper_folder):
    rows, data = bench
    decoding = Decoding(num_samples=2)
    predictor = ModelPredictor(ModelOptions(whisper_folder, device="cpu"), WritingOptions(num_samples=2))
    calibration, _ = calibrate(data, predictor, share=0.9)
    calibration.check(identity(whisper_folder), decoding)
    labels = {row.file: row.label / 10 for row in rows}
    used = [
        labels[clip.metadata["file_name"]] for clip in read(data) if audio_name(clip) in calibration.clips
    ]
    assert len(used) == calibration.ratings
    assert calibration.apply([0.0]) == pytest.approx([np.mean(used)])  # its captions say nothing


def _people(folder: Path, speakers: range, *, seed: int) -> tuple[Path, Path]:
    """Clips of these speakers, each rated for Anger and Awe, and predictions that are too sure."""
    rng, clips, lines = np.random.default_rng(seed), [], []
    for number in range(600):
        said, speaker = rng.uniform(0, 1, 2).round(2), f"s{rng.choice(speakers)}"
        present = rng.random(2) < 0.3 * said
        profile = VoiceProfile(
            dict(zip(("Anger", "Awe"), 0.5 * present, strict=True)), rated=("Anger", "Awe")
        )
        clips.append(Clip(f"{speaker}-{seed}-{number}", b"RIFF", "wav", profile=profile, speaker=speaker))
        lines.append(json.dumps({"id": clips[-1].id, "Anger": said[0], "Awe": said[1]}))
    write_shard(folder / f"{seed}.tar", clips)
    (folder / f"{seed}.jsonl").write_text("\n".join(lines))
    return folder / f"{seed}.tar", folder / f"{seed}.jsonl"


def test_presence_is_reliable_on_people_to_whom_nothing_was_fitted(tmp_path):
    fit, predictions = _people(tmp_path, range(6), seed=1)
    calibration, skipped = calibrate(fit, FilePredictor(predictions), share=1)
    assert (calibration.speakers, skipped) == (tuple(f"s{number}" for number in range(6)), [])
    write_calibration(tmp_path / "c.json", calibration)
    assert read_calibration(tmp_path / "c.json") == calibration
    test, others = _people(tmp_path, range(6, 9), seed=2)
    found, _ = measure_presence(test, FilePredictor(others), calibration)
    assert (found["clips"], found["ratings"]) == (600, 1200)
    assert found["before"]["ece"] > 0.25 > 0.05 > found["after"]["ece"]
    assert found["after"]["brier"] < found["before"]["brier"] / 1.5
    again, same = _people(tmp_path, range(5, 7), seed=3)
    with pytest.raises(InputError, match=r"fitted to s5-3-\d+ or its speaker"):
        measure_presence(again, FilePredictor(same), calibration)
    with pytest.raises(InputError, match="nothing to measure"):
        measure_presence(test, FilePredictor(others), CURVE)
