"""Whether all backends and precisions write the same captions as float32, on new synthetic clips.

The table has the share of equal captions, greedy and with beams, the mean Spearman correlation with the
labels, and the speed as ratio to that of float32.

    python benchmarks/parity.py [--model DIR] [--clips 400] [--seed 90210] [--beams 4]
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console
from rich.table import Table

from budew.corpora import read
from budew.errors import BudewError
from budew.evaluation.parity import captions_and_score
from budew.inference import Captioner
from budew.inference.backends import Backend
from budew.inference.loading import load_backend
from budew.inference.options import BACKENDS, ModelOptions, WritingOptions
from budew.jobs import run
from budew.model.exporting import Format, export_checkpoint
from budew.synthesis import Synthesis

SIDES = (
    ("transformers", "float32"),
    ("transformers", "bfloat16"),
    ("transformers", "float16"),
    ("transformers", "int8"),
    ("ctranslate2", "float32"),
    ("ctranslate2", "float16"),
    ("ctranslate2", "int8"),
    ("onnx", "float32"),
    ("onnx", "int8"),
    ("openvino", "float32"),
    ("openvino", "float16"),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--model", default=None, help="folder or hub id of a checkpoint")
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--seed", type=int, default=90210)
    parser.add_argument("--beams", type=int, default=4)
    given = parser.parse_args()
    table = Table("", "beams", "same captions", "mean Spearman", "difference", "clips/s", "×", box=None)
    with TemporaryDirectory() as folder:
        run(Synthesis(given.seed, "test"), range(given.clips), f"{folder}/corpus")
        clips = list(read(f"{folder}/corpus"))
        references: dict[int, tuple[list[str], float, float]] = {}
        for kind, dtype in SIDES:
            try:
                backend = _loaded(given.model, kind, dtype, Path(folder))
            except BudewError as error:
                table.add_row(f"{kind}, {dtype}", "", str(error)[:60])
                continue
            for beams in (1, given.beams):
                start = time.perf_counter()
                captions, found = captions_and_score(
                    Captioner(backend, WritingOptions(num_beams=beams)), clips
                )
                score = found or 0.0
                rate = len(clips) / (time.perf_counter() - start)
                reference = references.setdefault(beams, (captions, score, rate))
                same = np.mean([one == other for one, other in zip(captions, reference[0], strict=True)])
                row = f"{same:.3f}", f"{score:.3f}", f"{score - reference[1]:+.3f}"
                table.add_row(backend.runs_on, str(beams), *row, f"{rate:.1f}", f"{rate / reference[2]:.1f}")
    Console().print(table)


def _loaded(model: str | None, kind: str, dtype: str, folder: Path) -> Backend:
    if kind in BACKENDS:
        return load_backend(ModelOptions(model, backend=kind, device="cpu", dtype=dtype))
    to: Format = "onnx" if kind == "onnx" else "openvino"
    return load_backend(
        ModelOptions(export_checkpoint(folder / f"{kind}-{dtype}", to=to, model=model, dtype=dtype))
    )


if __name__ == "__main__":
    main()
