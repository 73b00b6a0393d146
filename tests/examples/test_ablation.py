"""The ablation compares arms that differ in their target alone, resumes, and pairs what it compares."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from budew.captions.render import load_templates
from budew.corpora import Clip
from budew.model.build import Features, Size, build_tokenizer, build_whisper
from budew.paraphrase.grammar import REWORDING
from budew.profile import VoiceProfile
from budew.training import start
from budew.training.recipe import differences

EXAMPLE = Path(__file__).parents[2] / "examples" / "ablation.py"


@pytest.fixture(scope="module")
def example() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(EXAMPLE)))


def test_arms_differ_in_the_target_alone_and_none_has_the_new_frames(
    example: SimpleNamespace, tmp_path: Path
) -> None:
    one, *others = (example.recipe_of(tmp_path, arm, 1, example.Size()) for arm in example.ARMS)
    for other in others:
        assert {line.partition(".")[0] for line in differences(one, other) if "name:" not in line} == {
            "target"
        }
    frames = {frame for recipe in (one, *others) for frame in recipe.target.frames}
    assert frames.isdisjoint(example.NEW_FRAMES)
    assert load_templates(additions=REWORDING).frames.keys().isdisjoint(example.NEW_FRAMES)


def test_groups_hold_each_clip_once_and_few_mix_genders(example: SimpleNamespace) -> None:
    genders = ["female", "male"] * 40
    clips = [
        Clip(f"{n}", b"", "wav", profile=VoiceProfile({"Fear": 1}, traits={"gender": gender}))
        for n, gender in enumerate(genders)
    ]
    groups = list(example.groups(clips))
    assert sorted(clip.id for group in groups for clip in group) == sorted(clip.id for clip in clips)
    assert sum(len({clip.profile.traits["gender"] for clip in group}) > 1 for group in groups) <= 1


def test_captions_are_matched_by_what_the_audio_says_of_them_alone(example: SimpleNamespace) -> None:
    texts = ["a calm voice", "an angry man, shouting at length", "she weeps"]
    features = Features(window_seconds=1, mel_bins=8)
    size = Size(width=16, encoder_layers=1, decoder_layers=1, heads=2, longest_caption=48)
    tokenizer = build_tokenizer(texts, vocabulary=300)
    model = build_whisper(size, features, tokenizer, seed=1)
    processor = SimpleNamespace(tokenizer=tokenizer)
    checkpoint = SimpleNamespace(model=model.eval(), processor=processor)
    states = torch.zeros(3, features.frames // 2, 16)
    encoded: Any = example.Encoded(texts, states)
    assert example.matches(checkpoint, encoded, texts) == [0.5, 0.5, 0.5]
    encoded = example.Encoded(texts, torch.randn(states.shape, generator=torch.Generator().manual_seed(1)))
    shares = example.matches(checkpoint, encoded, texts)
    assert shares != [0.5, 0.5, 0.5]
    turned = example.Encoded(texts, encoded.states.roll(1, 0))
    assert example.matches(checkpoint, turned, [texts[2], *texts[:2]]) == pytest.approx(
        [shares[2], *shares[:2]]
    )


def test_differences_are_paired(example: SimpleNamespace) -> None:
    sampled = np.random.default_rng(1).normal(0.5, 0.1, (3, 200))
    one = example.Resampled([0.5, 0.6, 0.4], sampled)
    better = example.Resampled([0.6, 0.7, 0.5], sampled + 0.1)
    assert better.estimate(one) == pytest.approx({"value": 0.1, "low": 0.1, "high": 0.1})
    alone = better.estimate()
    assert alone["high"] - alone["low"] > 0.1


@pytest.mark.long
def test_the_ablation_runs_and_resumes(
    example: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start, "TOKENIZER_CAPTIONS", (40, 40))
    results = example.main([str(tmp_path), "--quick", "--seeds", "1"])
    assert json.loads((tmp_path / "ablation.json").read_text(encoding="utf-8")) == results
    assert list(results["arms"]) == list(example.ARMS)
    assert len(list((tmp_path / "cache" / "features").glob("*.f16"))) == 2, "spectrograms of all arms"
    assert results["arms"]["scalars"]["measures"]["self_bleu"] is None
    page = (tmp_path / "ablation.html").read_text(encoding="utf-8")
    assert page.count("<polyline") == 2 * len(example.ARMS)
    files = sorted((tmp_path / "runs").glob("*/written.json"))
    made = [file.stat().st_mtime_ns for file in files]
    assert example.main([str(tmp_path), "--quick", "--seeds", "1"]) == results
    assert [file.stat().st_mtime_ns for file in files] == made
