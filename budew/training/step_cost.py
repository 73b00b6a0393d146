"""What a step of one clip costs: operations, the calls that issue them, and the bytes that it keeps.

It is computed on the meta device, which has shapes and no numbers: torch counts the operations, and autograd
says what it keeps for the backward pass. All of it is a sum over layers, so models of one and two layers tell
what many need; counting operations takes 0.4 s, all else 0.15 s.
"""

import copy
import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode
from transformers import WhisperConfig, WhisperForConditionalGeneration

from budew.model.adapt import frozen_layers, set_trained
from budew.model.build import ENCODER_STRIDE
from budew.training.model_settings import ModelSettings
from budew.training.training_model import WhisperFromStates, caption_loss

CAPTION_TOKENS = 50
"""Tokens of a caption with its prefix."""

Measure = Callable[[Any], Sequence[int]]


def over_layers(
    measure: Measure, settings: ModelSettings, config: WhisperConfig, *, from_states: bool
) -> NDArray[np.int64]:
    """Return what is measured of a step of a model, from models of one and two layers.

    Args:
        measure: `operations_of` or `sizes_of`.
        settings: say which weights learn.
        config: of the model.
        from_states: whether the step begins with the states of the frozen layers.

    Raises:
        CheckpointError: more layers of the encoder are to learn than it has.
    """
    frozen = frozen_layers(config, settings.trained_encoder_layers)
    least = min(1, settings.trained_encoder_layers)
    small, measured = copy.deepcopy(config), []
    for encoder, decoder, trained in ((1, 1, least), (2, 1, least), (2, 1, 2 * least), (1, 2, least)):
        small.encoder_layers, small.decoder_layers = encoder, decoder
        own = settings.model_copy(update={"trained_encoder_layers": trained})
        measured.append(_measured(measure, small.to_json_string(), own, from_states))
    one, more_frozen, more_trained, more_decoder = measured
    whole = (
        one
        + (frozen - 1 + least) * (more_frozen - one)
        + (config.encoder_layers - frozen - least) * (more_trained - one)
        + (config.decoder_layers - 1) * (more_decoder - one)
    )
    return np.asarray(whole)


@cache
def _measured(measure: Measure, config: str, settings: ModelSettings, from_states: bool) -> NDArray[np.int64]:
    """Return what is measured of a model of this config, which large and turbo have in common."""
    kind = WhisperFromStates if from_states else WhisperForConditionalGeneration
    with torch.device("meta"):
        model: Any = kind(WhisperConfig.from_dict(json.loads(config)))
        learning = settings.trained_encoder_layers
        if from_states:
            model.frozen_layers = model.config.encoder_layers - learning
        if settings.method != "scratch":
            model = set_trained(model, settings.method, settings.lora, encoder_layers=learning)
    return np.array(measure(model.to(torch.bfloat16).train()))


def operations_of(model: Any) -> tuple[int, int]:
    """Return the operations of a step with one clip, and the calls that issue them."""
    with FlopCounterMode(display=False) as counter, _Calls() as calls:
        _loss(model).backward()
    return counter.get_total_flops(), calls.count


def frozen_operations(config: WhisperConfig, layers: int) -> int:
    """Return the operations of this many encoder layers for a window, in the forward pass."""
    small = copy.deepcopy(config)
    small.encoder_layers, small.decoder_layers = layers, 1
    with torch.device("meta"):
        encoder: Any = WhisperForConditionalGeneration(small).get_encoder()
        features = torch.empty(1, config.num_mel_bins, ENCODER_STRIDE * config.max_source_positions)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        encoder(features)
    return int(counter.get_total_flops())


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


def sizes_of(model: Any) -> tuple[int, int, int]:
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


def _loss(model: Any) -> Any:
    """Return the loss of a step with one clip."""
    config = model.config
    tokens = torch.zeros(1, CAPTION_TOKENS, dtype=torch.long, device="meta")
    given: dict[str, tuple[int, ...]] = {
        "input_features": (1, config.num_mel_bins, ENCODER_STRIDE * config.max_source_positions)
    }
    if isinstance(model, WhisperFromStates):
        given = {"states": (1, config.max_source_positions, config.d_model), "positions": (1,)}
    sounds = {name: torch.empty(shape, dtype=torch.bfloat16, device="meta") for name, shape in given.items()}
    outputs = model(**sounds, decoder_input_ids=tokens)
    return caption_loss(outputs, tokens, CAPTION_TOKENS, clips=1, heads_weight=0)
