"""Captions a second of a checkpoint, in batches, against one clip at a time (greedy) in the same run.

The last column is the gain of sharing one encoder pass between captions and samples, over a pass for each.
"""

import argparse
import time
from collections.abc import Iterable
from dataclasses import dataclass

from budew.corpora import Clip, read
from budew.inference import Captioner
from budew.inference.recordings import from_clip
from budew.model.generate import encode
from budew.resources import data_folder


@dataclass(frozen=True)
class Setting:
    """One way to caption."""

    name: str
    batch_size: int
    beams: int
    samples: int = 0


SETTINGS = (
    Setting("one at a time, greedy (baseline)", 1, 1),
    Setting("batches of 16, greedy", 16, 1),
    Setting("batches of 16, beams of 4", 16, 4),
    Setting("batches of 16, greedy, 1 sample", 16, 1, 1),
    Setting("batches of 16, greedy, 4 samples", 16, 1, 4),
    Setting("batches of 16, greedy, 16 samples", 16, 1, 16),
)


def main() -> None:
    """Print the rate of each setting and its ratio to the first."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip())
    parser.add_argument("--model", default=None, help="folder or hub id; the embedded checkpoint by default")
    parser.add_argument("--rounds", type=int, default=3, help="how often the bundled clips are captioned")
    arguments = parser.parse_args()
    clips = list(read(data_folder("demo_clips") / "clips.tar"))
    baseline = 0.0
    for setting in SETTINGS:
        captioner = Captioner.from_pretrained(
            arguments.model,
            batch_size=setting.batch_size,
            num_beams=setting.beams,
            num_samples=setting.samples,
        )
        _seconds(captioner, clips[:2])
        seconds = min(_seconds(captioner, clips) for _ in range(arguments.rounds))
        rate = len(clips) / seconds
        baseline = baseline or rate
        shared = (
            f"  shared encoder x {1 + _encoding(captioner, clips) / seconds:.2f}" if setting.samples else ""
        )
        print(f"{setting.name:34} {rate:7.1f} clips/s  x {rate / baseline:.2f}{shared}")


def _encoding(captioner: Captioner, clips: Iterable[Clip]) -> float:
    """Return the seconds that the encoder takes."""
    checkpoint = captioner.checkpoint
    cut = (from_clip(clip).cut(checkpoint.window_seconds, checkpoint.sampling_rate) for clip in clips)
    windows = [window.samples for some in cut for window in some]
    start = time.perf_counter()
    for first in range(0, len(windows), captioner.batch_size):
        encode(checkpoint, windows[first : first + captioner.batch_size])
    return time.perf_counter() - start


def _seconds(captioner: Captioner, clips: Iterable[Clip]) -> float:
    start = time.perf_counter()
    for _ in captioner.caption_clips(clips):
        pass
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
