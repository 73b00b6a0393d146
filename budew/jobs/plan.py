"""`Plan`: a job over a source, divided into units, that may be killed at any moment and started again.

A finished unit is not repeated, a clip that fails is listed with its reason and the others continue, and the
output is the same, to the byte, however often the job was stopped, however many workers it had, and whether
it ran here or on a cluster.
"""

import fcntl
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from budew.corpora.media import AUDIO
from budew.corpora.overlap import check_no_overlap
from budew.errors import InputError, JobError
from budew.files import disk_errors
from budew.jobs.job import Job, NumberedJob, tallies_of
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
from budew.jobs.units import CLIPS_PER_SHARD, NumberedUnit, Unit, file_units, numbered_units
from budew.jobs.workers import WorkerPool

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
    left_out: int
    reasons: tuple[tuple[str, int], ...]
    given_up: tuple[str, ...]
    unexpected: tuple[str, ...]
    tally: Mapping[str, int]


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
        self.job, self.out = job, Path(out)
        self._clips_per_shard, self._retry_failed = clips_per_shard, retry_failed
        self.units: tuple[Unit, ...]
        if not isinstance(source, range):
            media = getattr(job, "media", AUDIO)
            self.units = files = file_units(source, clips_per_shard, media)
            written = [*(f"{unit.name}.tar" for unit in files), FAILURES, LEFT_OUT]
            check_no_overlap(source, (file for unit in files for file in unit.files[:1]), written, self.out)
            check_claim(self.out, job, clips_per_shard)
        elif isinstance(job, NumberedJob):
            self.units = numbered = numbered_units(job, source, self.out, clips_per_shard)
            check_claim(self.out, job, clips_per_shard)
            _check_not_fewer(numbered, self.out)
        else:
            raise InputError(f"{job.name} needs a corpus: give one")

    @property
    def done(self) -> tuple[Unit, ...]:
        """The units that are done, also those with failures. Checks all of their input."""
        notes = _notes(self.units, self.out)
        return tuple(unit for unit in self.units if unit.name in notes)

    @property
    def waiting(self) -> tuple[Unit, ...]:
        """The units that a run would do."""
        return self._waiting(_notes(self.units, self.out))

    def _waiting(self, notes: Mapping[str, Note]) -> tuple[Unit, ...]:
        def is_done(unit: Unit) -> bool:
            failures = notes[unit.name].failures if unit.name in notes else None
            is_numbered = isinstance(unit, NumberedUnit)
            again = self._retry_failed and any(is_numbered or not of.is_filtered for of in failures or ())
            return failures is not None and not again

        return tuple(unit for unit in self.units if not is_done(unit))

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
            notes = _notes(self.units, self.out)
            waiting, given_up = self._waiting(notes), list[str]()
            if cluster is None:
                made, given_up = self._do(waiting, workers, progress)
            else:
                from budew.jobs.cluster import launch

                if waiting:
                    launch(self.job, waiting, self.out, cluster)
                made = _notes(waiting, self.out)
            return self._summary({**notes, **made}, done=len(made), given_up=given_up)

    def _do(
        self, waiting: Sequence[Unit], workers: int | None, progress: OnProgress | None
    ) -> tuple[dict[str, Note], list[str]]:
        """Do what waits; return the notes, and the units that are given up. Raise what ends the job."""
        notes, given_up, tallies = dict[str, Note](), list[str](), tallies_of(self.job)
        counts = nothing = [0] * (2 + len(tallies))

        def report(under_way: Sequence[int]) -> None:
            if progress:
                done = len(self.units) - len(waiting) + len(notes) + len(given_up)
                clips, failed, *tally = map(add, counts, under_way)
                named = dict(zip(tallies, tally, strict=True))
                progress(Progress(done, len(self.units), clips, failed, named))

        report(nothing)
        count = min(os.cpu_count() or 1 if workers is None else workers, len(waiting))
        with WorkerPool(count, self.job, self.out) as pool:
            for unit, note, error in pool.outcomes(waiting, report):
                if note is not None:
                    notes[unit.name] = note
                    tally = (note.tally.get(name, 0) for name in tallies)
                    counts = list(map(add, counts, (note.clips, len(note.failures), *tally)))
                elif isinstance(error, BrokenProcessPool):
                    given_up.append(unit.name)
                elif error is not None:
                    raise error
                report(nothing)
        return notes, given_up

    def _summary(self, notes: Mapping[str, Note], *, done: int, given_up: Sequence[str]) -> Summary:
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
    """Do a job over a source on this machine, or continue it. Arguments and errors are those of `Plan`."""
    plan = Plan(job, source, out, clips_per_shard=clips_per_shard, retry_failed=retry_failed)
    return plan.run(workers=workers, progress=progress)


def _notes(units: Iterable[Unit], out: Path) -> dict[str, Note]:
    found = ((unit.name, read_note(out, unit)) for unit in units)
    return {name: note for name, note in found if note is not None}


def _check_not_fewer(units: Sequence[NumberedUnit], out: Path) -> None:
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
