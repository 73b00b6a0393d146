"""What a run saves is a plain Whisper: the stock classes and pipeline caption with it as `Captioner` does."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from transformers import (
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperProcessor,
    pipeline,
)

from budew import Captioner
from budew.audio.samples import decode
from budew.corpora import read
from budew.model.build import build_tokenizer, build_whisper
from budew.model.checkpoint import load_checkpoint
from budew.model.generate import encode, write_captions
from budew.training.recipe import Recipe, load_recipe
from budew.training.saving import Run, save_result
from budew.training.scratch.heads import WhisperWithHeads

RATE = 16_000


@pytest.fixture(scope="module")
def sounds(corpus) -> list[np.ndarray]:
    return [decode(clip.audio).samples for clip in read(corpus)]


@pytest.fixture(scope="module")
def recipe(make_recipe) -> Recipe:
    return make_recipe("model.scratch.size.longest_caption=24", "model.num_beams=3")


@pytest.fixture(scope="module")
def model(recipe, corpus) -> WhisperWithHeads:
    """Large random weights: what it writes is nonsense that depends on the audio, timestamps apart."""
    tokenizer = build_tokenizer((clip.captions[0].text for clip in read(corpus)), vocabulary=400)
    torch.manual_seed(3)
    scratch = recipe.model.scratch
    model = build_whisper(scratch.size, scratch.features, tokenizer, seed=1, kind=WhisperWithHeads).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1 and "embed_positions" not in name:
                weight.normal_(0, 0.4)
    model.config.use_cache = False  # as the trainer leaves it
    model.tokenizer = tokenizer
    return model


@pytest.fixture(scope="module")
def saved(recipe, model, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    processor = WhisperProcessor(recipe.model.scratch.features.extractor(), model.tokenizer)
    history = [{"loss": 1.5, "step": 1}, {"validation_spearman": float("nan"), "step": 1}]
    (folder / "checkpoint").mkdir()
    (folder / "checkpoint" / "of_an_older_run").touch()
    run = Run(recipe, processor, clips=12, hours=0.1, validation_clips=4, steps=1, history=history)
    save_result(model, run, folder)
    assert [path.name for path in folder.iterdir()] == ["checkpoint"]
    return folder / "checkpoint"


@pytest.fixture(scope="module")
def captioned(saved, sounds) -> list[str]:
    """What `Captioner` has the model write of each sound, before it cleans nonsense up."""
    checkpoint = load_checkpoint(saved, device="cpu")
    return [text.strip() for text in write_captions(checkpoint, encode(checkpoint, sounds))]


def test_no_weight_of_the_heads_is_saved_and_all_are_in_half_precision(saved, model):
    with safe_open(saved / "model.safetensors", "pt") as file:
        names = set(file.keys())
        assert {file.get_tensor(name).dtype for name in names} == {torch.float16}
    # The output layer is the embedding, and stored once.
    plain = {name for name, _ in model.named_parameters() if not name.startswith(("heads.", "attention."))}
    assert names == plain


def test_the_folder_holds_what_each_reader_of_whispers_wants(saved, recipe, model):
    config = json.loads((saved / "config.json").read_text())
    assert config["architectures"] == ["WhisperForConditionalGeneration"]
    assert config["use_cache"] is True
    assert config["dtype"] == "float32"
    generation = json.loads((saved / "generation_config.json").read_text())
    assert generation["lang_to_id"] == model.generation_config.lang_to_id
    assert "_from_model_config" not in generation
    assert generation["num_beams"] == 3
    assert "trained_with_prompts" not in generation
    assert {path.name for path in saved.iterdir()} == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "processor_config.json",
        "README.md",
        "recipe.yaml",
        "tokenizer.json",
        "tokenizer_config.json",
        "training.json",
    }
    assert WhisperFeatureExtractor.from_pretrained(saved).n_samples == 2 * RATE
    assert load_recipe(saved / "recipe.yaml") == recipe
    history = json.loads((saved / "training.json").read_text(), parse_constant=pytest.fail)["history"]
    assert history == [{"loss": 1.5, "step": 1}, {"validation_spearman": None, "step": 1}]


def test_the_stock_class_computes_what_the_trained_model_does(saved, model, sounds, recipe):
    stock = WhisperForConditionalGeneration.from_pretrained(saved).eval()
    assert stock.dtype == torch.float32
    extractor = recipe.model.scratch.features.extractor()
    extracted = extractor(sounds, sampling_rate=RATE, return_tensors="pt").input_features
    tokens = torch.randint(0, 390, (len(sounds), 12), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = model(input_features=extracted, decoder_input_ids=tokens).logits
        found = stock(input_features=extracted, decoder_input_ids=tokens).logits
        halved = (
            model.plain().half().float().eval()(input_features=extracted, decoder_input_ids=tokens).logits
        )
    torch.testing.assert_close(found, halved, rtol=0, atol=1e-4)
    assert (found - expected).abs().max() < 2e-2 * expected.abs().max()


def test_the_stock_pipeline_writes_what_the_captioner_does(saved, sounds, captioned):
    assert len(set(captioned)) > 3  # the captions depend on the sound
    stock = pipeline("automatic-speech-recognition", model=str(saved), device="cpu")
    inputs = [{"raw": sound, "sampling_rate": RATE} for sound in sounds]
    assert [stock(dict(one))["text"].strip() for one in inputs] == captioned
    batched = stock([dict(one) for one in inputs], batch_size=4)
    assert [one["text"].strip() for one in batched] == captioned
    long = np.concatenate(sounds[:4])
    assert stock({"raw": long, "sampling_rate": RATE}, chunk_length_s=2)["text"].strip()
    assert len(Captioner.from_pretrained(saved, device="cpu")(long, sampling_rate=RATE).windows) == 3
