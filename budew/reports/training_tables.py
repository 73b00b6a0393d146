"""Terminal tables on training: recipes, their fields, the needs of a run, the quality of heads."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.table import Table

from budew.errors import InputError
from budew.io.settings import as_yaml, describe
from budew.training.devices import accelerated, accelerators, precision_for, this_processor
from budew.training.estimate import (
    UTILIZATION,
    StepOperations,
    TrainingNeeds,
    state_operations,
    training_needs,
)
from budew.training.initial_model import learning_rate
from budew.training.recipe import Recipe

if TYPE_CHECKING:
    from budew.heads.fitting import Quality
    from budew.heads.head_training import TrainedHeads

_GB = 1e9
_DEVICES = {"H100": (1, 8)}
"""Numbers of devices that are shown, for accelerators that are not used singly only."""
_NAMED = 5
"""Number of rare emotions and attributes that are listed."""


def recipes_table(recipes: Mapping[str, Recipe]) -> Table:
    """Return a table of recipes: base, method, parameters, memory at the batch size, and learning rate."""
    table = Table("recipe", "base", "method", box=None, pad_edge=False)
    for name in ("weights, M", "trained, M", "window, s", "memory, GB", "learning rate"):
        table.add_column(name, justify="right")
    for name, recipe in recipes.items():
        needs = training_needs(recipe)
        shown = ("?",) * 4
        if needs is not None:
            shown = (
                f"{needs.parameters / 1e6:,.1f}",
                f"{needs.trained / 1e6:,.1f}",
                f"{needs.window_seconds:g}",
                f"{needs.memory(recipe.optimizer.batches(1)[0]) / _GB:,.1f}",
            )
        base = recipe.model.base or "-"
        table.add_row(name, base, recipe.model.method, *shown, f"{learning_rate(recipe):.2g}")
    return table


def fields_table(recipe: Recipe) -> Table:
    """Return a table of the fields of a recipe: name, value, meaning."""
    values = recipe.model_dump()
    table = Table("field", "value", "meaning", box=None, pad_edge=False)
    for field in describe(Recipe):
        value = values
        for part in field.name.split("."):
            value = value[part]
        table.add_row(field.name, as_yaml(value), field.help)
    return table


def needs_table(
    recipe: Recipe, needs: TrainingNeeds, work: StepOperations, steps: int, states: int = 0
) -> Table:
    """Return a table of accelerators: the memory that a step needs, and the time of the run.

    If this machine has no accelerator, its processor is the last row.

    Args:
        recipe: recipe of the run.
        needs, work: results of `training_needs` and `step_operations` for the recipe.
        steps: number of steps of the run.
        states: size in bytes of the cached encoder states; the time includes computing them.
    """
    table = Table("device", box=None, pad_edge=False)
    for name in ("memory, GB", "needed, GB", "time", "examples/s"):
        table.add_column(name, justify="right")
    examples = steps * recipe.optimizer.batch_size
    computed = state_operations(recipe, states)
    here = {} if accelerated() else {"this processor": this_processor(recipe.optimizer.precision)}
    slow = training_needs(recipe, precision_for(recipe.optimizer.precision)) or needs
    for name, facts in (accelerators() | here).items():
        for devices in _DEVICES.get(name, (1,)):
            try:
                at_once, times = recipe.optimizer.batches(devices)
            except InputError:
                batch = recipe.optimizer.batch_size
                table.add_row(f"{devices} × {name}", "", f"cannot share {batch} clips")
                continue
            needed = (needs if name not in here else slow).memory(at_once) / _GB
            time = steps * times * work.seconds(at_once, facts["tflops"])
            time += computed / (facts["tflops"] * 1e12 * UTILIZATION)
            fits = needed < facts["memory"]
            table.add_row(
                f"{devices} × {name}",
                f"{facts['memory']:.0f}",
                f"{needed:,.1f}{'' if fits else ' (too much)'}",
                str(timedelta(seconds=round(time))),
                f"{examples / time:,.0f}",
            )
    return table


def quality_table(found: "Mapping[str, Quality]") -> Table:
    """Return a table of heads, best first; heads that are not better than the mean are marked as left out."""
    table = Table("head", "clips", "variance explained", "mean error", "of the mean", "")
    for name, quality in sorted(found.items(), key=lambda item: -item[1].r2):
        values = (f"{quality.r2:.2f}", f"{quality.error:.2f}", f"{quality.error_of_mean:.2f}")
        table.add_row(name, str(quality.clips), *values, "" if quality.r2 > 0 else "left out")
    return table


def rare_line(trained: "TrainedHeads") -> str:
    """Return a line with the emotions and attributes that have too few clips for a head, and what to do."""
    from budew.heads.fitting import FEWEST, FEWEST_TO_CHECK  # which imports torch

    more = len(trained.rare) - _NAMED
    named = ", ".join(trained.rare[:_NAMED]) + (f" and {more} more (see heads.json)" if more > 0 else "")
    return (
        f"too rare for a head: {named}. One needs {FEWEST} clips with it for training and "
        f"{FEWEST_TO_CHECK} of other speakers for validation: add such clips and train into a new folder"
    )
