"""Recordings that differ, and the misbehaving model of the benchmarks as a real server on the loopback."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from budew.corpora import Clip
from tests.chat.conftest import quick_retries, start  # noqa: F401

from .sounds import encoded

_BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def _loaded(name: str):
    specification = importlib.util.spec_from_file_location(name, _BENCHMARKS / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


model = _loaded("annotate_server")


def wav(number: int, *, seconds: float = 0.1, rate: int = 16_000) -> bytes:
    """A tone with noise of its own, as a plain wav file."""
    chance = np.random.default_rng(number)
    time = np.arange(round(seconds * rate)) / rate
    return encoded(0.3 * np.sin(2 * np.pi * (100 + number) * time) + chance.normal(0, 0.01, len(time)), rate)


def clips(count: int, *, first: int = 0) -> list[Clip]:
    return [Clip(f"clip-{number}", wav(number), "wav") for number in range(first, first + count)]


@pytest.fixture
def serve(start) -> Callable:  # noqa: F811
    """Start models: `serve(misbehave=0.3, …)`, the fields of `Behavior`."""
    return lambda **behavior: start(model.AnnotateServer(model.Behavior(**behavior)))


@pytest.fixture
def failures() -> dict[str, Exception]:
    """What a job failed on: id → error."""
    return {}


@pytest.fixture
def run_on(failures) -> Callable[..., list[Clip]]:
    """`run_on(job, *clips)` gives the clips that the job makes of them; those that fail are in `failures`."""
    return lambda job, *clips: list(job.run(iter(clips), failures.__setitem__))
