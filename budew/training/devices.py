"""What a run computes on: is there an accelerator, in which precision, and how fast."""

import os
import time
from functools import cache
from typing import Any

import torch

from budew.errors import InputError
from budew.io.resources import packaged_table
from budew.model.cpu_precision import check_precision, fastest
from budew.training.recipe import Recipe

SIDE = 1024
"""Of the matrices whose product is timed."""
LONG_ENOUGH = 0.5
"""Seconds."""


def accelerated() -> bool:
    """Whether this machine has an accelerator to train on."""
    return torch.cuda.is_available() or torch.backends.mps.is_available()


def precision_of(recipe: Recipe) -> str:
    """Return fp32, bf16 or fp16: what the recipe says, or what this device computes fast.

    On a CPU that is tried, see `budew.model.cpu_precision`.

    Raises:
        InputError: the recipe says what this CPU cannot compute.
    """
    wanted = recipe.optimizer.precision
    if wanted == "auto" and torch.cuda.is_available():
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    if accelerated():
        return "fp32" if wanted == "auto" else wanted
    if wanted == "auto":
        return "bf16" if fastest("training") == "bfloat16" else "fp32"
    if wanted == "fp16":
        raise InputError("optimizer.precision: fp16 is for GPUs: use fp32, or auto, on a CPU")
    if wanted == "bf16":
        check_precision("training", "bfloat16", instead="optimizer.precision=fp32, or auto")
    return wanted


@cache
def accelerators() -> dict[str, dict[str, float]]:
    """Return peak (TFLOPS) and memory (GB) of accelerators, by a part of their names."""
    return dict(packaged_table(__package__, "accelerators"))


def peak_tflops() -> float | None:
    """Return the peak of the accelerator here; None where it is unknown."""
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    return next((facts["tflops"] for part, facts in accelerators().items() if part in name), None)


def this_processor(recipe: Recipe) -> dict[str, float]:
    """Return what the processor here reaches in products of matrices (TFLOPS), and the memory (GB).

    The former is measured in the precision of the recipe, for half a second: the best product counts, since
    other programs may be running.
    """
    one: Any = torch.ones(SIDE, SIDE, dtype=torch.bfloat16 if precision_of(recipe) == "bf16" else None)
    best, begin = float("inf"), time.perf_counter()
    while time.perf_counter() < begin + LONG_ENOUGH:
        start = time.perf_counter()
        one @ one
        best = min(best, time.perf_counter() - start)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"tflops": 2 * SIDE**3 / best / 1e12, "memory": memory / 1e9}
