"""What a run will need: parameters, memory, time and disk, from its recipe alone.

One step of one clip is computed on the meta device, which has shapes and no numbers: torch counts the
operations, and autograd says what it keeps for the backward pass. All of it is a sum over layers, so models
of one and two layers tell what many need; counting operations takes 0.4 s, all else 0.15 s. Memory is that,
and 16 bytes for a weight that learns (itself, gradient, two moments of AdamW, all float32) or 4 for one that
does not. Time is the operations at a third of the device's peak, or that of issuing them from Python, which
limits small models on fast devices.
"""

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

from budew.audio.samples import SAMPLING_RATE
from budew.model.adapt import Lora, Method, set_trained
from budew.model.build import ENCODER_STRIDE, SPECIAL, build_tokenizer, whisper_config
from budew.model.checkpoint import has_extractor
from budew.model.file_checks import check_features
from budew.model.reduce import reduce_layers
from budew.resources import packaged_table
from budew.training.loss import caption_loss
from budew.training.recipe import Recipe

TOKENS = 50
"""Of a caption with its prefix."""
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


def accelerators() -> dict[str, dict[str, float]]:
    """Return peak (TFLOPS) and memory (GB) of accelerators, by a part of their names."""
    return dict(_table("accelerators"))


def peak_tflops() -> float | None:
    """Return the peak of the accelerator here; None where it is unknown."""
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    return next((facts["tflops"] for part, facts in accelerators().items() if part in name), None)


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
        config.vocab_size = min(CAPTION_VOCABULARY, config.vocab_size)
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
    parameters, trained, kept = map(int, _over_layers(_sizes, recipe, config))
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
    counted = _over_layers(_operations, recipe, config)
    if recipe.model.gradient_checkpointing:
        counted = counted * 4 // 3
    return Operations(*map(int, counted))


def _over_layers(
    measure: Callable[[Any], Sequence[int]], recipe: Recipe, config: WhisperConfig
) -> NDArray[np.int64]:
    """Return what is measured of a model, from models of one and two layers."""
    small, method, lora = copy.deepcopy(config), recipe.model.method, recipe.model.lora
    measured = []
    for layers in ((1, 1), (2, 1), (1, 2)):
        small.encoder_layers, small.decoder_layers = layers
        measured.append(_measured(measure, small.to_json_string(), method, lora))
    one, encoder, decoder = measured
    whole = (
        one + (config.encoder_layers - 1) * (encoder - one) + (config.decoder_layers - 1) * (decoder - one)
    )
    return np.asarray(whole)


@cache
def _measured(
    measure: Callable[[Any], Sequence[int]], config: str, method: Literal[Method, "scratch"], lora: Lora
) -> NDArray[np.int64]:
    """Return what is measured of a model of this config, which large and turbo have in common."""
    with torch.device("meta"):
        model: Any = WhisperForConditionalGeneration(WhisperConfig.from_dict(json.loads(config)))
        if method != "scratch":
            model = set_trained(model, method, lora)
    return np.array(measure(model.to(torch.bfloat16).train()))


def _loss(model: Any) -> Any:
    """Return the loss of a step with one clip."""
    frames = ENCODER_STRIDE * model.config.max_source_positions
    tokens = torch.zeros(1, TOKENS, dtype=torch.long, device="meta")
    features = torch.empty(1, model.config.num_mel_bins, frames, dtype=torch.bfloat16, device="meta")
    outputs = model(input_features=features, decoder_input_ids=tokens)
    return caption_loss(outputs, tokens, TOKENS, clips=1, heads_weight=0)


def _operations(model: Any) -> tuple[int, int]:
    """Return the operations of a step with one clip, and the calls that issue them."""
    with FlopCounterMode(display=False) as counter, _Calls() as calls:
        _loss(model).backward()
    return counter.get_total_flops(), calls.count


class _Calls(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves its constructor untyped
    """Counts the calls of operations."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as above
        self.count = 0

    def __torch_dispatch__(
        self, call: Any, types: Any, arguments: Any = (), options: dict[str, Any] | None = None
    ) -> Any:
        self.count += 1
        return call(*arguments, **options or {})


def _sizes(model: Any) -> tuple[int, int, int]:
    """Return the weights, those that learn, and the bytes kept between forward and backward of one clip.

    Attention matrices do not count: fused kernels keep none.
    """
    sizes = [(weight.numel(), weight.requires_grad) for weight in model.parameters()]
    positions = model.config.max_source_positions
    kept: dict[int, int] = {}
    own = {weight.untyped_storage()._cdata for weight in model.parameters()}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own and tensor.shape[-2:] != (positions, positions):
            kept[storage._cdata] = storage.nbytes()
        held.append(storage)  # or another takes its place
        return tensor

    held: list[Any] = []
    with saved_tensors_hooks(note, lambda tensor: tensor):
        _loss(model)
    trained = sum(size for size, learns in sizes if learns)
    return sum(size for size, _ in sizes), trained, sum(kept.values())


def _states(config: WhisperConfig) -> int:
    """Return the bytes of the input of every layer, in half precision, which checkpointing keeps."""
    encoder = config.encoder_layers * config.max_source_positions
    return int(config.d_model * (encoder + config.decoder_layers * TOKENS))


@cache
def _table(name: str) -> Any:
    return packaged_table(__package__, name)
