"""Accumulated batches count as the batch that they make together."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import WhisperProcessor

from budew.model.build import build_tokenizer, build_whisper
from budew.profile import VoiceProfile
from budew.training.data import FeatureSet
from budew.training.recipe import Recipe
from budew.training.scratch.heads import WhisperWithHeads
from budew.training.scratch.spectrograms import load_features
from budew.training.trainer import agreement, last_checkpoint, make_trainer

CAPTION = "A woman, strongly amused."


@pytest.fixture(scope="module")
def variant(make_recipe):
    return lambda *changes: make_recipe(
        *("optimizer.max_steps=3", "optimizer.warmup_steps=0", "optimizer.batch_size=8"),
        *("model.size.dropout=0", "data.short_windows=0", *changes),
    )


@pytest.fixture(scope="module")
def features(variant, tmp_path_factory) -> FeatureSet:
    """With one caption for all: the mean over two batches is that over both only where they are as long."""
    recipe, cache = variant(), tmp_path_factory.mktemp("cache")
    found = load_features(recipe.data.train, settings=recipe.model.features, cache=cache)
    return replace(found, captions=((CAPTION,),) * 12)


def trained(recipe: Recipe, features: FeatureSet, folder: Path) -> tuple[WhisperWithHeads, list[float]]:
    tokenizer = build_tokenizer([CAPTION], vocabulary=300)
    model = build_whisper(recipe.model.size, recipe.model.features, tokenizer, seed=1, kind=WhisperWithHeads)
    model.heads_weight = 1.0
    trainer = make_trainer(
        recipe,
        folder,
        model=model,
        processor=WhisperProcessor(recipe.model.features.extractor(), tokenizer),
        train=features,
        validation=features,
        bar=lambda *_: None,
    )
    trainer.train()
    return model, [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def test_two_batches_of_four_are_a_batch_of_eight(variant, features, tmp_path):
    """One step: the order of batches depends on their size."""
    one, half = "optimizer.max_steps=1", ("optimizer.batch_size=4", "optimizer.gradient_accumulation=2")
    whole, losses = trained(variant(one), features, tmp_path / "whole")
    halves, same_losses = trained(variant(one, *half), features, tmp_path / "halves")
    assert losses == pytest.approx(same_losses, rel=1e-5)
    other = halves.state_dict()
    for name, value in whole.state_dict().items():
        # Adam's first steps are as large as the learning rate, whatever the gradient: where that is
        # nothing but rounding, the weights part by up to that.
        torch.testing.assert_close(value, other[name], rtol=1e-4, atol=1e-4, msg=name)


def test_the_newest_whole_checkpoint_is_the_one_to_go_on_from(variant, features, tmp_path):
    assert last_checkpoint(tmp_path) is None
    trained(variant("evaluation.every_steps=1"), features, tmp_path)
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-3"
    assert load_file(tmp_path / "checkpoint-3" / "model.safetensors")
    (tmp_path / "checkpoint-10").mkdir()
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-3"
    (tmp_path / "checkpoint-3" / "trainer_state.json").write_text("{")
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-2"


def test_captions_are_compared_with_known_emotions_only():
    profiles = [VoiceProfile({name: 1.0}) for name in ("Anger", "Awe", "Fear")]
    captions = ["Very angry.", "In deep awe.", "Very afraid."]
    assert agreement(profiles, captions) == (1.0, 3)
    assert agreement([*profiles, VoiceProfile(None)], [*captions, "Very sad."]) == (1.0, 3)
