"""Resources for captioning a large corpus: hours on accelerators by size of Whisper, CPU core hours, disk.

Hours on accelerators are computed: operations of a clip (encoder on the window, decoder on 60 tokens),
divided by a share of the peak speed in the data sheet. Core hours are measured on this machine, on one
thread, as processor time, so that other programs count little: decoding (FLAC, log-mel spectrogram),
captioning the demo clips with the checkpoint of this package, and a Whisper small with random weights,
which takes as long as a trained one: 60 tokens on a window of 8 s, and the encoder on 30 s with 40 heads of
the published layout.

    python benchmarks/scale.py [--clips 9000000] [--seconds 6] [--share 0.15] [--bytes 50000] [--cores 192]
"""

import argparse
import io
import time
from typing import Any, Literal

import numpy as np
import soundfile
import torch
from rich.console import Console
from rich.table import Table
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

from budew.audio.samples import decode
from budew.corpora import read
from budew.inference import Captioner
from budew.io.resources import data_folder
from budew.model.generate import spectrograms
from budew.taxonomy import EMOTIONS
from budew.training.devices import accelerators
from budew.training.estimate import step_operations
from budew.training.initial_model import config_of
from budew.training.recipe import load_recipe

SIZES = ("tiny", "base", "small", "medium", "large-v3-turbo", "large-v3")
DEVICES = ("H100", "A100", "L40S", "L4", "RTX 4090")
WINDOWS = (8, 30)
NOTES = 1_500
"""Size of four captions, a profile and tar headers of a clip, in bytes."""
MEASURED = 200
BATCH = 8
TOKENS = 60
HEAD_WIDTH = 64
"""Outputs of the first layer of a small published head."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--clips", type=int, default=9_000_000)
    parser.add_argument("--seconds", type=float, default=6.0, help="mean duration of a clip")
    parser.add_argument("--share", type=float, default=0.15, help="share of the peak speed that is reached")
    parser.add_argument("--bytes", type=int, default=50_000, help="size of a clip on disk")
    parser.add_argument("--cores", type=int, default=192, help="number of CPU cores of a machine")
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
    torch.set_num_threads(1)
    table = Table("on a CPU", "clips/s and core", "core hours", f"hours on {given.cores} cores", box=None)
    for name, rate in (
        ("decoding, spectrogram", prepared_a_second(given.seconds)),
        ("captions, the checkpoint in the package, ctranslate2", captioned_a_second("ctranslate2")),
        ("captions, the checkpoint in the package, transformers", captioned_a_second("transformers")),
        ("captions, whisper-small, 8 s, transformers", generated_a_second("small", 8)),
        ("40 flattened heads, whisper-small, 30 s", scored_a_second("small", 30)),
    ):
        hours = given.clips / rate / 3600
        table.add_row(name, f"{rate:,.2f}", f"{hours:,.0f}", f"{hours / given.cores:,.1f}")
    Console().print(table)
    audio = given.clips * given.bytes
    print(f"shards in {audio / 1e12:,.2f} TB, out {(audio + given.clips * NOTES) / 1e12:,.2f} TB")


def prepared_a_second(seconds: float) -> float:
    """Return for how many clips per second a core decodes audio and computes spectrograms."""
    extractor = WhisperFeatureExtractor(chunk_length=WINDOWS[0])
    file = io.BytesIO()
    noise = np.random.default_rng(0).normal(0, 0.05, round(16_000 * seconds))
    soundfile.write(file, noise, 16_000, format="FLAC")
    start = time.process_time()
    for _ in range(MEASURED):
        spectrograms(extractor, [decode(file.getvalue()).samples[: extractor.n_samples]])
    return MEASURED / (time.process_time() - start)


def captioned_a_second(backend: Literal["ctranslate2", "transformers"]) -> float:
    """Return how many demo clips per second a core captions with the checkpoint in the package."""
    clips = list(read(data_folder("demo_clips") / "clips.tar"))
    sounds = [{"array": decode(clip.audio).usable, "sampling_rate": 16_000} for clip in clips]
    captioner = Captioner.from_pretrained(device="cpu", backend=backend, batch_size=BATCH)
    captioner(sounds[:BATCH])
    start = time.process_time()
    captioner(sounds)
    return len(sounds) / (time.process_time() - start)


def whisper(size: str, seconds: int) -> WhisperForConditionalGeneration:
    """Return a Whisper of this size and window with random weights."""
    config: Any = config_of(load_recipe(f"whisper-{size}-full", [f"model.window_seconds={seconds}"]).model)
    config.max_source_positions = 50 * seconds
    return WhisperForConditionalGeneration(config).eval()


def generated_a_second(size: str, seconds: int) -> float:
    """Return for how many windows per second a core generates `TOKENS` tokens each, in float32."""
    model: Any = whisper(size, seconds)
    features = torch.zeros(BATCH, model.config.num_mel_bins, 100 * seconds)
    start = time.process_time()
    with torch.inference_mode():
        model.generate(features, min_new_tokens=TOKENS, max_new_tokens=TOKENS)
    return BATCH / (time.process_time() - start)


def scored_a_second(size: str, seconds: int) -> float:
    """Return for how many windows per second a core computes 40 heads of the published layout, in float32.

    One head is computed 40 times: its first layer has 74 million weights, the others a thousandth of them.
    """
    encoder: Any = whisper(size, seconds).model.encoder
    features = torch.zeros(BATCH, encoder.config.num_mel_bins, 100 * seconds)
    head = torch.nn.Linear(50 * seconds * encoder.config.d_model, HEAD_WIDTH)
    start = time.process_time()
    with torch.inference_mode():
        states = encoder(features).last_hidden_state.flatten(1)
        for _ in EMOTIONS:
            head(states)
    return BATCH / (time.process_time() - start)


if __name__ == "__main__":
    main()
