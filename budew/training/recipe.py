"""A training run as a validated settings file: the YAML files in `recipes/`, field by field.

Everything that decides the result is in it, so the recipe, its corpus and the versions in `constraints.txt`
reproduce a checkpoint. `--set optimizer.learning_rate=3e-4` changes a field.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, field_validator

from budew.captions import frame_names
from budew.errors import SettingsError
from budew.model.build import Features, Size
from budew.resources import data_folder
from budew.settings import Settings, load, read_yaml

MAX_SEED = 2**32 - 1
"""Of numpy."""


class SpeechSettings(Settings):
    """Synthetic speech, made for a run without a corpus."""

    train_clips: int = Field(default=1200, ge=1, description="training clips")
    validation_clips: int = Field(default=200, ge=1, description="validation clips")
    seed: int = Field(default=1, ge=0, le=MAX_SEED, description="seed of voices, profiles and texts")


class DataSettings(Settings):
    """What a model is trained on."""

    train: str | None = Field(
        default=None,
        description="training corpus, anything that `budew.read` reads; null for synthetic speech",
    )
    validation: str | None = Field(default=None, description="validation corpus; null for synthetic speech")
    speech: SpeechSettings = Field(default=SpeechSettings(), description="the synthetic speech")
    captions: Literal["render", "corpus"] = Field(
        default="render",
        description='"render": each profile is rendered in each epoch; "corpus": one of the captions of '
        "the clip, drawn in each epoch",
    )
    wording: Literal["varied", "plain"] = Field(default="varied", description="of rendered captions")
    frames: tuple[str, ...] = Field(
        default=(), description="sentence frames of rendered captions; empty for all"
    )
    short_windows: float = Field(
        default=0.8,
        ge=0,
        le=1,
        description="share of the run, from its beginning, in which most batches are cut to their longest "
        "clip, up to twice as fast a step",
    )
    time_masks: int = Field(
        default=2, ge=0, le=100, description="masked stretches of time, at most 20 frames each"
    )
    band_masks: int = Field(
        default=2, ge=0, le=100, description="masked frequency bands, at most 12 wide each"
    )
    workers: int = Field(
        default=0, ge=0, le=1024, description="processes that prepare batches; 0: the training process"
    )

    @field_validator("frames")
    @classmethod
    def _check_frames(cls, frames: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [frame for frame in frames if frame not in frame_names()]
        if unknown:
            raise ValueError(f"unknown are {', '.join(unknown)}; there are {', '.join(frame_names())}")
        return frames


class ModelSettings(Settings):
    """The model."""

    features: Features = Field(default=Features(), description="the spectrograms")
    size: Size = Field(default=Size(), description="the size")
    heads_weight: float = Field(
        default=1.0,
        ge=0,
        le=1e6,
        description="weight in the loss of the heads on the encoder, which are not saved",
    )
    num_beams: int = Field(default=1, ge=1, le=64, description="beam width saved in the checkpoint")


class OptimizerSettings(Settings):
    """AdamW with warm-up and cosine decay to zero."""

    max_steps: int = Field(default=1000, ge=1, description="optimizer steps")
    batch_size: int = Field(default=32, ge=1, description="clips per step on each device")
    gradient_accumulation: int = Field(default=1, ge=1, description="batches per step")
    learning_rate: float = Field(default=1e-3, ge=1e-9, le=1, description="learning rate after the warm-up")
    warmup_steps: int = Field(default=300, ge=0, description="steps of linear warm-up")
    weight_decay: float = Field(default=0.05, ge=0, le=1, description="of AdamW")
    precision: Literal["fp32", "bf16"] = Field(default="bf16", description='"bf16" for mixed precision')


class EvaluationSettings(Settings):
    """Validation during training."""

    every_steps: int = Field(
        default=500, ge=1, description="steps between validations; each keeps a checkpoint"
    )
    clips: int = Field(default=200, ge=1, description="validation clips that are captioned each time")


class Recipe(Settings):
    """One training run."""

    name: str = Field(pattern=r"^\w[\w .-]{0,79}$", description="name of the run and of the checkpoint")
    seed: int = Field(
        default=1, ge=0, le=MAX_SEED, description="random seed of weights, order, wording and masks"
    )
    data: DataSettings = DataSettings()
    model: ModelSettings = ModelSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    evaluation: EvaluationSettings = EvaluationSettings()

    def to_yaml(self) -> str:
        """Return the recipe with every field, as it can be loaded again."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False)


def load_recipe(path: str | Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe; without `name` it has that of the file.

    Args:
        path: YAML file, or the name of a recipe that ships.
        changes: `field=value`, with dots for nested fields; the value is YAML.

    Raises:
        SettingsError: there is no such recipe, or it is not valid; names the file and each wrong field.
    """
    file = Path(path)
    if not file.is_file():
        shipped = {found.stem: found for found in sorted(data_folder("recipes").glob("*.yaml"))}
        if str(path) not in shipped:
            raise SettingsError(
                f"{path}: no such recipe: give a YAML file, or one that ships: {', '.join(shipped)}"
            )
        file = shipped[str(path)]
    return load(Recipe, file, changes, name=read_yaml(file).get("name", file.stem))


def differences(one: Recipe, other: Recipe) -> list[str]:
    """Return a text for each field in which two recipes differ, with both values."""
    first, second = (dict(_flat(recipe.model_dump())) for recipe in (one, other))
    return [f"{name}: {first[name]!r} / {second[name]!r}" for name in first if first[name] != second[name]]


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
