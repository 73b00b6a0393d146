"""Whether every backend and precision writes the captions of float32: on fresh synthetic clips, in one run.

The table has the share of captions that are the same, greedy and with beams, the mean Spearman correlation
with the labels, and the rate against the reference.

    python benchmarks/parity.py [--model DIR] [--clips 400] [--seed 90210] [--beams 4]
"""

import argparse
import time
from collections.abc import Sequence
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console
from rich.table import Table

from budew.corpora import Clip, read
from budew.errors import BudewError
from budew.evaluation.metrics import score_emotions
from budew.inference import Captioned, Captioner
from budew.inference.backends import load_backend
from budew.profile import VoiceProfile, intensity_matrix
from budew.synthesis import synthesize_corpus

SIDES = (
    ("transformers", "float32"),
    ("transformers", "bfloat16"),
    ("transformers", "float16"),
    ("transformers", "int8"),
    ("ctranslate2", "float32"),
    ("ctranslate2", "float16"),
    ("ctranslate2", "int8"),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--model", default=None, help="folder or hub id; the embedded checkpoint by default")
    parser.add_argument("--clips", type=int, default=400)
    parser.add_argument("--seed", type=int, default=90210)
    parser.add_argument("--beams", type=int, default=4)
    given = parser.parse_args()
    table = Table("", "beams", "same captions", "mean Spearman", "difference", "clips/s", "×", box=None)
    with TemporaryDirectory() as folder:
        synthesize_corpus(folder, clips=given.clips, seed=given.seed, split="test")
        clips = list(read(folder))
        references: dict[int, tuple[list[str], float, float]] = {}
        for kind, dtype in SIDES:
            try:
                backend = load_backend(given.model, backend=kind, dtype=dtype)
            except BudewError as error:
                table.add_row(f"{kind}, {dtype}", "", str(error)[:60])
                continue
            for beams in (1, given.beams):
                captions, score, rate = _measured(Captioner(backend, num_beams=beams), clips)
                reference = references.setdefault(beams, (captions, score, rate))
                same = np.mean([one == other for one, other in zip(captions, reference[0], strict=True)])
                row = f"{same:.3f}", f"{score:.3f}", f"{score - reference[1]:+.3f}"
                table.add_row(backend.runs_on, str(beams), *row, f"{rate:.1f}", f"{rate / reference[2]:.1f}")
    Console().print(table)


def _measured(captioner: Captioner, clips: Sequence[Clip]) -> tuple[list[str], float, float]:
    """Return captions, mean Spearman correlation with the labels, and clips a second."""
    start = time.perf_counter()
    results = [one for one in captioner.caption_clips(clips) if isinstance(one, Captioned)]
    took = time.perf_counter() - start
    labels = intensity_matrix([clip.profile or VoiceProfile() for clip in clips])
    said = intensity_matrix([one.profile for one in results])
    score = float(score_emotions(labels, said).mean["spearman"][0])
    return [one.caption for one in results], score, len(clips) / took


if __name__ == "__main__":
    main()
