"""What a run saves is a plain Whisper: the stock classes and pipeline caption with it as `Captioner` does."""

import copy
import json
import socket
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
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
from budew.errors import CheckpointError
from budew.model.build import build_tokenizer, build_whisper
from budew.model.card import read_card
from budew.model.checkpoint import load_checkpoint
from budew.model.generate import encode
from budew.training.dataset import training_dataset, validation_dataset
from budew.training.preparation import prepare_corpora
from budew.training.recipe import Recipe, load_recipe
from budew.training.saving import FinishedRun, push, save_result
from budew.training.training_model import WhisperWithHeads
from tests.corpora.hub_server import model_hub
from tests.trained import check_duties, write_captions
from tests.training.conftest import run_card

RATE = 16_000
TOKEN = "hf_loopback"


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
def run(recipe, model, tmp_path_factory) -> FinishedRun:
    processor = WhisperProcessor(recipe.model.scratch.features.extractor(), model.tokenizer)
    cache, extractor = tmp_path_factory.mktemp("cache"), processor.feature_extractor
    clips, held_out = (prepare_corpora(recipe, cache, split, extractor) for split in ("train", "validation"))
    history = [{"loss": 1.5, "step": 1}, {"eval_loss": 2.5, "eval_spearman": float("nan"), "step": 1}]
    examples = training_dataset(recipe, clips, processor, max_tokens=48)
    return FinishedRun(examples, validation_dataset(recipe, held_out, processor, max_tokens=48), 1, history)


@pytest.fixture(scope="module")
def saved(run, model, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    (folder / "checkpoint").mkdir()
    (folder / "checkpoint" / "of_an_older_run").touch()
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


def test_the_folder_has_the_files_that_other_libraries_read(saved, recipe, model):
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
        "emotion_captioning.py",
        "generation_config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "processor_config.json",
        "README.md",
        "recipe.yaml",
        "tokenizer.json",
        "tokenizer_config.json",
        "trained_clips.safetensors",
        "training.json",
    }
    assert WhisperFeatureExtractor.from_pretrained(saved).n_samples == 2 * RATE
    assert load_recipe(saved / "recipe.yaml") == recipe
    history = json.loads((saved / "training.json").read_text(), parse_constant=pytest.fail)["history"]
    assert history == [{"loss": 1.5, "step": 1}, {"eval_loss": 2.5, "eval_spearman": None, "step": 1}]


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
    assert len(Captioner.from_pretrained(saved, device="cpu")(long, sampling_rate=RATE).windows) == 2


def test_the_model_card_is_one_for_the_hub_and_its_code_runs(saved, recipe, monkeypatch, capsys):
    check_duties(saved)
    card = ModelCard.load(saved / "README.md")
    assert (card.data.license, card.data.library_name) == (recipe.license, "transformers")
    assert card.data.base_model is None
    run_card(saved, monkeypatch)
    assert capsys.readouterr().out.count("'text'") == 2  # windows of the recording
    stated = (
        *(recipe.data.train[0].corpus, "12 clips, 0.0 h", "recipe.yaml", "| 1 | 2.500 | nan |"),
        *("## Limits", "## Intended uses"),
        *("## Licence", recipe.license),
    )
    text = " ".join(card.text.split())
    assert [part for part in stated if part not in text] == []


@pytest.mark.parametrize("trained_on", ["synthetic speech", "recordings of people", None])
def test_the_recipe_decides_the_speech_that_a_checkpoint_was_trained_on(run, model, tmp_path, trained_on):
    given = copy.deepcopy(model)
    given.generation_config.trained_on = "recordings of people"
    recipe = run.train.recipe.model_copy(update={"trained_on": trained_on})
    train = replace(run.train, recipe=recipe)
    save_result(given, replace(run, train=train), tmp_path)
    assert read_card(tmp_path / "checkpoint").trained_on == trained_on
    text = (tmp_path / "checkpoint" / "README.md").read_text(encoding="utf-8")
    assert f"The clips are {trained_on}" in text or trained_on is None
    assert ("of them are not reliable" in text) is (trained_on == "synthetic speech")


def test_a_result_is_pushed_and_loads_from_the_hub(saved, sounds, captioned, at_hub):
    with model_hub("me/tiny", TOKEN) as (address, held):
        at_hub(address, TOKEN)
        assert push(saved, "me/tiny") == f"{address}/me/tiny"
        assert {name: len(content) for name, content in held.items() if name != ".gitattributes"} == {
            path.name: path.stat().st_size for path in saved.iterdir()
        }
        loaded = load_checkpoint("me/tiny", device="cpu")
        assert [text.strip() for text in write_captions(loaded, encode(loaded, sounds))] == captioned
        push(saved, "me/tiny")  # again


def test_a_push_that_fails_names_the_folder_and_how_to_repeat_it(saved, at_hub):
    wrong = "hf_of_somebody_else"
    with model_hub("me/tiny", TOKEN) as (address, held):
        at_hub(address, wrong)
        with pytest.raises(CheckpointError) as refused:
            push(saved, "me/tiny")
    assert not held
    with socket.create_server(("127.0.0.1", 0)) as closed:
        at_hub(f"http://127.0.0.1:{closed.getsockname()[1]}", TOKEN)
    with pytest.raises(CheckpointError) as gone:
        push(saved, "me/tiny")
    for error in map(str, (refused.value, gone.value)):
        assert str(saved) in error
        assert "hf upload me/tiny" in error
        assert TOKEN not in error
        assert wrong not in error
        assert "\n" not in error
