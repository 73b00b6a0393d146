"""A shorter window is the same encoder with fewer positions."""

from dataclasses import replace

import pytest
import torch

from budew.model.build import Features, Size, build_whisper
from budew.model.tokenizer import build_tokenizer
from budew.training.short_window import short_window

FEATURES = Features(window_seconds=2, mel_bins=16, hop=320, fourier=512)
SIZE = Size(width=32, encoder_layers=1, decoder_layers=1, heads=2, longest_caption=24)


def test_an_encoder_hears_a_shorter_window_as_one_made_for_it():
    tokenizer = build_tokenizer(["A man."], vocabulary=300)
    model = build_whisper(SIZE, FEATURES, tokenizer, seed=1).eval()
    made = build_whisper(SIZE, replace(FEATURES, window_seconds=1), tokenizer, seed=2).eval()
    weights = model.state_dict()
    weights["model.encoder.embed_positions.weight"] = weights["model.encoder.embed_positions.weight"][:25]
    made.load_state_dict(weights)
    heard = torch.randn(3, 16, 50, generator=torch.Generator().manual_seed(1))
    encoder = model.model.encoder
    before = encoder.embed_positions
    with short_window(encoder, 50):
        states = encoder(heard).last_hidden_state
        with pytest.raises(ValueError, match="100"), short_window(encoder, 50):
            encoder(torch.randn(3, 16, 100))
    assert torch.equal(states, made.model.encoder(heard).last_hidden_state)
    assert encoder.embed_positions is before
    assert model.config.max_source_positions == 50
    assert encoder(torch.randn(3, 16, 100)).last_hidden_state.shape == (3, 50, 32)
