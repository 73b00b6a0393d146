"""Whether a job that is killed many times has the same output, byte for byte, as one that is not.

    python benchmarks/kill.py --clips 2000 --shards 20 --kills 20 --seed 0

`budew corpus convert` converts shards of short clips, some of them broken, with two workers: first without
interruption; then the same job is started and killed with SIGKILL at random moments (the whole job, or one
worker), until it is allowed to finish. All files of both outputs are compared.
"""

import argparse
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import soundfile

from budew.corpora import Clip, read, write_shard
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS


def make_corpus(folder: Path, clips: int, shards: int, random: Random) -> None:
    """Write clips of faint noise, 5 to 15 s long, as FLAC; one in fifty is damaged."""
    noise = np.random.default_rng(random.getrandbits(32))
    for shard in range(shards):
        made = []
        for number in range(shard, clips, shards):
            file = io.BytesIO()
            samples = noise.normal(0, 1e-4, random.randint(80_000, 240_000))
            soundfile.write(file, samples, 16_000, format="FLAC")
            audio = file.getvalue() if number % 50 else b"fLaC" + bytes(30)
            profile = VoiceProfile({random.choice(EMOTIONS): random.choice((0.25, 0.5, 1.0))})
            made.append(Clip(f"clip-{number:06d}", audio, "flac", profile=profile))
        write_shard(folder / f"part-{shard:03d}.tar", made)


def start(source: Path, out: Path) -> subprocess.Popen[bytes]:
    """Start the job in a new process group."""
    command = [sys.executable, "-m", "budew", "corpus", "convert", str(source), str(out), "--workers", "2"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )


def below(pid: int) -> list[int]:
    """Return all descendants of a process."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(stat.parent.name)] = int(fields[1])
    found = [pid]
    for ancestor in found:
        found += [child for child, parent in parents.items() if parent == ancestor]
    return found[1:]


def kill(job: subprocess.Popen[bytes], random: Random) -> str:
    """Kill the whole job, only its first process, or only one worker."""
    how = random.choice(("all", "parent", "worker"))
    workers = below(job.pid)
    if how == "worker" and workers:
        os.kill(random.choice(workers), signal.SIGKILL)
        time.sleep(random.random())
        how += ", then all"
    try:
        if how == "parent":
            os.kill(job.pid, signal.SIGKILL)
        else:
            os.killpg(job.pid, signal.SIGKILL)
    except ProcessLookupError:
        how = "had ended"
    job.wait()
    return how


def done(out: Path) -> int:
    """Return how many shards are complete."""
    return len(list(out.glob("notes/*.json")))


def wait_for(job: subprocess.Popen[bytes], out: Path, *, shards: int, at_most: float) -> None:
    """Wait until `shards` shards are complete, the job has ended, or `at_most` seconds are over."""
    deadline = time.monotonic() + at_most
    while done(out) < shards and job.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)


def contents(folder: Path) -> dict[str, str]:
    """Return the digest of each file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def ended(job: subprocess.Popen[bytes]) -> str:
    output = job.communicate()[0].decode().strip()
    if job.returncode not in (0, 1):
        raise SystemExit(f"the job ended with {job.returncode}: {output}")
    return output


def check(source: Path, calm: Path, killed: Path) -> None:
    """Compare the outputs with each other and with the input."""
    left, right = contents(calm), contents(killed)
    differing = [name for name in sorted({*left, *right}) if left.get(name) != right.get(name)]
    if differing:
        raise SystemExit(f"{len(differing)} files differ or are in one output only: {differing[:5]}")
    unfinished = [name for name in right if Path(name).name.startswith(".")]
    if unfinished:
        raise SystemExit(f"unfinished files were left: {unfinished[:5]}")
    there = Counter(clip.id for clip in read(killed))
    failed = Counter(json.loads(line)["clip"] for line in (killed / "failures.jsonl").open())
    given = Counter(clip.id for clip in read(source))
    if there + failed != given or max(given.values()) > 1:
        raise SystemExit("clips were lost or written twice")
    print(
        f"{len(right)} files the same byte for byte; {len(there):,} clips and {len(failed):,} failures"
        f" are the {len(given):,} clips of the input, each once; no unfinished file"
    )


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--clips", type=int, default=2000)
    options.add_argument("--shards", type=int, default=20)
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()
    random = Random(asked.seed)
    with tempfile.TemporaryDirectory() as folder:
        source, calm, killed = (Path(folder, name) for name in ("source", "calm", "killed"))
        make_corpus(source, asked.clips, asked.shards, random)
        began = time.monotonic()
        print("undisturbed:", ended(start(source, calm)))
        seconds = time.monotonic() - began
        kills, progress = Counter[str](), list[int]()
        while kills.total() < asked.kills:
            job = start(source, killed)
            last = (asked.shards - 1) * (kills.total() + 1) // asked.kills
            wait_for(job, killed, shards=random.randint(last // 2, last), at_most=seconds)
            time.sleep(random.uniform(0, seconds / asked.shards))
            if job.poll() is not None:
                raise SystemExit("the job ended before it could be killed: take more clips, or fewer kills")
            kills[kill(job, random)] += 1
            progress.append(done(killed))
        print("killed:", ", ".join(f"{how} {count}" for how, count in sorted(kills.items())))
        print("shards done at each kill:", *progress)
        print("then:", ended(start(source, killed)))
        check(source, calm, killed)


if __name__ == "__main__":
    main()
