"""Captions a second of a checkpoint, in batches, against one clip at a time (greedy) in the same run."""

import argparse
import time
from collections.abc import Iterable
from dataclasses import dataclass

from budew.corpora import Clip, read
from budew.inference import Captioner
from budew.resources import data_folder


@dataclass(frozen=True)
class Setting:
    """One way to caption."""

    name: str
    batch_size: int
    beams: int


SETTINGS = (
    Setting("one at a time, greedy (baseline)", 1, 1),
    Setting("batches of 16, greedy", 16, 1),
    Setting("batches of 16, beams of 4", 16, 4),
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
            arguments.model, batch_size=setting.batch_size, num_beams=setting.beams
        )
        _seconds(captioner, clips[:2])
        seconds = min(_seconds(captioner, clips) for _ in range(arguments.rounds))
        rate = len(clips) / seconds
        baseline = baseline or rate
        print(f"{setting.name:34} {rate:7.1f} clips/s  x {rate / baseline:.2f}")


def _seconds(captioner: Captioner, clips: Iterable[Clip]) -> float:
    start = time.perf_counter()
    for _ in captioner.caption_clips(clips):
        pass
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
