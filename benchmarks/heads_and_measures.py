"""Speed of annotation: acoustic measures compared with pYIN of librosa; heads of the published size by batch.

    python benchmarks/heads_and_measures.py [--heads 4]

Measurement runs on the bundled clips. Heads are random, 1500 × 768 → 64 → … → 1 (295 MB each), mapped from
disk, and are timed without an encoder.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import librosa
import numpy as np
import torch

from budew.annotation.acoustic_measures import HIGHEST, LOWEST, acoustic_measures
from budew.audio.samples import SAMPLING_RATE, decode
from budew.corpora import read
from budew.heads.head_files import head_file_name, load_heads
from budew.io.resources import data_folder
from budew.taxonomy import EMOTIONS

INPUTS, WIDTHS = 1500 * 768, (64, 64, 32, 16, 1)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--heads", type=int, default=4, help="number of heads; each takes 295 MB of disk")
    time_measurement()
    time_heads(parser.parse_args().heads)


def time_measurement() -> None:
    """Time all measures of clips, and pYIN alone with the default settings of librosa."""
    clips = [decode(clip.audio).samples for clip in read(data_folder("demo_clips") / "clips.tar")]
    audio = sum(map(len, clips)) / SAMPLING_RATE

    def untouched(samples: np.ndarray) -> None:
        librosa.pyin(samples, fmin=LOWEST, fmax=HIGHEST, sr=SAMPLING_RATE, frame_length=1024, hop_length=160)

    first = seconds(lambda: acoustic_measures(clips[0]))
    print(f"the first clip, with what numba compiles or loads: {first:.1f} s")
    untouched(clips[0])
    for name, work in (
        ("pYIN as librosa sets it (baseline)", untouched),
        ("all measures", acoustic_measures),
    ):
        spent = seconds(lambda work=work: [work(samples) for samples in clips])  # type: ignore[misc]
        print(f"{name:36} {audio / spent:7.1f} times real time")


def time_heads(count: int) -> None:
    """Time heads of the published size, mapped from disk, on batches of several sizes."""
    with tempfile.TemporaryDirectory() as folder:
        for name in EMOTIONS[:count]:
            write_head(Path(folder) / head_file_name(name))
        heads = load_heads(folder)
        for size in (1, 16, 64):
            inputs = torch.randn(size, INPUTS)
            with torch.inference_mode():
                spent = min(seconds(lambda inputs=inputs: each(heads, inputs)) for _ in range(2))  # type: ignore[misc]
            per_clip = 1000 * spent / size / count
            print(
                f"batch of {size:3}: {per_clip:7.2f} ms a clip and head; {55 * per_clip:7.0f} ms for 55 heads"
            )


def each(heads: Iterable[Callable[[torch.Tensor], torch.Tensor]], inputs: torch.Tensor) -> None:
    """Apply every head."""
    for head in heads:
        head(inputs)


def write_head(path: Path) -> None:
    """Write a head with random weights."""
    weights, before = {}, INPUTS
    for number, width in enumerate(WIDTHS):
        name = f"mlp.{3 * number - 1}" if number else "proj"
        weights[f"{name}.weight"] = torch.randn(width, before) * before**-0.5
        weights[f"{name}.bias"] = torch.zeros(width)
        before = width
    torch.save(weights, path)


def seconds(work: Callable[[], object]) -> float:
    """Return how many seconds `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
