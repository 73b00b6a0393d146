"""A corpus of synthetic emotional speech as WebDataset shards, the same bytes from the same seed.

About 50 clips a second on one core, workers side by side. One shard is the unit of work: it appears
under its name when it is complete, a second run makes only what is missing, and neither the number of
workers nor their order changes a byte.
"""

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path

import soundfile as sf

from budew.corpora.clip import Clip
from budew.corpora.shards import write_shard
from budew.extras import require
from budew.jobs.changes import told_changes
from budew.synthesis.clip_audio import SAMPLING_RATE, Samples, synthesize
from budew.synthesis.espeak import Espeak, SynthesisError
from budew.synthesis.plan import Plan, plan_clip
from budew.synthesis.tables import SPLITS, Split
from budew.version import __version__

DESCRIPTION = "corpus.json"


@dataclass(frozen=True, slots=True)
class Order:
    """What decides a synthetic corpus, to the byte."""

    clips: int
    seed: int
    split: Split = "train"
    clips_per_shard: int = 500

    def shards(self) -> dict[str, range]:
        """Return the numbers of the clips of each shard, by its file name."""
        starts = range(0, self.clips, self.clips_per_shard)
        return {
            f"{self.split}-{index:05d}.tar": range(start, min(start + self.clips_per_shard, self.clips))
            for index, start in enumerate(starts)
        }


def synthesize_corpus(
    out: str | Path,
    *,
    clips: int,
    seed: int,
    split: Split = "train",
    clips_per_shard: int = 500,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write the shards of the corpus (seed, split) into the folder `out` and return their paths.

    Args:
        out: folder; shards that are there already are kept, so a stopped run goes on.
        clips: how many.
        seed: decides everything together with the split and the number of a clip.
        split: "train", "validation" or "test"; their voices are disjoint.
        clips_per_shard: size of a shard.
        workers: processes; as many as there are processors when None; 0 and 1 work in this one. Changes
            nothing but the time.
        progress: called with (clips there, clips in all) after each shard.

    Raises:
        SynthesisError: `out` holds another corpus, an argument is out of range, or espeak-ng fails.
        MissingExtraError: espeakng-loader is not installed.
    """
    require("espeakng_loader", extra="train", purpose="budew corpus synthesize")
    order = _checked(Order(clips, seed, split, clips_per_shard))
    folder = Path(out)
    _claim(folder, order)
    shards = order.shards()
    missing = {name: numbers for name, numbers in shards.items() if not (folder / name).exists()}
    done = clips - sum(len(numbers) for numbers in missing.values())
    if progress:
        progress(done, clips)
    for count in _write_all(folder, order, missing, os.cpu_count() or 1 if workers is None else workers):
        done += count
        if progress:
            progress(done, clips)
    return [folder / name for name in shards]


def _checked(order: Order) -> Order:
    if order.split not in SPLITS:
        raise SynthesisError(f"the split {order.split!r} is not one of {', '.join(SPLITS)}")
    if order.clips < 1 or order.clips_per_shard < 1:
        raise SynthesisError("a corpus has at least one clip, and a shard too")
    return order


def _claim(folder: Path, order: Order) -> None:
    """Write down what the folder holds, or check that it holds the same."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / DESCRIPTION
    wanted = {"made_by": "budew corpus synthesize", "version": __version__, **asdict(order)}
    there = json.loads(path.read_text(encoding="utf-8")) if path.exists() else wanted
    if there != wanted:
        raise SynthesisError(
            f"{folder} holds another corpus ({told_changes(there, wanted)}): choose an empty folder"
        )
    path.write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")


def _write_all(folder: Path, order: Order, shards: dict[str, range], workers: int) -> Iterator[int]:
    """Write the shards, yielding the number of clips of each as it is finished."""
    jobs = [(folder / name, order, numbers) for name, numbers in shards.items()]
    if workers <= 1 or len(jobs) <= 1:
        yield from (_write_one(*job) for job in jobs)
        return
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_write_one, *job) for job in jobs]
        for future in as_completed(futures):
            yield future.result()


def _write_one(path: Path, order: Order, numbers: range) -> int:
    with Espeak() as espeak:
        plans = (plan_clip(number, seed=order.seed, split=order.split) for number in numbers)
        return write_shard(path, (_clip(plan, synthesize(plan, espeak)) for plan in plans))


def _clip(plan: Plan, samples: Samples) -> Clip:
    encoded = BytesIO()
    sf.write(encoded, samples, SAMPLING_RATE, format="FLAC", subtype="PCM_16")
    return Clip(
        id=plan.id,
        audio=encoded.getvalue(),
        format="flac",
        sampling_rate=SAMPLING_RATE,
        duration=round(len(samples) / SAMPLING_RATE, 4),
        language=plan.voice.language,
        speaker=plan.voice.speaker,
        transcript=plan.text,
        profile=plan.profile,
        source=f"budew {__version__} synthetic speech, espeak-ng voice {plan.voice.name}",
        license="CC0-1.0",
        metadata={"synthesis": {"voice": plan.voice.name, "cues": dict(plan.settings)}},
    )
