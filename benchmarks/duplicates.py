"""Whether exact copies, and only these, are found; the speed; and whether an interrupted run continues.

    python benchmarks/duplicates.py [CORPUS] [--clips N] [--workers N]

Each clip of a corpus (by default synthetic speech: a few sentences by the same voices) is copied as wav.
"""

import argparse
import io
import itertools
import tempfile
import time
from pathlib import Path

import soundfile

from budew.audio.samples import decode
from budew.corpora import Clip, read, write_shard
from budew.curation.duplicates import find_duplicates


def wav(clip: Clip) -> bytes:
    decoded = decode(clip.audio, sampling_rate=None)
    file = io.BytesIO()
    soundfile.write(file, decoded.samples, decoded.sampling_rate, format="WAV", subtype="PCM_16")
    return file.getvalue()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("corpus", nargs="?")
    options.add_argument("--clips", type=int, default=200)
    options.add_argument("--workers", type=int, default=1)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus = asked.corpus or synthetic(Path(folder) / "synthetic", asked.clips)
        measure(list(itertools.islice(read(corpus), asked.clips)), Path(folder), asked.workers)


def synthetic(folder: Path, clips: int) -> str:
    from budew.jobs import run as run_job
    from budew.synthesis import Synthesis

    run_job(Synthesis(3, "train"), range(clips), folder)
    return f"{folder}/*.tar"


def measure(clips: list[Clip], folder: Path, workers: int) -> None:
    copies = [Clip(f"{clip.id}-copy", wav(clip), "wav") for clip in clips]
    write_shard(folder / "copies.tar", [*clips, *copies])
    wanted = {frozenset((clip.id, f"{clip.id}-copy")) for clip in clips}
    for run in ("first run", "second run, by the cache"):
        start = time.perf_counter()
        found = find_duplicates(folder / "copies.tar", cache=folder / "hashes.sqlite", workers=workers)
        seconds = time.perf_counter() - start
        groups = {frozenset(id for id, _ in group) for group in found.groups}
        audio = 2 * 3600 * found.extra_hours
        print(
            f"{run}: {found.clips} clips in {seconds:.2f} s; pairs found {len(groups & wanted)} of "
            f"{len(wanted)}, other groups {len(groups - wanted)}, {audio:.0f} s of audio"
        )


if __name__ == "__main__":
    main()
