"""The folder of a run. Its files decide whether and from which step a run continues.

recipe.yaml             the recipe, with the precision of the run
index                   places and labels of the clips of each corpus (`clip_index`), or in `data.cache`
features, states        cached spectrograms and encoder states (`feature_cache`), or in `data.cache`
speech                  synthesized clips of `data.speech`, or in `data.cache`
tokenizer               a tokenizer made from captions: from scratch, or with `vocabulary: captions`
training/listener.npz   the probe of `data.listener` (`pseudo_labels`)
training/checkpoint-N   training checkpoint after N steps
training/processes      number of processes, which changes dropout and rounding
training/finished       number of steps of the saved result
checkpoint, adapter     the result
"""

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import is_zipfile

from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers.trainer import TRAINER_STATE_NAME

from budew.errors import InputError
from budew.io.files import whole_file
from budew.io.settings import as_yaml
from budew.training.devices import precision_for
from budew.training.recipe import Recipe, load_recipe

NOT_DECIDING = (
    "data.workers",
    "data.cache",
    "data.cache_features",
    "data.allow_overlap",
    "report_to",
    "license",
)
"""Fields of the recipe that do not affect the weights: they may change when a run is continued."""
EXTENDING = ("optimizer.max_steps", "optimizer.epochs")
"""Fields that may also change: with more steps, a finished run is continued; with fewer, it ends earlier."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of a training run, which may not exist yet."""

    path: Path

    @property
    def training(self) -> Path:
        """Folder of the training checkpoints."""
        return self.path / "training"

    @property
    def checkpoint(self) -> Path:
        """Folder of the final checkpoint."""
        return self.path / "checkpoint"

    def continued(self, recipe: Recipe) -> Recipe:
        """Check a recipe against the recorded one, and return it with the precision of the run.

        The precision "auto" becomes the recorded one or, in a new run, the fastest on this device.

        Raises:
            InputError: the folder has a run of another recipe, or this CPU cannot compute in the precision.
        """
        file = self.path / "recipe.yaml"
        recorded = load_recipe(file) if file.exists() else None
        if recorded is not None and recipe.optimizer.precision == "auto":
            recipe = _with_precision(recipe, recorded.optimizer.precision)
        recipe = _with_precision(recipe, precision_for(recipe.optimizer.precision))
        if recorded is not None:
            if recorded.optimizer.precision == "auto":  # written by an older version of budew
                recorded = _with_precision(recorded, recipe.optimizer.precision)
            differing = differences(recorded, recipe)
            if differing:
                raise InputError(
                    f"{self.path} holds a run of a different recipe; its value / yours: "
                    f"{'; '.join(differing)}: choose another folder with --out"
                )
        return recipe

    def record(self, recipe: Recipe) -> None:
        """Write the recipe to recipe.yaml."""
        self.path.mkdir(parents=True, exist_ok=True)
        with whole_file(self.path / "recipe.yaml") as file:
            file.write(recipe.to_yaml())

    def check_processes(self, processes: int, *, resumed: bool) -> None:
        """Record the number of processes of a run, or compare it when the run is resumed.

        Raises:
            InputError: the resumed run was started with another number of processes.
        """
        before = _number(self.training / "processes")
        if resumed and before != processes:
            raise InputError(
                f"{self.path} was started with {before} processes, not {processes}: continue it with as "
                "many, or train again with --no-resume"
            )
        self.training.mkdir(parents=True, exist_ok=True)
        with whole_file(self.training / "processes") as file:
            file.write(str(processes))

    def is_finished(self, steps: int) -> bool:
        """Return whether the result of `steps` steps, or of more, was saved."""
        return self.checkpoint.is_dir() and _number(self.training / "finished") >= steps

    def finish(self, steps: int) -> None:
        """Record that the result of `steps` steps was saved."""
        with whole_file(self.training / "finished") as file:
            file.write(str(steps))

    def start_over(self) -> None:
        """Remove the training checkpoints, tokenizer and labeler of the previous run."""
        for made in (self.training, self.path / "tokenizer"):
            shutil.rmtree(made, ignore_errors=True)

    def last_checkpoint(self) -> Path | None:
        """Return the newest training checkpoint (a folder) without truncated files; None if there is none."""
        found = sorted(self.training.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
        for checkpoint in reversed(found):
            files = {checkpoint / TRAINER_STATE_NAME, *checkpoint.iterdir()}  # the trainer writes it last
            broken = sorted(path.name for path in files if not _is_whole(path))
            if not broken:
                return checkpoint
            logger.info(f"{checkpoint} is not used: truncated or missing: {', '.join(broken)}")
        return None


def differences(one: Recipe, other: Recipe) -> list[str]:
    """Return "field: value / value" for each field that affects the result and differs in two recipes."""
    first, second = (dict(_flat(recipe.model_dump())) for recipe in (one, other))
    return [
        f"{name}: {as_yaml(first[name])} / {as_yaml(second[name])}"
        for name in first
        if first[name] != second[name] and name not in (*NOT_DECIDING, *EXTENDING)
    ]


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _with_precision(recipe: Recipe, precision: str) -> Recipe:
    optimizer = recipe.optimizer.model_copy(update={"precision": precision})
    return recipe.model_copy(update={"optimizer": optimizer})


def _number(path: Path) -> int:
    return int(path.read_text(encoding="utf-8")) if path.exists() else 0


def _is_whole(path: Path) -> bool:
    """Return whether a file of a checkpoint exists and is not truncated."""
    try:
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".safetensors":
            load_file(path)  # memory-mapped, so the weights are not read
    except (OSError, ValueError, SafetensorError):
        return False
    return path.suffix not in (".pt", ".pth", ".bin") or is_zipfile(path)
