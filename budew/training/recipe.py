"""A training run as a validated settings file: the YAML files in `recipes/`, field by field.

Everything that decides the result is in it, so the recipe, its corpus and the versions in `constraints.txt`
reproduce a checkpoint. `--set optimizer.learning_rate=3e-4` changes a field.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, field_validator, model_validator

from budew.errors import InputError, MissingExtraError, SettingsError
from budew.io.resources import data_folder
from budew.io.settings import Settings, load, read_yaml
from budew.model.card import TrainedOn
from budew.taxonomy import emotion
from budew.training.augmentation import Augmentation
from budew.training.model_settings import ModelSettings
from budew.training.targets import TargetSettings

MAX_SEED = 2**32 - 1
"""Largest seed that numpy takes."""
NONE = "none"
"""Name of the class of clips without any emotion."""


class SpeechSettings(Settings):
    """Synthetic speech, made for a run without a corpus.

    Example:
        >>> SpeechSettings(train_clips=1000).validation_clips
        200
    """

    train_clips: int = Field(default=0, ge=0, description="training clips; 0 for none")
    validation_clips: int = Field(default=200, ge=1, description="validation clips")
    seed: int = Field(default=1, ge=0, le=MAX_SEED, description="seed of voices, profiles and texts")


class TrainingCorpus(Settings):
    """One corpus of several.

    Example:
        >>> TrainingCorpus(corpus="talent/", weight=3).heard
        False
    """

    corpus: str = Field(description="anything that `budew.read` reads")
    weight: float = Field(
        default=1.0, gt=0, description="its share of the examples, in proportion to the others"
    )
    state_copies: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="data.state_copies of this corpus: a small one needs more of them; null for the same",
    )
    pieces: float | None = Field(
        default=None,
        gt=0,
        description="each of the state_copies is a random piece of a clip, so many seconds at least: for a "
        "corpus of longer clips than the others, else a model recognizes it by the length",
    )
    clip_weights: str | None = Field(
        default=None, description="file of `budew corpus weights`; clips that are not in it are left out"
    )
    heard: bool = Field(
        default=False, description="whether captions say what data.listener hears, and not what the label is"
    )

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, given: Any) -> Any:
        return {"corpus": given} if isinstance(given, str) else given


class ListenerSettings(Settings):
    """Linear probes of cached states, whose predictions label clips: see `budew.training.pseudo_labels`."""

    penalty: float = Field(
        default=0.05, gt=0, description="half of it times the squared weights is added to the mean loss"
    )
    shrinkage: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="how much less than measured the directions differ in which neutral clips do; 1: not",
    )
    offsets: dict[str, float] = Field(
        default={},
        description='added to the score of an emotion, or of "none": where the border to others lies',
    )
    shares: dict[str, float] = Field(
        default={}, description='how often each emotion, or "none", comes compared with the others; else 1'
    )
    moved: float = Field(
        default=0.6, ge=0, le=1, description="share of the examples to which a difference is added"
    )

    @field_validator("offsets", "shares")
    @classmethod
    def _emotions(cls, given: dict[str, float]) -> dict[str, float]:
        return {name if name == NONE else emotion(name): value for name, value in given.items()}

    def __hash__(self) -> int:
        return hash(self.model_dump_json())


class DataSettings(Settings):
    """What a model is trained on.

    Example:
        >>> data = DataSettings(train="talent/", validation="validation/")
        >>> data.train[0].corpus
        'talent/'
    """

    train: tuple[TrainingCorpus, ...] = Field(
        default=(),
        description="training corpora: one (anything that `budew.read` reads), or a list of corpus, weight "
        "and clip_weights; without, there must be synthetic speech",
    )
    validation: tuple[str, ...] = Field(
        default=(),
        description="validation corpora: one, or a list of which as many clips each are taken; required with "
        "training corpora",
    )
    speech: SpeechSettings = Field(default=SpeechSettings(), description="the synthetic speech")
    captions: Literal["checked", "any"] = Field(
        default="checked",
        description='captions that are learned as they are, "checked": paraphrases that passed the gate and '
        'captions that came with the corpus; "any": rendered ones and those of a model as well',
    )
    longer: Literal["skip", "split", "cut"] = Field(
        default="skip",
        description="clips longer than the window: left out; split, each part with the captions of the "
        "whole; or cut to their beginning",
    )
    mixed_shards: int = Field(
        default=8, ge=1, description="shards of a corpus that are read at once and whose clips are mixed"
    )
    short_windows: float = Field(
        default=0.8,
        ge=0,
        le=1,
        description="share of the run, from its beginning, in which most batches are cut to their longest "
        "clip, up to twice as fast a step",
    )
    cache: str | None = Field(
        default=None, description="folder of indexes and cached features; null: in the folder of the run"
    )
    cache_features: bool = Field(
        default=False, description="compute spectrograms once and keep them, for small corpora"
    )
    cache_states: bool = Field(
        default=False,
        description="compute the states of the frozen layers of the encoder once and keep them, 51 kB for a "
        'second with whisper-base: with the method "encoder-frozen", the model learns from windows of '
        "whole seconds, 4 at least",
    )
    state_copies: int = Field(
        default=1, ge=1, le=1000, description="of a clip whose audio is changed, with cached states"
    )
    listener: ListenerSettings | None = Field(
        default=None,
        description="a linear classifier of cached states, fitted to corpora that are heard; null for none",
    )
    workers: int = Field(
        default=0, ge=0, le=1024, description="processes that prepare batches; 0: the training process"
    )
    augmentation: Augmentation = Field(default=Augmentation(), description="changes of the audio")

    @field_validator("train", "validation", mode="before")
    @classmethod
    def _several(cls, given: Any) -> Any:
        """Return one corpus, or none, as a tuple."""
        return () if given is None else (given,) if isinstance(given, str | dict) else given

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.train) != bool(self.validation):
            missing = "validation" if self.train else "train"
            raise ValueError(f"{missing}: required, or give neither, for synthetic speech")
        if self.cache_features and self.augmentation.changes_audio:
            raise ValueError("cache_features: cannot be used with noise, gain, band limit or speed")
        if self.cache_features and self.cache_states:
            raise ValueError("cache_features: is of no use with cache_states")
        changed = self.augmentation.changes_audio or self.augmentation.changes_features
        copies = (self.state_copies, *(given.state_copies or 1 for given in self.train))
        if max(copies) > 1 and not (self.cache_states and changed):
            raise ValueError("state_copies: are alike without cache_states and augmentation")
        if any(given.pieces for given in self.train) and not self.cache_states:
            raise ValueError("pieces: needs cache_states")
        heard = any(given.heard for given in self.train)
        if heard != (self.listener is not None) or (heard and not self.cache_states):
            raise ValueError(
                "listener: needs cache_states and a training corpus with heard: true, which needs it"
            )
        return self


class OptimizerSettings(Settings):
    """AdamW with warm-up and decay to zero.

    Example:
        >>> OptimizerSettings(epochs=3, batch_size=32).steps(clips=1000)
        94
    """

    max_steps: int | None = Field(default=None, ge=1, description="optimizer steps; null for those of epochs")
    epochs: float | None = Field(
        default=None,
        gt=0,
        le=10_000,
        description="as many examples as so many times all clips, without max_steps",
    )
    batch_size: int = Field(default=32, ge=1, description="clips a step, over all devices")
    device_batch_size: int | None = Field(
        default=None,
        ge=1,
        description="clips that a device takes at once, at most; null for all of its share of a step",
    )
    learning_rate: float | None = Field(
        default=None, ge=1e-9, le=1, description="after the warm-up; null for that of size and method"
    )
    warmup: float = Field(default=0.05, ge=0, le=0.9, description="share of the steps, of linear warm-up")
    schedule: Literal["cosine", "linear", "constant"] = Field(
        default="cosine", description="of the learning rate after the warm-up"
    )
    weight_decay: float = Field(default=0.01, ge=0, le=1, description="of AdamW")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        default="auto",
        description='of mixed precision; "auto": what is fastest on the device, tried on a CPU once a '
        "machine; the folder of the run records which, and keeps it",
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
    clips: int = Field(default=200, ge=1, description="validation clips of which loss and captions are taken")
    keep: Literal["best", "last"] = Field(
        default="best",
        description='the result: weights of the "best" validation by the Spearman correlation of parsed '
        'captions, or those of the "last"',
    )
    patience: int | None = Field(
        default=None, ge=1, description="validations without a better correlation that end the run"
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
