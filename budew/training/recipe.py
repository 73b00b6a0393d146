"""Recipes: validated settings of a training run, read from YAML files such as those in `recipes/`.

A recipe has every setting that affects the result, so recipe, corpora and the versions in `constraints.txt`
reproduce a checkpoint. On the command line, `--set optimizer.learning_rate=3e-4` changes a field.
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
    """Optimizer settings of a recipe: AdamW with warm-up and a schedule of the learning rate.

    Example:
        >>> OptimizerSettings(epochs=3, batch_size=32).steps(clips=1000)
        94
    """

    max_steps: int | None = Field(
        default=None, ge=1, description="number of optimizer steps; null: computed from epochs"
    )
    epochs: float | None = Field(
        default=None,
        gt=0,
        le=10_000,
        description="number of examples of the run, divided by the number of clips of all corpora; not used "
        "if max_steps is given",
    )
    batch_size: int = Field(default=32, ge=1, description="clips per step, on all devices together")
    device_batch_size: int | None = Field(
        default=None,
        ge=1,
        description="most clips that a device processes at once; null: all of its share of a step",
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
        default="cosine", description='after the warm-up: decay to 0 ("cosine" or "linear"), or "constant"'
    )
    weight_decay: float = Field(default=0.01, ge=0, le=1, description="weight decay of AdamW")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        default="auto",
        description='mixed precision; "auto": the fastest on this device (on a CPU, speeds are measured once '
        "for each machine); a run that is continued keeps its precision",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.max_steps is None and self.epochs is None:
            raise ValueError("max_steps: required, or epochs")
        return self

    def steps(self, clips: int) -> int:
        """Return the number of optimizer steps: `max_steps`, or `epochs` over this many clips."""
        if self.max_steps is not None:
            return self.max_steps
        return max(1, ceil((self.epochs or 0) * clips / self.batch_size))

    def batches(self, processes: int) -> tuple[int, int]:
        """Divide the clips of a step among processes.

        Returns:
            Clips per batch, and number of batches that each process computes in a step.

        Raises:
            InputError: `batch_size` is not a multiple of `processes`.
        """
        share, rest = divmod(self.batch_size, processes)
        if rest:
            raise InputError(
                f"{self.batch_size} clips per step cannot be divided evenly among {processes} processes: "
                "change optimizer.batch_size"
            )
        most = min(share, self.device_batch_size or share)
        at_once = max(size for size in range(1, most + 1) if share % size == 0)
        return at_once, share // at_once


class EvaluationSettings(Settings):
    """Settings of validation during training, and of the checkpoint that is kept.

    Example:
        >>> EvaluationSettings(every_steps=100, patience=5).keep
        'best'
    """

    every_steps: int = Field(
        default=500, ge=1, description="steps between validations; a checkpoint is saved at each"
    )
    clips: int = Field(default=200, ge=1, description="validation clips, of all corpora together")
    keep: Literal["best", "last"] = Field(
        default="best",
        description='weights that become the result: "best", those of the validation with the highest '
        'Spearman correlation of parsed captions with labels; "last", those of the last step',
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        description="the run ends after this many validations without a better correlation; null: never",
    )


class Recipe(Settings):
    """All settings of a training run.

    `model`, `data`, `target`, `optimizer` and `evaluation` are settings classes with more fields.

    Example:
        >>> recipe = load_recipe("whisper-small-lora")
        >>> recipe.model.base, recipe.model.method
        ('openai/whisper-small', 'lora')
    """

    name: str = Field(pattern=r"^\w[\w .-]{0,79}$", description="name of the run and of the checkpoint")
    seed: int = Field(
        default=1,
        ge=0,
        le=MAX_SEED,
        description="random seed of initial weights, order of examples, wording of captions and augmentation",
    )
    model: ModelSettings
    data: DataSettings = DataSettings()
    target: TargetSettings = TargetSettings()
    optimizer: OptimizerSettings
    evaluation: EvaluationSettings = EvaluationSettings()
    trained_on: TrainedOn | None = Field(
        default=None,
        description='kind of speech in all training data, "synthetic speech" or "recordings of people"; '
        "stated in the model card and in notes that commands print",
    )
    license: str = Field(
        default="cc-by-4.0", max_length=60, description="license of the checkpoint, for its model card"
    )
    report_to: tuple[Literal["tensorboard", "wandb", "trackio", "mlflow"], ...] = Field(
        default=("tensorboard",),
        description="experiment trackers that losses and metrics are logged to; tensorboard is skipped if it "
        "is not installed",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.data.cache_states and self.model.method != "encoder-frozen":
            raise ValueError(
                "data.cache_states: needs model.method=encoder-frozen, which freezes layers of the encoder"
            )
        return self

    def available_reports(self) -> list[str]:
        """Return `report_to`, without "tensorboard" if that is not installed.

        Raises:
            MissingExtraError: another tracker in `report_to` is not installed.
        """
        missing = [name for name in self.report_to if find_spec(name) is None]
        wanted = [name for name in missing if name != "tensorboard"]
        if wanted:
            raise MissingExtraError(
                f"{wanted[0]} is not installed: pip install {wanted[0]}, or change report_to"
            )
        return [name for name in self.report_to if name not in missing]

    def to_yaml(self, *, defaults: bool = True) -> str:
        """Return the recipe as YAML for `load_recipe`; with `defaults` False, without fields at defaults."""
        return yaml.safe_dump(self.model_dump(mode="json", exclude_defaults=not defaults), sort_keys=False)


def load_recipe(path: str | Path, changes: Sequence[str] = ()) -> Recipe:
    """Read a recipe. If it has no `name`, it is named after its file.

    Args:
        path: YAML file, or the name of a recipe that ships with budew.
        changes: changed fields as "field=value", with dots for nested fields, such as
            "optimizer.max_steps=100"; values are YAML.

    Raises:
        SettingsError: the recipe does not exist or is invalid; the message names the file and each bad field.

    Example:
        >>> load_recipe("whisper-small-lora", ["optimizer.max_steps=100"]).optimizer.max_steps
        100
    """
    file = Path(path)
    if not file.is_file():
        shipped = shipped_recipes()
        if str(path) not in shipped:
            raise SettingsError(
                f"{path}: no such recipe: give a YAML file, or a shipped recipe: {', '.join(shipped)}"
            )
        file = shipped[str(path)]
    return load(Recipe, file, changes, name=read_yaml(file).get("name", file.stem))


def shipped_recipes() -> dict[str, Path]:
    """Return {name: YAML file} of the recipes that ship with budew.

    Example:
        >>> shipped_recipes()["whisper-small-lora"].name
        'whisper-small-lora.yaml'
    """
    return {found.stem: found for found in sorted(data_folder("recipes").glob("*.yaml"))}
