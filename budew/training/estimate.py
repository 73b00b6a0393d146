"""What a run will need: clips and steps of its corpora, and parameters, memory, time and disk from its recipe
alone.

Operations and activations are those of a step of one clip (`step_cost`). Memory is these activations, and 16
bytes for a weight that is trained (itself, gradient, two moments of AdamW, all float32) or 4 for one that is
not. Time is the operations at a third of the device's peak, or that of issuing them from Python, which limits
small models on fast devices.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from budew.model.adapt import frozen_layers
from budew.model.build import Features
from budew.training.devices import peak_tflops
from budew.training.feature_cache import states_size
from budew.training.initial_model import warn_of_shorter_window
from budew.training.model_config import config_of, positions_a_second
from budew.training.preparation import OpenBar, check_corpora, no_bar, prepare_corpora
from budew.training.recipe import Recipe
from budew.training.step_cost import CAPTION_TOKENS, frozen_operations, operations_of, over_layers, sizes_of

UTILIZATION = 0.33
"""Share of the peak that training reaches: 30-40 % in practice."""
CALL_SECONDS = 5e-6
"""Time to issue an operation, a view too, from Python with autograd: some µs on a server."""


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
