"""Resources for captioning a large corpus: hours on accelerators by size of Whisper, CPU cores, disk.

Hours are computed: operations of a clip (encoder on the window, decoder on 60 tokens), divided by a share of
the peak speed in the data sheet. How many clips a CPU core prepares (FLAC decoding, log-mel spectrogram) is
measured on this machine.

    python benchmarks/scale.py [--clips 9000000] [--seconds 6] [--share 0.15] [--bytes 50000]
"""

import argparse
import io
import time

import numpy as np
import soundfile
import torch
from rich.console import Console
from rich.table import Table
from transformers import WhisperFeatureExtractor

from budew.audio.samples import decode
from budew.model.generate import spectrograms
from budew.training.devices import accelerators
from budew.training.estimate import step_operations
from budew.training.recipe import load_recipe

SIZES = ("tiny", "base", "small", "medium", "large-v3-turbo", "large-v3")
DEVICES = ("H100", "A100", "L40S", "L4", "RTX 4090")
WINDOWS = (8, 30)
NOTES = 1_500
"""Size of four captions, a profile and tar headers of a clip, in bytes."""
MEASURED = 200


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--clips", type=int, default=9_000_000)
    parser.add_argument("--seconds", type=float, default=6.0, help="mean duration of a clip")
    parser.add_argument("--share", type=float, default=0.15, help="share of the peak speed that is reached")
    parser.add_argument("--bytes", type=int, default=50_000, help="size of a clip on disk")
    given = parser.parse_args()
    table = Table("hours", "window, s", "GFLOP", *DEVICES, box=None)
    for size in SIZES:
        for seconds in WINDOWS:
            recipe = load_recipe(f"whisper-{size}-full", [f"model.window_seconds={seconds}"])
            work = step_operations(recipe)
            if work is None:
                continue
            flops = work.flops / 3  # of a training step: the backward pass costs twice the forward pass
            hours = [
                given.clips * flops / (accelerators()[name]["tflops"] * 1e12 * given.share) / 3600
                for name in DEVICES
            ]
            table.add_row(size, str(seconds), f"{flops / 1e9:,.0f}", *(f"{one:,.1f}" for one in hours))
    Console().print(table)
    rate = prepared_a_second(given.seconds)
    print(f"one core decodes and prepares {rate:,.0f} clips/s: {given.clips / rate / 3600:,.1f} core hours")
    audio = given.clips * given.bytes
    print(f"shards in {audio / 1e12:,.2f} TB, out {(audio + given.clips * NOTES) / 1e12:,.2f} TB")


def prepared_a_second(seconds: float) -> float:
    """Return for how many clips per second a core decodes audio and computes spectrograms."""
    torch.set_num_threads(1)
    extractor = WhisperFeatureExtractor(chunk_length=WINDOWS[0])
    file = io.BytesIO()
    noise = np.random.default_rng(0).normal(0, 0.05, round(16_000 * seconds))
    soundfile.write(file, noise, 16_000, format="FLAC")
    start = time.perf_counter()
    for _ in range(MEASURED):
        spectrograms(extractor, [decode(file.getvalue()).samples[: extractor.n_samples]])
    return MEASURED / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
