"""Time one or two layers of a small Whisper in several precisions, in a process that may crash.

`cpu_precision.py` runs this file by its path, so it imports nothing of this package. After each precision it
prints a line of JSON with the processor time of the fastest repetition in seconds, or with the error of the
library. It uses one thread and processor time, so that other work on the machine has little effect.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

WIDTH, HEADS, MEL_BINS, VOCABULARY = 384, 6, 80, 8_000
CLIPS, POSITIONS, TOKENS = 2, 400, 30
"""Windows in a batch, positions of a window (8 s), and generated tokens."""
REPETITIONS, LONGEST = 8, 0.7
"""Most repetitions, and seconds after which no further repetition starts."""

Workload = Callable[[], Any]


def training(torch: Any, dtype: str) -> Workload:
    """Return a workload: a training step, forward and backward, in mixed precision."""
    parts = _layer(torch)
    spectrogram = torch.randn(CLIPS, MEL_BINS, POSITIONS)

    def step() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == "bfloat16"):
            states = _states(torch, parts, spectrogram)
        states.float().square().mean().backward()

    return step


def in_torch(torch: Any, dtype: str) -> Workload:
    """Return a workload: an encoder layer on windows, and a feed-forward layer for `TOKENS` decoder steps."""
    parts, spectrogram = _layer(torch).eval(), torch.randn(CLIPS, MEL_BINS, POSITIONS)
    if dtype == "int8":
        parts = torch.ao.quantization.quantize_dynamic(parts, {torch.nn.Linear}, dtype=torch.qint8)
    else:
        parts, spectrogram = parts.to(getattr(torch, dtype)), spectrogram.to(getattr(torch, dtype))

    def caption() -> None:
        with torch.inference_mode():
            states = _states(torch, parts, spectrogram)
            for _ in range(TOKENS):
                parts["outer"](parts["inner"](states[:, :1]))

    return caption


def _layer(torch: Any) -> Any:
    """Make random weights of a convolution, an attention and a feed-forward layer."""
    return torch.nn.ModuleDict(
        {
            "convolution": torch.nn.Conv1d(MEL_BINS, WIDTH, 3, padding=1),
            "attention": torch.nn.Linear(WIDTH, 3 * WIDTH),
            "inner": torch.nn.Linear(WIDTH, 4 * WIDTH),
            "outer": torch.nn.Linear(4 * WIDTH, WIDTH),
        }
    )


def _states(torch: Any, parts: Any, spectrogram: Any) -> Any:
    """Compute the output of an encoder layer for spectrograms."""
    states = parts["convolution"](spectrogram).transpose(1, 2)
    heads = [
        one.unflatten(-1, (HEADS, -1)).transpose(1, 2) for one in parts["attention"](states).chunk(3, -1)
    ]
    states = states + torch.nn.functional.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)
    return states + parts["outer"](torch.nn.functional.gelu(parts["inner"](states)))


def in_ctranslate2(ctranslate2: Any, dtype: str) -> Workload:
    """Return a workload: captions of windows by a Whisper with one layer each and random weights."""
    spec = ctranslate2.specs.WhisperSpec(1, HEADS, 1, HEADS)
    ctranslate2.specs.model_spec.visit_spec(spec, _fill)
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>"]
    spec.register_vocabulary([*special, *map(str, range(VOCABULARY - len(special)))])
    spec.validate()
    with tempfile.TemporaryDirectory() as folder:
        spec.save(folder)
        computed = "int8_float32" if dtype == "int8" else dtype
        model = ctranslate2.models.Whisper(folder, device="cpu", compute_type=computed, intra_threads=1)
    spectrogram = np.random.default_rng(0).standard_normal((CLIPS, MEL_BINS, 2 * POSITIONS), dtype=np.float32)

    def caption() -> None:
        features = ctranslate2.StorageView.from_array(spectrogram)
        prefixes = [[1, 2]] * CLIPS
        model.generate(features, prefixes, beam_size=1, max_length=2 * TOKENS, suppress_tokens=[0])

    return caption


def _fill(layer: Any, name: str, value: Any) -> None:
    """Fill a variable of a layer of CTranslate2 with random numbers, if it needs weights."""
    shapes = {  # by the end of the name; the first that fits
        "conv1/weight": (WIDTH, MEL_BINS, 3),
        "conv2/weight": (WIDTH, WIDTH, 3),
        "encodings": (POSITIONS, WIDTH),
        "self_attention/linear_0/weight": (3 * WIDTH, WIDTH),
        "0/attention/linear_1/weight": (2 * WIDTH, WIDTH),
        "ffn/linear_0/weight": (4 * WIDTH, WIDTH),
        "ffn/linear_1/weight": (WIDTH, 4 * WIDTH),
        "embeddings/weight": (VOCABULARY, WIDTH),
        "projection/weight": (VOCABULARY, WIDTH),
        "weight": (WIDTH, WIDTH),
        "": (WIDTH,),
    }
    if value is None or name.endswith("encodings"):
        shape = next(shape for end, shape in shapes.items() if name.endswith(end))
        numbers = np.random.default_rng(0).standard_normal(shape, dtype=np.float32) / 20
        setattr(layer, name.rpartition("/")[2], numbers)


def in_openvino(openvino: Any, dtype: str) -> Workload:
    """Return a workload: two feed-forward layers, on whole windows, then on `TOKENS` positions."""
    operations = import_module("openvino.opset13")
    random = np.random.default_rng(0)
    given = operations.parameter([-1, -1, WIDTH], np.float32)
    states = given
    for _ in range(2):
        inner, outer = (
            operations.constant(random.standard_normal(shape, dtype=np.float32) / 20)
            for shape in ((WIDTH, 4 * WIDTH), (4 * WIDTH, WIDTH))
        )
        hidden = operations.gelu(operations.matmul(states, inner, False, False), "erf")
        states = operations.add(states, operations.matmul(hidden, outer, False, False))
    hint = {"float32": "f32", "bfloat16": "bf16"}[dtype]
    network = openvino.Model([states], [given], "trial")
    settings = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": 1}
    model = openvino.Core().compile_model(network, "CPU", settings)
    windows = random.standard_normal((CLIPS, POSITIONS, WIDTH), dtype=np.float32)

    def caption() -> None:
        model([windows])
        for _ in range(TOKENS):
            model([windows[:, :1]])

    return caption


WORKLOADS: dict[str, tuple[str, Callable[[Any, str], Workload]]] = {
    "training": ("torch", training),
    "torch": ("torch", in_torch),
    "ctranslate2": ("ctranslate2", in_ctranslate2),
    "openvino": ("openvino", in_openvino),
}
"""Engine to its library, and to a function that makes a workload from the library and a precision."""


def seconds_of(workload: Workload) -> float:
    """Return the shortest processor time of a workload in seconds, after one run that is not timed."""
    workload()
    times: list[float] = []
    while len(times) < REPETITIONS and sum(times) < LONGEST:
        start = time.process_time()
        workload()
        times.append(time.process_time() - start)
    return min(times)


def run_trial(engine: str, *dtypes: str) -> None:
    """Run the workload in each precision, and print a line of JSON for each."""
    library, make = WORKLOADS[engine]
    for dtype in dtypes:
        try:
            found: dict[str, Any] = {"seconds": seconds_of(make(import_module(library), dtype))}
        except (RuntimeError, ValueError) as error:  # the library does not support the precision on this CPU
            found = {"fault": (str(error) or type(error).__name__).splitlines()[0]}
        print(json.dumps({"dtype": dtype, **found}), flush=True)


if __name__ == "__main__":
    run_trial(*sys.argv[1:])
