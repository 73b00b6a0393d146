"""Heads trained on synthetic speech hear a loud cue in unheard speakers, and load as published ones do."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from budew.annotation.encoder_states import TARGETS, Encoded, encode_corpus
from budew.annotation.head_files import TOGETHER, Head
from budew.annotation.head_stack import LARGE, Fitting, HeadStack, unstacked
from budew.annotation.heads import AnnotateByHeads, encoder_windows
from budew.annotation.train_heads import (
    Quality,
    fit_heads,
    split_by_speaker,
    train_heads,
)
from budew.corpora import Clip, read, write_shard
from budew.errors import CheckpointError, CorpusError, JobError
from budew.model.encoder import load_encoder
from budew.profile import VoiceProfile
from budew.synthesis.clip_audio import synthesize
from budew.synthesis.clip_plan import plan_clip
from budew.synthesis.espeak import Espeak
from budew.taxonomy import EMOTIONS

from .sounds import FullMLP, clip_of

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
def pooled(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Encoded:
    return encode_corpus(corpus, load_encoder(device="cpu"), tmp_path_factory.mktemp("pooled") / "states")


def fitted(encoded: Encoded, fitting: Fitting, **how) -> dict[str, tuple[Head, Quality]]:
    return {head.name: (head, quality) for head, quality in fit_heads(encoded, fitting, **how)}


def numbers(trained: dict[str, tuple[Head, Quality]]) -> dict[str, tuple[Quality, list[int]]]:
    """All that heads consist of, to be compared bit for bit."""
    return {
        name: (quality, [hash(part.numpy().tobytes()) for layer in head.layers for part in layer])
        for name, (head, quality) in trained.items()
    }


def test_a_loud_cue_is_predicted_better_than_by_the_mean(pooled):
    trained = fitted(pooled, FITTING)
    assert set(trained) == {"Arousal", "Anger"}
    for _, quality in trained.values():
        assert quality.r2 > 0.4
        assert quality.error < 0.75 * quality.error_of_mean
    scores = trained["Arousal"][0](torch.tensor(pooled.states)).numpy()
    target = pooled.targets[:, TARGETS.index("Arousal")]
    assert np.corrcoef(scores, target)[0, 1] > 0.8
    assert abs(scores.mean() - target.mean()) < 0.15


def test_the_same_seed_gives_the_same_heads_and_leaves_the_global_generator_alone(pooled):
    torch.manual_seed(4)
    state = torch.random.get_rng_state()
    first, again, other = (fitted(pooled, Fitting(most_epochs=3, seed=seed)) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert numbers(first) == numbers(again) != numbers(other)


def test_clips_whose_emotions_are_unknown_train_attributes_and_no_zeros(pooled, whisper_folder, tmp_path):
    targets, emotions = pooled.targets.copy(), len(EMOTIONS)
    targets[::8, :emotions] = np.nan
    targets[::3, TARGETS.index("Arousal")] = np.nan
    some, full = (
        fitted(Encoded(pooled.states, t, pooled.speakers), FITTING) for t in (targets, pooled.targets)
    )
    assert some["Anger"][1].clips < full["Anger"][1].clips
    assert some["Arousal"][1].clips < full["Arousal"][1].clips
    assert some["Arousal"][1].r2 > 0.4
    shard, sound = tmp_path / "some.tar", np.full(8_000, 0.1, np.float32)
    profiles = (VoiceProfile(None, (), {"Arousal": 3.0}), VoiceProfile({}, (), {"Arousal": 1.0}))
    write_shard(shard, [clip_of(sound, f"c{n}", profile=profile) for n, profile in enumerate(profiles)])
    found = encode_corpus(shard, load_encoder(str(whisper_folder)), tmp_path / "states")
    assert np.isnan(found.targets[0, :emotions]).all()
    assert not found.targets[1, :emotions].any()
    assert list(found.targets[:, TARGETS.index("Arousal")]) == [3, 1]
    assert (found.skipped.unjudged, found.skipped.bare) == (1, 0)
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
    assert (notes["encoder"], notes["clips"]) == (None, CLIPS)
    assert len(trained.rare) == len(TARGETS) - 2
    loud, quiet = (clip_with(corpus, extreme) for extreme in (max, min))
    made = [run_on(AnnotateByHeads(place, device="cpu"), loud, quiet) for place in (out, out / TOGETHER)]
    assert [clip.metadata["heads"] for clip in made[0]] == [clip.metadata["heads"] for clip in made[1]]
    assert made[0][0].profile.traits["Arousal"] > made[0][1].profile.traits["Arousal"] + 0.3
    with pytest.raises(CheckpointError, match="exists already"):
        train_heads(corpus, out)


def clip_with(corpus: Path, extreme) -> Clip:
    return extreme(read(corpus), key=lambda clip: clip.profile.traits["Arousal"])


def test_the_quality_of_a_head_is_that_of_its_scores_on_speakers_held_out(pooled):
    trained = fitted(pooled, Fitting(validation=0.25, most_epochs=4))
    check = split_by_speaker(pooled.speakers, share=0.25, seed=0)
    for head, quality in trained.values():
        target = pooled.targets[:, TARGETS.index(head.name)]
        scores = head(torch.tensor(pooled.states)).numpy()
        miss, of_mean = scores[check] - target[check], target[~check].mean() - target[check]
        assert quality.epochs == 4
        assert quality.r2 == pytest.approx(1 - np.mean(miss**2) / np.mean(of_mean**2), abs=2e-4)
        assert quality.error == pytest.approx(np.abs(miss).mean(), abs=2e-4)
        assert quality.error_of_mean == pytest.approx(np.abs(of_mean).mean(), abs=2e-4)


def test_a_head_of_a_stack_scores_as_the_stack_does_on_standardized_features():
    stack = HeadStack.new(["Awe", "Pain", "Fear"], 21, Fitting(widths=(6, 5, 4)))
    inputs, mean, spread = torch.randn(9, 21), torch.randn(7), torch.rand(7) + 0.5
    wanted = stack((inputs - mean.repeat(3)) / spread.repeat(3)) * 1.7 + 0.3
    for number in range(3):
        head = unstacked("Awe", list(stack.parameters()), number, (mean, spread), (0.3, 1.7))
        assert torch.allclose(head(inputs), wanted[number], atol=1e-5)


def test_heads_are_as_wide_and_trained_as_long_as_the_published_ones():
    assert Fitting() == Fitting((64, 64, 32, 16), 0.1, 1e-3, 0.01, 64, 200, 10, 0.005, 0.15, 0)
    assert (Fitting().loss, Fitting(layout="flattened").loss) == ("squared", "absolute")
    assert Fitting(layout="flattened").weights(1500 * 768) * 4 == pytest.approx(295e6, rel=0.01)
    assert Fitting(LARGE).weights(1500 * 768) * 4 == pytest.approx(590e6, rel=0.01)


def test_twenty_clips_to_train_on_and_five_to_check_are_enough_and_fewer_are_not():
    speakers = tuple(f"s{number:02}" for number in range(25))
    check = split_by_speaker(speakers, share=0.2, seed=0)
    assert check.sum() == 5
    targets = np.full((25, len(TARGETS)), np.nan, np.float32)
    enough, *few = (TARGETS.index(name) for name in ("Arousal", "Valence", "Age"))
    targets[:, [enough, *few]] = np.arange(25)[:, None]
    targets[np.flatnonzero(~check)[0], few[0]] = targets[np.flatnonzero(check)[0], few[1]] = np.nan
    features = np.random.default_rng(1).normal(size=(25, 6)).astype(np.float32)
    trained = fitted(Encoded(features, targets, speakers), Fitting(validation=0.2, most_epochs=1))
    assert set(trained) == {"Arousal"}


FLATTENED = Fitting(validation=0.25, most_epochs=4, layout="flattened")
TOGETHER_OR_ALONE = (4.0, 0.0)


@pytest.fixture(scope="module")
def flattened(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Encoded:
    """Clips as flattened heads take them."""
    file = tmp_path_factory.mktemp("flattened") / "states"
    return encode_corpus(corpus, load_encoder(device="cpu"), file, layout="flattened")


def test_all_states_of_all_clips_are_in_a_mapped_file_in_half_precision(corpus, flattened):
    encoder = load_encoder(device="cpu")
    assert isinstance(flattened.states, np.memmap)
    assert (flattened.states.dtype, flattened.positions) == (np.float16, encoder.positions)
    clip = next(iter(read(corpus)))
    states = encoder.states([next(encoder_windows(clip, encoder)).samples]).flatten().numpy()
    assert np.allclose(flattened.states[0], states, rtol=1e-2, atol=1e-2)


def test_a_head_is_bit_for_bit_the_same_alone_and_with_others_in_both_layouts(pooled, flattened):
    targets = np.tile(pooled.targets[:, TARGETS.index("Arousal"), None], len(TARGETS))
    targets *= np.linspace(0.5, 1, len(TARGETS), dtype=np.float32)  # heads that stop at different epochs
    targets[:, 3:] = np.nan
    for encoded, fitting in ((pooled, FITTING), (flattened, FLATTENED)):
        some = replace(encoded, targets=targets)
        both = [fitted(some, fitting, memory=memory) for memory in TOGETHER_OR_ALONE]
        assert len(both[0]) == 3
        assert numbers(both[0]) == numbers(both[1])


def test_flattened_heads_score_as_the_published_architecture_does_with_their_files(corpus, tmp_path, run_on):
    out, fitted_counts = tmp_path / "new" / "heads", []
    fitting = replace(FLATTENED, loss="squared", widths=(8, 8, 6, 4))
    trained = train_heads(corpus, out, fitting=fitting, device="cpu", fitted=fitted_counts.append)
    assert fitted_counts == [1, 2]
    assert {path.name for path in out.parent.iterdir()} == {"heads"}
    notes = json.loads((out / "heads.json").read_text())
    assert (notes["fitting"]["layout"], notes["fitting"]["loss"]) == ("flattened", "squared")
    encoder, clip = load_encoder(device="cpu"), clip_with(corpus, max)
    states = encoder.states([next(encoder_windows(clip, encoder)).samples])
    scored, together = (run_on(AnnotateByHeads(place, device="cpu"), clip) for place in (out, out / TOGETHER))
    for head in trained.heads:
        plain = FullMLP(encoder.positions * encoder.width)
        plain.load_state_dict(torch.load(out / f"model_{head.name}_best.pth", weights_only=True))
        with torch.inference_mode():
            score = float(plain.eval()(states))
        assert scored[0].metadata["heads"][head.name] == pytest.approx(score, abs=1e-3)
        assert together[0].metadata["heads"] == scored[0].metadata["heads"]
    assert trained.heads


def test_the_disk_is_checked_before_clips_are_encoded(corpus, tmp_path, monkeypatch):
    size = CLIPS * 200 * 192 * 2
    full = shutil.disk_usage(tmp_path)._replace(free=size - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: full)
    counts: list[int] = []
    with pytest.raises(JobError, match="free"):
        train_heads(corpus, tmp_path / "out", fitting=FLATTENED, device="cpu", progress=counts.append)
    assert (counts, list(tmp_path.iterdir())) == ([], [])
