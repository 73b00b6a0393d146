"""Whether copies of clips, and only these, are found; the speed; and whether an interrupted run continues.

    python benchmarks/duplicates.py [CORPUS…] [--clips N] [--test N] [--workers N]

`budew corpus overlap` is measured with clips of a test set that are planted in the training data: a quarter
as they are, a quarter as mp3 at 64 kbit/s, a quarter without 0.5 s at both ends, and a quarter 6 dB softer
with white noise at 30 dB. `budew corpus duplicates` is measured with copies of up to 200 clips as wav. By
default the clips are synthetic speech: a few sentences by the same voices.
"""

import argparse
import io
import os
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import av
import numpy as np

from budew.audio.samples import decode, encode_audio
from budew.corpora import Clip, read, write_shard
from budew.curation.duplicates import find_duplicates
from budew.curation.overlap import find_overlap
from budew.errors import AudioError
from budew.randomness import generator

KINDS = ("as it is", "mp3", "cut", "noise")
SHORTEST = 2.0
"""Clips shorter than this many seconds are left out."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("corpora", nargs="*")
    options.add_argument("--clips", type=int, default=10_000, help="training clips at most")
    options.add_argument("--test", type=int, default=1_000, help="test clips")
    options.add_argument("--planted", type=int, default=100)
    options.add_argument("--workers", type=int, default=1)
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpora = asked.corpora or [synthetic(Path(folder) / "synthetic", 1_000)]
        clips = [
            replace(clip, id=f"{number}/{clip.id}", metadata={})
            for number, corpus in enumerate(corpora)
            for clip in read(corpus, on_bad=print)
            if seconds_of(clip) >= SHORTEST
        ]
        generator("order", asked.seed).shuffle(clips)
        size = min(asked.test, len(clips) // 3)
        test, train = clips[:size], clips[size : size + asked.clips]
        overlap(test, train, min(asked.planted, size), Path(folder), asked.workers)
        copies([clip for clip in clips if clip.format in ("wav", "flac")][:200], Path(folder), asked.workers)


def synthetic(folder: Path, clips: int) -> str:
    from budew.jobs import run as run_job
    from budew.synthesis import Synthesis

    run_job(Synthesis(3, "train"), range(clips), folder)
    return f"{folder}/*.tar"


def seconds_of(clip: Clip) -> float:
    try:
        decoded = decode(clip.audio, sampling_rate=None)
    except AudioError as error:
        print(error)
        return 0.0
    return len(decoded.samples) / decoded.sampling_rate


def changed(clip: Clip, kind: str) -> tuple[bytes, str]:
    """Return a copy of a clip as encoded audio, and its suffix."""
    if kind == "as it is":
        return clip.encoded(), clip.format
    rate = 44_100 if kind == "mp3" else None
    decoded = decode(clip.audio, sampling_rate=rate)
    rate, samples = decoded.sampling_rate, decoded.samples.astype(np.float64)
    if kind == "mp3":
        return mp3(samples, rate), "mp3"
    if kind == "cut":
        samples = samples[rate // 2 : -(rate // 2)]
    else:
        samples = samples / 2
        noise = np.random.default_rng(len(samples)).normal(0, 1, len(samples))
        samples += noise * np.sqrt(np.mean(samples**2) / 1_000)
    return encode_audio(samples.clip(-1, 1), rate, "FLAC"), "flac"


def mp3(samples: np.ndarray, rate: int) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        stream = container.add_stream("mp3", rate=rate, layout="mono")
        stream.bit_rate = 64_000
        frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return file.getvalue()


def overlap(test: list[Clip], train: list[Clip], planted: int, folder: Path, workers: int) -> None:
    kinds = {clip.id: KINDS[number % len(KINDS)] for number, clip in enumerate(test[:planted])}
    copies = []
    for number, clip in enumerate(test[:planted]):
        audio, suffix = changed(clip, kinds[clip.id])
        copies.append(Clip(f"planted/{number:04d}", audio, suffix))
    write_shard(folder / "test.tar", test)
    write_shard(folder / "train.tar", [*train[: len(train) - planted], *copies])
    start, before = time.perf_counter(), os.times()
    found = find_overlap(folder / "train.tar", folder / "test.tar", workers=workers)
    seconds, cpu = time.perf_counter() - start, sum(os.times()[:4]) - sum(before[:4])
    hits, wrong = set[str](), set[str]()
    for id, other, _ in found.pairs:
        planted_id = test[int(other[8:])].id if other.startswith("planted/") else ""
        (hits if id == planted_id else wrong).add(id)
    by_kind = dict(Counter(kinds[id] for id in hits))
    counts = f"{found.train_clips:,} and {found.test_clips:,} clips"
    print(f"overlap of {counts}: {seconds:.0f} s; {cpu:.0f} s of processor time")
    print(f"planted clips found: {len(hits)} of {planted}, {by_kind}")
    print(f"clips found that were not planted: {len(wrong)} of {len(test)} {sorted(wrong)[:10]}")


def copies(clips: list[Clip], folder: Path, workers: int) -> None:
    made = []
    for clip in clips:
        decoded = decode(clip.audio, sampling_rate=None)
        made.append(
            Clip(f"{clip.id}-copy", encode_audio(decoded.samples, decoded.sampling_rate, "WAV"), "wav")
        )
    write_shard(folder / "copies.tar", [*clips, *made])
    wanted = {frozenset((clip.id, f"{clip.id}-copy")) for clip in clips}
    for run in ("duplicates, first run", "second run, by the cache"):
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
