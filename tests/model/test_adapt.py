"""A published Whisper becomes a captioner: its window, its prefix, what learns; nothing else changes."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperProcessor,
    pipeline,
)

from budew.errors import CheckpointError
from budew.model.adapt import Lora, set_prefix, set_trained, set_window
from budew.model.build import PREFIX
from budew.model.checkpoint import Checkpoint, load_checkpoint
from budew.model.generate import encode, features_of, generate, generation_settings
from tests.model.published_layout import END, write_published_tiny
from tests.trained import TINY_SYNTHETIC, write_captions

RATE = 16_000


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return write_published_tiny(tmp_path_factory.mktemp("whisper-tiny"), layers=2)


@pytest.fixture
def base(published):
    checkpoint = load_checkpoint(published, device="cpu")
    return checkpoint.model, checkpoint.processor


def features(seconds: int, extractor: WhisperFeatureExtractor) -> torch.Tensor:
    sound = np.random.default_rng(0).normal(0, 0.1, seconds * RATE).astype(np.float32)
    return extractor(sound, sampling_rate=RATE, return_tensors="pt").input_features


def test_a_shorter_window_computes_what_stock_transformers_does(base, published):
    model, processor = base
    adapted = set_window(model, processor, 8)
    stock = WhisperForConditionalGeneration.from_pretrained(
        published, max_source_positions=400, ignore_mismatched_sizes=True
    ).eval()
    with torch.no_grad():  # what does not match is made anew, as the sinusoids that it was
        given = features(8, adapted.feature_extractor)
        ours, theirs = (one.get_encoder()(given).last_hidden_state for one in (model, stock))
    assert ours.shape == (1, 400, 384)
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_a_window_can_be_made_long_again(base):
    model, processor = base
    before = model.get_encoder().embed_positions.weight.clone()
    set_window(model, set_window(model, processor, 8), 30)
    assert torch.allclose(model.get_encoder().embed_positions.weight, before, atol=1e-6)


def test_positions_that_are_no_sinusoids_cannot_be_more(base):
    model, processor = base
    adapted = set_window(model, processor, 8)
    model.get_encoder().embed_positions.weight.data.normal_()
    with pytest.raises(CheckpointError, match="sinusoids"):
        set_window(model, adapted, 9)


def test_what_is_saved_generates_with_stock_classes(base, tmp_path):
    model, processor = base
    adapted = set_window(model, processor, 8)
    set_prefix(model, adapted.tokenizer)
    model.save_pretrained(tmp_path)
    adapted.save_pretrained(tmp_path)
    stock = WhisperForConditionalGeneration.from_pretrained(tmp_path)
    tokens = stock.generate(features(8, adapted.feature_extractor), max_new_tokens=5)
    assert tokens.shape[1] <= 5
    assert int(tokens.max()) <= END
    ids = WhisperProcessor.from_pretrained(tmp_path).tokenizer("(angry)").input_ids
    assert ids[: len(PREFIX)] == adapted.tokenizer.convert_tokens_to_ids(list(PREFIX))


@pytest.fixture(scope="module")
def saved(published, tmp_path_factory):
    """A narrow model of the published layout with windows of 30 s and of 8 s, as saved and in memory.

    Large random weights write nonsense that depends on the audio; timestamps are suppressed.
    """
    config = WhisperConfig.from_pretrained(published, d_model=64, encoder_layers=1, decoder_layers=1)
    config.encoder_attention_heads = config.decoder_attention_heads = 2
    model, processor = WhisperForConditionalGeneration(config), WhisperProcessor.from_pretrained(published)
    model.generation_config = GenerationConfig.from_pretrained(published)
    model.eval().requires_grad_(False)
    chance = torch.Generator().manual_seed(1)
    for name, weight in model.named_parameters():
        if weight.dim() > 1 and "embed_positions" not in name:
            weight.normal_(0, 0.3, generator=chance)
    checkpoints = {}
    for seconds in (30, 8):
        own = deepcopy(model)
        adapted = set_window(own, processor, seconds)
        set_prefix(own, adapted.tokenizer)
        own.generation_config.suppress_tokens = list(range(END, own.config.vocab_size))
        own.generation_config.max_length = 10
        folder = tmp_path_factory.mktemp(f"window-{seconds}")
        own.save_pretrained(folder)
        adapted.save_pretrained(folder)
        adapted.feature_extractor.save_pretrained(folder)
        checkpoints[seconds] = folder, Checkpoint(own, adapted, "adapted", float(seconds), RATE)
    return checkpoints


@pytest.mark.parametrize("seconds", [8, 30, None])
def test_the_stock_pipeline_captions_each_window_of_a_recording_as_write_captions_does(
    saved, make_sound, seconds
):
    trained = TINY_SYNTHETIC, load_checkpoint(TINY_SYNTHETIC, device="cpu")
    folder, checkpoint = saved[seconds] if seconds else trained
    short, long = make_sound(5, 5), np.concatenate([make_sound(seed, 8) for seed in range(5)])
    stock = pipeline("automatic-speech-recognition", model=str(folder), device="cpu")
    size = stock.feature_extractor.n_samples
    windows = [long[start : start + size] for start in range(0, len(long), size)]
    captions = [one["text"] for one in stock(windows, batch_size=8)]
    assert captions == write_captions(checkpoint, encode(checkpoint, windows))
    assert len(set(captions)) > 1
    assert [stock(short)["text"]] == write_captions(checkpoint, encode(checkpoint, [short]))


def test_ctranslate2_converts_what_is_saved_and_writes_the_same_tokens(saved, make_sound, tmp_path):
    ctranslate2 = pytest.importorskip("ctranslate2", reason="ctranslate2 is not installed")
    folder, checkpoint = saved[8]
    files = ["preprocessor_config.json", "tokenizer.json"]  # those that faster-whisper reads
    converter = ctranslate2.converters.TransformersConverter(str(folder), copy_files=files)
    converted = ctranslate2.models.Whisper(converter.convert(str(tmp_path / "converted")), device="cpu")
    sounds = [make_sound(seed, 8 - seed) for seed in range(4)]
    given = features_of(checkpoint, sounds)
    ours = generate(checkpoint, generation_settings(checkpoint), given)[:, len(PREFIX) :].tolist()
    prefix = checkpoint.processor.tokenizer.convert_tokens_to_ids(list(PREFIX))
    theirs = converted.generate(
        ctranslate2.StorageView.from_array(given.numpy()), [prefix] * 4, beam_size=1, max_length=40
    )
    assert [one.sequences_ids[0][: len(ours[0])] for one in theirs] == ours
    assert len({tuple(tokens) for tokens in ours}) > 1


def test_brackets_may_be_written(base):
    model, processor = base
    set_prefix(model, processor.tokenizer)
    settings = model.generation_config
    assert settings.suppress_tokens is None
    assert settings.begin_suppress_tokens is None


def learned(model) -> int:
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def test_what_learns_is_what_the_method_says(base):
    model, _ = base
    full = learned(set_trained(model, "full", Lora()))
    assert full == sum(weight.numel() for weight in model.parameters()) - 1500 * 384
    decoder = learned(set_trained(model, "encoder-frozen", Lora()))
    assert decoder == sum(weight.numel() for weight in model.model.decoder.parameters())
    adapted = set_trained(model, "lora", Lora(rank=4))
    assert learned(adapted) == 2 * 4 * 384 * 4 * (2 + 2 * 2)
    assert all("lora" in name for name, weight in adapted.named_parameters() if weight.requires_grad)


def test_merged_adapters_compute_what_unmerged_ones_do(base):
    model, processor = base
    adapted = set_trained(model, "lora", Lora(rank=4, dropout=0)).eval()
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.02)
    given = {
        "input_features": features(3, processor.feature_extractor),
        "decoder_input_ids": torch.tensor([[50258, 50259, 50359, 50363]]),
    }
    with torch.inference_mode():
        apart = adapted(**given).logits
        plain = adapted.merge_and_unload()(**given).logits
    assert (apart - plain).abs().max() < 1e-5


def test_adapters_for_no_layer_are_an_error(base):
    with pytest.raises(CheckpointError, match="nonsense"):
        set_trained(base[0], "lora", Lora(targets=("nonsense",)))
