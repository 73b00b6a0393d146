import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import WhisperForConditionalGeneration

from budew.model.adapt import set_trained
from budew.training.estimate import (
    CAPTION_TOKENS,
    StepOperations,
    peak_share,
    state_operations,
    step_operations,
    training_needs,
)
from budew.training.initial_model import CAPTION_VOCABULARY, config_of
from budew.training.recipe import load_recipe
from budew.training.training_model import caption_loss


@pytest.fixture(scope="module")
def recipe():
    size = "model.scratch.size={width: 64, encoder_layers: 3, decoder_layers: 2, heads: 2}"
    return load_recipe("tiny-synthetic", [size])


def test_the_sum_over_layers_is_the_cost_of_the_whole_model(recipe):
    config = config_of(recipe.model)
    config._attn_implementation = "eager"  # torch does not count the operations of the fused kernel of CPUs
    model = WhisperForConditionalGeneration(config).train()
    features = torch.randn(1, config.num_mel_bins, 2 * config.max_source_positions)
    tokens = torch.zeros(1, CAPTION_TOKENS, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        model(input_features=features, decoder_input_ids=tokens).logits.sum().backward()
    assert step_operations(recipe).flops == pytest.approx(counter.get_total_flops(), rel=0.02)
    assert training_needs(recipe).parameters == sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize("method", ["scratch", "lora"])
def test_a_step_in_float32_holds_the_estimated_activations(recipe, method):
    config = config_of(recipe.model)
    recipe = recipe.model_copy(update={"model": recipe.model.model_copy(update={"method": method})})
    model = WhisperForConditionalGeneration(config)
    if method == "lora":
        model = set_trained(model, method, recipe.model.lora)
    features = torch.randn(4, config.num_mel_bins, 2 * config.max_source_positions)
    tokens = torch.zeros(4, CAPTION_TOKENS, dtype=torch.long)
    with torch.profiler.profile(profile_memory=True) as profiler:
        outputs = model.train()(input_features=features, decoder_input_ids=tokens)
        loss = caption_loss(outputs, tokens, clips_per_step=4, heads_weight=0)
    held = sum(event.self_cpu_memory_usage for event in profiler.key_averages())
    needs, half = training_needs(recipe, "fp32"), training_needs(recipe)
    assert loss.requires_grad
    gradients = 8 * CAPTION_TOKENS * config.vocab_size
    assert held == pytest.approx(4 * (needs.activations - gradients), rel=0.1)
    assert 1.5 < (needs.activations - gradients) / (half.activations - gradients) < 2.1


def test_adapters_learn_few_weights_and_checkpointing_trades_memory_for_operations():
    full, adapters, checkpointing = (
        load_recipe(name, [f"model.gradient_checkpointing={kept}"])
        for name, kept in (
            ("whisper-small-full", "false"),
            ("whisper-small-lora", "false"),
            ("whisper-small-full", "true"),
        )
    )
    assert (
        training_needs(adapters).trained
        < 0.1 * training_needs(full).trained
        == 0.1 * training_needs(checkpointing).trained
    )
    assert training_needs(adapters).weights < 0.5 * training_needs(full).weights
    assert training_needs(checkpointing).activations < 0.5 * training_needs(full).activations
    assert step_operations(checkpointing).flops == pytest.approx(4 / 3 * step_operations(full).flops)


def test_time_grows_with_clips_where_the_device_is_the_limit_and_not_where_issuing_operations_is():
    work = StepOperations(flops=10**9, calls=10_000)
    fast, slow = ([work.seconds(clips, tflops) for clips in (1, 16, 32)] for tflops in (1000.0, 0.1))
    assert fast[0] == fast[1] == fast[2] > 0
    assert slow[2] == pytest.approx(2 * slow[1])
    assert slow[1] > fast[1]


def test_a_step_from_cached_states_leaves_out_what_frozen_layers_compute(tmp_path):
    changes = ["model.method=encoder-frozen", "model.window_seconds=8", "model.decoder_layers=2"]
    base = lambda *more: load_recipe("whisper-base-full", [*changes, *more])  # noqa: E731
    whole, cached = base(), base("data.cache_states=true")
    assert training_needs(whole).parameters == training_needs(cached).parameters
    assert training_needs(whole).trained == training_needs(cached).trained
    window = 2 * 512 * 400  # bytes of the states of 8 s
    frozen = state_operations(cached, window)
    assert step_operations(whole).flops - step_operations(cached).flops == pytest.approx(frozen, rel=0.01)
    assert state_operations(cached, 3 * window) == 3 * frozen
    assert training_needs(cached).activations == training_needs(whole).activations  # frozen layers keep none
    fewer = base("data.cache_states=true", "model.vocabulary=captions")
    assert (
        training_needs(fewer).parameters
        == training_needs(cached).parameters - (51865 - CAPTION_VOCABULARY) * 512
    )
    partly = base("data.cache_states=true", "model.trained_encoder_layers=2")
    assert training_needs(partly).trained - training_needs(cached).trained == 2 * LAYER + 2 * 512
    learning = step_operations(partly).flops - step_operations(cached).flops
    layers, gradient = frozen - state_operations(partly, window), 2 * 2 * 2 * 400 * 512**2
    assert learning == pytest.approx(3 * layers + gradient, rel=0.01)  # the latter by keys and values


LAYER = 4 * 512**2 + 3 * 512 + 8 * 512**2 + 5 * 512 + 4 * 512
"""Weights of an encoder layer: attention, in which keys have no bias, two linear layers, and two norms."""


def test_the_share_of_the_peak_speed_is_that_of_all_devices(recipe, monkeypatch):
    monkeypatch.setattr("budew.training.estimate.peak_tflops", lambda: 2.0)
    assert peak_share(recipe, 3) == pytest.approx(step_operations(recipe).flops / 6e12)
