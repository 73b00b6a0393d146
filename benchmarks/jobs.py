"""Overhead of the job runner: clips per second of a job that does nothing, and the gain of a second worker.

    python benchmarks/jobs.py --clips 20000

The baseline reads the same shards with plain webdataset and writes them again with its `TarWriter`: without
checks, records, resumption and flushing to disk. The last lines are for a job that decodes each clip, with
one worker and with two.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from budew.corpora import Clip, write_shard
from budew.jobs import Job, OnFailed, run
from budew.jobs.convert import Convert
from budew.profile import VoiceProfile


@dataclass(frozen=True, slots=True)
class Nothing:
    """Job that yields clips unchanged."""

    name: str = "nothing"

    def settings(self) -> Mapping[str, Any]:
        """Return no settings."""
        return {}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Yield the clips."""
        return clips


def make_corpus(folder: Path, clips: int, seconds: float) -> None:
    """Write shards of 500 clips of noise."""
    file = io.BytesIO()
    noise = np.random.default_rng(0).normal(0, 0.1, round(16_000 * seconds))
    soundfile.write(file, noise, 16_000, format="FLAC")
    profile = VoiceProfile({"Anger": 0.5, "Sadness": 0.25}, ["Sobs"], {"gender": "female"})
    for start in range(0, clips, 500):
        ids = [f"clip-{number:08d}" for number in range(start, min(start + 500, clips))]
        made = [Clip(id, file.getvalue(), "flac", profile=profile, transcript="Well, well.") for id in ids]
        write_shard(folder / f"part-{start:08d}.tar", made)


def plain_loop(source: Path, out: Path) -> None:
    """Read and write shards with webdataset only."""
    import webdataset  # takes seconds, and workers, which import this module, do not need it
    from webdataset.writer import TarWriter

    out.mkdir()
    for shard in sorted(source.glob("*.tar")):
        with TarWriter(str(out / shard.name), encoder=False) as writer:
            for sample in webdataset.WebDataset(str(shard), shardshuffle=False):
                writer.write({key: value for key, value in sample.items() if not key.startswith("__url")})


def seconds_of(work: Any, *given: Any, **more: Any) -> float:
    start = time.monotonic()
    work(*given, **more)
    return time.monotonic() - start


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--clips", type=int, default=20_000)
    options.add_argument("--seconds", type=float, default=1.0, help="duration of each clip")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        source = place / "source"
        make_corpus(source, asked.clips, asked.seconds)
        plain = min(seconds_of(plain_loop, source, place / f"plain{turn}") for turn in range(2))
        print(f"plain webdataset loop       {asked.clips / plain:10,.0f} clips/s   1.00")
        jobs: list[tuple[str, Job, int]] = [
            ("runner, nothing, here", Nothing(), 0),
            ("runner, nothing, 1 worker", Nothing(), 1),
            ("runner, nothing, 2 workers", Nothing(), 2),
            ("runner, decode, 1 worker", Convert(), 1),
            ("runner, decode, 2 workers", Convert(), 2),
        ]
        for what, job, workers in jobs:
            taken = min(
                seconds_of(run, job, source, place / f"{what}{turn}", workers=workers) for turn in range(2)
            )
            print(f"{what:27} {asked.clips / taken:10,.0f} clips/s  {plain / taken:5.2f}")


if __name__ == "__main__":
    main()
