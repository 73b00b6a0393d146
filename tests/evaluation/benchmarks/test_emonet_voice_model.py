"""EmoNet-Voice Bench with a model: its decodings compared, and calibrated on clips that are not scored."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from budew.corpora import read
from budew.errors import InputError
from budew.evaluation.benchmarks.emonet_voice import score_emonet_voice
from budew.evaluation.calibration import calibrate, write_calibration
from budew.evaluation.decoding_comparison import GREEDY
from budew.evaluation.predictors import Decoding, FilePredictor, ModelPredictor
from budew.inference.options import ModelOptions, WritingOptions
from budew.io.resources import data_folder
from budew.reports.emonet_voice_page import emonet_voice_report, emonet_voice_summary
from budew.statistics.resampling import Resampling
from budew.taxonomy import EMOTIONS
from tests.evaluation.benchmarks.emonet_voice_set import rated_rows, write_scores, write_set

FEW = Resampling(resamples=20, permutations=5)
K2 = Decoding(num_samples=2)
CPU = ModelOptions(device="cpu")


def sampling() -> ModelPredictor:
    return ModelPredictor(CPU, WritingOptions(num_samples=2))


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The bundled clips, each several times, every time rated for another emotion."""
    rng, rows = np.random.default_rng(0), []
    for number, clip in enumerate([*read(data_folder("demo_clips") / "clips.tar")] * 6):
        strongest = max(clip.profile.emotions, key=clip.profile.emotions.get, default="Awe")
        name = strongest if number % 2 else str(rng.choice(EMOTIONS))
        label = round(2 * clip.profile.emotions.get(name, 0))
        audio = {"bytes": clip.audio, "path": f"clip{number}.{clip.format}"}
        rows.append({"audioId": audio, "label": str([{f"human-{one}": {name: label}} for one in range(2)])})
    path = tmp_path_factory.mktemp("demo") / "train.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


@pytest.fixture(scope="module")
def result(demo):
    return score_emonet_voice(demo, sampling(), compared=(GREEDY, K2), settings=FEW)


def test_decodings_of_the_embedded_checkpoint_are_compared_on_the_same_clips(result):
    comparison = result.to_dict()["comparison"]
    assert [row["name"] for row in comparison["decodings"]] == ["greedy", "K = 2"]
    assert comparison["fitted_clips"] + comparison["scored_clips"] == 96
    for row in comparison["decodings"]:
        assert 0 < row["raw"]["pearson"]["value"] <= 1  # it knows something of its kind of clips
        assert row["calibrated"]["rmse"]["value"] != row["raw"]["rmse"]["value"]
        assert row["seconds_per_clip"] > 0
    greedy, samples = comparison["decodings"]
    assert greedy["relative_time"] == 1
    assert samples["relative_time"] > 0


def test_the_report_has_the_comparison_and_names_the_decoding(result):
    report = emonet_voice_report(result.to_dict())
    assert "(K = 2)" in report.subtitle
    for some in (report, emonet_voice_summary(report)):
        assert sum(section.heading == "Decoding and calibration" for section in some.sections) == 1


def test_calibrated_predictions_score_as_the_curve_says(tmp_path):
    rows = rated_rows(per_category=12)
    data = write_set(tmp_path / "data", rows)
    rng = np.random.default_rng(2)
    scores = {row.file: {row.category: float(rng.choice([0, 0.25, 0.5, 1]))} for row in rows}
    path = write_scores(tmp_path / "p.jsonl", scores)
    calibration, _ = calibrate(data, FilePredictor(path), share=0.5)
    write_calibration(tmp_path / "c.json", calibration)
    found = score_emonet_voice(
        data, FilePredictor(path), calibration=tmp_path / "c.json", settings=FEW
    ).to_dict()
    kept = [row for row in rows if row.category in EMOTIONS and Path(row.file).stem not in calibration.clips]
    said = 10 * np.interp(
        [scores[row.file][row.category] for row in kept], calibration.thresholds, calibration.values
    )
    assert (found["n"]["value"], found["missing"]["unused_predictions"]) == (len(kept), 0)
    assert found["calibration"]["left_out"] == found["calibration"]["clips"] == len(calibration.clips)
    assert found["mae"]["value"] == pytest.approx(np.abs(said - [row.label for row in kept]).mean(), abs=1e-9)
    again = write_set(tmp_path / "again", rows[::-1])  # other shards, other row numbers
    options = {"calibration": tmp_path / "c.json", "settings": FEW}
    beside = score_emonet_voice(again, FilePredictor(path), others=[FilePredictor(path)], **options)
    assert beside.to_dict()["mae"] == found["mae"]
    assert beside.others[0].scores.overall["n"] == len(kept)
    with pytest.raises(InputError, match="calibrate"):
        score_emonet_voice(data, ModelPredictor(CPU), **options)
    with pytest.raises(InputError, match="decodings"):
        score_emonet_voice(data, FilePredictor(path), compared=[K2])
