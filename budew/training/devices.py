"""Devices of a run: its processes, whether there is an accelerator, precision and speed."""

import os
import time
from functools import cache
from typing import Any

import torch

from budew.errors import InputError, require
from budew.io.resources import packaged_table
from budew.model.checkpoint import choose_device
from budew.model.cpu_precision import check_precision, fastest

_accelerate: Any = require("accelerate", extra="train", purpose="budew train")
PartialState, gather_object = _accelerate.PartialState, _accelerate.utils.gather_object
"""From `accelerate`: state of the processes of a run; function that collects objects from all of them."""
MATRIX_SIZE = 1024
"""Number of rows and columns of the matrices whose product is timed."""
TIMED_SECONDS = 0.5
"""How long the products are timed, in seconds."""


def accelerated() -> bool:
    """Return whether this machine has a GPU (CUDA, XPU or MPS) to train on."""
    return choose_device(None).type != "cpu"


def precision_for(wanted: str) -> str:
    """Return the precision to train in, "fp32", "bf16" or "fp16".

    Args:
        wanted: one of these, which is returned; or "auto" for the fastest on this device. On a CPU the speed
            is measured, see `budew.model.cpu_precision`.

    Raises:
        InputError: this CPU cannot compute in the wanted precision.
    """
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
    """Return the table of known accelerators: part of the name → `tflops` (peak speed) and `memory` (GB)."""
    return dict(packaged_table(__package__, "accelerators"))


def peak_tflops() -> float | None:
    """Return the peak speed of this machine's GPU in TFLOPS; None if there is no GPU or it is unknown."""
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    return next((facts["tflops"] for part, facts in accelerators().items() if part in name), None)


def this_processor(precision: str) -> dict[str, float]:
    """Return `tflops`, the measured speed of matrix products on this CPU, and `memory` in GB.

    Products are timed for half a second, and the fastest counts, because other programs may be running.

    Args:
        precision: precision in the recipe, such as "auto".
    """
    one: Any = torch.ones(
        MATRIX_SIZE, MATRIX_SIZE, dtype=torch.bfloat16 if precision_for(precision) == "bf16" else None
    )
    best, begin = float("inf"), time.perf_counter()
    while time.perf_counter() < begin + TIMED_SECONDS:
        start = time.perf_counter()
        one @ one
        best = min(best, time.perf_counter() - start)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"tflops": 2 * MATRIX_SIZE**3 / best / 1e12, "memory": memory / 1e9}
