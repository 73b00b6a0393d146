"""What a run will need: clips and steps of its corpora, and parameters, memory, time and disk from its recipe
alone.

Memory is the activations of a step, and 16 bytes for a weight that is trained (itself, gradient, two moments
of AdamW, all float32) or 4 for one that is not. Time is the operations at a third of the device's peak, or
that of issuing them from Python, which limits small models on fast devices.

Operations and activations are those of a step of one clip on the meta device, which has shapes and no
numbers: torch counts the operations, and autograd says what it keeps for the backward pass. All of it is a
sum over layers, so models of one and two layers tell what many need; counting operations takes 0.4 s, all
else 0.15 s.
"""

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode
from transformers import WhisperConfig, WhisperForConditionalGeneration

from budew.model.adapt import frozen_layers, set_trained
from budew.model.build import ENCODER_STRIDE, Features
from budew.training.devices import peak_tflops
from budew.training.feature_cache import states_size
from budew.training.initial_model import config_of, positions_a_second, warn_of_shorter_window
from budew.training.model_settings import ModelSettings
from budew.training.preparation import OpenBar, check_corpora, no_bar, prepare_corpora
from budew.training.recipe import Recipe
from budew.training.training_model import WhisperFromStates, caption_loss

CAPTION_TOKENS = 50
"""Tokens of a caption with its prefix."""
UTILIZATION = 0.33
"""Share of the peak that training reaches: 30-40 % in practice."""
CALL_SECONDS = 5e-6
"""Time to issue an operation, a view too, from Python with autograd: some µs on a server."""

Measure = Callable[[Any], Sequence[int]]


@dataclass(frozen=True, slots=True)
class TrainingNeeds:
    """Estimated needs of a run.

    Attributes:
        parameters, trained: weights in all, and those that are trained.
        window_seconds: of the encoder.
        weights: bytes of weights, gradients and optimizer.
        activations: bytes that one clip adds.
        disk: bytes of the two training checkpoints that are kept, and of the result.

    Example:
        >>> from budew.training import load_recipe
        >>> needs = training_needs(load_recipe("whisper-small-lora"))
        >>> needs.memory(clips=16) > needs.memory(clips=8) > needs.weights
        True
    """

    parameters: int
    trained: int
    window_seconds: float
    weights: int
    activations: int
    disk: int

    def memory(self, clips: int) -> float:
        """Return the bytes that a device needs for a batch of this many clips."""
        return self.weights + clips * self.activations


@dataclass(frozen=True, slots=True)
class StepOperations:
    """A forward and backward pass of one example: its additions and multiplications, and the calls that issue
    them.
    """

    flops: int
    calls: int

    def seconds(self, clips: int, tflops: float) -> float:
        """Return how long a batch of this many clips takes on a device with this peak."""
        return max(clips * self.flops / (tflops * 1e12 * UTILIZATION), self.calls * CALL_SECONDS)


@cache
def training_needs(recipe: Recipe) -> TrainingNeeds | None:
    """Return what a run of the recipe needs; None if its base is not here and of unknown size.

    Example:
        >>> from budew.training import load_recipe
        >>> needs = training_needs(load_recipe("whisper-small-lora"))
        >>> f"{needs.trained / needs.parameters:.0%} of the weights are trained"
        '3% of the weights are trained'
    """
    config = config_of(recipe.model)
    if config is None:
        return None
    sizes = over_layers(sizes_of, recipe.model, config, from_states=recipe.data.cache_states)
    parameters, trained, activations = map(int, sizes)
    if recipe.model.gradient_checkpointing:  # keeps the input of every layer, in half precision
        encoder = config.encoder_layers * config.max_source_positions
        inputs = 2 * config.d_model * (encoder + config.decoder_layers * CAPTION_TOKENS)
        activations = activations // (config.encoder_layers + config.decoder_layers) + inputs
    return TrainingNeeds(
        parameters=parameters,
        trained=trained,
        window_seconds=config.max_source_positions / positions_a_second(recipe.model),
        weights=16 * trained + 4 * (parameters - trained),
        activations=activations,
        disk=2 * 12 * trained + 2 * parameters,
    )


@cache
def step_operations(recipe: Recipe) -> StepOperations | None:
    """Return the operations of one example; None where `training_needs` is None."""
    config = config_of(recipe.model)
    if config is None:
        return None
    counted = over_layers(operations_of, recipe.model, config, from_states=recipe.data.cache_states)
    if recipe.model.gradient_checkpointing:
        counted = counted * 4 // 3
    return StepOperations(*map(int, counted))


@cache
def state_operations(recipe: Recipe, size: int) -> int:
    """Return the operations that compute cached states of `size` bytes; 0 for a base of unknown size."""
    config = config_of(recipe.model)
    if config is None or not size:
        return 0
    layers = frozen_layers(config, recipe.model.trained_encoder_layers)
    window = 2 * config.d_model * config.max_source_positions
    return int(frozen_operations(config, layers) * size // window)


def peak_share(recipe: Recipe, devices: int) -> float | None:
    """Return the share of the peak of all devices that an example a second takes; None if it is unknown."""
    peak = peak_tflops()
    work = step_operations(recipe) if peak else None
    return work.flops / (peak * 1e12 * devices) if peak and work else None


class RunSize(NamedTuple):
    """Clips and steps of a run, and the bytes of its cached states."""

    clips: int
    steps: int
    states: int


def run_size(recipe: Recipe, folder: Path, *, progress: OpenBar = no_bar) -> RunSize:
    """Return the size of a run, and log which clips are left out; its indexes are kept for the run.

    Args:
        recipe: of the run.
        folder: of the run.
        progress: opens the progress bar of a stage.

    Raises:
        SettingsError: the recipe names no data.
        CorpusError: a corpus cannot be read, or no target can be made from its clips.

    Example:
        >>> from budew.training import load_recipe
        >>> run_size(load_recipe("tiny-synthetic"), Path("runs/tiny"))
        RunSize(clips=100000, steps=45000, states=0)
    """
    check_corpora(recipe)
    model, config = recipe.model, config_of(recipe.model)
    width = config.d_model if config and recipe.data.cache_states else 0
    if not recipe.data.train:
        clips = recipe.data.speech.train_clips
        window = config.max_source_positions if config else 0
        states = 2 * width * window * clips * recipe.data.state_copies
        return RunSize(clips, recipe.optimizer.steps(clips), states)
    plain = recipe.model_copy(update={"data": recipe.data.model_copy(update={"cache_features": False})})
    seconds = 30 if config is None else round(config.max_source_positions / positions_a_second(model))
    warn_of_shorter_window(recipe, seconds)
    features = Features(window_seconds=seconds, mel_bins=80, hop=160, fourier=400)
    extractor = (model.scratch.features if model.base is None else features).extractor()
    corpora = prepare_corpora(plain, folder, "train", extractor, progress)
    prepare_corpora(plain, folder, "validation", extractor, progress)
    clips = sum(map(len, corpora))
    states = sum(states_size(used, recipe, extractor, width) for used in corpora)
    return RunSize(clips, recipe.optimizer.steps(clips), states)


def over_layers(
    measure: Measure, settings: ModelSettings, config: WhisperConfig, *, from_states: bool
) -> NDArray[np.int64]:
    """Return what `operations_of` or `sizes_of` would measure, from models of one and two layers.

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
