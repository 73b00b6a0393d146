"""What a captioner asks of a backend."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Asked:
    """How captions are written.

    Attributes:
        num_beams: beam width; 1 is greedy search.
        num_samples: captions that are sampled of each window, besides the one that is searched for.
        prompt: of `budew.captions.caption_prompt`, or "".
    """

    num_beams: int = 1
    num_samples: int = 0
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch of windows, mono samples (n,) each, and what the backend made of them before the model runs."""

    windows: Sequence[Samples]
    features: Any


@dataclass(frozen=True, slots=True)
class Written:
    """The caption of a window as the model wrote it, and those that were sampled."""

    text: str
    samples: tuple[str, ...] = ()


class Backend(Protocol):
    """A checkpoint and what runs it.

    Attributes:
        name: of the checkpoint.
        runs_on: library, precision and device: "transformers, float32, cpu".
        window_seconds: longest window.
        sampling_rate: Hz, of the windows.
        short_windows: whether windows are best padded to little more than their own length.
        trained_with_prompts: whether the model follows prompts.
        can_sample: whether it draws captions that window and seed decide.
        num_beams: beam width of the checkpoint.
    """

    name: str
    runs_on: str
    window_seconds: float
    sampling_rate: int
    short_windows: bool
    trained_with_prompts: bool
    can_sample: bool
    num_beams: int

    def prepare(self, windows: Sequence[Samples], seconds: float) -> Prepared:
        """Return a batch of windows, padded to so many seconds. May run beside `write`, in another thread."""

    def write(self, batch: Prepared, asked: Asked) -> list[Written]:
        """Return what the model writes of each window."""
