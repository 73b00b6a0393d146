import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import WhisperForConditionalGeneration

from budew.training.estimate import TOKENS, Operations, config_of, estimate, operations
from budew.training.recipe import load_recipe


@pytest.fixture(scope="module")
def recipe():
    size = "model.scratch.size={width: 64, encoder_layers: 3, decoder_layers: 2, heads: 2}"
    return load_recipe("tiny-synthetic", [size])


def test_what_is_summed_over_layers_is_what_a_step_of_the_whole_model_takes(recipe):
    config = config_of(recipe)
    config._attn_implementation = "eager"  # torch does not count the operations of the fused kernel of CPUs
    model = WhisperForConditionalGeneration(config).train()
    features = torch.randn(1, config.num_mel_bins, 2 * config.max_source_positions)
    tokens = torch.zeros(1, TOKENS, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        model(input_features=features, decoder_input_ids=tokens).logits.sum().backward()
    assert operations(recipe).flops == pytest.approx(counter.get_total_flops(), rel=0.02)
    assert estimate(recipe).parameters == sum(weight.numel() for weight in model.parameters())


def test_adapters_learn_few_weights_and_checkpointing_trades_memory_for_operations():
    full, adapters, checkpointing = (
        load_recipe(name, [f"model.gradient_checkpointing={kept}"])
        for name, kept in (
            ("whisper-small-full", "false"),
            ("whisper-small-lora", "false"),
            ("whisper-small-full", "true"),
        )
    )
    assert estimate(adapters).trained < 0.1 * estimate(full).trained == 0.1 * estimate(checkpointing).trained
    assert estimate(adapters).weights < 0.5 * estimate(full).weights
    assert estimate(checkpointing).activations < 0.5 * estimate(full).activations
    assert operations(checkpointing).flops == pytest.approx(4 / 3 * operations(full).flops)


def test_time_grows_with_clips_where_the_device_is_the_limit_and_not_where_issuing_operations_is():
    work = Operations(flops=10**9, calls=10_000)
    fast, slow = ([work.seconds(clips, tflops) for clips in (1, 16, 32)] for tflops in (1000.0, 0.1))
    assert fast[0] == fast[1] == fast[2] > 0
    assert slow[2] == pytest.approx(2 * slow[1])
    assert slow[1] > fast[1]
