"""A training run as a validated settings file: the YAML files in `recipes/`, field by field.

Everything that decides the result is in it, so the recipe, its corpus and the versions in `constraints.txt`
reproduce a checkpoint. `--set optimizer.learning_rate=3e-4` changes a field.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import Literal, Self

import yaml
from pydantic import Field, model_validator

from budew.errors import InputError, MissingExtraError, SettingsError
from budew.io.resources import data_folder
from budew.io.settings import Settings, load, read_yaml
from budew.model.build import TrainedOn
from budew.training.data_settings import MAX_SEED, DataSettings
from budew.training.model_settings import ModelSettings
from budew.training.targets import TargetSettings


class OptimizerSettings(Settings):
    """AdamW with warm-up and decay to zero.

    Example:
        >>> OptimizerSettings(epochs=3, batch_size=32).steps(clips=1000)
        94
    """

    max_steps: int | None = Field(
        default=None, ge=1, description="optimizer steps; null: as many as epochs take"
    )
    epochs: float | None = Field(
        default=None,
        gt=0,
        le=10_000,
        description="without max_steps, number of examples as a multiple of that of all clips; corpora have "
        "shares of them by weight",
    )
    batch_size: int = Field(default=32, ge=1, description="clips a step, over all devices")
    device_batch_size: int | None = Field(
        default=None,
        ge=1,
        description="most clips that a device takes at once; null: its whole share of a step",
    )
    learning_rate: float | None = Field(
        default=None,
        ge=1e-9,
        le=1,
        description="learning rate after the warm-up; null: 1e-3 from scratch, 5e-4 for lora, else a "
        "fortieth of the rate with which a Whisper of this width was pretrained",
    )
    warmup: float = Field(default=0.05, ge=0, le=0.9, description="share of the steps with linear warm-up")
    schedule: Literal["cosine", "linear", "constant"] = Field(
        default="cosine", description="learning rate after the warm-up"
    )
    weight_decay: float = Field(default=0.01, ge=0, le=1, description="weight decay of AdamW")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        default="auto",
        description='mixed precision; "auto": the fastest of the device, timed once a machine on a CPU; a '
        "run that is continued keeps it",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.max_steps is None and self.epochs is None:
            raise ValueError("max_steps: required, or epochs")
        return self

    def steps(self, clips: int) -> int:
        """Return the number of steps for a number of clips."""
        if self.max_steps is not None:
            return self.max_steps
        return max(1, ceil((self.epochs or 0) * clips / self.batch_size))

    def batches(self, processes: int) -> tuple[int, int]:
        """Return the size of the batches of each process, and how many of them it takes in a step.

        Raises:
            InputError: the clips of a step cannot be shared evenly.
        """
        share, rest = divmod(self.batch_size, processes)
        if rest:
            raise InputError(
                f"{self.batch_size} clips a step cannot be shared by {processes} processes: "
                "change optimizer.batch_size"
            )
        most = min(share, self.device_batch_size or share)
        at_once = max(size for size in range(1, most + 1) if share % size == 0)
        return at_once, share // at_once


class EvaluationSettings(Settings):
    """Validation during training.

    Example:
        >>> EvaluationSettings(every_steps=100, patience=5).keep
        'best'
    """

    every_steps: int = Field(
        default=500, ge=1, description="steps between validations; each keeps a checkpoint"
    )
    clips: int = Field(default=200, ge=1, description="validation clips, of all corpora together")
    keep: Literal["best", "last"] = Field(
        default="best",
        description='the result: weights of the "best" validation by the Spearman correlation of parsed '
        'captions, or those of the "last"',
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        description="validations without a better correlation after which the run ends; null: none",
    )


class Recipe(Settings):
    """One training run; `model`, `data`, `target`, `optimizer` and `evaluation` have fields of their own.

    Example:
        >>> recipe = load_recipe("whisper-small-lora")
        >>> recipe.model.base, recipe.model.method
        ('openai/whisper-small', 'lora')
    """

    name: str = Field(pattern=r"^\w[\w .-]{0,79}$", description="name of the run and of the checkpoint")
    seed: int = Field(
        default=1, ge=0, le=MAX_SEED, description="random seed of weights, order, wording and augmentation"
    )
    model: ModelSettings
    data: DataSettings = DataSettings()
    target: TargetSettings = TargetSettings()
    optimizer: OptimizerSettings
    evaluation: EvaluationSettings = EvaluationSettings()
    trained_on: TrainedOn | None = Field(
        default=None,
        description='what the speech of all training was, "synthetic speech" or "recordings of people", for '
        "the model card and the notes of commands",
    )
    license: str = Field(
        default="cc-by-4.0", max_length=60, description="of the checkpoint, for its model card"
    )
    report_to: tuple[Literal["tensorboard", "wandb", "trackio", "mlflow"], ...] = Field(
        default=("tensorboard",), description="where curves go, of what is installed"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.data.cache_states and self.model.method != "encoder-frozen":
            raise ValueError(
                "data.cache_states: needs model.method=encoder-frozen, in which layers are frozen"
            )
        return self

    def available_reports(self) -> list[str]:
        """Return where curves go: `report_to`, without TensorBoard where it is not installed.

        Raises:
            MissingExtraError: another of them is not installed.
        """
        missing = [name for name in self.report_to if find_spec(name) is None]
        wanted = [name for name in missing if name != "tensorboard"]
        if wanted:
            raise MissingExtraError(
                f"{wanted[0]} is not installed: pip install {wanted[0]}, or change report_to"
            )
        return [name for name in self.report_to if name not in missing]

    def to_yaml(self, *, defaults: bool = True) -> str:
        """Return the recipe as it can be loaded again; without `defaults` only what differs from them."""
        return yaml.safe_dump(self.model_dump(mode="json", exclude_defaults=not defaults), sort_keys=False)


def load_recipe(path: str | Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe; without `name` it has that of the file.

    Args:
        path: YAML file, or the name of a recipe that ships.
        changes: `field=value`, with dots for nested fields; the value is YAML.

    Raises:
        SettingsError: there is no such recipe, or it is not valid; names the file and each wrong field.

    Example:
        >>> load_recipe("whisper-small-lora", ["optimizer.max_steps=100"]).optimizer.max_steps
        100
    """
    file = Path(path)
    if not file.is_file():
        shipped = shipped_recipes()
        if str(path) not in shipped:
            raise SettingsError(
                f"{path}: no such recipe: give a YAML file, or one that ships: {', '.join(shipped)}"
            )
        file = shipped[str(path)]
    return load(Recipe, file, changes, name=read_yaml(file).get("name", file.stem))


def shipped_recipes() -> dict[str, Path]:
    """Return the files of the recipes that ship, by name.

    Example:
        >>> shipped_recipes()["whisper-small-lora"].name
        'whisper-small-lora.yaml'
    """
    return {found.stem: found for found in sorted(data_folder("recipes").glob("*.yaml"))}
