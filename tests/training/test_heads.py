"""Heads help in training alone: neither the validation loss nor the saved model knows of them."""

import pytest
import torch
from transformers import WhisperForConditionalGeneration

from budew.model.build import Features, Size, build_whisper
from budew.model.tokenizer import build_tokenizer
from budew.training.heads import WhisperWithHeads, _heads_loss

FEATURES = Features(window_seconds=2, mel_bins=16, hop=320, fourier=512)
SIZE = Size(width=32, encoder_layers=1, decoder_layers=1, heads=2, longest_caption=24, dropout=0.0)


@pytest.fixture(scope="module")
def model() -> WhisperWithHeads:
    tokenizer = build_tokenizer(["A woman, strongly amused."], vocabulary=300)
    model = build_whisper(SIZE, FEATURES, tokenizer, seed=1, kind=WhisperWithHeads)
    model.heads_weight = 1.0
    return model


@pytest.fixture(scope="module")
def batch() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(0, 250, (3, 9), generator=generator)
    return {
        "input_features": torch.randn(3, 16, 100, generator=generator),
        "decoder_input_ids": tokens[:, :-1],
        "labels": tokens[:, 1:],
        "heard": torch.rand(3, 123, generator=generator),
        "cues": torch.rand(3, 13, generator=generator),
    }


def without_heard(batch):
    return {name: value for name, value in batch.items() if name not in ("heard", "cues")}


def test_heads_raise_the_loss_in_training_and_not_in_validation(model, batch):
    model.train()
    assert model(**batch).loss > model(**without_heard(batch)).loss + 1
    model.eval()
    assert torch.equal(model(**batch).loss, model(**without_heard(batch)).loss)


def test_heads_weigh_what_they_are_told_to(model, batch):
    model.train()
    try:
        losses = {}
        for weight in (0.0, 1.0, 3.0):
            model.heads_weight = weight
            losses[weight] = model(**batch).loss.item()
    finally:
        model.heads_weight = 1.0
    assert losses[0.0] == model(**without_heard(batch)).loss.item()
    assert losses[3.0] - losses[0.0] == pytest.approx(3 * (losses[1.0] - losses[0.0]), rel=1e-5)


def test_a_cue_that_nobody_knows_costs_nothing(model, batch):
    model.train()
    known = model(**batch).loss
    unknown = model(**batch | {"cues": torch.full((3, 13), float("nan"))}).loss
    zero = model(**without_heard(batch)).loss
    assert known > unknown > zero
    unknown.backward()
    assert all(value.grad.isfinite().all() for value in model.parameters() if value.grad is not None)
    with torch.no_grad():
        model.heads[2].bias[123:] += 5
    assert model(**batch | {"cues": torch.full((3, 13), float("nan"))}).loss == unknown
    with torch.no_grad():
        model.heads[2].bias[123:] -= 5
    half = batch["cues"].clone()
    half[:, 6:] = float("nan")
    assert known > model(**batch | {"cues": half}).loss > unknown
    model.zero_grad()


def test_emotions_that_are_unknown_are_not_asked_for(model, batch):
    model.train()
    heard = batch["heard"].clone()
    heard[1, :40] = float("nan")
    unknown = model(**batch | {"heard": heard}).loss
    assert unknown < model(**batch).loss
    unknown.backward()
    assert all(value.grad.isfinite().all() for value in model.parameters() if value.grad is not None)
    model.zero_grad()
    answers = torch.zeros(3, 136, requires_grad=True)
    _heads_loss(answers, heard, batch["cues"]).backward()
    assert not answers.grad[1, :40].any()
    assert answers.grad[1, 40:].all()
    assert answers.grad[0].all()


def test_heads_reach_the_encoder_and_not_the_decoder(model, batch):
    model.train()
    model.zero_grad()
    (model(**batch).loss - model(**without_heard(batch)).loss).backward()
    reached = {
        name
        for name, value in model.named_parameters()
        if value.grad is not None and value.grad.abs().max() > 1e-6
    }
    model.zero_grad()
    assert {"heads.0.weight", "attention.weight", "model.encoder.conv1.weight"} <= reached
    assert not any(name.startswith("model.decoder") for name in reached)


def test_the_plain_model_is_stock_and_computes_the_same(model, batch):
    model.eval()
    plain = model.plain().eval()
    assert type(plain) is WhisperForConditionalGeneration
    assert torch.equal(plain(**without_heard(batch)).logits, model(**batch).logits)
    assert sum(value.numel() for value in plain.parameters()) == sum(
        value.numel() for value in model.plain_parameters()
    )
    assert plain.config.use_cache
    assert plain.generation_config.to_dict() == model.generation_config.to_dict()


def test_weights_are_drawn_in_the_order_that_made_the_shipped_checkpoint(model):
    """Another order gives other weights from the same seed, and the recipe no longer its checkpoint."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        WhisperForConditionalGeneration(model.config)
        expected = [torch.nn.Linear(*shape) for shape in ((32, 4), (32, 136), (4 * 32, 32))]
    drawn = (model.attention, model.heads[2], model.heads[0])
    assert all(torch.equal(one.weight, other.weight) for one, other in zip(expected, drawn, strict=True))
