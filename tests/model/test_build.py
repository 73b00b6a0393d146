"""A small Whisper from scratch is a stock Whisper: what it hears fits, and it starts as generation does."""

import numpy as np
import pytest
import torch
from transformers import GenerationConfig, WhisperForConditionalGeneration

from budew.model.build import Features, Size, build_whisper, generation_config
from budew.model.tokenizer import PREFIX, build_tokenizer

SIZE = Size(width=32, encoder_layers=1, decoder_layers=1, heads=2, longest_caption=24)
FEATURES = Features(window_seconds=2, mel_bins=16, hop=320, fourier=512)


@pytest.fixture(scope="module")
def tokenizer():
    return build_tokenizer(["A woman, strongly amused.", "One hears a sad man."], vocabulary=300)


@pytest.mark.parametrize(
    "features",
    [
        FEATURES,
        FEATURES.model_copy(update={"hop": 160}),
        FEATURES.model_copy(update={"window_seconds": 5, "mel_bins": 20, "fourier": 1024}),
    ],
    ids=["small", "short hop", "long window"],
)
def test_what_the_extractor_gives_fits_the_encoder(tokenizer, features):
    model = build_whisper(SIZE, features, tokenizer, seed=1).eval()
    sound = np.random.default_rng(1).normal(size=12_345).astype(np.float32)
    heard = features.extractor()(sound, sampling_rate=16_000, return_tensors="pt").input_features
    assert heard.shape == (1, features.mel_bins, features.frames)
    states = model.model.encoder(heard).last_hidden_state
    assert states.shape == (1, features.frames // 2, SIZE.width)


def test_a_seed_decides_the_weights_and_leaves_the_global_generator_alone(tokenizer):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    one, same, other = (build_whisper(SIZE, FEATURES, tokenizer, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), expected)
    weights = [model.state_dict() for model in (one, same, other)]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    name = "model.decoder.embed_tokens.weight"
    assert not torch.equal(weights[0][name], weights[2][name])


def test_generation_begins_with_the_prefix_and_ends_within_the_positions(tokenizer):
    model = build_whisper(SIZE, FEATURES, tokenizer, seed=1).eval()
    tokens = model.generate(torch.zeros(1, 16, FEATURES.frames), num_beams=1, force_unique_generate_call=True)
    assert tuple(tokenizer.convert_ids_to_tokens(tokens[0, : len(PREFIX)])) == PREFIX
    assert tokens.shape[1] <= SIZE.longest_caption


@pytest.mark.parametrize("beams", [1, 4])
def test_generation_settings_outlive_saving_and_loading(tokenizer, tmp_path, beams):
    model = build_whisper(SIZE, FEATURES, tokenizer, seed=1, num_beams=beams)
    model.save_pretrained(tmp_path)
    loaded = WhisperForConditionalGeneration.from_pretrained(tmp_path).generation_config
    for settings in (loaded, GenerationConfig.from_pretrained(tmp_path), model.generation_config):
        assert settings.lang_to_id == {"<|en|>": tokenizer.convert_tokens_to_ids("<|en|>")}
        assert settings.task_to_id["transcribe"] == tokenizer.convert_tokens_to_ids("<|transcribe|>")
        assert settings.no_timestamps_token_id == tokenizer.convert_tokens_to_ids("<|notimestamps|>")
        assert settings.num_beams == beams
        assert settings.max_length == SIZE.longest_caption
    made = generation_config(tokenizer, longest_caption=24, num_beams=beams).to_diff_dict()
    assert {name: getattr(loaded, name) for name in made} == made
