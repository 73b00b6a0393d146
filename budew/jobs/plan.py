"""`Plan`: a job over a source, divided into units, that may be killed at any moment and started again.

A finished unit is never done again, a clip that fails is listed with its reason and the others go on, and the
output is the same, to the byte, however often the job was stopped, however many workers it had, and whether
it ran here or on a cluster.
"""

import fcntl
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from budew.addresses import check_local
from budew.corpora.overlap import check_no_overlap
from budew.errors import InputError, JobError
from budew.jobs.job import Job, NumberedJob, disk_errors, tallies_of
from budew.jobs.notes import (
    FAILURES,
    JOB,
    LEFT_OUT,
    NOTES,
    Note,
    check_claim,
    claim,
    gather,
    output_note,
    read_note,
)
from budew.jobs.unit_work import OnClip, do_unit
from budew.jobs.units import CLIPS_PER_SHARD, NumberedUnit, Unit, file_units, numbered_units
from budew.jobs.workers import Outcome, WorkerDiedError, WorkerPool

if TYPE_CHECKING:
    from budew.jobs.cluster import ClusterSettings


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: units done of all; clips read, items failed and the job's own counts in this run."""

    units: int
    of: int
    clips: int
    failed: int
    tally: Mapping[str, int] = field(default_factory=dict, hash=False)


OnProgress = Callable[[Progress], None]
"""Called a few times a second."""


@dataclass(frozen=True, slots=True)
class Summary:
    """How a run ended.

    Attributes:
        out: the folder.
        units: of the plan.
        complete: of them, those that are done.
        done: those that were done in this run.
        clips: in the output, of all runs.
        failures: items that failed, of all runs.
        left_out: clips that the settings leave out, of all runs.
        reasons: the most frequent reasons of failures, with their counts.
        given_up: units in which process after process died. The next run tries them again.
        unexpected: shards in the folder that belong to no unit.
        tally: what else the job counted, in all runs.
    """

    out: Path
    units: int
    complete: int
    done: int
    clips: int
    failures: int
    left_out: int = 0
    reasons: tuple[tuple[str, int], ...] = ()
    given_up: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    tally: Mapping[str, int] = field(default_factory=dict)


class Plan:
    """A job over a source: which units there are, which are done, and the means to do the rest.

    Making a plan checks source and output and writes nothing.

    Attributes:
        job: as given.
        out: output folder.
        units: all of them, in order.
    """

    def __init__(
        self,
        job: Job | NumberedJob,
        source: str | Path | range,
        out: str | Path,
        *,
        clips_per_shard: int = CLIPS_PER_SHARD,
        retry_failed: bool = False,
    ) -> None:
        """Divide the source into units.

        Args:
            job: what is done to each clip.
            source: anything that `budew.read` takes; clip numbers, from 0 on, for a `NumberedJob`.
            out: folder for the shards, their notes and `failures.jsonl`.
            clips_per_shard: loose files, rows of a manifest or table, or clip numbers of one unit.
            retry_failed: do units again in which a clip failed. A `NumberedJob` keeps the clips that are
                there, and also makes those again that were left out.

        Raises:
            JobError: the folder holds the output of something else, or more clips of the same job.
            CorpusError: there is no such source, or it overlaps the output.
            InputError: too few or too many clips.
        """
        self.job, self.out, self.units = job, Path(out), tuple[Unit, ...]()
        self._clips_per_shard, self._retry_failed = clips_per_shard, retry_failed
        self._retry_left_out = retry_failed and isinstance(source, range)
        if isinstance(source, range):
            numbered = numbered_units(job, source, self.out, clips_per_shard)  # type: ignore[arg-type]
            self.units = tuple(numbered)
            check_claim(self.out, job, clips_per_shard)
            _refuse_fewer(numbered, self.out)
        else:
            files = file_units(source, clips_per_shard)
            self.units = tuple(files)
            written = [*(f"{unit.name}.tar" for unit in files), FAILURES, LEFT_OUT]
            check_local(self.out)
            check_no_overlap(source, (file for unit in files for file in unit.files[:1]), written, self.out)
            check_claim(self.out, job, clips_per_shard)

    def notes(self) -> dict[str, Note]:
        """Return the notes of the units that are done, by name. Checks all of their input."""
        return _notes(self.units, self.out)

    @property
    def done(self) -> tuple[Unit, ...]:
        """The units that are done, also those with failures."""
        notes = self.notes()
        return tuple(unit for unit in self.units if unit.name in notes)

    @property
    def waiting(self) -> tuple[Unit, ...]:
        """The units that a run would do."""
        return self._waiting(self.notes())

    def run(
        self,
        *,
        workers: int | None = None,
        cluster: "ClusterSettings | None" = None,
        progress: OnProgress | None = None,
    ) -> Summary:
        """Do what waits, here or on a cluster.

        Args:
            workers: processes, one a processor when None; 0 works in this process.
            cluster: where to run instead. Slurm returns when the units are queued: run the same plan again
                after they ended, to collect failures and queue what is missing. Ray returns when they ended.
            progress: called a few times a second, unless on a cluster.

        Raises:
            JobError: no other clip would succeed either, the disk is full, another run is running in the
                folder, or the cluster does not take the job.
            OSError: the folder cannot be written to.
            MissingExtraError: a library of the cluster is not installed.
        """
        if workers is not None and workers < 0:
            raise InputError(f"workers must be 0 or more, not {workers}")
        with disk_errors(self.out), _claimed(self.out, self.job, self._clips_per_shard):
            notes = self.notes()
            waiting, given_up = self._waiting(notes), list[str]()
            if cluster is not None:
                from budew.jobs.cluster import launch

                if waiting:
                    launch(self.job, waiting, self.out, cluster)
                made = _notes(waiting, self.out)
                return self._summary({**notes, **made}, done=len(made))
            for outcome in self._outcomes(waiting, workers, progress):
                if outcome.note is not None:
                    notes[outcome.unit.name] = outcome.note
                else:
                    given_up.append(outcome.unit.name)
            return self._summary(notes, done=len(waiting) - len(given_up), given_up=given_up)

    def _waiting(self, notes: Mapping[str, Note]) -> tuple[Unit, ...]:
        def is_done(unit: Unit) -> bool:
            again = {True: self._retry_left_out, False: self._retry_failed}
            note = notes.get(unit.name)
            return note is not None and not any(again[failure.is_filtered] for failure in note.failures)

        return tuple(unit for unit in self.units if not is_done(unit))

    def _outcomes(
        self, waiting: Sequence[Unit], workers: int | None, progress: OnProgress | None
    ) -> Iterator[Outcome]:
        """Do what waits; give each unit that is done or given up, and raise what ends the job."""
        units, tallies = len(self.units) - len(waiting), tallies_of(self.job)
        counts = nothing = [0] * (2 + len(tallies))

        def report(under_way: Sequence[int]) -> None:
            if progress:
                clips, failed, *tally = map(add, counts, under_way)
                named = dict(zip(tallies, tally, strict=True))
                progress(Progress(units, len(self.units), clips, failed, named))

        report(nothing)
        count = min(os.cpu_count() or 1 if workers is None else workers, len(waiting))
        for outcome in self._done_here(waiting, count, report):
            if outcome.error is not None and not isinstance(outcome.error, WorkerDiedError):
                raise outcome.error
            units += 1
            if (note := outcome.note) is not None:
                tally = (note.tally.get(name, 0) for name in tallies)
                counts = list(map(add, counts, (note.clips, len(note.failures), *tally)))
            report(nothing)
            yield outcome

    def _done_here(self, waiting: Sequence[Unit], workers: int, report: OnClip) -> Iterator[Outcome]:
        if not workers:
            for unit in waiting:
                yield Outcome(unit, do_unit(unit, self.job, self.out, on_clip=report), None)
            return
        with WorkerPool(workers, self.job, self.out) as pool:
            for outcome in pool.outcomes(waiting):
                report(pool.under_way())
                if outcome is not None:
                    yield outcome

    def _summary(self, notes: Mapping[str, Note], *, done: int, given_up: Sequence[str] = ()) -> Summary:
        """Gather the failures of all shards into one file, and add up."""
        made = {unit.name: notes[unit.name] for unit in self.units if unit.name in notes}
        failures, reasons = gather(self.out, made, filtered=False)
        left_out, _ = gather(self.out, made, filtered=True)
        known = {f"{unit.name}.tar" for unit in self.units}
        shards = (path.relative_to(self.out).as_posix() for path in sorted(self.out.rglob("*.tar")))
        return Summary(
            out=self.out,
            units=len(self.units),
            complete=len(made),
            done=done,
            clips=sum(note.clips for note in made.values()),
            failures=failures,
            left_out=left_out,
            reasons=reasons,
            given_up=tuple(given_up),
            unexpected=tuple(name for name in shards if name not in known),
            tally=sum((Counter(note.tally) for note in made.values()), Counter[str]()),
        )


def run(
    job: Job | NumberedJob,
    source: str | Path | range,
    out: str | Path,
    *,
    workers: int | None = None,
    clips_per_shard: int = CLIPS_PER_SHARD,
    retry_failed: bool = False,
    progress: OnProgress | None = None,
) -> Summary:
    """Do a job over a source on this machine, or go on with it. Arguments and errors are those of `Plan`."""
    plan = Plan(job, source, out, clips_per_shard=clips_per_shard, retry_failed=retry_failed)
    return plan.run(workers=workers, progress=progress)


def _notes(units: Iterable[Unit], out: Path) -> dict[str, Note]:
    found = ((unit.name, read_note(out, unit)) for unit in units)
    return {name: note for name, note in found if note is not None}


def _refuse_fewer(units: Sequence[NumberedUnit], out: Path) -> None:
    """Refuse a plan with fewer clips than there are, as it would remove some."""
    known, note = {unit.name for unit in units}, output_note(out, units[-1])
    prefix = units[-1].name.rpartition("-")[0]
    beyond = any(path.stem not in known for path in (out / NOTES).glob(f"{prefix}-*.json"))
    if beyond or (note is not None and note.input_bytes > len(units[-1].numbers)):
        clips = sum(len(unit.numbers) for unit in units)
        raise JobError(f"{out} holds more than {clips} clips already: request at least as many")


@contextmanager
def _claimed(out: Path, job: Job, clips_per_shard: int) -> Iterator[None]:
    """Hold the folder for a job.

    Raises:
        JobError: another run on this machine holds it.
    """
    claim(out, job, clips_per_shard)
    with (out / JOB).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise JobError(f"another run is running in {out}: wait for it, or end it first") from error
        except OSError:  # a file system without locks; units are idempotent, so two runs only cost time
            yield
            return
        for name in (JOB, FAILURES, LEFT_OUT):
            for stale in out.glob(f".{name}.*.part"):
                stale.unlink(missing_ok=True)
        yield
