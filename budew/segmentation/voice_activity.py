"""Probability of speech in each 32 ms of a recording: silero-vad 6.2 over consecutive blocks.

The model is the sequence variant in silero-vad's wheel, run by onnxruntime on one thread: about 950 times
real time on one core. silero-vad's own front end resets its state at each call and its package imports torch,
so only the model file is taken from it. The state is passed from block to block: blocks of any size give the
same probabilities, bit for bit, and memory holds one block.
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
"""Hz of the model's input."""
FRAME = 512
"""Samples of one probability: 32 ms."""
BLOCK = 512
"""Frames in one call of the model, 16.4 s; larger ones are no faster (benchmarks/segmentation.py)."""
_CONTEXT = 64  # samples of the previous frame, which the model gets again
_FILE = "data/silero_vad_16k_sequence.onnx"
_NEEDED = {"extra": "corpora", "purpose": "voice activity detection"}


class Frames(NamedTuple):
    """Consecutive frames: `probabilities` of speech (n,) and mean squares `powers` (n,)."""

    probabilities: NDArray[np.float32]
    powers: NDArray[np.float32]


def detect_speech(blocks: Iterable[Samples], *, block: int = BLOCK) -> Iterator[Frames]:
    """Run the model over mono samples at `SAMPLING_RATE` in arrays of any size, `block` frames at a time.

    The last frame of a recording is padded with silence.

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
    """Return the model, one for each process.

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
    """Return name and version of the model.

    Raises:
        MissingExtraError: silero-vad is not installed.
    """
    locate_library("silero_vad", **_NEEDED)
    return f"silero-vad {version('silero-vad')}"
