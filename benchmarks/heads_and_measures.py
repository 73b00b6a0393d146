"""Speed of annotation (acoustic measures; heads of the published size by batch), and errors of measures.

    python benchmarks/heads_and_measures.py [--heads 4]
    python benchmarks/heads_and_measures.py --noise emodb:EmoDB/ nemo:nEMO/

Measurement runs on the bundled clips. Heads are random, 1500 × 768 → 64 → … → 1 (295 MB each), mapped from
disk, and are timed without an encoder. `--noise` adds white and pink noise at 10, 20 and 30 dB to clips of
corpora, and prints the error of the measured ratio; puts them into simulated rooms, and prints the error of
C50; and compares pitch with librosa's pYIN.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import librosa
import numpy as np
import soxr
import torch

from budew.annotation.acoustic_measures import HIGHEST, LOWEST, acoustic_measures
from budew.annotation.recording_measures import recording_measures
from budew.audio.samples import SAMPLING_RATE, decode
from budew.corpora import read
from budew.heads.head_files import head_file_name, load_heads
from budew.io.resources import data_folder
from budew.taxonomy import EMOTIONS

INPUTS, WIDTHS = 1500 * 768, (64, 64, 32, 16, 1)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--heads", type=int, default=4, help="number of heads; each takes 295 MB of disk")
    parser.add_argument("--noise", nargs="+", default=[], help="corpora of clean speech, instead of timing")
    parser.add_argument("--clips", type=int, default=40, help="number of clips of each corpus")
    options = parser.parse_args()
    for corpus in options.noise:
        print_errors(corpus, options.clips)
    if not options.noise:
        time_measurement()
        time_heads(options.heads)


def print_errors(corpus: str, count: int) -> None:
    """Print the errors of SNR, C50 and pitch on clips of a corpus, spread over the whole of it."""
    clips = list(read(corpus, on_bad=lambda error: None))
    chosen = [decode(clip.audio, sampling_rate=None) for clip in clips[:: max(len(clips) // count, 1)]]
    chosen = [clip for clip in chosen if np.abs(clip.samples).max() > 0.001]
    rng = np.random.default_rng(0)
    print(f"{corpus}: {len(chosen)} clips")
    for colour, power in (("white", 0.0), ("pink", 1.0)):
        for snr in (10, 20, 30):
            errors = []
            for clip in chosen:
                mixed = clip.samples + noise(clip.samples, snr, power, rng)
                found = recording_measures(mixed.astype(np.float32), clip.sampling_rate)
                errors.append(found["snr"] - snr)
            within = np.mean(np.abs(errors) < 2)
            error = f"median error {np.median(errors):+5.2f} dB, {within:4.0%} within 2 dB"
            print(f"  {colour} noise at {snr} dB: {error}")
    for seconds in (0.2, 0.5, 1.0):
        errors = []
        for clip in chosen:
            room, clarity = simulated_room(seconds, clip.sampling_rate, rng)
            size = len(clip.samples) + len(room)
            spoken = np.fft.irfft(np.fft.rfft(clip.samples, size) * np.fft.rfft(room, size), size)
            found = recording_measures(spoken[: len(clip.samples)].astype(np.float32), clip.sampling_rate)
            errors.append(found.get("c50", np.nan) - clarity)
        print(f"  room of {seconds} s, C50 {clarity:4.1f} dB: median error {np.nanmedian(errors):+5.2f} dB")
    differences = []
    for clip in chosen[::4]:
        samples = soxr.resample(clip.samples, clip.sampling_rate, SAMPLING_RATE)
        track, _, _ = librosa.pyin(samples, fmin=LOWEST, fmax=HIGHEST, sr=SAMPLING_RATE)
        measured = acoustic_measures(clip.samples, clip.sampling_rate).get("utterance_pitch_mean", np.nan)
        differences.append(abs(measured / np.nanmean(track) - 1))
    print(f"  pitch: largest difference from librosa's pYIN {np.nanmax(differences):.2%}")


def noise(voice: np.ndarray, snr: float, power: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise for a voice at an SNR in dB, whose spectrum falls with the frequency to a power."""
    spectrum = np.fft.rfft(rng.standard_normal(len(voice)))
    coloured = np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), 1) ** (power / 2), len(voice))
    gain = np.sqrt(np.mean(voice**2) / np.mean(coloured**2) / 10 ** (snr / 10))
    return np.asarray(gain * coloured)


def simulated_room(seconds: float, rate: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Return the response of a room (direct sound, and a tail of equal energy), and its C50 in dB."""
    time_axis = np.arange(round(seconds * rate)) / rate
    tail = rng.standard_normal(len(time_axis)) * np.exp(-6.908 * time_axis / seconds)
    tail /= np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    early = round(0.05 * rate)
    return tail, 10 * np.log10(np.sum(tail[:early] ** 2) / np.sum(tail[early:] ** 2))


def time_measurement() -> None:
    """Time all measures of clips, and pYIN alone with the default settings of librosa."""
    clips = [decode(clip.audio).samples for clip in read(data_folder("demo_clips") / "clips.tar")]
    audio = sum(map(len, clips)) / SAMPLING_RATE

    def untouched(samples: np.ndarray) -> None:
        librosa.pyin(samples, fmin=LOWEST, fmax=HIGHEST, sr=SAMPLING_RATE)

    first = seconds(lambda: acoustic_measures(clips[0]))
    print(f"the first clip, with what numba compiles or loads: {first:.1f} s")
    untouched(clips[0])
    for name, work in (
        ("pYIN of librosa alone", untouched),
        ("loudness, noise, room, band", partial(recording_measures, rate=SAMPLING_RATE)),
        ("all measures", acoustic_measures),
    ):
        spent = seconds(lambda work=work: [work(samples) for samples in clips])  # type: ignore[misc]
        print(f"{name:36} {audio / spent:7.1f} times real time")


def time_heads(count: int) -> None:
    """Time heads of the published size, mapped from disk, on batches of several sizes."""
    with tempfile.TemporaryDirectory() as folder:
        for name in EMOTIONS[:count]:
            write_head(Path(folder) / head_file_name(name))
        heads = load_heads(folder)
        for size in (1, 16, 64):
            inputs = torch.randn(size, INPUTS)
            with torch.inference_mode():
                spent = min(seconds(lambda inputs=inputs: each(heads, inputs)) for _ in range(2))  # type: ignore[misc]
            per_clip = 1000 * spent / size / count
            print(
                f"batch of {size:3}: {per_clip:7.2f} ms a clip and head; {55 * per_clip:7.0f} ms for 55 heads"
            )


def each(heads: Iterable[Callable[[torch.Tensor], torch.Tensor]], inputs: torch.Tensor) -> None:
    """Apply every head."""
    for head in heads:
        head(inputs)


def write_head(path: Path) -> None:
    """Write a head with random weights."""
    weights, before = {}, INPUTS
    for number, width in enumerate(WIDTHS):
        name = f"mlp.{3 * number - 1}" if number else "proj"
        weights[f"{name}.weight"] = torch.randn(width, before) * before**-0.5
        weights[f"{name}.bias"] = torch.zeros(width)
        before = width
    torch.save(weights, path)


def seconds(work: Callable[[], object]) -> float:
    """Return how many seconds `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
