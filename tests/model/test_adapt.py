"""A published Whisper becomes a captioner: its window, its prefix, what learns; nothing else changes."""

import numpy as np
import pytest
import torch
from transformers import (
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
)

from budew.errors import CheckpointError
from budew.model.adapt import Lora, set_trained, set_window
from budew.model.checkpoint import load_checkpoint
from tests.model.published_layout import write_published_tiny

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


def test_adapters_for_no_layer_are_an_error(base):
    with pytest.raises(CheckpointError, match="nonsense"):
        set_trained(base[0], "lora", Lora(targets=("nonsense",)))
