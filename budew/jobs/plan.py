"""`Plan`: a job over a source, divided into units, which may be killed at any moment and started again.

A finished unit is not repeated, a clip that fails is listed with its reason and the others continue, and the
output is the same, to the byte, however often the job was stopped, with any number of workers, and on a
cluster.
"""

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

from budew.corpora.data_card import RECORDS, CardCounts, write_data_card
from budew.corpora.media import AUDIO
from budew.corpora.overlap import check_no_overlap
from budew.errors import InputError, JobError
from budew.io.disk import disk_errors
from budew.jobs.cluster import ClusterSettings, launch
from budew.jobs.job import Job, NumberedJob, tallies_of
from budew.jobs.job_folder import (
    ShardRecord,
    check_folder,
    locked_folder,
    read_record,
    shard_path,
    write_failures,
)
from budew.jobs.unit_runner import current_record
from budew.jobs.units import CLIPS_PER_SHARD, NumberedUnit, Unit, file_units, numbered_units
from budew.jobs.workers import WorkerPool


@dataclass(frozen=True, slots=True)
class Progress:
    """State of a run.

    Attributes:
        units: number of units done, in all runs, plus those given up in this run.
        of: number of units of the plan.
        clips: number of clips in this run: written in units that are done, and read in units in progress.
        failed: number of items that failed in this run.
        tally: further counts of the job in this run, by name, see `TallyingJob`.

    Example:
        >>> at = Progress(units=3, of=10, clips=1_500, failed=2)
        >>> f"{at.units} of {at.of} shards"
        '3 of 10 shards'
    """

    units: int
    of: int
    clips: int
    failed: int
    tally: Mapping[str, int] = field(default_factory=dict, hash=False)


OnProgress = Callable[[Progress], None]
"""Called with the state of the run a few times a second."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Result of a run; returned by `run`.

    Attributes:
        out: the output folder.
        units: number of units of the plan.
        complete: number of units that are done.
        done: number of units that were done in this run.
        clips: number of clips in the output, from all runs.
        failures: number of items that failed, in all runs.
        left_out: number of clips that the settings of the job exclude, in all runs.
        reasons: the most frequent reasons of failures, each with its count.
        given_up: names of units that have no shard because several processes in a row died in them or, on
            Ray, because their ranks failed (see `OUT/logs`). The next run tries these units again.
        unexpected: relative paths of shards in the folder that belong to no unit.
        tally: further counts of the job over all runs, by name, see `TallyingJob`.

    Example:
        >>> from budew.io.resources import data_folder
        >>> from budew.jobs.convert import Convert
        >>> summary = run(Convert(), data_folder("demo_clips"), "shards", workers=0)
        >>> summary.clips, summary.complete == summary.units
        (16, True)
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
    """The units of a job over a source (mostly one for each shard), and which of them still have to be run.

    Creating a plan checks source and output, and writes nothing. `units` has all units, in order.

    Example:
        >>> from budew.io.resources import data_folder
        >>> from budew.jobs.convert import Convert
        >>> plan = Plan(Convert(), data_folder("demo_clips"), "converted")
        >>> [unit.name for unit in plan.waiting]
        ['clips']
        >>> plan.run(workers=0).clips
        16
        >>> len(plan.waiting)
        0
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
            job: job that processes each clip.
            source: anything that `budew.read` takes; for a `NumberedJob`, a range of clip numbers from 0.
            out: folder for the shards, their records and `failures.jsonl`.
            clips_per_shard: number of loose files, rows of a manifest or table, or clip numbers in one unit.
            retry_failed: whether units in which a clip failed are run again. A `NumberedJob` keeps the clips
                that it has made, and also makes those again that were left out.

        Raises:
            JobError: `out` has the output of another job or of other settings, or more clips of the same job.
            CorpusError: the source does not exist, or it overlaps the output.
            InputError: too few or too many clips.
        """
        self.job, self.out = job, Path(out)
        self._clips_per_shard, self._retry_failed = clips_per_shard, retry_failed
        self.units: tuple[Unit, ...]
        if not isinstance(source, range):
            media = getattr(job, "media", AUDIO)
            self.units = files = file_units(source, clips_per_shard, media)
            check_no_overlap(source, (file for unit in files for file in unit.files[:1]), self.out)
            check_folder(self.out, job, clips_per_shard)
        elif isinstance(job, NumberedJob):
            self.units = numbered = numbered_units(job, source, clips_per_shard)
            check_folder(self.out, job, clips_per_shard)
            _check_not_fewer(numbered, self.out)
        else:
            raise InputError(f"{job.name} needs a corpus: give one")

    @property
    def waiting(self) -> tuple[Unit, ...]:
        """The units that a run would process: those not done yet, and those whose input has changed since."""
        return self._waiting(_current_records(self.units, self.out))

    def _waiting(self, records: Mapping[str, ShardRecord]) -> tuple[Unit, ...]:
        return tuple(
            unit
            for unit in self.units
            if unit.name not in records or (self._retry_failed and _can_improve(unit, records[unit.name]))
        )

    def run(
        self,
        *,
        workers: int | None = None,
        cluster: ClusterSettings | None = None,
        progress: OnProgress | None = None,
    ) -> Summary:
        """Process the waiting units, on this machine or on a cluster.

        Args:
            workers: number of processes; None for one per processor, 0 to work in this process.
            cluster: cluster to run on instead. With Slurm, the call returns when the units are queued: run
                the same plan again after they have ended, not earlier, to collect failures and queue what is
                missing. With Ray, it returns when they have ended.
            progress: called a few times a second with the state of the run; not on a cluster.

        Raises:
            JobError: every other clip would fail, too; the disk is full; another run is using the folder; or
                the cluster rejects the job. On a cluster, the first two end only the rank in which
                they occur, and are not raised.
        """
        if workers is not None and workers < 0:
            raise InputError(f"workers must be 0 or more, not {workers}")
        with disk_errors(self.out), locked_folder(self.out, self.job, self._clips_per_shard):
            records = _current_records(self.units, self.out)
            waiting = self._waiting(records)
            if cluster is None:
                new, given_up = self._run_here(waiting, workers, progress)
            else:
                new, given_up = self._run_on_cluster(waiting, cluster)
            return self._summary({**records, **new}, done=len(new), given_up=given_up)

    def _run_here(
        self, waiting: Sequence[Unit], workers: int | None, progress: OnProgress | None
    ) -> tuple[dict[str, ShardRecord], list[str]]:
        """Return the records of the waiting units, and the names of those that are given up."""
        records, given_up, tallies = dict[str, ShardRecord](), list[str](), tallies_of(self.job)
        none_yet = [0] * (2 + len(tallies))
        finished = none_yet

        def report(in_progress: Sequence[int]) -> None:
            if progress is not None:
                done = len(self.units) - len(waiting) + len(records) + len(given_up)
                clips, failed, *tally = _sums(finished, in_progress)
                named = dict(zip(tallies, tally, strict=True))
                progress(Progress(done, len(self.units), clips, failed, named))

        report(none_yet)
        if workers is None:
            workers = os.cpu_count() or 1
        with WorkerPool(min(workers, len(waiting)), self.job, self.out) as pool:
            for unit, record, error in pool.outcomes(waiting, report):
                if record is not None:
                    records[unit.name] = record
                    tally = (record.tally.get(name, 0) for name in tallies)
                    finished = _sums(finished, (record.clips, len(record.failures), *tally))
                elif isinstance(error, BrokenProcessPool):
                    given_up.append(unit.name)
                elif error is not None:
                    raise error
                report(pool.counts())
        return records, given_up

    def _run_on_cluster(
        self, waiting: Sequence[Unit], cluster: ClusterSettings
    ) -> tuple[dict[str, ShardRecord], list[str]]:
        """Return the records of the waiting units, and the names of those whose ranks ended without one."""
        have_ended = not waiting or launch(self.job, waiting, self.out, cluster)
        records = _current_records(waiting, self.out)
        missing = [unit.name for unit in waiting if unit.name not in records]
        return records, missing if have_ended else []

    def _summary(self, records: Mapping[str, ShardRecord], *, done: int, given_up: Sequence[str]) -> Summary:
        """Collect the failures of all shards in one file, and add up."""
        complete = {unit.name: records[unit.name] for unit in self.units if unit.name in records}
        failures, reasons = write_failures(self.out, complete, filtered=False)
        left_out, _ = write_failures(self.out, complete, filtered=True)
        self._write_card(complete.values(), failures, left_out)
        expected = {shard_path(self.out, unit.name) for unit in self.units}
        unexpected = [path for path in sorted(self.out.rglob("*.tar")) if path not in expected]
        tally = Counter[str]()
        for record in complete.values():
            tally.update(record.tally)
        return Summary(
            out=self.out,
            units=len(self.units),
            complete=len(complete),
            done=done,
            clips=sum(record.clips for record in complete.values()),
            failures=failures,
            left_out=left_out,
            reasons=reasons,
            given_up=tuple(given_up),
            unexpected=tuple(path.relative_to(self.out).as_posix() for path in unexpected),
            tally=tally,
        )

    def _write_card(self, records: Collection[ShardRecord], failed: int, left_out: int) -> None:
        """Write the data card of a corpus with captions, if all shards have counts in their records."""
        counts = CardCounts(record.contents for record in records)
        if counts["captions"] and counts["totals"]["clips"] == sum(record.clips for record in records):
            steps = (step for record in records for step in (*record.earlier, record.made_by))
            write_data_card(self.out, counts, steps, format="shards", missing=(failed, left_out))


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
    """Run a job over a source on this machine, or resume an earlier run.

    Args:
        job: job that processes each clip.
        source: anything that `budew.read` takes; for a `NumberedJob`, a range of clip numbers from 0.
        out: folder for the shards, their records and `failures.jsonl`.
        workers: number of processes; None for one per processor, 0 to work in this process.
        clips_per_shard: number of loose files, rows of a manifest or table, or clip numbers in one unit.
        retry_failed: whether units in which a clip failed are run again.
        progress: called a few times a second with the state of the run.

    Raises:
        JobError: every other clip would fail, too; the disk is full; another run is using `out`; or `out`
            has the output of another job or of other settings.
        CorpusError: the source does not exist, or it overlaps the output.

    Example:
        >>> from budew.io.resources import data_folder
        >>> from budew.jobs.render import Render
        >>> summary = run(Render(style="prose", seed=7), data_folder("demo_clips"), "rendered", workers=0)
        >>> summary.clips, summary.failures
        (16, 0)
    """
    plan = Plan(job, source, out, clips_per_shard=clips_per_shard, retry_failed=retry_failed)
    return plan.run(workers=workers, progress=progress)


def _current_records(units: Iterable[Unit], out: Path) -> dict[str, ShardRecord]:
    found = {unit.name: current_record(unit, out) for unit in units}
    return {name: record for name, record in found.items() if record is not None}


def _can_improve(unit: Unit, record: ShardRecord) -> bool:
    """Return whether a clip failed, or was left out by a job that can make another one."""
    return any(isinstance(unit, NumberedUnit) or not failure.is_filtered for failure in record.failures)


def _sums(counts: Sequence[int], more: Sequence[int]) -> list[int]:
    return [one + other for one, other in zip(counts, more, strict=True)]


def _check_not_fewer(units: Sequence[NumberedUnit], out: Path) -> None:
    """Raise an error if the plan has fewer clips than the folder, as it would remove some."""
    last, names = units[-1], {unit.name for unit in units}
    record = read_record(out, last.name)
    prefix = last.name.rpartition("-")[0]
    has_more_shards = any(path.stem not in names for path in (out / RECORDS).glob(f"{prefix}-*.json"))
    if has_more_shards or (record is not None and record.input_bytes > len(last.numbers)):
        clips = sum(len(unit.numbers) for unit in units)
        raise JobError(f"{out} holds more than {clips} clips already: request at least as many")
