"""The demo captions every bundled clip and leaves files that agree with each other."""

import json
from pathlib import Path

import numpy as np

from budew.audio.samples import decode
from budew.corpora import read
from budew.evaluation import FilePredictor, evaluate_corpus
from budew.io.resources import data_folder
from budew.jobs import run
from budew.statistics.resampling import Resampling
from budew.synthesis import Synthesis
from tests.trained import with_card

CLIPS = data_folder("demo_clips") / "clips.tar"


def test_every_bundled_clip_is_captioned_and_written(budew, whisper_folder, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("BUDEW_MODEL", str(whisper_folder))
    outcome = budew("demo", "--out", tmp_path / "demo")
    assert outcome.status == 0
    ids = sorted(clip.id for clip in read(CLIPS))
    assert [line for line in outcome.out.splitlines() if line in ids] == ids
    page = (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
    assert page.count("<audio controls") == len(ids)
    metrics = json.loads((tmp_path / "demo" / "evaluation.json").read_text(encoding="utf-8"))
    again = evaluate_corpus(CLIPS, FilePredictor(tmp_path / "demo" / "predictions.jsonl"))
    assert (metrics["skipped"], metrics["emotions"]) == ([], again.to_dict()["emotions"])
    assert "Published results" not in page + outcome.out
    assert "reliable" not in page + outcome.out


def test_published_results_of_the_checkpoint_come_before_the_clips(
    budew, whisper_folder, tmp_path, monkeypatch
) -> None:
    for trained_on, unreliable in (("synthetic speech", True), ("recordings of people", False)):
        folder = with_card(whisper_folder, tmp_path / trained_on[:5], trained_on)
        monkeypatch.setenv("BUDEW_MODEL", str(folder))
        outcome = budew("demo", "--out", tmp_path / "demo")
        page = (tmp_path / "demo" / "report.html").read_text(encoding="utf-8")
        for text in (page, outcome.out):
            assert f"Published results of {folder.name}" in text
            assert f"{folder.name} was trained on {trained_on}" in text
            assert ("not reliable" in text) is unreliable
        assert page.index("Published results") < page.index("<audio controls")
        assert "0.500" in outcome.out
        assert "0.125" in outcome.out


def test_the_checkpoint_predicts_emotions_of_unseen_voices_above_chance(tmp_path: Path) -> None:
    run(Synthesis(77, "test"), range(24), tmp_path, workers=0)
    judged = evaluate_corpus(tmp_path, settings=Resampling(resamples=20, permutations=50))
    mean, baseline = judged.mean["spearman"], judged.baseline["spearman"]
    assert mean.value is not None
    assert baseline.high is not None
    assert mean.value > baseline.high + 0.1
    assert judged.unparsed == 0


def test_the_bundled_clips_are_what_the_synthesizer_makes_today(tmp_path: Path) -> None:
    run(Synthesis(2024, "test"), range(3), tmp_path, workers=0)
    bundled = {clip.id: clip for clip in read(CLIPS)}
    for clip in read(tmp_path):
        assert clip.profile == bundled[clip.id].profile
        assert np.allclose(decode(clip.audio).samples, decode(bundled[clip.id].audio).samples, atol=1e-3)
