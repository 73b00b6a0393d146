"""An acted corpus: a plan, spoken by a backend, checked, and written as WebDataset shards.

One shard is the unit of work. It appears under its name when it is complete, its note after it; a second run
makes only what is missing, so a run may be killed at any moment. Every planned clip is in a shard, in
`failures.jsonl` or in `left_out.jsonl`. With the offline backend neither the workers nor the moment of a kill
change a byte.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from budew.corpora.clip import Clip
from budew.corpora.shards import read_shard, write_shard
from budew.jobs import Job, OnFailed
from budew.synthesis.acting.backend import Backend, Take
from budew.synthesis.acting.errors import ActingError
from budew.synthesis.acting.notes import (
    Failure,
    Note,
    claim,
    gather,
    read_note,
    remove_unfinished,
    write_note,
)
from budew.synthesis.acting.plan import ActingPlan, Item
from budew.synthesis.acting.workers import in_workers
from budew.version import __version__

CLIPS_PER_SHARD = 100
"""What a kill costs at most, in clips that have to be spoken, and paid, again."""
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Performance:
    """What decides one acted corpus.

    Attributes:
        plan: what is acted.
        backend: who speaks.
        clips: how many clips of the plan.
        clips_per_shard: size of a shard.
        check: a job that every clip passes before it is written, such as `CheckWords`.
    """

    plan: ActingPlan
    backend: Backend
    clips: int
    clips_per_shard: int = CLIPS_PER_SHARD
    check: Job | None = None

    def shards(self) -> dict[str, range]:
        """Return the numbers of the clips of each shard, by its file name."""
        starts = range(0, self.clips, self.clips_per_shard)
        return {
            f"act-{index:05d}.tar": range(start, min(start + self.clips_per_shard, self.clips))
            for index, start in enumerate(starts)
        }

    def settings(self) -> dict[str, Any]:
        """Return it as JSON values."""
        check = None if self.check is None else {"job": self.check.name, **self.check.settings()}
        return {
            "clips": self.clips,
            "clips_per_shard": self.clips_per_shard,
            "plan": self.plan.to_dict(),
            "speech": dict(self.backend.settings()),
            "check": check,
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended: clips and shards in the folder, clips that failed, clips that the check left out."""

    out: Path
    clips: int
    shards: int
    failures: int
    left_out: int


def act(
    out: str | Path,
    performance: Performance,
    *,
    workers: int | None = None,
    retry_failed: bool = False,
    progress: OnProgress | None = None,
) -> Summary:
    """Make the shards that are missing in the folder `out`.

    Args:
        out: folder; what is finished in it is kept. A longer corpus of the same plan goes on with it.
        performance: what is made.
        workers: processes; left out, one a processor for a backend that computes, and this one alone for a
            server or where there is a check.
        retry_failed: speak those clips again that failed or were left out before; the others are kept.
        progress: called with (clips done, clips in all) after each shard.

    Raises:
        ActingError: the folder holds something else, or a number is out of range.
        JobError: the backend or the check cannot go on.
        MissingExtraError: a library is not installed.
    """
    if min(performance.clips, performance.clips_per_shard) < 1 or (workers is not None and workers < 0):
        raise ActingError("a corpus has at least one clip, and a shard too; workers are 0 or more")
    folder, shards = Path(out), performance.shards()
    folder.mkdir(parents=True, exist_ok=True)
    with _only_run_in(folder):
        claim(folder, performance.settings())
        missing = {
            name: numbers for name, numbers in shards.items() if _waits(folder, name, numbers, retry_failed)
        }
        done = performance.clips - sum(map(len, missing.values()))
        tell = progress or (lambda done, clips: None)
        tell(done, performance.clips)
        for count in _made(folder, performance, missing, workers):
            done += count
            tell(done, performance.clips)
        clips = [note.clips for name in shards if (note := read_note(folder, name)) and note.clips]
        failures, left_out = (gather(folder, shards, left_out=which) for which in (False, True))
        return Summary(folder, sum(clips), len(clips), failures, left_out)


def _waits(folder: Path, shard: str, numbers: range, retry_failed: bool) -> bool:
    note = read_note(folder, shard)
    return note is None or note.planned != len(numbers) or (retry_failed and bool(note.failures))


def _made(
    folder: Path, performance: Performance, shards: dict[str, range], workers: int | None
) -> Iterator[int]:
    """Make the shards; give the number of planned clips of each as it is finished."""
    if workers is None:
        alone = performance.check is not None or not performance.backend.computes
        workers = 0 if alone else os.cpu_count() or 1
    tasks = [(folder, performance, name, numbers) for name, numbers in shards.items()]
    if min(workers, len(tasks)) < 2:
        yield from (_make_shard(*task) for task in tasks)
    else:
        yield from in_workers(_make_shard, tasks, workers=min(workers, len(tasks)))


def _make_shard(folder: Path, performance: Performance, name: str, numbers: range) -> int:
    """Make one shard and its note. Clips that an earlier run left in it are kept."""
    path, failures = folder / name, list[Failure]()
    there = read_note(folder, name)
    kept = list(read_shard(path)) if there and there.clips else []
    ids = {clip.id for clip in kept}
    items = {item.id: item for item in map(performance.plan.item, numbers)}

    def failed(clip: str, error: Exception) -> None:
        failures.append(Failure.of(clip, error))

    spoken = _spoken([item for item in items.values() if item.id not in ids], performance, failed)
    clips = iter(sorted([*kept, *spoken], key=lambda clip: items[clip.id].number)) if kept else spoken
    count = _write(path, clips)
    failures.sort(key=lambda failure: items[failure.clip].number)
    size = path.stat().st_size if count else 0
    write_note(folder, name, Note(len(numbers), count, size, tuple(failures)))
    return len(numbers)


def _write(path: Path, clips: Iterator[Clip]) -> int:
    """Write a shard; none where there is no clip."""
    first = next(clips, None)
    if first is None:
        path.unlink(missing_ok=True)
        return 0
    return write_shard(path, chain([first], clips))


def _spoken(items: Sequence[Item], performance: Performance, failed: OnFailed) -> Iterator[Clip]:
    backend, check = performance.backend, performance.check
    clips = (_clip(item, take, backend) for item, take in backend.speak(items, failed))
    return clips if check is None else check.run(clips, failed)


def _clip(item: Item, take: Take, backend: Backend) -> Clip:
    """Return a take with everything that is known of it."""
    planned = asdict(item)
    acting = {name: planned[name] for name in ("emotion", "intensity", "accent", "challenge", "instructions")}
    acting |= {"text": item.kind, "seed": item.seed, "number": item.number, **backend.settings()}
    return Clip(
        id=item.id,
        audio=take.audio,
        format=take.format,
        sampling_rate=take.sampling_rate,
        duration=take.duration,
        language=item.language,
        speaker=item.voice,
        transcript=item.text,
        profile=item.profile(bursts=take.bursts, gender=take.gender),
        source=f"budew {__version__} acting plan {item.seed}, spoken by {backend.name}",
        license=backend.license,
        metadata={"acting": {**acting, **(take.details or {})}},
    )


@contextmanager
def _only_run_in(folder: Path) -> Iterator[None]:
    """Hold the folder: of two runs at a time on one machine the second is told."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ActingError(f"another run is at work in {folder}: wait for it, or end it first") from error
        except OSError:  # a file system without locks; shards are idempotent, so two runs cost time only
            yield
            return
        remove_unfinished(folder)
        yield
    finally:
        os.close(descriptor)
