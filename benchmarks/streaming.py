"""Training on 100,000 clips of half a second, streamed from 200 shards: time, memory, order of the clips.

    python benchmarks/streaming.py [--clips N] [--shards N] [--steps N] [--keep DIR]

A small model is trained on the clips in their shards, and on cached spectrograms, each in a separate process.
The order of the clips is compared between processes, between seeds, and with that of a run that was resumed.
"""

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from transformers import TrainerCallback

from budew.corpora import Clip, write_shard
from budew.profile import VoiceProfile
from budew.randomness import generator
from budew.taxonomy import EMOTIONS
from budew.training.dataset import training_dataset
from budew.training.preparation import prepare_corpora
from budew.training.recipe import Recipe
from budew.training.run import train

RATE, SOUNDS, BATCH = 16_000, 500, 64
COMPARED = 6400
"""Number of examples whose order is compared."""


def recipe_of(folder: Path, steps: int, *, seed: int, cached: bool) -> Recipe:
    """Return the recipe of a small run."""
    corpus = str(folder / "corpus")
    features = {"window_seconds": 1, "mel_bins": 80, "fourier": 512}
    size = {"width": 64, "encoder_layers": 1, "decoder_layers": 1, "heads": 2, "vocabulary": 1000}
    return Recipe.model_validate(
        {
            "name": "streaming",
            "seed": seed,
            "model": {"method": "scratch", "scratch": {"features": features, "size": size}},
            "data": {
                "train": corpus,
                "validation": corpus,
                "cache": str(folder / "cache"),
                "cache_features": cached,
                "workers": 2,
            },
            "target": {"kind": "template", "wording": "plain"},
            "optimizer": {"max_steps": steps, "batch_size": BATCH},
            "evaluation": {"every_steps": 10_000, "clips": 4, "keep": "last"},
            "report_to": (),
        }
    )


def write_corpus(folder: Path, clips: int, shards: int) -> None:
    """Write shards of short sounds, each with one emotion."""
    chance = np.random.default_rng(1)
    sounds = []
    for _ in range(SOUNDS):
        file = BytesIO()
        soundfile.write(file, 0.1 * chance.standard_normal(RATE // 2), RATE, format="FLAC")
        sounds.append(file.getvalue())

    def some(shard: int) -> Iterator[Clip]:
        for number in range(shard, clips, shards):
            profile = VoiceProfile({EMOTIONS[number % 40]: 0.75})
            yield Clip(f"clip-{number:06d}", sounds[number % SOUNDS], "flac", profile=profile)

    folder.mkdir(parents=True)
    for shard in range(shards):
        write_shard(folder / f"{shard:03d}.tar", some(shard))


class Clock(TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """Callback that records the time at the end of each step."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        """Record the time."""
        self.ends.append(time.perf_counter())


def run(recipe: Recipe) -> dict[str, float]:
    """Train; return seconds until the first step, examples per second afterwards, and bytes of memory."""
    clock, start = Clock(), time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        train(recipe, out=out, callbacks=[clock])
    own, worker = (
        resource.getrusage(who).ru_maxrss * 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    speed = BATCH * (len(clock.ends) - 1) / (clock.ends[-1] - clock.ends[0])
    return {"first": clock.ends[0] - start, "speed": speed, "own": own, "worker": worker}


def order(recipe: Recipe, start: int) -> dict[str, str]:
    """Return a digest of the clips and texts of examples from `start` on, and of the second half of them."""
    corpora = prepare_corpora(recipe, Path(), "train", recipe.model.scratch.features.extractor())
    examples = training_dataset(recipe, corpora, processor=None, max_tokens=0)
    lines, compared = [], min(COMPARED, len(examples))
    for number in range(start, compared):
        record = examples.record(number)
        text = examples.target(record, generator(recipe.seed, number, record.id)).text
        lines.append(f"{record.id} {text}")
    return {
        name: hashlib.sha256("\n".join(some).encode()).hexdigest()[:16]
        for name, some in {"all": lines, "second half": lines[compared // 2 - start :]}.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--shards", type=int, default=200)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="folder for corpus, index and spectrograms")
    parser.add_argument("--part", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        kind, value, seed = given.part
        recipe = recipe_of(given.keep, given.steps, seed=int(seed), cached=value == "spectrograms")
        print(json.dumps(order(recipe, int(value)) if kind == "order" else run(recipe)))
        return
    with nullcontext(given.keep) if given.keep else tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not (folder / "corpus").exists():
            write_corpus(folder / "corpus", given.clips, given.shards)
        print(f"{'':24}{'to 1st step, s':>15}{'examples/s':>12}{'memory, MB':>12}{'a worker, MB':>14}")
        speeds = {}
        for kept in ("streamed", "spectrograms"):
            for when in ("first run", "second run"):
                row = _part(given, folder, "run", kept, 1)
                speeds[kept] = row["speed"]
                print(
                    f"{kept + ', ' + when:24}{row['first']:15.1f}{row['speed']:12.0f}"
                    f"{row['own'] / 1e6:12.0f}{row['worker'] / 1e6:14.0f}"
                )
        print(f"streamed / spectrograms: {speeds['streamed'] / speeds['spectrograms']:.2f} in examples/s")
        for start, seed in ((0, 1), (0, 1), (0, 2), (min(COMPARED, given.steps * BATCH) // 2, 1)):
            digests = _part(given, folder, "order", str(start), seed)
            print(f"seed {seed}, from example {start:5}: {digests}")


def _part(given: argparse.Namespace, folder: Path, kind: str, value: str, seed: int) -> Any:
    """Run a part of the benchmark in another process."""
    command = [sys.executable, __file__, "--keep", str(folder), "--steps", str(given.steps)]
    ran = subprocess.run([*command, "--part", kind, value, str(seed)], stdout=subprocess.PIPE, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
