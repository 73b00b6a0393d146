"""The demo captions every bundled clip and leaves files that agree with each other."""

import json
from pathlib import Path

import numpy as np

from budew.audio.samples import decode
from budew.corpora import read
from budew.demo import run_demo
from budew.evaluation import Settings, evaluate_corpus
from budew.resources import data_folder
from budew.synthesis import synthesize_corpus

CLIPS = data_folder("demo_clips") / "clips.tar"


def test_every_bundled_clip_is_captioned_and_written_down(whisper_folder: Path, tmp_path: Path) -> None:
    done: list[int] = []
    made = run_demo(tmp_path / "demo", model=whisper_folder, progress=done.append)
    ids = [clip.id for clip in read(CLIPS)]
    assert [pair.id for pair in made.evaluation.pairs] == sorted(ids)
    assert done[-1] == len(ids)
    page = made.report.read_text(encoding="utf-8")
    assert page.count("<audio controls") == len(ids)
    figures = made.metrics.read_text(encoding="utf-8")
    assert json.loads(figures)["skipped"] == []
    again = evaluate_corpus(CLIPS, predictions=made.predictions)
    assert again.emotions == made.evaluation.emotions


def test_the_bundled_clips_are_few_small_and_of_known_truth() -> None:
    assert CLIPS.stat().st_size < 1_500_000
    clips = list(read(CLIPS))
    assert 6 <= len(clips) <= 24
    assert all(clip.profile is not None for clip in clips)


def test_the_embedded_checkpoint_hears_more_than_chance_in_unheard_voices(tmp_path: Path) -> None:
    synthesize_corpus(tmp_path, clips=24, seed=77, split="test", workers=0)
    judged = evaluate_corpus(tmp_path, settings=Settings(resamples=20, permutations=50))
    mean, baseline = judged.mean["spearman"], judged.baseline["spearman"]
    assert mean.value is not None
    assert baseline.high is not None
    assert mean.value > baseline.high + 0.1
    assert judged.unparsed == 0


def test_the_bundled_clips_are_what_the_synthesizer_makes_today(tmp_path: Path) -> None:
    synthesize_corpus(tmp_path, clips=3, seed=2024, split="test", workers=0)
    bundled = {clip.id: clip for clip in read(CLIPS)}
    for clip in read(tmp_path):
        assert clip.profile == bundled[clip.id].profile
        assert np.allclose(decode(clip.audio).samples, decode(bundled[clip.id].audio).samples, atol=1e-3)
