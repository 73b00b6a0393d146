"""Speed and memory of cutting long recordings into clips, compared with the speed of silero-vad.

    python benchmarks/segmentation.py [--audio FOLDER] [--hours 2] [--minutes 10]

Recordings of `--minutes` and of `--hours` are assembled from the audio in a folder, or from sentences by
espeak-ng, with pauses between them, as stereo FLAC at 44.1 kHz. Each is cut into clips in one process. Speed
is duration of the audio / CPU time, which other processes change little. Memory is the peak of the whole
process; the memory at its start, for Python and its libraries, is printed too.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from budew.audio.samples import decode
from budew.corpora.clip import Clip
from budew.corpora.folders import audio_files
from budew.segmentation import Segment, SegmentSettings
from budew.segmentation.cutter import Cutter
from budew.segmentation.voice_activity import SAMPLING_RATE, detect_speech, load_speech_detector

RATE = 44_100
SENTENCES = (
    ("en-us", "The weather is fine today, and we are going for a long walk along the river."),
    ("de", "Guten Tag, ich freue mich sehr über Ihren Besuch in unserem Haus."),
    ("fr", "Il faut que je parte demain matin, avant que tout le monde se réveille."),
    ("es", "Nadie sabe por qué vendieron la casa vieja."),
)

Samples = NDArray[np.float32]


def speech(folder: Path | None) -> Iterable[Samples]:
    """Yield pieces of speech at `RATE`, over and over."""
    if folder is not None:
        return map(_from_file, cycle(audio_files(folder)))
    from budew.synthesis.espeak import Espeak, Utterance

    with Espeak() as espeak:
        said = [
            espeak.speak(Utterance(ssml=f"<speak>{text}</speak>", voice=voice)) for voice, text in SENTENCES
        ]
        return cycle([soxr.resample(samples, espeak.sampling_rate, RATE) for samples in said])


def _from_file(path: Path) -> Samples:
    return decode(path, sampling_rate=RATE).samples


def build(path: Path, spoken: Iterable[Samples], *, seconds: float) -> None:
    """Write a recording of speech with pauses of 0.2 to 3 s that have faint noise."""
    rng = np.random.default_rng(1)
    left = round(seconds * RATE)
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
        for samples in spoken:
            pause = rng.normal(0, 0.0005, int(rng.uniform(0.2, 3.0) * RATE))
            block = np.concatenate([samples, pause])[:left]
            file.write(np.stack([block, block], axis=1))
            left -= len(block)
            if not left:
                return


@dataclass(frozen=True)
class Run:
    """Time, memory and clips of cutting one recording."""

    seconds: float
    processor: float
    wall: float
    clips: int
    kept: float
    left_out: int
    peak: float


def cut(path: Path) -> Run:
    left_out: list[str] = []
    started, processor = time.perf_counter(), time.process_time()
    count, kept = 0, 0.0
    clips = iter([Clip("long", path, "flac")])
    for clip in Segment().run(clips, lambda id, error: left_out.append(f"{id}: {error}")):
        count, kept = count + 1, kept + (clip.duration or 0)
    processor = time.process_time() - processor
    wall = time.perf_counter() - started
    return Run(soundfile.info(path).duration, processor, wall, count, kept, len(left_out), peak())


def peak() -> float:
    """Return the peak memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(name: str, run: Run) -> None:
    print(
        f"{name:14}{run.seconds / run.processor:7.0f} × real time ({run.seconds / run.wall:.0f} by the clock)"
        f"{run.clips:7} clips, {run.kept / 3600:.3f} of {run.seconds / 3600:.3f} h kept,"
        f" {run.left_out} left out; peak {run.peak:.0f} MB"
    )


def compare(samples: Samples) -> None:
    """Print the speed of each way to find speech in the same samples at 16 kHz, one thread each."""
    print(f"\nfinding speech only, {len(samples) / SAMPLING_RATE / 60:.0f} minutes at 16 kHz")
    ways: list[tuple[str, Callable[[], object]]] = [("budew", lambda: _ours(samples)), *_silero(samples)]
    times = {}
    for name, way in ways:
        way()
        times[name] = min(_processor_time(way) for _ in range(2))
    for name, seconds in times.items():
        speed, ratio = len(samples) / SAMPLING_RATE / seconds, times["budew"] / seconds
        print(f"  {name:36}{speed:7.0f} × real time{ratio:8.2f} of budew's speed")


def _processor_time(way: Callable[[], object]) -> float:
    start = time.process_time()
    way()
    return time.process_time() - start


def _ours(samples: Samples) -> list[Any]:
    cutter = Cutter(SegmentSettings())
    found: list[Any] = []
    for frames in detect_speech([samples]):
        for probability, power in zip(frames.probabilities.tolist(), frames.powers.tolist(), strict=True):
            found += cutter.push(probability, power)
    return [*found, *cutter.finish()]


def _silero(samples: Samples) -> Iterator[tuple[str, Callable[[], object]]]:
    import torch

    silero_vad: Any = import_module("silero_vad")

    given = torch.from_numpy(samples)
    jit, onnx, sequence = (
        silero_vad.load_silero_vad(**kind) for kind in ({}, {"onnx": True}, {"sequence": True})
    )
    yield "get_speech_timestamps, jit", lambda: silero_vad.get_speech_timestamps(given, jit)
    yield "get_speech_timestamps, onnx", lambda: silero_vad.get_speech_timestamps(given, onnx)
    yield (
        "get_speech_timestamps_sequence",
        lambda: silero_vad.get_speech_timestamps_sequence(samples, sequence),
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--audio", type=Path, help="folder of audio files with speech")
    options.add_argument("--hours", type=float, default=2.0)
    options.add_argument("--minutes", type=float, default=10.0)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        short, long = Path(folder, "short.flac"), Path(folder, "long.flac")
        build(short, speech(asked.audio), seconds=asked.minutes * 60)
        build(long, speech(asked.audio), seconds=asked.hours * 3600)
        load_speech_detector()
        print(f"at the beginning: {peak():.0f} MB")
        report(f"{asked.minutes:g} minutes", cut(short))
        report(f"{asked.hours:g} hours", cut(long))
        compare(decode(short, max_seconds=1e6).samples)


if __name__ == "__main__":
    main()
