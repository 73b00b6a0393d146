"""Estimate what a run will need, before it starts: clips, steps, parameters, memory, time and disk.

Clips and steps are counted in the corpora; everything else is computed from the recipe alone.

Memory is the activations of a step, plus 16 bytes for each trained weight (the weight, its gradient and two
moments of AdamW, all float32) and 4 for each frozen weight; with mixed precision 2 more for each weight, of
which autocast keeps a copy. The peak is at the start of the backward pass, where the gradients of
log-probabilities and of logits (float32) add to all activations. A step of `whisper-base-lora` with 4 clips
of 15 s in float32 on a CPU took 1.46 GB where 1.38 are estimated. Memory is that of whole windows; operations
are in proportion to the part of the window that steps compute. Time is the operations of a step at a third of
the device's peak speed, or the time to launch them from Python, whichever is longer; the latter limits small
models on fast devices.

Operations and activations are measured in a step of one clip on the meta device, which computes shapes but no
values: torch counts the operations, and autograd reports the tensors that it keeps for the backward pass.
Both are sums over layers, so they are measured on models of one and two layers and extrapolated. Counting
operations takes 0.4 s, the rest 0.15 s.
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
from budew.training.dataset import WHOLE_SHARE
from budew.training.devices import peak_tflops
from budew.training.feature_cache import states_size
from budew.training.initial_model import config_of, positions_a_second, warn_of_shorter_window
from budew.training.model_settings import ModelSettings
from budew.training.preparation import OpenBar, check_corpora, no_bar, prepare_corpora
from budew.training.recipe import Recipe
from budew.training.training_clips import TrainingClips
from budew.training.training_model import WhisperFromStates, caption_loss

CAPTION_TOKENS = 50
"""Assumed number of tokens of a caption with its prefix."""
UTILIZATION = 0.33
"""Assumed share of a device's peak speed that training reaches: 30-40 % in practice."""
CALL_SECONDS = 5e-6
"""Assumed time to launch an operation (also a view) from Python with autograd: some µs on a server."""

Measure = Callable[[Any], Sequence[int]]
"""Function that measures a model, such as `operations_of` or `sizes_of`."""


@dataclass(frozen=True, slots=True)
class TrainingNeeds:
    """Estimated size, memory and disk space of a training run.

    Attributes:
        parameters, trained: number of weights of the model, and of trained weights.
        window_seconds: window of the encoder, in seconds.
        weights: bytes of memory for weights, gradients and optimizer.
        activations: bytes of memory for the activations of one clip.
        disk: bytes of disk for the result and the two training checkpoints that are kept.

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
        """Return the bytes of memory that a device needs for a batch of `clips` clips."""
        return self.weights + clips * self.activations


@dataclass(frozen=True, slots=True)
class StepOperations:
    """Operations of the forward and backward pass of one example.

    Attributes:
        flops: number of additions and multiplications.
        calls: number of torch operations that are launched from Python.
    """

    flops: int
    calls: int

    def seconds(self, clips: int, tflops: float) -> float:
        """Estimate the seconds for a batch of `clips` clips on a device with a peak speed of `tflops`."""
        return max(clips * self.flops / (tflops * 1e12 * UTILIZATION), self.calls * CALL_SECONDS)


@cache
def training_needs(recipe: Recipe, precision: str = "bf16") -> TrainingNeeds | None:
    """Estimate size, memory and disk space of a run, from its recipe and precision ("fp32": float32) alone.

    None if the base is neither a local folder nor a published Whisper of known size.

    Example:
        >>> from budew.training import load_recipe
        >>> needs = training_needs(load_recipe("whisper-small-lora"))
        >>> f"{needs.trained / needs.parameters:.0%} of the weights are trained"
        '3% of the weights are trained'
    """
    config = config_of(recipe.model)
    if config is None:
        return None
    measure = float32_sizes_of if precision == "fp32" else sizes_of
    sizes = over_layers(measure, recipe.model, config, from_states=recipe.data.cache_states)
    parameters, trained, activations = map(int, sizes)
    if recipe.model.gradient_checkpointing:  # stores only the input of every layer, in float32
        encoder = config.encoder_layers * config.max_source_positions
        inputs = 4 * config.d_model * (encoder + config.decoder_layers * CAPTION_TOKENS)
        activations = activations // (config.encoder_layers + config.decoder_layers) + inputs
    return TrainingNeeds(
        parameters=parameters,
        trained=trained,
        window_seconds=config.max_source_positions / positions_a_second(recipe.model),
        weights=16 * trained + 4 * (parameters - trained) + (0 if precision == "fp32" else 2 * parameters),
        activations=activations + 2 * 4 * CAPTION_TOKENS * config.vocab_size,
        disk=2 * 12 * trained + 2 * parameters,
    )


@cache
def step_operations(recipe: Recipe) -> StepOperations | None:
    """Return the operations of a training step with one example; None if the size of the base is unknown."""
    config = config_of(recipe.model)
    if config is None:
        return None
    counted = over_layers(operations_of, recipe.model, config, from_states=recipe.data.cache_states)
    if recipe.model.gradient_checkpointing:
        counted = counted * 4 // 3
    return StepOperations(*map(int, counted))


@cache
def state_operations(recipe: Recipe, size: int) -> int:
    """Return the number of operations that compute `size` bytes of cached encoder states.

    0 if the size of the base is unknown.
    """
    config = config_of(recipe.model)
    if config is None or not size:
        return 0
    layers = frozen_layers(config, recipe.model.trained_encoder_layers)
    window = 2 * config.d_model * config.max_source_positions
    return int(frozen_operations(config, layers) * size // window)


def peak_share(recipe: Recipe, devices: int) -> float | None:
    """Return the share of the peak speed of all devices that is used at a speed of one example per second.

    None if the accelerator or the size of the base is unknown.
    """
    peak = peak_tflops()
    work = step_operations(recipe) if peak else None
    return work.flops / (peak * 1e12 * devices) if peak and work else None


class RunSize(NamedTuple):
    """Clips, steps, bytes of cached encoder states, mean share of the window that steps compute."""

    clips: int
    steps: int
    states: int
    window_share: float = 1.0


def run_size(recipe: Recipe, folder: Path, *, progress: OpenBar = no_bar) -> RunSize:
    """Count the clips and steps of a run, and log which clips are left out.

    This reads the corpora and writes their indexes, which the run then uses.

    Args:
        recipe: recipe of the run.
        folder: folder of the run; indexes are written into it, unless the recipe has `data.cache`.
        progress: opens the progress bar of a stage.

    Raises:
        SettingsError: the recipe has neither corpora nor synthetic speech.
        CorpusError: a corpus cannot be read, or no target can be made from its clips.

    Example:
        >>> from budew.training import load_recipe
        >>> run_size(load_recipe("tiny-synthetic"), Path("runs/tiny"))
        RunSize(clips=100000, steps=45000, states=0, window_share=1.0)
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
    return RunSize(clips, recipe.optimizer.steps(clips), states, _window_share(recipe, corpora))


def _window_share(recipe: Recipe, corpora: Sequence[TrainingClips]) -> float:
    """Return the mean share of the window that steps compute; batches hold clips of similar length."""
    lengths = [np.average(used.used_seconds, weights=used.clip_weights) / used.window for used in corpora]
    length = float(np.average(lengths, weights=[used.corpus.weight for used in corpora]))
    short = 1.0 if recipe.data.cache_states else recipe.data.short_windows * (1 - WHOLE_SHARE)
    return 1 - short * (1 - length)


def over_layers(
    measure: Measure, settings: ModelSettings, config: WhisperConfig, *, from_states: bool
) -> NDArray[np.int64]:
    """Extrapolate a measurement from models of one and two layers to a model with all layers.

    Args:
        measure: `operations_of` or `sizes_of`.
        settings: model settings of the recipe.
        config: config of the whole model.
        from_states: whether the model is trained on cached encoder states.

    Raises:
        CheckpointError: `trained_encoder_layers` is more than the encoder has.
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
    """Measure a model of this config; cached, because different models have the same small configs."""
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
    """Return the number of arithmetic operations in a step with one clip, and of calls that launch them."""
    with FlopCounterMode(display=False) as counter, _Calls() as calls:
        _loss(model).backward()
    return counter.get_total_flops(), calls.count


def frozen_operations(config: WhisperConfig, layers: int) -> int:
    """Return the number of operations of the first `layers` encoder layers in a forward pass of a window."""
    small = copy.deepcopy(config)
    small.encoder_layers, small.decoder_layers = layers, 1
    with torch.device("meta"):
        encoder: Any = WhisperForConditionalGeneration(small).get_encoder()
        features = torch.empty(1, config.num_mel_bins, ENCODER_STRIDE * config.max_source_positions)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        encoder(features)
    return int(counter.get_total_flops())


class _Calls(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves its constructor untyped
    """Counts the torch operations that are called."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as above
        self.count = 0

    def __torch_dispatch__(
        self, call: Any, types: Any, arguments: Any = (), options: dict[str, Any] | None = None
    ) -> Any:
        self.count += 1
        return call(*arguments, **options or {})


def sizes_of(model: Any) -> tuple[int, int, int]:
    """Return the number of weights, that of trained weights, and the bytes of activations of one clip.

    Activations are the tensors kept for the backward pass, without attention matrices: fused kernels do not
    keep them.
    """
    sizes = [(weight.numel(), weight.requires_grad) for weight in model.parameters()]
    positions = model.config.max_source_positions
    kept: dict[int, int] = {}
    own = {weight.untyped_storage()._cdata for weight in model.parameters()}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own and tensor.shape[-2:] != (positions, positions):
            kept[storage._cdata] = storage.nbytes()
        held.append(storage)  # keeps its address from being used again
        return tensor

    held: list[Any] = []
    with saved_tensors_hooks(note, lambda tensor: tensor):
        _loss(model)
    trained = sum(size for size, learns in sizes if learns)
    return sum(size for size, _ in sizes), trained, sum(kept.values())


def float32_sizes_of(model: Any) -> tuple[int, int, int]:
    """Return the sizes of a model that is trained in float32, as on most CPUs; see `sizes_of`."""
    return sizes_of(model.float())


def _loss(model: Any) -> Any:
    """Return the loss of a step with one clip of empty tensors."""
    config = model.config
    tokens = torch.zeros(1, CAPTION_TOKENS, dtype=torch.long, device="meta")
    given: dict[str, tuple[int, ...]] = {
        "input_features": (1, config.num_mel_bins, ENCODER_STRIDE * config.max_source_positions)
    }
    if isinstance(model, WhisperFromStates):
        given = {"states": (1, config.max_source_positions, config.d_model), "positions": (1,)}
    dtype = next(model.parameters()).dtype
    sounds = {name: torch.empty(shape, dtype=dtype, device="meta") for name, shape in given.items()}
    outputs = model(**sounds, decoder_input_ids=tokens)
    return caption_loss(outputs, tokens, CAPTION_TOKENS, clips_per_step=1, heads_weight=0)
