"""Heads trained on synthetic speech hear a loud cue in unheard speakers, and load as published ones do."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from budew.annotation.head_files import TOGETHER
from budew.annotation.head_stack import Fitting, HeadStack, unstacked
from budew.annotation.heads import AnnotateByHeads
from budew.annotation.train_heads import (
    TARGETS,
    Pooled,
    fit_heads,
    pooled_states,
    split_by_speaker,
    train_heads,
)
from budew.corpora import Clip, read, write_shard
from budew.errors import CheckpointError, CorpusError
from budew.model.encoder import load_encoder
from budew.profile import VoiceProfile
from budew.synthesis.clip_audio import synthesize
from budew.synthesis.clip_plan import plan_clip
from budew.synthesis.espeak import Espeak
from budew.taxonomy import EMOTIONS

from .sounds import clip_of

CLIPS = 80
FITTING = Fitting(validation=0.25)
EXCITED = ("loudness", "rate", "pitch_level", "dynamics")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Synthetic speech whose arousal and anger are how loud, fast, high and lively it was planned."""
    shard = tmp_path_factory.mktemp("corpus") / "train.tar"
    with Espeak() as espeak:
        write_shard(shard, [planned(number, espeak) for number in range(CLIPS)])
    return shard


def planned(number: int, espeak: Espeak) -> Clip:
    plan = plan_clip(number, seed=11, split="train")
    cue = float(np.clip(np.mean([plan.settings[name] for name in EXCITED]), -1, 1))
    profile = VoiceProfile({"Anger": max(cue, 0.0)}, (), {"Arousal": 2 + 2 * cue})
    return clip_of(synthesize(plan, espeak), plan.id, profile=profile, speaker=plan.voice.speaker)


@pytest.fixture(scope="module")
def pooled(corpus: Path) -> Pooled:
    return pooled_states(corpus, load_encoder(device="cpu"))


def test_a_loud_cue_is_predicted_better_than_by_the_mean(pooled):
    trained = fit_heads(pooled, FITTING)
    assert {head.name for head in trained.heads} == {"Arousal", "Anger"}
    for quality in trained.quality.values():
        assert quality.r2 > 0.4
        assert quality.error < 0.75 * quality.error_of_mean
    assert len(trained.rare) == len(TARGETS) - 2
    arousal = next(head for head in trained.heads if head.name == "Arousal")
    scores = arousal(torch.from_numpy(pooled.features)).numpy()
    target = pooled.targets[:, TARGETS.index("Arousal")]
    assert np.corrcoef(scores, target)[0, 1] > 0.8
    assert abs(scores.mean() - target.mean()) < 0.15


def test_the_same_seed_gives_the_same_heads_and_leaves_the_global_generator_alone(pooled):
    torch.manual_seed(4)
    state = torch.random.get_rng_state()
    first, again, other = (fit_heads(pooled, Fitting(most_epochs=3, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert first.quality == again.quality != other.quality
    for head, same in zip(first.heads, again.heads, strict=True):
        for layer, same_layer in zip(head.layers, same.layers, strict=True):
            assert all(torch.equal(a, b) for a, b in zip(layer, same_layer, strict=True))


def test_clips_whose_emotions_are_unknown_train_attributes_and_no_zeros(pooled, whisper_folder, tmp_path):
    targets, emotions = pooled.targets.copy(), len(EMOTIONS)
    targets[::8, :emotions] = np.nan
    targets[::3, TARGETS.index("Arousal")] = np.nan
    trained, full = (
        fit_heads(Pooled(pooled.features, t, pooled.speakers), FITTING) for t in (targets, pooled.targets)
    )
    assert trained.quality["Anger"].clips < full.quality["Anger"].clips
    assert trained.quality["Arousal"].clips < full.quality["Arousal"].clips
    assert trained.quality["Arousal"].r2 > 0.4
    shard, sound = tmp_path / "some.tar", np.full(8_000, 0.1, np.float32)
    profiles = (VoiceProfile(None, (), {"Arousal": 3.0}), VoiceProfile({}, (), {"Arousal": 1.0}))
    write_shard(shard, [clip_of(sound, f"c{n}", profile=profile) for n, profile in enumerate(profiles)])
    found = pooled_states(shard, load_encoder(str(whisper_folder)))
    assert np.isnan(found.targets[0, :emotions]).all()
    assert not found.targets[1, :emotions].any()
    assert list(found.targets[:, TARGETS.index("Arousal")]) == [3, 1]
    assert (found.unjudged, found.bare) == (1, 0)
    write_shard(tmp_path / "bare.tar", [clip_of(sound, "a")])
    with pytest.raises(CorpusError, match=r"its 0 clips with profiles \(1 are without"):
        train_heads(tmp_path / "bare.tar", tmp_path / "out", encoder=str(whisper_folder))
    assert not (tmp_path / "out").exists()


def test_no_speaker_is_on_both_sides_of_the_split():
    speakers = [f"speaker-{number % 7}" for number in range(100)]
    check = split_by_speaker(speakers, share=0.15, seed=3)
    sides = [
        {speaker for speaker, is_check in zip(speakers, check, strict=True) if is_check is np.bool_(side)}
        for side in (0, 1)
    ]
    assert not sides[0] & sides[1]
    assert 0.1 < check.mean() < 0.35
    assert (split_by_speaker(speakers, share=0.15, seed=3) == check).all()
    assert not split_by_speaker(["one"] * 9, share=0.5, seed=1).any()


def test_trained_heads_annotate_as_published_ones_do(corpus, tmp_path, run_on):
    out = tmp_path / "heads"
    trained = train_heads(corpus, out, fitting=Fitting(validation=0.25, most_epochs=30), device="cpu")
    names = {path.name for path in out.iterdir()}
    assert names == {"model_Anger_best.pth", "model_Arousal_best.pth", TOGETHER, "heads.json"}
    notes = json.loads((out / "heads.json").read_text())
    assert (notes["encoder"], notes["clips"], notes["epochs"]) == (None, CLIPS, trained.epochs)
    loud, quiet = (clip_with(corpus, extreme) for extreme in (max, min))
    made = [run_on(AnnotateByHeads(place, device="cpu"), loud, quiet) for place in (out, out / TOGETHER)]
    assert [clip.metadata["heads"] for clip in made[0]] == [clip.metadata["heads"] for clip in made[1]]
    assert made[0][0].profile.traits["Arousal"] > made[0][1].profile.traits["Arousal"] + 0.3
    with pytest.raises(CheckpointError, match="exists already"):
        train_heads(corpus, out)


def clip_with(corpus: Path, extreme) -> Clip:
    return extreme(read(corpus), key=lambda clip: clip.profile.traits["Arousal"])


def test_the_quality_of_a_head_is_that_of_its_scores_on_speakers_held_out(pooled):
    trained = fit_heads(pooled, Fitting(validation=0.25, most_epochs=4))
    check = split_by_speaker(pooled.speakers, share=0.25, seed=0)
    assert (trained.epochs, trained.validation) == (4, check.sum())
    for head in trained.heads:
        target = pooled.targets[:, TARGETS.index(head.name)]
        scores = head(torch.from_numpy(pooled.features)).numpy()
        miss, of_mean = scores[check] - target[check], target[~check].mean() - target[check]
        quality = trained.quality[head.name]
        assert quality.r2 == pytest.approx(1 - np.mean(miss**2) / np.mean(of_mean**2), abs=2e-4)
        assert quality.error == pytest.approx(np.abs(miss).mean(), abs=2e-4)
        assert quality.error_of_mean == pytest.approx(np.abs(of_mean).mean(), abs=2e-4)


def test_a_head_of_a_stack_scores_as_the_stack_does_on_standardized_features():
    stack = HeadStack(3, 7, Fitting(widths=(6, 5, 4))).eval()
    inputs, mean, spread = torch.randn(9, 7), torch.randn(7), torch.rand(7) + 0.5
    wanted = stack((inputs - mean) / spread) * 1.7 + 0.3
    for number in range(3):
        head = unstacked("Awe", list(stack.parameters()), number, (mean, spread), (0.3, 1.7))
        assert torch.allclose(head(inputs), wanted[:, number], atol=1e-5)


def test_heads_are_as_wide_and_trained_as_long_as_the_published_ones():
    assert Fitting() == Fitting((64, 64, 32, 16), 0.1, 1e-3, 0.01, 64, 200, 10, 0.005, 0.15, 0)


def test_twenty_clips_to_train_on_and_five_to_check_are_enough_and_fewer_are_not():
    speakers = tuple(f"s{number:02}" for number in range(25))
    check = split_by_speaker(speakers, share=0.2, seed=0)
    assert check.sum() == 5
    targets = np.full((25, len(TARGETS)), np.nan, np.float32)
    enough, *few = (TARGETS.index(name) for name in ("Arousal", "Valence", "Age"))
    targets[:, [enough, *few]] = np.arange(25)[:, None]
    targets[np.flatnonzero(~check)[0], few[0]] = targets[np.flatnonzero(check)[0], few[1]] = np.nan
    features = np.random.default_rng(1).normal(size=(25, 6)).astype(np.float32)
    trained = fit_heads(Pooled(features, targets, speakers), Fitting(validation=0.2, most_epochs=1))
    assert set(trained.quality) == {"Arousal"}
