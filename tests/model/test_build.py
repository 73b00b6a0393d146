"""A small Whisper from scratch is a stock Whisper, and its tokenizer writes any text."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer, GenerationConfig, WhisperForConditionalGeneration, WhisperTokenizer

from budew.model.build import (
    END,
    PREFIX,
    SPECIAL,
    Features,
    Size,
    build_tokenizer,
    build_whisper,
    generation_config,
)

SIZE = Size(width=32, encoder_layers=1, decoder_layers=1, heads=2, longest_caption=24)
FEATURES = Features(window_seconds=2, mel_bins=16, hop=320, fourier=512)
CAPTIONS = ("A woman, strongly amused.", "One hears a man who is slightly sad, and he sobs.") * 3


@pytest.fixture(scope="module")
def tokenizer() -> WhisperTokenizer:
    return build_tokenizer(CAPTIONS, vocabulary=320)


@pytest.mark.parametrize(
    "changes", [{}, {"hop": 160}, {"window_seconds": 5, "mel_bins": 20, "fourier": 1024}]
)
def test_what_the_extractor_gives_fits_the_encoder(tokenizer, changes):
    features = FEATURES.model_copy(update=changes)
    model = build_whisper(SIZE, features, tokenizer, seed=1).eval()
    samples = np.random.default_rng(1).normal(size=12_345).astype(np.float32)
    extracted = features.extractor()(samples, sampling_rate=16_000, return_tensors="pt").input_features
    assert extracted.shape == (1, features.mel_bins, features.frames)
    states = model.model.encoder(extracted).last_hidden_state
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


@pytest.mark.parametrize("beams", [1, 4])
def test_generation_settings_survive_saving_and_generation_follows_them(tokenizer, tmp_path, beams):
    model = build_whisper(SIZE, FEATURES, tokenizer, seed=1, num_beams=beams).eval()
    model.save_pretrained(tmp_path)
    loaded = WhisperForConditionalGeneration.from_pretrained(tmp_path).generation_config
    for settings in (loaded, GenerationConfig.from_pretrained(tmp_path), model.generation_config):
        assert settings.lang_to_id == {"<|en|>": tokenizer.convert_tokens_to_ids("<|en|>")}
        assert settings.task_to_id["transcribe"] == tokenizer.convert_tokens_to_ids("<|transcribe|>")
        assert settings.no_timestamps_token_id == tokenizer.convert_tokens_to_ids("<|notimestamps|>")
        assert (settings.num_beams, settings.max_length) == (beams, SIZE.longest_caption)
    made = generation_config(tokenizer, longest_caption=24, num_beams=beams).to_diff_dict()
    assert {name: getattr(loaded, name) for name in made} == made
    tokens = model.generate(torch.zeros(1, 16, FEATURES.frames), force_unique_generate_call=True)
    assert tuple(tokenizer.convert_ids_to_tokens(tokens[0, : len(PREFIX)])) == PREFIX
    assert tokens.shape[1] <= SIZE.longest_caption


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_text_is_written_and_read_back(tokenizer, text):
    ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True).input_ids
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text
    assert max(ids, default=0) < len(tokenizer) - len(SPECIAL)


def test_special_tokens_come_last_in_whispers_order_and_surround_a_caption(tokenizer):
    ids = tokenizer.convert_tokens_to_ids(list(SPECIAL))
    assert ids == list(range(len(tokenizer) - len(SPECIAL), len(tokenizer)))
    assert (SPECIAL[0], SPECIAL[-1]) == ("<|endoftext|>", "<|notimestamps|>")
    assert set(ids) <= set(tokenizer.all_special_ids)
    written = tokenizer("A sad man.").input_ids
    assert tuple(tokenizer.convert_ids_to_tokens(written[: len(PREFIX)])) == PREFIX
    assert written[-1] == tokenizer.eos_token_id == tokenizer.pad_token_id
    assert tokenizer.decode(written, skip_special_tokens=True) == "A sad man."


def test_saved_and_loaded_by_the_stock_classes_it_is_the_same(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    for loaded in (WhisperTokenizer.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)):
        assert type(loaded).__name__.startswith("WhisperTokenizer")
        assert loaded.get_vocab() == tokenizer.get_vocab()
        for text in (*CAPTIONS, "", " née\n", END):
            assert loaded(text).input_ids == tokenizer(text).input_ids


def test_the_vocabulary_is_as_large_as_asked_and_no_smaller_than_the_bytes():
    assert len(build_tokenizer([f"{n}{n * 7919}" for n in range(99)], vocabulary=320)) == 320
    assert len(build_tokenizer([], vocabulary=256 + len(SPECIAL))) == 256 + len(SPECIAL)


def test_the_config_is_that_of_the_sizes_and_generation_begins_and_ends_as_whisper_does(tokenizer):
    model = build_whisper(SIZE, FEATURES, tokenizer, seed=1, num_beams=3)
    config, settings = model.config, model.generation_config
    assert (config.encoder_ffn_dim, config.decoder_ffn_dim) == (128, 128)
    assert (config.max_source_positions, config.max_target_positions) == (50, 24)
    assert config.init_std == pytest.approx(32**-0.5)
    assert (settings.max_length, settings.num_beams, settings.is_multilingual) == (24, 3, True)
    assert settings.return_timestamps is False
    ids = [settings.decoder_start_token_id, settings.eos_token_id, settings.no_timestamps_token_id]
    assert tokenizer.convert_ids_to_tokens(ids) == [PREFIX[0], END, PREFIX[3]]
