"""What a run will need: parameters, memory, time and disk, from its recipe alone.

Operations and activations are those of a step of one clip (`step_cost`). Memory is these activations, and 16
bytes for a weight that learns (itself, gradient, two moments of AdamW, all float32) or 4 for one that
does not. Time is the operations at a third of the device's peak, or that of issuing them from Python, which
limits small models on fast devices.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from transformers import WhisperConfig, WhisperFeatureExtractor

from budew.audio.samples import SAMPLING_RATE
from budew.io.resources import packaged_table
from budew.model.adapt import frozen_layers
from budew.model.build import ENCODER_STRIDE, SPECIAL, build_tokenizer, whisper_config
from budew.model.checkpoint import has_extractor
from budew.model.file_checks import check_features
from budew.model.reduce import reduce_layers
from budew.training.recipe import Recipe
from budew.training.step_cost import TOKENS, frozen_operations, operations_of, over_layers, sizes_of

CAPTION_VOCABULARY = 3000
"""Tokens of Whisper's that captions use, and the bytes."""
UTILIZATION = 0.33
"""Share of the peak that training reaches: 30-40 % in practice."""
CALL = 5e-6
"""Seconds to issue an operation, a view too, from Python with autograd: some µs on a server."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Needs of a run.

    Attributes:
        parameters, trained: weights in all, and those that learn.
        window_seconds: of the encoder.
        weights: bytes of weights, gradients and optimizer.
        activations: bytes that one clip adds.
        disk: bytes of the two training checkpoints that are kept, and of the result.
    """

    parameters: int
    trained: int
    window_seconds: float
    weights: int
    activations: int
    disk: int

    def memory(self, clips: int) -> float:
        """Return the bytes that a device needs for so many clips at once."""
        return self.weights + clips * self.activations


@dataclass(frozen=True, slots=True)
class Operations:
    """Of one example, forwards and backwards: additions and multiplications, and calls that issue them."""

    flops: int
    calls: int

    def seconds(self, clips: int, tflops: float) -> float:
        """Return how long so many clips at once take on a device with this peak."""
        return max(clips * self.flops / (tflops * 1e12 * UTILIZATION), self.calls * CALL)


def whisper_sizes() -> dict[str, Any]:
    """Return the table of the published Whispers."""
    return dict(_table("whisper_sizes"))


def learning_rate(recipe: Recipe) -> float:
    """Return the learning rate of a recipe; without one, that of its size and method."""
    if recipe.optimizer.learning_rate is not None:
        return recipe.optimizer.learning_rate
    table, method = whisper_sizes(), recipe.model.method
    if method in ("scratch", "lora"):
        return float(table[f"{method}_rate"])
    config = config_of(recipe)
    width = 0 if config is None else config.d_model
    nearest = min(table["sizes"].values(), key=lambda size: abs(size["d_model"] - width))
    return float(table["full_share"] * nearest["pretrained_rate"])


def config_of(recipe: Recipe) -> WhisperConfig | None:
    """Return the config of the model that a recipe trains; None for a base that is not here and not known.

    Raises:
        CheckpointError: the base has fewer layers than are to be kept.
    """
    model = recipe.model
    if model.base is None:
        scratch = model.scratch
        tokenizer = build_tokenizer([], vocabulary=256 + len(SPECIAL))
        config = whisper_config(scratch.size, scratch.features, tokenizer)
        config.vocab_size = scratch.size.vocabulary
        return config
    folder = Path(model.base).expanduser()
    if (folder / "config.json").is_file():
        config = WhisperConfig.from_pretrained(folder, local_files_only=True)
    elif size := whisper_sizes()["sizes"].get(model.base):
        config = WhisperConfig(
            **{name: size[name] for name in ("d_model", "encoder_layers", "decoder_layers")},
            **{name: size[name] for name in ("num_mel_bins", "vocab_size")},
            encoder_attention_heads=size["heads"],
            decoder_attention_heads=size["heads"],
            encoder_ffn_dim=4 * size["d_model"],
            decoder_ffn_dim=4 * size["d_model"],
        )
    else:
        return None
    reduce_layers(config, model.encoder_layers, model.decoder_layers)
    if model.vocabulary == "captions":
        ids = {f"{name}_token_id": 0 for name in ("pad", "bos", "eos", "decoder_start")}
        config.update({"vocab_size": min(CAPTION_VOCABULARY, config.vocab_size), **ids})
    if model.window_seconds:
        shorter = round(model.window_seconds * positions_a_second(recipe))
        config.max_source_positions = min(shorter, config.max_source_positions)
    return config


def positions_a_second(recipe: Recipe) -> float:
    """Return how many positions of the encoder a second has; of an unknown base, as of a published one."""
    model = recipe.model
    if model.base is None:
        return SAMPLING_RATE / (ENCODER_STRIDE * model.scratch.features.hop)
    folder, extractor = Path(model.base).expanduser(), WhisperFeatureExtractor()
    if has_extractor(folder):
        check_features(folder, model.base)
        extractor = WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True)
    return float(extractor.sampling_rate / (ENCODER_STRIDE * extractor.hop_length))


@cache
def estimate(recipe: Recipe) -> Estimate | None:
    """Return what a run of the recipe needs; None where its base is not here and of unknown size."""
    config = config_of(recipe)
    if config is None:
        return None
    from_states = recipe.data.cache_states
    sizes = over_layers(sizes_of, recipe.model, config, from_states=from_states)
    parameters, trained, kept = map(int, sizes)
    if recipe.model.gradient_checkpointing:
        layers = config.encoder_layers + config.decoder_layers
        kept = kept // layers + 2 * _states(config)
    return Estimate(
        parameters=parameters,
        trained=trained,
        window_seconds=config.max_source_positions / positions_a_second(recipe),
        weights=16 * trained + 4 * (parameters - trained),
        activations=kept,
        disk=2 * 12 * trained + 2 * parameters,
    )


@cache
def operations(recipe: Recipe) -> Operations | None:
    """Return the operations of one example; None where `estimate` is None."""
    config = config_of(recipe)
    if config is None:
        return None
    counted = over_layers(operations_of, recipe.model, config, from_states=recipe.data.cache_states)
    if recipe.model.gradient_checkpointing:
        counted = counted * 4 // 3
    return Operations(*map(int, counted))


@cache
def state_operations(recipe: Recipe, size: int) -> int:
    """Return the operations that compute cached states of so many bytes; 0 for a base of unknown size."""
    config = config_of(recipe)
    if config is None or not size:
        return 0
    layers = frozen_layers(config, recipe.model.trained_encoder_layers)
    window = 2 * config.d_model * config.max_source_positions
    return int(frozen_operations(config, layers) * size // window)


def _states(config: WhisperConfig) -> int:
    """Return the bytes of the input of every layer, in half precision, which checkpointing keeps."""
    encoder = config.encoder_layers * config.max_source_positions
    return int(config.d_model * (encoder + config.decoder_layers * TOKENS))


@cache
def _table(name: str) -> Any:
    return packaged_table(__package__, name)
