"""Jobs that make clips of nothing: a plan numbers them, and so many numbers are a unit.

What such a job reads are clips without audio, with the `number` of each in its metadata. Clips that an
earlier run left in the shard come as they are: a job that pays for clips makes only those that are missing.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from budew.corpora.clip import Clip
from budew.corpora.shards import read_shard
from budew.errors import JobError, OnBad
from budew.jobs.job import Job
from budew.jobs.notes import NOTES, check_claim, output_note, shard_path
from budew.jobs.runner import OnProgress, Summary, run_units
from budew.jobs.unit import State

MOST_CLIPS = 100_000_000
"""At 2.5 s each, 70,000 hours."""
MOST_SHARDS = 1_000_000
"""All shards of a plan are in memory from the start, with 240 bytes each; their notes come to that."""


@dataclass(frozen=True, slots=True)
class PlannedUnit:
    """A `Unit` of clips that are to be made.

    Attributes:
        name: of its output without suffix.
        numbers: of its clips.
        id_of: gives the id of a clip by its number.
        out: folder of the output.
    """

    name: str
    numbers: range
    id_of: Callable[[int], str]
    out: Path

    def read(self, on_bad: OnBad) -> Iterator[Clip]:
        """Give the planned clips, and those that are there already."""
        note = output_note(self.out, self)
        path = shard_path(self.out, self)
        there = {clip.id: clip for clip in read_shard(path)} if note and note.clips else {}
        for number in self.numbers:
            id = self.id_of(number)
            yield there.get(id) or Clip(id, b"", "", metadata={"number": number})

    def input(self) -> "PlannedUnit":
        """Return the plan itself: it is made from nothing else."""
        return self

    def state(self) -> State:
        """Return how many clips are planned. A plan does not change: of another one there is another job."""
        return State(len(self.numbers), 0)

    def digest(self) -> str:
        """Return SHA-256 of the ids."""
        return hashlib.sha256("\n".join(map(self.id_of, self.numbers)).encode()).hexdigest()


def run_planned(
    job: Job,
    clips: int,
    out: str | Path,
    *,
    prefix: str,
    id_of: Callable[[int], str],
    clips_per_shard: int,
    workers: int | None = None,
    retry_failed: bool = False,
    progress: OnProgress | None = None,
) -> Summary:
    """Make the first `clips` clips of a plan, or go on with it.

    Args:
        job: makes clips; its settings have the plan in them.
        clips: how many. More than are there go on with those.
        out: folder for the shards, their notes and `failures.jsonl`.
        prefix: of the names of the shards: `act` for `act-00000.tar`.
        id_of: gives the id of a clip by its number. It is pickled into workers.
        clips_per_shard: size of a shard.
        workers: processes, as many as there are processors when None; 0 works in this process.
        retry_failed: make clips again that failed or were left out; the others are kept.
        progress: called a few times a second.

    Raises:
        JobError: as `run`; also where the folder holds more clips, or a number is out of range, such as more
            than 100 million clips or a million shards.
        OSError: the disk refuses.
    """
    if workers is not None and workers < 0:
        raise JobError(f"{workers} workers are none: ask for 0 or more")
    folder = Path(out)
    units = planned_units(job, clips, folder, prefix=prefix, id_of=id_of, clips_per_shard=clips_per_shard)
    return run_units(
        job,
        units,
        folder,
        workers=workers,
        clips_per_shard=clips_per_shard,
        retry_failed=retry_failed,
        retry_filtered=retry_failed,
        progress=progress,
    )


def planned_units(
    job: Job, clips: int, out: Path, *, prefix: str, id_of: Callable[[int], str], clips_per_shard: int
) -> list[PlannedUnit]:
    """Return the units that `run_planned` does with these arguments. Writes nothing.

    Raises:
        JobError: it would refuse them: the folder holds something else, or more clips, or a number is out of
            range.
    """
    check_size(clips, clips_per_shard)
    numbers = range(clips)
    units = [
        PlannedUnit(f"{prefix}-{index:05d}", numbers[start : start + clips_per_shard], id_of, out)
        for index, start in enumerate(range(0, clips, clips_per_shard))
    ]
    check_claim(out, job, clips_per_shard)
    _refuse_fewer(units, out, prefix, clips)
    return units


def check_size(clips: int, clips_per_shard: int) -> None:
    """Raise `JobError` unless a plan of so many clips and shards can be gone through."""
    if min(clips, clips_per_shard) < 1:
        raise JobError("a corpus has at least one clip, and a shard too: ask for 1 or more")
    if clips > MOST_CLIPS:
        raise JobError(
            f"{clips:,} clips are more than the {MOST_CLIPS:,} of one corpus: make several, with a seed each"
        )
    shards = -(-clips // clips_per_shard)
    if shards > MOST_SHARDS:
        raise JobError(
            f"{clips:,} clips in shards of {clips_per_shard:,} are {shards:,} shards, more than"
            f" {MOST_SHARDS:,}: make larger shards"
        )


def _refuse_fewer(units: Sequence[PlannedUnit], out: Path, prefix: str, clips: int) -> None:
    """A plan that is cut short would throw clips away."""
    known, note = {unit.name for unit in units}, output_note(out, units[-1])
    beyond = any(path.stem not in known for path in (out / NOTES).glob(f"{prefix}-*.json"))
    if beyond or (note is not None and note.input_bytes > units[-1].state().bytes):
        raise JobError(f"{out} holds more than {clips} clips already: ask for as many as there are, or more")
