"""`run`: a job over a corpus, shards in, shards out, that may be killed at any moment and started again.

One input shard is one unit. What is finished is never done again, a clip that fails is listed with its
reason and the others go on, and the folder ends the same, to the byte, however often the job was stopped and
however many workers it had.
"""

import fcntl
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import add
from pathlib import Path
from typing import TypeVar

from budew.errors import JobError
from budew.jobs.apart import check_apart
from budew.jobs.job import Job, disk_told
from budew.jobs.notes import FAILURES, JOB, LEFT_OUT, Note, claim, gather, read_note
from budew.jobs.unit import Unit
from budew.jobs.unit_work import do_unit, tallies_of
from budew.jobs.units import CLIPS_PER_SHARD, plan_units
from budew.jobs.workers import Outcome, WorkerDiedError, Workers


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is: units done of all; clips read, items failed and what else it counts, in this run."""

    units: int
    of: int
    clips: int
    failed: int
    tally: Mapping[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Summary:
    """How a job ended.

    Attributes:
        out: the folder.
        units: shards of the input.
        there: of them, those that are done.
        done: those that were done in this run.
        clips: in the output, of all runs.
        failures: items that are in no output, of all runs.
        filtered: clips that the settings leave out, of all runs.
        given_up: shards in which process after process died. They are tried again by the next run.
        strangers: shards in the folder that belong to no input.
        tally: what else the job counted, in all runs.
    """

    out: Path
    units: int
    there: int
    done: int
    clips: int
    failures: int
    filtered: int = 0
    given_up: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    tally: Mapping[str, int] = field(default_factory=dict)


OnProgress = Callable[[Progress], None]
UnitType = TypeVar("UnitType", bound=Unit)


def run(
    job: Job,
    source: str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    clips_per_shard: int = CLIPS_PER_SHARD,
    retry_failed: bool = False,
    progress: OnProgress | None = None,
) -> Summary:
    """Do a job over a corpus, or go on with it.

    Args:
        job: what is done to each clip.
        source: anything that `budew.read` takes.
        out: folder for the shards, their notes and `failures.jsonl`.
        workers: processes, as many as there are processors when None; 0 works in this process.
        clips_per_shard: loose files that make one shard.
        retry_failed: do shards again in which something failed.
        progress: called a few times a second.

    Raises:
        JobError: the job cannot go on, the disk is full, or the folder holds the output of something else.
        CorpusError: there is no such source.
        OSError: the folder cannot be written to.
    """
    units = plan_units(source, clips_per_shard=clips_per_shard)
    check_apart(source, units, Path(out))
    return run_units(
        job,
        units,
        Path(out),
        workers=workers,
        clips_per_shard=clips_per_shard,
        retry_failed=retry_failed,
        progress=progress,
    )


def run_units(
    job: Job,
    units: Sequence[Unit],
    out: Path,
    *,
    workers: int | None,
    clips_per_shard: int,
    retry_failed: bool,
    retry_filtered: bool = False,
    progress: OnProgress | None,
) -> Summary:
    """Do a job over units, as `run` does over those of a source.

    Args:
        retry_filtered: do units again, too, of which the settings left something out.
    """
    with disk_told(out), _claimed(out, job, clips_per_shard):
        notes = notes_of(units, out)
        waiting = pending(units, notes, retry_failed=retry_failed, retry_filtered=retry_filtered)
        given_up = []
        for outcome in _outcomes(waiting, job, out, workers, len(units), progress):
            if outcome.note is not None:
                notes[outcome.unit.name] = outcome.note
            else:
                given_up.append(outcome.unit.name)
        return finish(units, notes, out, done=len(waiting) - len(given_up), given_up=given_up)


def notes_of(units: Iterable[Unit], out: Path) -> dict[str, Note]:
    """Return the notes of the units that are done, by name. Looks at all of their input once."""
    found = ((unit.name, read_note(out, unit)) for unit in units)
    return {name: note for name, note in found if note is not None}


def pending(
    units: Iterable[UnitType],
    notes: Mapping[str, Note],
    *,
    retry_failed: bool = False,
    retry_filtered: bool = False,
) -> list[UnitType]:
    """Return the units that are not done, and those in which something failed where that is asked."""

    def is_done(note: Note) -> bool:
        return not any(retry_filtered if failure.is_filtered else retry_failed for failure in note.failures)

    done = {name for name, note in notes.items() if is_done(note)}
    return [unit for unit in units if unit.name not in done]


def finish(
    units: Sequence[Unit],
    notes: Mapping[str, Note],
    out: Path,
    *,
    done: int = 0,
    given_up: Sequence[str] = (),
) -> Summary:
    """Gather the failures of all shards into one file, and tell how things stand."""
    made = {unit.name: notes[unit.name] for unit in units if unit.name in notes}
    failures, filtered = (gather(out, made, filtered=filtered) for filtered in (False, True))
    known = {f"{unit.name}.tar" for unit in units}
    there = (path.relative_to(out).as_posix() for path in sorted(out.rglob("*.tar")))
    return Summary(
        out=out,
        units=len(units),
        there=len(made),
        done=done,
        clips=sum(note.clips for note in made.values()),
        failures=failures,
        filtered=filtered,
        given_up=tuple(given_up),
        strangers=tuple(name for name in there if name not in known),
        tally=sum((Counter(note.tally) for note in made.values()), Counter[str]()),
    )


def _outcomes(
    waiting: Sequence[Unit], job: Job, out: Path, workers: int | None, of: int, progress: OnProgress | None
) -> Iterator[Outcome]:
    """Do what waits; give each unit that is done, or given up, and raise what ends the job."""
    told = _Told(of - len(waiting), of, tallies_of(job), progress)
    count = min(os.cpu_count() or 1 if workers is None else workers, len(waiting))
    for outcome in _done(waiting, job, out, count, told):
        if outcome.error is not None and not isinstance(outcome.error, WorkerDiedError):
            raise outcome.error
        told.finished(outcome.note)
        yield outcome


def _done(units: Sequence[Unit], job: Job, out: Path, workers: int, told: "_Told") -> Iterator[Outcome]:
    if not workers:
        for unit in units:
            yield Outcome(unit, do_unit(unit, job, out, on_clip=told.under_way), None)
        return
    with Workers(workers, job, out) as crew:
        for outcome in crew.outcomes(units):
            told.under_way(crew.under_way())
            if outcome is not None:
                yield outcome


class _Told:
    """Adds up what is told of the progress."""

    def __init__(self, done: int, of: int, tallies: Sequence[str], progress: OnProgress | None) -> None:
        self._units, self._of, self._tallies, self._progress = done, of, tallies, progress
        self._counts = [0] * (2 + len(tallies))
        self.under_way(self._counts)

    def under_way(self, counts: Sequence[int]) -> None:
        if self._progress:
            clips, failed, *tally = map(add, self._counts, counts)
            told = dict(zip(self._tallies, tally, strict=True))
            self._progress(Progress(self._units, self._of, clips, failed, told))

    def finished(self, note: Note | None) -> None:
        self._units += 1
        if note is not None:
            tally = (note.tally.get(name, 0) for name in self._tallies)
            self._counts = list(map(add, self._counts, (note.clips, len(note.failures), *tally)))
        self.under_way([0] * len(self._counts))


@contextmanager
def _claimed(out: Path, job: Job, clips_per_shard: int) -> Iterator[None]:
    """Hold the folder for a job: of two runs at a time on one machine the second is told."""
    claim(out, job, clips_per_shard)
    with (out / JOB).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise JobError(f"another run is at work in {out}: wait for it, or end it first") from error
        except OSError:  # a file system without locks; units are idempotent, so two runs cost time only
            yield
            return
        for name in (JOB, FAILURES, LEFT_OUT):
            for stale in out.glob(f".{name}.*.part"):
                stale.unlink(missing_ok=True)
        yield
