"""Captions per second on this machine: pipeline of transformers ("stock"), faster-whisper, this package.

A Whisper of a published size with random weights generates 60 tokens for each clip; clips last 3 to 12 s, 6 s
on average. For this package the window of the model is 12 s, as if it had been trained on windows of at most
12 s. The table has medians, and ratios to the stock pipeline. Below it: the share of the peak speed of 8-bit
matrix products that the fastest backend reaches, and the time of each of its stages.

    python benchmarks/captioning.py [--size openai/whisper-small] [--clips 128] [--rounds 3]
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import faster_whisper
import numpy as np
import soundfile
import torch
from ctranslate2 import StorageView
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from torch.utils.flop_counter import FlopCounterMode
from training import write_base
from transformers import WhisperForConditionalGeneration, pipeline

from budew.inference import Captioner
from budew.inference.backends import CTranslate2Backend
from budew.inference.batching import gathered, padded_seconds
from budew.inference.file_captioning import caption_files
from budew.model.adapt import set_window, short_window
from budew.model.build import PREFIX
from budew.model.checkpoint import load_checkpoint
from budew.model.converted import convert_to_ctranslate2
from budew.model.quiet import quiet_transformers

RATE = 16_000
TOKENS = 60
WINDOW = 12
Samples = NDArray[np.float32]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--size", default="openai/whisper-small", help="a published size")
    parser.add_argument(
        "--clips", type=int, default=128, help="number of clips; the first two systems caption only 8 of them"
    )
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds; the median is printed")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        published, short = Path(folder) / "published", Path(folder) / "short"
        write_model(given.size, published, short)
        compare(published, short, clips_of(given.clips), given.rounds, Path(folder))


def clips_of(number: int) -> list[Samples]:
    """Return clips of noise, 3 to 12 s long, 6 s on average."""
    rng = np.random.default_rng(0)
    seconds = 3 + 9 * rng.beta(1, 2, number)
    return [rng.normal(0, 0.05, round(length * RATE)).astype(np.float32) for length in seconds]


def write_model(size: str, published: Path, short: Path) -> None:
    """Save a Whisper that generates at least 60 tokens: with the published window, and with one of 12 s."""
    write_base(size, published)
    checkpoint = load_checkpoint(published, device="cpu")
    settings = checkpoint.model.generation_config
    settings.suppress_tokens, settings.max_new_tokens = [settings.eos_token_id], TOKENS
    settings.save_pretrained(published)
    checkpoint.processor.feature_extractor.save_pretrained(published)
    processor = set_window(checkpoint.model, checkpoint.processor, WINDOW)
    settings.short_windows = True
    checkpoint.model.save_pretrained(short)
    processor.save_pretrained(short)


def compare(published: Path, short: Path, clips: Sequence[Samples], rounds: int, folder: Path) -> None:
    """Time each system and print the table."""
    few = clips[:: len(clips) // 8]
    stock = pipeline("automatic-speech-recognition", model=str(published), device="cpu")
    inputs = [{"raw": clip, "sampling_rate": RATE} for clip in few]
    convert_to_ctranslate2(published, folder / "published-int8", dtype="int8")
    rival = faster_whisper.WhisperModel(
        str(folder / "published-int8"), device="cpu", compute_type="int8", cpu_threads=torch.get_num_threads()
    )
    sides: dict[str, tuple[int, Callable[[], Any]]] = {
        "stock pipeline, float32": (len(few), lambda: stock([dict(one) for one in inputs])),
        "faster-whisper, int8": (len(few), lambda: [_fast(rival, clip) for clip in few]),
    }
    captioner = Captioner.from_pretrained(short, backend="ctranslate2", dtype="int8", device="cpu")
    arrays = [{"array": clip, "sampling_rate": RATE} for clip in clips]
    sides[f"budew, {captioner.backend.runs_on}"] = len(clips), lambda: captioner(arrays)
    files = folder / "files"
    files.mkdir()
    for number, clip in enumerate(clips):
        soundfile.write(files / f"{number:03d}.flac", clip, RATE)
    sides["the last, of FLAC files"] = len(clips), lambda: list(caption_files(captioner, [files]))
    seconds = {}
    with quiet_transformers():  # the stock pipeline warns at each call
        for name, (count, work) in sides.items():
            each = [_timed(work) for _ in range(rounds)]
            print(f"{name}: {', '.join(f'{second:.1f}' for second in each)} s", file=sys.stderr)
            seconds[name] = median(each) / count
    table = Table(box=None)
    for column in ("", "clips/s", "×"):
        table.add_column(column, justify="right" if column else "left")
    for name, took in seconds.items():
        ratio = next(iter(seconds.values())) / took
        table.add_row(name, f"{1 / took:.2f}", f"{ratio:.1f}")
    Console().print(table)
    explain(captioner, short, clips, len(clips) * list(seconds.values())[-2])


def _fast(model: Any, clip: Samples) -> list[str]:
    segments, _ = model.transcribe(
        clip, beam_size=1, language="en", without_timestamps=True, max_new_tokens=TOKENS, temperature=0.0
    )
    return [segment.text for segment in segments]


def explain(captioner: Captioner, short: Path, clips: Sequence[Samples], whole: float) -> None:
    """Print the reached share of the peak speed of matrix products, and the time of each stage."""
    backend = captioner.backend
    assert isinstance(backend, CTranslate2Backend)
    model = WhisperForConditionalGeneration.from_pretrained(short).eval()
    flops_of = cache(partial(_flops, model))
    batches = gathered(clips, lambda clip: padded_seconds(backend, len(clip)), captioner.options.batch_size)
    flops, spectrograms, encoder = 0, 0.0, 0.0

    def encode(window: torch.Tensor) -> None:
        backend.checkpoint.model.encode(StorageView.from_array(window.contiguous().numpy()))

    for seconds, windows in filter(None, batches):
        flops += len(windows) * flops_of(round(seconds * 100))
        start = time.perf_counter()
        features = backend.prepare(windows, seconds).features
        prepared = time.perf_counter()
        with ThreadPoolExecutor(backend.checkpoint.model.num_workers) as threads:
            list(threads.map(encode, torch.split(features, 1)))
        encoder += time.perf_counter() - prepared
        spectrograms += prepared - start
    peak = _peak()
    print(
        f"{flops / len(clips) / 1e9:.0f} GFLOP a clip; {flops / whole / 1e9:.0f} GFLOP/s, "
        f"{flops / whole / peak:.0%} of the {peak / 1e9:.0f} of 8-bit matrix products measured here"
    )
    print(
        f"of {whole:.1f} s: encoder {encoder:.1f} by itself, the rest is the decoder; "
        f"beside them: spectrograms {spectrograms:.1f}"
    )


def _flops(model: Any, frames: int) -> int:
    """Return the operations of the encoder, and of the decoder with a cache of keys and values."""
    with (
        torch.inference_mode(),
        FlopCounterMode(display=False) as counter,
        short_window(model.get_encoder(), frames),
    ):
        states = model.get_encoder()(torch.zeros(1, model.config.num_mel_bins, frames))
        tokens = torch.zeros(1, len(PREFIX) + TOKENS, dtype=torch.long)
        model(encoder_outputs=states, decoder_input_ids=tokens)
    flops: int = counter.get_total_flops()
    return flops


def _peak() -> float:
    """Return the operations per second of a large product of 8-bit matrices."""
    size = 2048
    a, b = (torch.randint(-100, 100, (size, size), dtype=torch.int8) for _ in range(2))
    took = min(_timed(lambda: torch._int_mm(a, b)) for _ in range(10))
    return 2 * size**3 / took


def _timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
