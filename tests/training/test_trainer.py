"""How a step is cut into batches changes neither its loss nor what is learned."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy
from transformers import WhisperProcessor

from budew.corpora import read
from budew.errors import InputError
from budew.model.build import build_tokenizer, build_whisper
from budew.training.dataset import collate, training_dataset, validation_dataset
from budew.training.preparation import prepare_corpora
from budew.training.recipe import Recipe
from budew.training.run_folder import RunFolder
from budew.training.trainer import CaptionTrainer
from budew.training.training_model import WhisperWithHeads


@pytest.fixture(scope="module")
def variant(make_recipe):
    steps = (
        "optimizer.max_steps=3",
        "optimizer.warmup=0",
        "optimizer.batch_size=8",
        "optimizer.learning_rate=1e-3",
    )
    return lambda *changes: make_recipe(*steps, "model.scratch.size.dropout=0", *changes)


@pytest.fixture(scope="module")
def trainer_of(corpus, tmp_path_factory):
    captions = [caption.text for clip in read(corpus) for caption in clip.captions]
    tokenizer, cache = build_tokenizer(captions, vocabulary=400), tmp_path_factory.mktemp("cache")

    def make(recipe: Recipe, folder: Path) -> CaptionTrainer:
        scratch = recipe.model.scratch
        processor = WhisperProcessor(scratch.features.extractor(), tokenizer)
        train, validation = (
            make(
                recipe,
                prepare_corpora(recipe, cache, split, processor.feature_extractor),
                processor,
                max_tokens=48,
            )
            for make, split in ((training_dataset, "train"), (validation_dataset, "validation"))
        )
        model = build_whisper(scratch.size, scratch.features, tokenizer, seed=1, kind=WhisperWithHeads)
        return CaptionTrainer(folder, model, train, validation)

    return make


def losses_of(trainer: CaptionTrainer) -> list[float]:
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


@pytest.mark.parametrize("size", [4, 2])
def test_a_step_does_not_depend_on_the_size_of_its_batches(variant, trainer_of, tmp_path, size):
    """Captions of different lengths: the mean over two batches is not that over both."""
    whole = trainer_of(variant(), tmp_path / "whole")
    parts = trainer_of(variant(f"optimizer.device_batch_size={size}"), tmp_path / "parts")
    assert len({len(whole.train_dataset[number]["tokens"]) for number in range(8)}) > 4
    assert losses_of(whole) == pytest.approx(losses_of(parts), rel=1e-5)
    learned, other = whole.model.state_dict(), parts.model.state_dict()
    del learned["attention.bias"]  # softmax cancels it: its gradient is rounding, which Adam follows
    for name, value in learned.items():
        # Adam's first steps are as large as the learning rate, whatever the gradient: where that is
        # nothing but rounding, the weights part by up to that.
        torch.testing.assert_close(value, other[name], rtol=1e-4, atol=3e-4, msg=name)


@pytest.mark.parametrize("weight", [0, 2])
def test_the_loss_is_the_mean_over_tokens_and_that_of_the_heads_over_clips(
    variant, trainer_of, tmp_path, weight
):
    changes = (
        "optimizer.max_steps=1",
        "data.short_windows=0",
        "optimizer.device_batch_size=2",
        f"model.scratch.heads_weight={weight}",
    )
    trainer = trainer_of(variant(*changes), tmp_path)
    batch = collate([trainer.train_dataset[number] for number in range(8)], padding=0)
    labels = batch.pop("labels")
    with torch.no_grad():
        output = trainer.model.train()(**batch)
    expected = cross_entropy(output.logits.flatten(0, 1), labels.flatten()) + weight * output.loss / 8
    assert losses_of(trainer) == pytest.approx([expected.item()], rel=1e-4)


def test_clips_of_a_step_are_shared_evenly_or_refused(variant):
    assert variant().optimizer.batches(1) == (8, 1)
    assert variant().optimizer.batches(4) == (2, 1)
    assert variant("optimizer.device_batch_size=2").optimizer.batches(2) == (2, 2)
    for most, processes, expected in ((4, 4, (2, 1)), (3, 1, (2, 4)), (64, 2, (4, 1))):
        assert variant(f"optimizer.device_batch_size={most}").optimizer.batches(processes) == expected
    for processes in (3, 16):
        with pytest.raises(InputError, match="batch_size"):
            variant().optimizer.batches(processes)


def test_a_run_continues_from_its_newest_complete_checkpoint(variant, trainer_of, tmp_path):
    folder = RunFolder(tmp_path)
    assert folder.last_checkpoint() is None
    trainer_of(variant("optimizer.max_steps=2", "evaluation.every_steps=1"), folder.training).train()
    second = folder.training / "checkpoint-2"
    assert folder.last_checkpoint() == second
    assert load_file(second / "model.safetensors")
    (folder.training / "checkpoint-10").mkdir()
    assert folder.last_checkpoint() == second
    (second / "trainer_state.json").write_text("{")
    assert folder.last_checkpoint() == folder.training / "checkpoint-1"
