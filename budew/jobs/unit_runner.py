"""One unit: read its clips, run the job over them, write the shard and then its record.

A unit that is killed at any moment and run again gives the same output: its shard appears under its name only
when complete, then its record. A unit without a record is not done. Any process may run it: a worker on this
machine, or a rank of a cluster.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from budew.corpora.clip import Clip, check_not_withheld, without_withheld
from budew.corpora.data_card import CardCounts, steps_of
from budew.corpora.media import AUDIO
from budew.corpora.shards import read_shard, write_shard
from budew.corpora.text_files import json_line
from budew.errors import CorpusError, JobError
from budew.jobs.job import Job, OnFailed, TallyingJob, tallies_of
from budew.jobs.job_folder import (
    ClipFailure,
    ShardRecord,
    read_record,
    record_path,
    shard_path,
    write_record,
    writing_unit,
)
from budew.jobs.units import NumberedUnit, Unit
from budew.version import __version__

OnCounts = Callable[[Sequence[int]], None]
"""Called after each clip with the number of clips read so far, of items that failed, and the job's
tallies."""
_NAMED_ID = re.compile(r"clip '([^']{1,240})'")


def current_record(unit: Unit, out: Path) -> ShardRecord | None:
    """Return the record of a unit if it is done and its input and output have not changed since, else None.

    An input of another size has changed. An input of equal size whose files, or whose folder of loose files,
    were modified after the record was written is compared by its digest.
    """
    try:
        record = read_record(out, unit.name)
        if record is None:
            return None
        state = unit.input_state()
        if state.bytes != record.input_bytes:
            return None
        changed = max(state.changed, unit.folders_changed())
        is_older = changed < record_path(out, unit.name).stat().st_mtime_ns
        return record if is_older or unit.digest() == record.input_sha256 else None
    except OSError:
        return None  # the unit is run again


def run_unit(unit: Unit, job: Job, out: Path, on_counts: OnCounts) -> ShardRecord:
    """Run a job over a unit; write its shard (unless it has no clips) and its record.

    Raises:
        JobError: every other clip would fail, too; the input changed meanwhile; or another run writes the
            same shard.
        OSError: the disk is full or read-only.
    """
    with writing_unit(out, unit.name):
        return _written(unit, job, out, on_counts)


def _written(unit: Unit, job: Job, out: Path, on_counts: OnCounts) -> ShardRecord:
    before, digest = unit.input_state(), unit.digest()
    run, path, clips = _UnitRun(unit, job, out, on_counts), shard_path(out, unit.name), 0
    output = run.output()
    first = next(output, None)
    if first is None:
        path.unlink(missing_ok=True)
    else:
        clips = write_shard(path, chain([first], output))
    if unit.input_state() != before:
        raise JobError(f"{unit.name}: its input changed while it was read: start again when it is complete")
    record = ShardRecord(
        clips=clips,
        bytes=path.stat().st_size if clips else 0,
        input_bytes=before.bytes,
        input_sha256=digest,
        made_by={"job": job.name, "settings": dict(job.settings()), "version": __version__},
        failures=tuple(run.failures),
        tally=run.tally,
        contents={name: dict(counts) for name, counts in run.contents.items()},
        earlier=[step for path in getattr(unit, "files", ())[:1] for step in steps_of(path)],
    )
    write_record(out, unit.name, record)
    return record


class _UnitRun:
    """A job over one unit, with its counts and failures."""

    def __init__(self, unit: Unit, job: Job, out: Path, on_counts: OnCounts) -> None:
        self._unit, self._job, self._out, self._on_counts = unit, job, out, on_counts
        self._clips_read = 0
        self.failures: list[ClipFailure] = []
        self.tally = dict.fromkeys(tallies_of(job), 0)
        self.contents = CardCounts()

    def output(self) -> Iterator[Clip]:
        """Yield the clips for the shard."""
        clips = self._job.run(without_withheld(self._input(), self._failed), self._failed)
        writable = map(self._counted, _writable(clips, self._failed))
        return self._tallied(writable, self._job) if isinstance(self._job, TallyingJob) else writable

    def _counted(self, clip: Clip) -> Clip:
        self.contents.add(clip, getattr(self._job, "media", AUDIO))
        return clip

    def _tallied(self, clips: Iterator[Clip], job: TallyingJob) -> Iterator[Clip]:
        for clip in clips:
            added = job.tally(clip)
            for name in self.tally:
                self.tally[name] += added.get(name, 0)
            self._report_counts()
            yield clip

    def _input(self) -> Iterator[Clip]:
        finished = self._finished_clips()
        for clip in self._unit.read(self._unreadable):
            self._clips_read += 1
            self._report_counts()
            yield finished.get(clip.id, clip)

    def _finished_clips(self) -> dict[str, Clip]:
        """Return the clips that an earlier run of a job without input made: they are not made again."""
        record = read_record(self._out, self._unit.name) if isinstance(self._unit, NumberedUnit) else None
        if record is None or not record.clips:
            return {}
        return {clip.id: clip for clip in read_shard(shard_path(self._out, self._unit.name))}

    def _unreadable(self, error: CorpusError) -> None:
        named = _NAMED_ID.search(str(error))
        self._failed(named[1] if named else "", error)

    def _failed(self, clip: str, error: Exception) -> None:
        self.failures.append(ClipFailure.of(clip, error))
        self._report_counts()

    def _report_counts(self) -> None:
        self._on_counts((self._clips_read, len(self.failures), *self.tally.values()))


def _writable(clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
    """Yield the clips that can be written, with audio in memory; others fail (id, metadata, withheld)."""
    seen: set[str] = set()
    for clip in clips:
        try:
            if clip.id in seen:
                raise CorpusError(
                    f"clip {clip.id!r}: another clip of the shard has this id: give each its own"
                )
            check_not_withheld(clip)
            json_line(clip.to_dict())
            ready = replace(clip, audio=clip.encoded())
        except (CorpusError, ValueError, TypeError) as error:
            failed(clip.id, error)
            continue
        seen.add(ready.id)
        yield ready
