"""Heads count in training only: neither validation nor the saved model depends on them."""

import numpy as np
import pytest
import torch
from transformers import WhisperForConditionalGeneration

from budew.model.build import Features, Size, build_tokenizer, build_whisper
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS
from budew.training.training_model import CUES, WhisperWithHeads, _heads_loss, head_labels

FEATURES = Features(window_seconds=2, mel_bins=16, hop=320, fourier=512)
SIZE = Size(width=32, encoder_layers=1, decoder_layers=1, heads=2, longest_caption=24, dropout=0.0)


@pytest.fixture(scope="module")
def model() -> WhisperWithHeads:
    tokenizer = build_tokenizer(["A woman, strongly amused."], vocabulary=300)
    return build_whisper(SIZE, FEATURES, tokenizer, seed=1, kind=WhisperWithHeads)


@pytest.fixture(scope="module")
def batch() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(0, 250, (3, 9), generator=generator)
    return {
        "input_features": torch.randn(3, 16, 100, generator=generator),
        "decoder_input_ids": tokens[:, :-1],
        "heads": torch.rand(3, 136, generator=generator),
    }


@pytest.fixture(autouse=True)
def fresh(model):
    """Each test begins in training mode and without gradients."""
    model.train()
    model.zero_grad()


def without_labels(batch):
    return {name: value for name, value in batch.items() if name != "heads"}


def all_gradients_are_finite(model) -> bool:
    return all(value.grad.isfinite().all() for value in model.parameters() if value.grad is not None)


def with_unknown(batch, place: slice | tuple[int, slice]):
    heads = batch["heads"].clone()
    heads[place] = float("nan")
    return batch | {"heads": heads}


def test_the_loss_is_that_of_the_heads_summed_over_clips_in_training_only(model, batch):
    whole = model(**batch).loss
    each = [model(**{name: value[[row]] for name, value in batch.items()}).loss for row in range(3)]
    assert whole.item() == pytest.approx(sum(one.item() for one in each), rel=1e-5)
    assert min(each) > 1
    assert model(**without_labels(batch)).loss is None
    model.eval()
    assert model(**batch).loss is None


def test_an_unknown_cue_adds_nothing_to_the_loss(model, batch):
    cues, half = (slice(None), slice(123, None)), (slice(None), slice(129, None))
    known, unknown = model(**batch).loss, model(**with_unknown(batch, cues)).loss
    assert known > model(**with_unknown(batch, half)).loss > unknown > 0
    unknown.backward()
    assert all_gradients_are_finite(model)
    with torch.no_grad():
        model.heads[2].bias[123:] += 5
        assert model(**with_unknown(batch, cues)).loss == unknown
        model.heads[2].bias[123:] -= 5


def test_unknown_emotions_add_nothing_to_the_loss(model, batch):
    labels = with_unknown(batch, (1, slice(40)))
    unknown = model(**labels).loss
    assert unknown < model(**batch).loss
    unknown.backward()
    assert all_gradients_are_finite(model)
    predicted = torch.zeros(3, 136, requires_grad=True)
    _heads_loss(predicted, labels["heads"]).backward()
    assert not predicted.grad[1, :40].any()
    assert predicted.grad[1, 40:].all()
    assert predicted.grad[0].all()


def test_labels_are_emotions_bursts_gender_and_cues():
    profile = VoiceProfile({"Anger": 0.75}, [BURSTS[3], BURSTS[0]], {"gender": "female"})
    labels = head_labels(profile, {CUES[2]: 0.5, "other": 1.0, CUES[4]: "quick"})
    assert labels.shape == (136,)
    np.testing.assert_array_equal(labels[:40], profile.vector())
    assert np.flatnonzero(labels[40:122]).tolist() == [0, 3]
    assert labels[122] == 1
    assert np.flatnonzero(~np.isnan(labels[123:])).tolist() == [2]
    assert labels[125] == 0.5
    unknown = head_labels(VoiceProfile(None, ["Tsk"], {"gender": "male"}), {})
    assert np.isnan(unknown[:40]).all()
    assert (unknown[40:122].sum(), unknown[122]) == (1, 0)
    assert np.isnan(head_labels(VoiceProfile({"Anger": 1.0}), {})[122])


def test_heads_reach_the_encoder_and_not_the_decoder(model, batch):
    model(**batch).loss.backward()
    reached = {
        name
        for name, value in model.named_parameters()
        if value.grad is not None and value.grad.abs().max() > 1e-6
    }
    assert {"heads.0.weight", "attention.weight", "model.encoder.conv1.weight"} <= reached
    assert not any(name.startswith("model.decoder") for name in reached)


def test_the_plain_model_is_stock_and_computes_the_same(model, batch):
    model.eval()
    plain = model.plain().eval()
    assert type(plain) is WhisperForConditionalGeneration
    assert torch.equal(plain(**without_labels(batch)).logits, model(**batch).logits)
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
