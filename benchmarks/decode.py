"""Decoding speed of each audio format, compared with soundfile on the same files.

    python benchmarks/decode.py [FOLDER of audio]

Without a folder, a minute of speech-like noise at 44.1 kHz stereo is encoded in each format first.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from budew.audio.samples import decode, probe_audio
from budew.corpora.folders import audio_files


def write_samples(folder: Path) -> None:
    rng = np.random.default_rng(1)
    envelope = np.abs(np.sin(2 * np.pi * 2 * np.arange(60 * 44_100) / 44_100))
    samples = 0.2 * envelope[:, None] * rng.normal(size=(60 * 44_100, 2))
    for suffix in ("wav", "flac", "mp3", "ogg"):
        with soundfile.SoundFile(folder / f"minute.{suffix}", "w", 44_100, 2) as file:
            for start in range(
                0, len(samples), 44_100
            ):  # libsndfile 1.2 crashes on a minute of ogg in one call
                file.write(samples[start : start + 44_100])


def seconds_for(read: Callable[[Path], object], files: list[Path], *, repeats: int = 3) -> float:
    """Return the shortest time of several passes over all files, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        for file in files:
            read(file)
        times.append(time.perf_counter() - start)
    return min(times)


def compare(folder: Path) -> None:
    print(
        f"{'format':8}{'files':>6}{'× real time':>13}{'own rate':>10}{'soundfile':>11}   (own rate, as ratio)"
    )
    files = audio_files(folder)
    for suffix in sorted({file.suffix for file in files}):
        group = [file for file in files if file.suffix == suffix]
        audio = sum(probe_audio(path, max_seconds=1e9).seconds for path in group)
        plain = seconds_for(lambda path: soundfile.read(path, dtype="float32"), group)
        own = seconds_for(lambda path: decode(path, sampling_rate=soundfile.info(path).samplerate), group)
        resampled = seconds_for(decode, group)
        print(f"{suffix[1:]:8}{len(group):6}{audio / resampled:13.0f}{own / plain:10.2f}{1.0:11.2f}")


def main() -> None:
    if len(sys.argv) > 1:
        compare(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_samples(Path(folder))
        compare(Path(folder))


if __name__ == "__main__":
    main()
