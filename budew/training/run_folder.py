"""The folder of a run: what is recorded in it decides whether and where a run continues.

recipe.yaml             the recipe, with the precision of the run
training/checkpoint-N   checkpoints, see `last_checkpoint`
training/processes      number of processes, on which dropout and rounding depend
training/finished       number of steps after which the result was saved
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

NOT_DECIDING = ("data.workers", "data.cache", "data.cache_features", "report_to", "license")
"""Fields on which weights do not depend: they may change when a run is continued."""
EXTENDING = ("optimizer.max_steps", "optimizer.epochs")
"""Fields that may change too: a longer run continues from the end of a shorter one."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A folder in which a run is, was or will be."""

    path: Path

    @property
    def training(self) -> Path:
        """The folder of training checkpoints."""
        return self.path / "training"

    @property
    def checkpoint(self) -> Path:
        """The folder of the result."""
        return self.path / "checkpoint"

    def continued(self, recipe: Recipe) -> Recipe:
        """Return the recipe with the precision of the run: the recorded one for "auto", else the device's
        best.

        Raises:
            InputError: the folder has a run of another recipe, or this CPU cannot compute the precision.
        """
        file = self.path / "recipe.yaml"
        recorded = load_recipe(file) if file.exists() else None
        if recorded is not None and recipe.optimizer.precision == "auto":
            recipe = _with_precision(recipe, recorded.optimizer.precision)
        recipe = _with_precision(recipe, precision_for(recipe.optimizer.precision))
        if recorded is not None:
            if recorded.optimizer.precision == "auto":  # of a version that did not record it
                recorded = _with_precision(recorded, recipe.optimizer.precision)
            differing = differences(recorded, recipe)
            if differing:
                raise InputError(
                    f"{self.path} holds a run of a different recipe; its value / yours: "
                    f"{'; '.join(differing)}: choose another folder with --out"
                )
        return recipe

    def record(self, recipe: Recipe) -> None:
        """Write the recipe."""
        self.path.mkdir(parents=True, exist_ok=True)
        with whole_file(self.path / "recipe.yaml") as file:
            file.write(recipe.to_yaml())

    def check_processes(self, processes: int, *, resumed: bool) -> None:
        """Record the number of processes at the start.

        Raises:
            InputError: a run is resumed that was started with another number.
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
        """Return whether the result of this number of steps, or of more, was saved."""
        return self.checkpoint.is_dir() and _number(self.training / "finished") >= steps

    def finish(self, steps: int) -> None:
        """Record that the result was saved."""
        with whole_file(self.training / "finished") as file:
            file.write(str(steps))

    def start_over(self) -> None:
        """Remove training checkpoints and tokenizer, which depend on recipe and corpus of the run before."""
        for made in (self.training, self.path / "tokenizer"):
            shutil.rmtree(made, ignore_errors=True)

    def last_checkpoint(self) -> Path | None:
        """Return the newest training checkpoint without truncated files; None if all have some."""
        found = sorted(self.training.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
        for checkpoint in reversed(found):
            files = {checkpoint / TRAINER_STATE_NAME, *checkpoint.iterdir()}  # the trainer writes it last
            broken = sorted(path.name for path in files if not _is_whole(path))
            if not broken:
                return checkpoint
            logger.info(f"{checkpoint} is not used: truncated or missing: {', '.join(broken)}")
        return None


def differences(one: Recipe, other: Recipe) -> list[str]:
    """Return `field: value / value` for each field that differs and decides the result."""
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
    """Return whether a file of a checkpoint is complete to its end."""
    try:
        if path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".safetensors":
            load_file(path)  # mapped, not read
    except (OSError, ValueError, SafetensorError):
        return False
    return path.suffix not in (".pt", ".pth", ".bin") or is_zipfile(path)
