"""Whether rewriting that is killed many times has the same output as without, and pays for no answer twice.

    python benchmarks/paraphrase_kill.py --clips 2000 --shards 20 --kills 10 --seed 0

`budew paraphrase run` rewrites a corpus with a faulty chat server (paraphrase_server.py): once without
interruption, and once with SIGKILL at random moments, for the whole job, its first process, or one worker.
All files of both outputs are compared, and the server reports which requests it answered more than once. An
answer that is lost because of the kill is requested again; a server that honors `Idempotency-Key` does not
bill it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

from kill import check, done, ended, kill, wait_for
from paraphrase_server import started

from budew.captions import expressible
from budew.corpora import Clip, read, write_shard
from budew.paraphrase import judge
from budew.paraphrase.metrics.candidate_counts import CandidateCounts
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS, LEVELS


def make_corpus(folder: Path, clips: int, shards: int, random: Random) -> None:
    """Write clips with one to four emotions and very short audio; one in fifty has no profile."""
    for shard in range(shards):
        made = []
        for number in range(shard, clips, shards):
            emotions = {
                name: random.choice(LEVELS[1:]) for name in random.sample(EMOTIONS, random.randint(1, 4))
            }
            profile = VoiceProfile(emotions, traits={"gender": random.choice(("female", "male"))})
            made.append(Clip(f"clip-{number:06d}", b"RIFF", "wav", profile=profile if number % 50 else None))
        write_shard(folder / f"part-{shard:03d}.tar", made)


def stats(url: str) -> dict[str, Any]:
    """Return the statistics of the server."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/stats", timeout=10) as answer:
        told: dict[str, Any] = json.load(answer)
    return told


def start(source: Path, out: Path, url: str) -> subprocess.Popen[bytes]:
    """Start the job in a new process group."""
    command = [sys.executable, "-m", "budew", "paraphrase", "run", str(source), str(out), "--workers", "2"]
    asked = ["--backend", "chat", "--model", "m", "--base-url", url, "--set", "timeout=2"]
    kept = ["--set", f"cache={out.with_suffix('.sqlite')}"]
    return subprocess.Popen(
        [*command, *asked, *kept],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "OPENAI_API_KEY": ""},
    )


def told(name: str, seen: dict[str, Any]) -> str:
    again = seen["answered"] - seen["different"]
    return (
        f"{name}: {seen['requests']:,} requests, {seen['answered']:,} answered, {again:,} of them again,"
        f" {seen['paid_twice']:,} paid twice; {sum(seen['faults'].values()):,} faults"
    )


def passing(out: Path) -> None:
    """Check that every caption passes the gate, and that the counts are consistent."""
    counts, captions = CandidateCounts(), 0
    for clip in read(out):
        counts.add(clip)
        for caption in clip.captions:
            captions += 1
            verdict = judge(caption.text, expressible(clip.profile or VoiceProfile()))
            if not verdict.accepted:
                raise SystemExit(f"{clip.id}: {caption.text!r} does not pass: {verdict.reasons}")
    counted = sum(counts.counts[name] for name in ("accepted", "repaired", "fallbacks"))
    if counted != captions:
        raise SystemExit(f"{captions} captions, of which {counted} are counted")
    print(f"{captions:,} captions, all pass the gate, all are counted:", dict(counts.counts))


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--clips", type=int, default=2000)
    options.add_argument("--shards", type=int, default=20)
    options.add_argument("--kills", type=int, default=10)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--seconds", type=float, default=0.05, help="duration of an answer of the server")
    options.add_argument("--misbehave", type=float, default=0.2, help="share of requests that get a fault")
    asked = options.parse_args()
    random = Random(asked.seed)
    behavior = {"seed": asked.seed, "seconds": asked.seconds, "misbehave": asked.misbehave, "stall": 3}
    with tempfile.TemporaryDirectory() as folder:
        source, calm, killed = (Path(folder, name) for name in ("source", "calm", "killed"))
        make_corpus(source, asked.clips, asked.shards, random)
        with started(**behavior) as url:
            began = time.monotonic()
            print("undisturbed:", ended(start(source, calm, url)))
            seconds = time.monotonic() - began
            print(told("  server", stats(url)))
        passing(calm)
        kills, progress = Counter[str](), list[int]()
        with started(**behavior) as url:
            while kills.total() < asked.kills:
                job = start(source, killed, url)
                last = (asked.shards - 1) * (kills.total() + 1) // asked.kills
                wait_for(job, killed, shards=random.randint(last // 2, last), at_most=seconds)
                time.sleep(random.uniform(0, seconds / asked.shards))
                if job.poll() is not None:
                    raise SystemExit("the job ended before it could be killed: take more clips")
                kills[kill(job, random)] += 1
                progress.append(done(killed))
            print("killed:", ", ".join(f"{how} {count}" for how, count in sorted(kills.items())))
            print("shards done at each kill:", *progress)
            print("then:", ended(start(source, killed, url)))
            print(told("  server", stats(url)))
        check(source, calm, killed)


if __name__ == "__main__":
    main()
