"""Voice activity detection: the probability of speech in each 32 ms of a recording, by silero-vad 6.2.

The model is the sequence variant in silero-vad's wheel, run by onnxruntime on one thread: about 950 times
real time on one core. Only the model file of silero-vad is used, because its package imports torch, and its
Python code resets the model's state at each call. Here the state is passed from block to block: blocks of any
size give the same probabilities, bit for bit, and memory holds one block.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from budew.audio.decoders import Samples
from budew.audio.samples import regrouped
from budew.errors import MissingExtraError, locate_library, require

SAMPLING_RATE = 16_000
"""Sampling rate of the model's input in Hz."""
FRAME = 512
"""Samples of a frame, for which the model gives one probability: 32 ms."""
BLOCK = 512
"""Frames in one call of the model, 16.4 s; larger blocks are not faster (benchmarks/segmentation.py)."""
_CONTEXT = 64  # last samples of the previous frame, which the model also gets
_FILE = "data/silero_vad_16k_sequence.onnx"
_NEEDED = {"extra": "corpora", "purpose": "voice activity detection"}


class Frames(NamedTuple):
    """Consecutive frames: `probabilities` of speech (n,), and `powers` (n,), the mean squares of samples."""

    probabilities: NDArray[np.float32]
    powers: NDArray[np.float32]


def detect_speech(blocks: Iterable[Samples], *, block: int = BLOCK) -> Iterator[Frames]:
    """Yield the probabilities of speech of a recording, `block` frames at a time.

    The last frame of the recording is padded with silence.

    Args:
        blocks: mono samples of the recording at `SAMPLING_RATE`, in arrays of any size.
        block: frames in one call of the model.

    Raises:
        MissingExtraError: silero-vad or onnxruntime is not installed.
    """
    model = load_speech_detector()
    hidden = cell = np.zeros((1, 1, 128), np.float32)
    context = np.zeros(_CONTEXT, np.float32)
    for samples in regrouped(blocks, block * FRAME):
        frames = np.pad(samples, (0, -len(samples) % FRAME)).reshape(-1, FRAME)
        powers = np.einsum("ij,ij->i", frames, frames) / FRAME
        contexts = np.concatenate([context[None], frames[:-1, -_CONTEXT:]])
        inputs = {"input": np.concatenate([contexts, frames], axis=1), "h": hidden, "c": cell}
        probabilities, hidden, cell = model.run(["speech_probs", "hn", "cn"], inputs)
        context = frames[-1, -_CONTEXT:]
        yield Frames(probabilities.reshape(-1), powers)


@cache
def load_speech_detector() -> Any:
    """Load the voice activity model; cached, so that each process loads it once.

    Raises:
        MissingExtraError: silero-vad or onnxruntime is not installed.
    """
    onnxruntime = require("onnxruntime", **_NEEDED)
    path = locate_library("silero_vad", **_NEEDED) / _FILE
    if not path.is_file():
        raise MissingExtraError(
            f"{path} is missing: install silero-vad 6.2.3 or newer with pip install --upgrade silero-vad"
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # two are slower, and workers share
    return onnxruntime.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])


def has_speech_detector() -> bool:
    """Return whether the model and onnxruntime are installed.

    Example:
        >>> has_speech_detector()
        True
    """
    return all(find_spec(library) for library in ("silero_vad", "onnxruntime"))


def speech_detector_name() -> str:
    """Return name and version of the voice activity model.

    Raises:
        MissingExtraError: silero-vad is not installed.
    """
    locate_library("silero_vad", **_NEEDED)
    return f"silero-vad {version('silero-vad')}"
