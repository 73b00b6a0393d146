"""What turns windows of samples into text: transformers or CTranslate2 (a server: `budew.inference.server`).

A folder of `budew export` runs where its format is for: in CTranslate2, ONNX Runtime or OpenVINO.

A backend works in two steps, so that the first, on the CPU, can go on for the next batch while the model
works on this one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from budew.errors import InputError
from budew.inference.loops import stop_of_loops
from budew.inference.self_consistency import sample_captions
from budew.model.checkpoint import Checkpoint, choose_device, default_checkpoint, load_checkpoint
from budew.model.converted import (
    Converted,
    is_converted,
    load_converted,
    write_converted,
)
from budew.model.cpu_precision import fastest
from budew.model.generate import (
    Encoded,
    checked_beams,
    encode,
    features_of,
    number_of_beams,
    spectrograms,
    write_captions,
)
from budew.model.graphs import library_of, load_graphs

if TYPE_CHECKING:
    from budew.inference.server import CaptionServer

Samples = NDArray[np.float32]
BACKENDS = ("transformers", "ctranslate2")


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
    """The caption of a window as the model wrote it, and those that were sampled; or why there is none."""

    text: str
    samples: tuple[str, ...] = ()
    fault: str | None = None


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


class TransformersBackend:
    """A checkpoint that transformers runs, on any device of torch."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.extractor = checkpoint.processor.feature_extractor
        self.name = checkpoint.name
        self.runs_on = f"{checkpoint.library}, {checkpoint.dtype}, {checkpoint.model.device}"
        self.window_seconds = checkpoint.window_seconds
        self.sampling_rate = checkpoint.sampling_rate
        self.short_windows = checkpoint.short_windows
        self.trained_with_prompts = checkpoint.trained_with_prompts
        self.can_sample = True
        self.num_beams = number_of_beams(checkpoint)

    def prepare(self, windows: Sequence[Samples], seconds: float) -> Prepared:
        """Compute spectrograms."""
        return Prepared(windows, features_of(self.checkpoint, windows, seconds=seconds))

    def write(self, batch: Prepared, asked: Asked) -> list[Written]:
        """Run the encoder once, and the decoder for the caption and the samples."""
        return self.write_encoded(self.encode(batch), asked)

    def encode(self, batch: Prepared) -> Encoded:
        """Run the encoder."""
        return encode(self.checkpoint, batch.windows, batch.features)

    def write_encoded(self, encoded: Encoded, asked: Asked) -> list[Written]:
        """Run the decoder."""
        texts = write_captions(
            self.checkpoint,
            encoded,
            num_beams=asked.num_beams,
            prompt=asked.prompt,
            stopping_criteria=stop_of_loops(),
        )
        sampled = sample_captions(
            self.checkpoint, encoded, num_samples=asked.num_samples, prompt=asked.prompt
        )
        return [Written(text, some) for text, some in zip(texts, sampled, strict=True)]


class CTranslate2Backend:
    """A checkpoint that CTranslate2 runs."""

    def __init__(self, converted: Converted) -> None:
        extractor = self.extractor = converted.processor.feature_extractor
        self.converted = converted
        self.name = converted.name
        self.runs_on = f"ctranslate2, {converted.dtype}, {converted.model.device}"
        self.window_seconds = extractor.n_samples / extractor.sampling_rate
        self.sampling_rate: int = extractor.sampling_rate
        self.short_windows = converted.short_windows
        self.trained_with_prompts = converted.trained_with_prompts
        self.can_sample = False  # its random numbers depend on threads
        self.num_beams = checked_beams(converted.settings.num_beams, converted.name)

    def prepare(self, windows: Sequence[Samples], seconds: float) -> Prepared:
        """Compute spectrograms."""
        return Prepared(windows, spectrograms(self.extractor, windows, seconds=seconds))

    def write(self, batch: Prepared, asked: Asked) -> list[Written]:
        """Search for captions."""
        texts = write_converted(
            self.converted, batch.features, num_beams=asked.num_beams, prompt=asked.prompt
        )
        return [Written(text) for text in texts]


def load_backend(
    model: str | Path | Sequence[str | Path] | None = None,
    *,
    backend: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    server: "CaptionServer | None" = None,
) -> Backend:
    """Load a checkpoint into a backend, or connect to a server.

    Args:
        model: a folder, a hub id, or None for `default_checkpoint`; several are `Experts`.
        backend: one of `BACKENDS`; None is transformers, or ctranslate2 for a folder converted for it.
        device: `cpu`, `cuda`, `cuda:1`, `mps`; None for the best that is there.
        dtype: `float32`, `bfloat16`, `float16` or `int8`; None is float16 on cuda, and on a CPU what is
            fastest there (tried once a machine, see `budew.model.cpu_precision`), else float32.
        server: where `/v1/audio/transcriptions` is answered, and the model there; then nothing else is given.

    Raises:
        CheckpointError, MissingExtraError: as of `load_checkpoint` and `load_converted`.
        InputError: no such backend or dtype, or a server and a checkpoint.
        JobError: as of `budew.inference.server.ServerBackend`.
    """
    if server is not None:
        if any((model, backend, device, dtype)):
            raise InputError("a server has its own model: leave model, backend, device and dtype out")
        from budew.inference.server import ServerBackend

        return ServerBackend(server)
    if backend not in (None, *BACKENDS):
        raise InputError(f"{backend!r} is not a backend: use {' or '.join(BACKENDS)}")
    if model is None or isinstance(model, str | Path):
        return _load(model, backend, device, dtype)
    from budew.inference.experts import Experts

    loaded = [_load(one, backend, device, dtype) for one in model]
    return Experts(loaded) if len(loaded) > 1 else loaded[0]


def _load(
    model: str | Path | None, backend: str | None, device: str | None, dtype: str | None
) -> "TransformersBackend | CTranslate2Backend":
    graphs = Path(default_checkpoint() if model is None else model).expanduser()
    if library_of(graphs):
        if backend or device not in (None, "cpu"):
            raise InputError(f"{graphs} runs as it is, on the CPU: leave backend and device out")
        return TransformersBackend(load_graphs(graphs, graphs.resolve().name, dtype=dtype))
    if backend == "ctranslate2" or (backend is None and is_converted(graphs)):
        return CTranslate2Backend(load_converted(model, device=device, dtype=dtype))
    if dtype is None and choose_device(device).type == "cpu":
        dtype = fastest("torch")
    return TransformersBackend(load_checkpoint(model, device=device, dtype=dtype))
