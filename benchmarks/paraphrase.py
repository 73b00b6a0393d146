"""Overhead of this package when a chat server rewrites captions, as share of the ideal throughput.

    python benchmarks/paraphrase.py --seconds 0.05 --concurrency 64 --workers 1 2

A local server in another process answers each request after `--seconds` with a caption that passes the gate.
The ideal throughput is concurrency / seconds answers per second. Measured are the backend (prompts, requests,
cache, cleaning of answers) and the whole job (also reading shards, templates, the gate and writing), with the
concurrent requests divided among `--workers` processes.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from paraphrase_server import started

from budew import VoiceProfile, render
from budew.chat.server_settings import ServerSettings
from budew.corpora import Clip, write_shard
from budew.jobs import run
from budew.jobs.workers import collect_garbage_rarely
from budew.paraphrase import Paraphrase, RewriteRequest, Rewriting, load_prompts
from budew.paraphrase.chat_backend import ChatBackend

PROFILE = VoiceProfile({"Anger": 0.75, "Fear": 0.25}, traits={"gender": "female", "age": "elderly"})
ANSWER = "Listen to this old woman: she seethes with deep rage, and beneath it lies a faint dread."


def backend(url: str, concurrency: int, cache: Path) -> ChatBackend:
    return ChatBackend(ServerSettings(base_url=url, model="model", concurrency=concurrency, cache=cache))


def asked(url: str, concurrency: int, cache: Path, worker: int, count: int) -> tuple[float, float]:
    """Send `count` different requests; return the times of start and end."""
    collect_garbage_rarely()  # as the workers of a job do
    prompts = load_prompts()
    requests = [
        RewriteRequest(
            f"clip-{worker}-{n}",
            render(PROFILE, seed=n),
            PROFILE,
            n,
            style=prompts.style_of(worker, "", n % 8),
        )
        for n in range(count)
    ]

    async def one_after_the_other(opened: ChatBackend, left: Iterator[RewriteRequest]) -> None:
        for request in left:
            (answer,) = await opened.rewrite([request])
            assert answer.texts, answer

    async def ask() -> tuple[float, float]:
        async with backend(url, concurrency, cache) as opened:
            await opened.rewrite(requests[:concurrency])  # opens the connections before the measurement
            start, left = time.time(), iter(requests[concurrency:])
            await asyncio.gather(*(one_after_the_other(opened, left) for _ in range(concurrency)))
            return start, time.time()

    return asyncio.run(ask())


def of_backend(url: str, concurrency: int, workers: int, count: int, folder: Path) -> float:
    """Return the answers per second of the backend."""
    each = count // workers
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(abs, range(workers)))
        jobs = [
            pool.submit(asked, url, concurrency // workers, folder / f"b{workers}.sqlite", worker, each)
            for worker in range(workers)
        ]
        times = [job.result() for job in jobs]
    return (
        (each - concurrency // workers)
        * workers
        / (max(end for _, end in times) - min(start for start, _ in times))
    )


def of_job(url: str, concurrency: int, workers: int, count: int, folder: Path) -> float:
    """Return the clips per second of the job, with one caption each."""
    source = folder / f"in{workers}"
    for worker in range(workers):
        clips = [Clip(f"{worker}-{n:06d}", b"RIFF", "wav", profile=PROFILE) for n in range(count // workers)]
        write_shard(source / f"{worker}.tar", clips)
    writer = backend(url, concurrency // workers, folder / f"j{workers}.sqlite")
    job = Paraphrase(writer, Rewriting(candidates=1, attempts=1))
    small = folder / f"small{workers}"
    for worker in range(workers):
        write_shard(small / f"{worker}.tar", [Clip(f"s{worker}", b"RIFF", "wav", profile=PROFILE)])
    start = time.perf_counter()
    run(job, small, folder / f"warm{workers}", workers=workers)
    starting = time.perf_counter() - start
    start = time.perf_counter()
    summary = run(job, source, folder / f"out{workers}", workers=workers)
    return summary.clips / (time.perf_counter() - start - starting)


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--seconds", type=float, default=0.05, help="duration of an answer")
    options.add_argument("--concurrency", type=int, default=64)
    options.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    options.add_argument("--requests", type=int, default=20_000)
    asked_for = options.parse_args()
    ideal = asked_for.concurrency / asked_for.seconds
    os.environ["OPENAI_API_KEY"] = ""
    with tempfile.TemporaryDirectory() as folder, started(same=ANSWER, seconds=asked_for.seconds) as url:
        print(f"ideal: {asked_for.concurrency} requests of {asked_for.seconds:g} s: {ideal:,.0f} a second")
        for workers in asked_for.workers:
            given = (url, asked_for.concurrency, workers, asked_for.requests, Path(folder))
            for name, measured in (("backend", of_backend(*given)), ("whole job", of_job(*given))):
                print(f"  {workers} workers, {name}: {measured:,.0f}/s, {measured / ideal:.0%} of that")


if __name__ == "__main__":
    main()
