"""Clips per second of `AnnotateByLLM` with a fake model that answers at once, with and without faults.

This measures the cost of this package: decoding, encoding, hashing, HTTP, parsing and caching answers. The
numbers of annotated and failed clips are printed too, and the requests of a second run, which are none.
"""

import argparse
import io
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from budew.annotation.llm_annotator import AnnotateByLLM
from budew.chat.server_settings import ServerSettings
from budew.corpora import Clip

_RATE = 16_000


def main() -> None:
    """Print a line for each setting and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip())
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=5.0, help="duration of a clip")
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    clips = [Clip(f"clip-{n}", _noise(n, arguments.seconds), "wav") for n in range(arguments.clips)]
    for misbehave in (0.0, 0.3):
        with tempfile.TemporaryDirectory() as folder, _model(misbehave, arguments.seed) as url:
            server = ServerSettings(
                base_url=url,
                model="none",
                concurrency=arguments.concurrency,
                timeout=1.0,
                patience=30.0,
                cache=Path(folder) / "answers.sqlite",
            )
            job = AnnotateByLLM(server)
            for run in ("first run", "from cache"):
                print(f"misbehave {misbehave:.0%}, {run:10}", _line(job, clips, url))


def _line(job: AnnotateByLLM, clips: list[Clip], url: str) -> str:
    before = _requests(url)
    failures: dict[str, Exception] = {}
    start, worked = time.perf_counter(), time.process_time()
    done = list(job.run(iter(clips), failures.__setitem__))
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    if [clip.id for clip in done] != [clip.id for clip in clips if clip.id not in failures]:
        raise AssertionError("a clip is lost or out of order")
    told = f"{len(done):5} annotated {len(failures):3} failed {_requests(url) - before:5} requests"
    return f"{told} {len(clips) / seconds:7.1f} clips/s {1e3 * worked / len(clips):5.1f} ms of CPU a clip"


@contextmanager
def _model(misbehave: float, seed: int) -> Iterator[str]:
    """Run annotate_server.py in another process; yield its address."""
    script = Path(__file__).with_name("annotate_server.py")
    options = ["--port", "0", "--misbehave", str(misbehave), "--seed", str(seed), "--stall", "2"]
    with subprocess.Popen(
        [sys.executable, str(script), *options], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            yield (server.stdout.readline() if server.stdout else "").strip()
        finally:
            server.kill()


def _requests(url: str) -> int:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/stats") as response:
        return int(json.load(response)["requests"])


def _noise(number: int, seconds: float) -> bytes:
    samples = np.random.default_rng(number).normal(0, 0.1, round(seconds * _RATE))
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(_RATE)
        sound.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return file.getvalue()


if __name__ == "__main__":
    main()
