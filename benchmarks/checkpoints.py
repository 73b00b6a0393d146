"""Captions per second of checkpoints, by this package and by the pipeline of transformers ("stock").

    python benchmarks/checkpoints.py CHECKPOINT ... [--clips 128] [--rounds 3]

Each checkpoint captions or transcribes synthetic speech of a few seconds, greedily, in batches of 16. The
stock pipeline pads each clip to the window of the checkpoint. Ratios are to the first line.

    python benchmarks/checkpoints.py openai/whisper-base checkpoints/budew-base
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table
from transformers import pipeline

from budew.audio.samples import decode
from budew.corpora import read
from budew.inference import Captioner
from budew.jobs import run
from budew.model.quiet import quiet_transformers
from budew.synthesis import Synthesis

BATCH = 16
DTYPE = "float32"
TOKENS = 64
"""Most tokens of a text by the pipeline: speech recognizers may repeat themselves on synthetic speech."""


def main() -> None:
    """Time each side and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoints", nargs="+", metavar="CHECKPOINT", help="folder or hub id of a Whisper")
    parser.add_argument("--clips", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds; the median is printed")
    parser.add_argument("--seed", type=int, default=90210, help="random seed of the speech")
    given = parser.parse_args()
    with TemporaryDirectory() as folder, quiet_transformers():
        run(Synthesis(given.seed, "test"), range(given.clips), folder)
        clips = [
            {"raw": decode(clip.audio, name=clip.id).usable, "sampling_rate": 16_000} for clip in read(folder)
        ]
        table = Table("", "clips/s", "×", "words a clip", box=None)
        first = None
        for checkpoint in given.checkpoints:
            for name, caption in (("stock pipeline", stock(checkpoint)), ("budew", ours(checkpoint))):
                texts, seconds = timed(caption, clips, given.rounds)
                print(f"{checkpoint}, {name}: {seconds:.1f} s, {texts[0]!r}", file=sys.stderr)
                rate = len(clips) / seconds
                first = first or rate
                words = sum(len(text.split()) for text in texts) / len(texts)
                table.add_row(
                    f"{Path(checkpoint).name}, {name}", f"{rate:.1f}", f"{rate / first:.2f}", f"{words:.1f}"
                )
        Console().print(table)


Clips = list[dict[str, Any]]
Writer = Callable[[Clips], list[str]]


def stock(checkpoint: str) -> Writer:
    """Return a function that captions clips by the pipeline of transformers."""
    transcribe = pipeline("automatic-speech-recognition", model=checkpoint, device="cpu", dtype=DTYPE)

    def write(clips: Clips) -> list[str]:
        found: Any = transcribe(
            [dict(clip) for clip in clips],
            batch_size=BATCH,
            generate_kwargs={"max_new_tokens": TOKENS, "num_beams": 1},
        )
        return [one["text"] for one in found]

    return write


def ours(checkpoint: str) -> Writer:
    """Return a function that captions clips by this package."""
    captioner = Captioner.from_pretrained(
        checkpoint, device="cpu", dtype=DTYPE, batch_size=BATCH, num_beams=1
    )

    def write(clips: Clips) -> list[str]:
        arrays = [{"array": clip["raw"], "sampling_rate": clip["sampling_rate"]} for clip in clips]
        return [one.caption for one in captioner(arrays)]

    return write


def timed(write: Writer, clips: Clips, rounds: int) -> tuple[list[str], float]:
    """Return the texts, and the median seconds of `rounds` rounds after a first batch."""
    write(clips[:BATCH])
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        texts = write(clips)
        seconds.append(time.perf_counter() - start)
    return texts, median(seconds)


if __name__ == "__main__":
    main()
