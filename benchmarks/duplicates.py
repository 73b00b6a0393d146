"""Are copies found, and nothing else? Each clip of a corpus is copied as people copy audio, and looked for.

    python benchmarks/duplicates.py [CORPUS] [--clips N] [--excerpts SECONDS]

Without a corpus, synthetic speech is made: a few sentences said again and again by the same voices, so that
different recordings are as alike as they get. A row for each kind of copy: how many are found, the bits in
which they differ on average and at most, and how many different recordings are taken for one. `--excerpts`
cuts the clips into pieces first, for short ones are harder to tell apart.
"""

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from budew.audio.samples import decode
from budew.corpora import Clip, read, write_shard
from budew.curation.duplicates import Duplicates, find_duplicates
from budew.curation.fingerprint import fingerprint

Samples = NDArray[np.float32]
RATE = 16_000


def flac(samples: Samples, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format="FLAC")
    return file.getvalue()


def wav(samples: Samples) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="WAV", subtype="PCM_16")
    return file.getvalue()


def mp3(samples: Samples, kilobits: int, rate: int = RATE) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as container:
        track = container.add_stream("libmp3lame", rate=rate)
        track.bit_rate, track.codec_context.layout = 1000 * kilobits, "mono"
        frame = av.AudioFrame.from_ndarray((32_767 * samples)[None].astype(np.int16), "s16", "mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(track.codec_context.format.name, "mono", rate)
        for part in (*resampler.resample(frame), *resampler.resample(None), None):
            for packet in track.encode(part):
                container.mux(packet)
    return file.getvalue()


def later(samples: Samples, seconds: float) -> Samples:
    rest: Samples = samples[round(RATE * seconds) :]
    return rest


def quieter(samples: Samples) -> Samples:
    halved: Samples = (samples / 2).astype(np.float32)
    return halved


def at_22k(samples: Samples) -> Samples:
    resampled: Samples = soxr.resample(samples, RATE, 22_050)
    return resampled


def noisy(samples: Samples, decibels: float) -> Samples:
    generator = np.random.default_rng(int(1e6 * np.abs(samples).sum()))  # another noise for each clip
    noise = generator.standard_normal(len(samples)) * samples.std() * 10 ** (-decibels / 20)
    mixed: Samples = np.clip(samples + noise, -1, 1).astype(np.float32)
    return mixed


COPIES: dict[str, tuple[str, Callable[[Samples], bytes]]] = {
    "the same samples as wav": ("wav", wav),
    "mp3 at 64 kbit/s": ("mp3", lambda samples: mp3(samples, 64)),
    "mp3 at 32 kbit/s": ("mp3", lambda samples: mp3(samples, 32)),
    "6 dB quieter": ("flac", lambda samples: flac(quieter(samples))),
    "without the first 200 ms": ("flac", lambda samples: flac(later(samples, 0.2))),
    "without 137 ms and 100 ms at the end": ("flac", lambda samples: flac(later(samples, 0.137)[:-1600])),
    "at 22,050 Hz": ("flac", lambda samples: flac(at_22k(samples), 22_050)),
    "with noise 20 dB below": ("flac", lambda samples: flac(noisy(samples, 20))),
    "all: 200 ms, 6 dB, 22,050 Hz, mp3 at 64": (
        "mp3",
        lambda samples: mp3(at_22k(quieter(later(samples, 0.2))), 64, 22_050),
    ),
}


def originals(corpus: str, most: int, excerpts: float | None) -> Iterator[tuple[str, Samples]]:
    for number, clip in enumerate(read(corpus)):
        if number == most:
            return
        samples = decode(clip.audio, sampling_rate=RATE).samples
        size = round(RATE * excerpts) if excerpts else len(samples)
        for start in range(0, len(samples) - size + 1, size):
            yield f"{clip.id}-{start}", samples[start : start + size]


def judge(found: Duplicates, names: set[str]) -> tuple[int, list[float], int]:
    """Return how many copies are in the group of their original, their errors, and how many clips are not."""
    right, wrong = 0, 0
    for group in found.groups:
        ids = {id for id, _ in group.clips}
        pairs = {id for id in ids if id in names and f"{id}-copy" in ids}
        right += len(pairs)
        wrong += len({id.removesuffix("-copy") for id in ids}) - 1
    errors = [
        match.errors
        for group in found.groups
        for match in group.matches
        if match.one.removesuffix("-copy") == match.other.removesuffix("-copy")
    ]
    return right, errors, wrong


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("corpus", nargs="?")
    options.add_argument("--clips", type=int, default=200)
    options.add_argument("--excerpts", type=float, metavar="SECONDS")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        corpus = asked.corpus or synthetic(Path(folder) / "synthetic", asked.clips)
        measure(list(originals(corpus, asked.clips, asked.excerpts)), Path(folder))


def synthetic(folder: Path, clips: int) -> str:
    from budew.synthesis import synthesize_corpus

    synthesize_corpus(folder, clips=clips, seed=3)
    return f"{folder}/*.tar"


def measure(clips: list[tuple[str, Samples]], folder: Path) -> None:
    names = {name for name, _ in clips}
    seconds = sum(len(samples) for _, samples in clips) / RATE
    encoded = {name: flac(samples) for name, samples in clips}
    start = time.perf_counter()
    for name, audio in encoded.items():
        fingerprint(audio, name=name)
    print(
        f"{len(clips)} clips, {seconds:.0f} s: {seconds / (time.perf_counter() - start):.0f} times real time"
    )
    print(f"{'copy':42}{'found':>9}{'errors':>9}{'at most':>9}{'taken for one':>15}")
    for title, (suffix, copy) in COPIES.items():
        shard = folder / "copies.tar"
        pairs = [Clip(name, encoded[name], "flac") for name in encoded]
        pairs += [Clip(f"{name}-copy", copy(decode(encoded[name]).samples), suffix) for name in encoded]
        write_shard(shard, pairs)
        right, errors, wrong = judge(find_duplicates(shard), names)
        mean, most = (np.mean(errors), np.max(errors)) if errors else (0, 0)
        print(f"{title:42}{right / len(clips):9.1%}{mean:9.3f}{most:9.3f}{wrong:15}", flush=True)


if __name__ == "__main__":
    main()
