"""Units done here, or in processes side by side, where one that dies costs no more than its own unit.

A unit that is killed anywhere and done again ends the same: its shard appears whole, its note after it, and
what has no note is not done. Each worker is a standard-library pool of one process, fed by a thread. A
process that dies (out of memory, a crash in a decoder, `kill -9`) breaks its own pool alone; its unit is done
again, up to `MAX_DEATHS` times. A process whose parent died ends at once, so a job that was killed leaves
nothing running.
"""

import gc
import os
import re
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import replace
from glob import escape
from itertools import chain
from multiprocessing import forkserver, get_all_start_methods, get_context, parent_process, resource_tracker
from multiprocessing.connection import wait
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Self

from budew.corpora.clip import Clip, check_not_withheld, without_withheld
from budew.corpora.shards import write_shard
from budew.corpora.text_files import check_characters
from budew.errors import CorpusError, JobError
from budew.files import remove_all
from budew.jobs.job import Job, OnFailed, Tallying, tallies_of
from budew.jobs.notes import Failure, Note, made_by, note_path, shard_path, write_note
from budew.jobs.units import Unit

OnClip = Callable[[Sequence[int]], None]
"""Called with the clips that were read, the items that failed, and the tallies of the job."""

MAX_DEATHS = 3
"""A unit in which so many processes died is given up."""
_POLL = 0.2  # seconds
_STOP, _STOP_AT_ONCE = 1, 2  # after the current clip, or in the middle of it
_PAUSE = 0.5  # seconds until what a killed process held is free
_NAMED_ID = re.compile(r"clip '([^']{1,240})'")


class Stopped(BaseException):  # not to be caught by a job that catches every error
    """The run is being stopped; the unit is left undone."""


class Outcome(NamedTuple):
    """How a unit ended: a note or an error, `BrokenProcessPool` where process after process died in it."""

    unit: Unit
    note: Note | None
    error: BaseException | None = None


def do_unit(unit: Unit, job: Job, out: Path, on_clip: OnClip) -> Note:
    """Do a unit: write its shard, if a clip is left, and its note.

    Raises:
        JobError: no other clip would succeed either, or the input changed meanwhile.
        OSError: the disk refuses.
    """
    path, failures = shard_path(out, unit), list[Failure]()
    for made, end in ((path, "unfinished"), (note_path(out, unit), "part")):  # of a run that was killed
        for stale in made.parent.glob(f".{escape(made.name)}.*.{end}"):
            stale.unlink(missing_ok=True)
    before, digest = unit.state(), unit.digest()
    read, tally = 0, dict.fromkeys(tallies_of(job), 0)

    def count_clips() -> None:
        on_clip((read, len(failures), *tally.values()))

    def failed(clip: str, error: Exception) -> None:
        failures.append(Failure.of(clip, error))
        count_clips()

    def clips() -> Iterator[Clip]:
        nonlocal read
        for clip in unit.read(lambda error: failed(_clip_named_in(error), error)):
            read += 1
            count_clips()
            yield clip

    def tallied(clips: Iterator[Clip]) -> Iterator[Clip]:
        for clip in clips:
            if isinstance(job, Tallying):
                added = job.tally(clip)
                tally.update({name: count + added.get(name, 0) for name, count in tally.items()})
                count_clips()
            yield clip

    written, count = tallied(_writable(job.run(without_withheld(clips(), failed), failed), failed)), 0
    if (first := next(written, None)) is None:
        path.unlink(missing_ok=True)
    else:
        count = write_shard(path, chain([first], written))
    if unit.state() != before:
        raise JobError(f"{unit.name}: its input changed while it was read: start again when it is complete")
    note = Note(
        clips=count,
        bytes=path.stat().st_size if count else 0,
        input_bytes=before.bytes,
        input_sha256=digest,
        made_by=made_by(job),
        failures=tuple(failures),
        tally=tally,
    )
    write_note(out, unit, note)
    return note


def _writable(clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
    """Pass on what can be written: audio in memory, metadata that is JSON, a unique id, nothing withheld."""
    seen: set[str] = set()
    for clip in clips:
        try:
            ready = _ready(clip, seen)
        except (CorpusError, ValueError, TypeError) as error:
            failed(clip.id, error)
            continue
        seen.add(ready.id)
        yield ready


def _ready(clip: Clip, seen: set[str]) -> Clip:
    if clip.id in seen:
        raise CorpusError(f"clip {clip.id!r}: another clip of the shard has this id: give each its own")
    check_not_withheld(clip)
    check_characters(clip.to_dict(), f"clip {clip.id!r}")
    return replace(clip, audio=clip.encoded())


def _clip_named_in(error: CorpusError) -> str:
    found = _NAMED_ID.search(str(error))
    return found[1] if found else ""


class WorkerPool:
    """Processes that do units side by side; with a count of 0, this process does them.

    Use as a context manager; leaving it stops them when each has done its current clip.
    """

    def __init__(self, count: int, job: Job, out: Path) -> None:
        self._job, self._out = job, out
        self._context = _context()
        # For each worker the counts of `OnClip` in its current unit; the last cell orders all to stop.
        self._width = 2 + len(tallies_of(job))
        self._counts: Any = self._context.RawArray("q", self._width * count + 1) if count else [0]
        self._todo: SimpleQueue[Unit | None] = SimpleQueue()
        self._done: SimpleQueue[Outcome] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._feed, args=(slot,), daemon=True) for slot in range(count)
        ]

    def __enter__(self) -> Self:
        if not self._threads:
            return self
        _start_tracker()
        try:
            with _interrupts_held():  # processes that start here, and their children, never see Ctrl-C
                if self._context.get_start_method() == "forkserver":
                    forkserver.ensure_running()
                for thread in self._threads:
                    thread.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._counts[-1] = _STOP
        for _thread in self._threads:
            self._todo.put(None)
        try:
            self._join()
        except KeyboardInterrupt:  # the second one: the current clips are not waited for
            self._counts[-1] = _STOP_AT_ONCE
            self._join()
            raise

    def _join(self) -> None:
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def outcomes(self, units: Sequence[Unit], on_clip: OnClip = lambda counts: None) -> Iterator[Outcome]:
        """Give the outcome of each unit as it ends; `on_clip` gets the sums over all workers."""
        if not self._threads:
            for unit in units:
                yield Outcome(unit, do_unit(unit, self._job, self._out, on_clip))
            return
        for unit in units:
            self._todo.put(unit)
        for _ in self._threads:
            self._todo.put(None)
        waiting = len(units)
        while waiting:
            try:
                outcome = self._done.get(timeout=_POLL)
            except Empty:
                counts = self._counts[:-1]
                on_clip([sum(counts[column :: self._width]) for column in range(self._width)])
                continue
            waiting -= 1
            yield outcome

    def _feed(self, slot: int) -> None:
        """Do units in one process after the other, until there is none or the run is stopped."""
        pool = self._pool(slot)
        try:
            while (unit := self._todo.get()) is not None and not self._counts[-1]:
                for death in range(MAX_DEATHS):
                    outcome = _done_in(pool, unit)
                    if not isinstance(outcome.error, BrokenProcessPool):
                        break
                    pool.shutdown()
                    if self._counts[-1]:
                        return
                    time.sleep(_PAUSE * (death + 1))
                    pool = self._pool(slot)
                self._counts[slot * self._width : (slot + 1) * self._width] = [0] * self._width
                self._done.put(outcome)
        finally:
            pool.shutdown(cancel_futures=True)

    def _pool(self, slot: int) -> ProcessPoolExecutor:
        given = (self._job, self._out, self._counts, slot, len(self._threads))
        return ProcessPoolExecutor(1, mp_context=self._context, initializer=_begin, initargs=given)


def _done_in(pool: ProcessPoolExecutor, unit: Unit) -> Outcome:
    try:
        try:
            note = pool.submit(_in_worker, unit)
        except (EOFError, OSError) as error:
            raise BrokenProcessPool("it was killed while it started") from error
        return Outcome(unit, note.result())
    except BaseException as error:  # noqa: BLE001  # the plan decides
        return Outcome(unit, None, error)


def _context() -> Any:
    """Return how processes start: forked, if possible, from one that has only imported this module.

    Such a start takes 50 ms instead of the seconds of the imports, and is safe, as nothing else ran there.
    """
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _start_tracker() -> None:
    """Start the process that removes the semaphores of a killed job, without its warnings.

    It comes before all others, as starting it (Python 3.11) lets a held Ctrl-C through.
    """
    quiet = "ignore::UserWarning:multiprocessing.resource_tracker"
    sys.warnoptions.append(quiet)  # child processes inherit it
    try:
        resource_tracker.ensure_running()
    finally:
        sys.warnoptions.remove(quiet)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while processes start: until they ignore it, it would end them."""
    held = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


_here: dict[str, Any] = {}
"""In a worker's process: the arguments of `_begin`."""


def _begin(job: Job, out: Path, counts: Any, slot: int, workers: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops it
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
    warnings.formatwarning = lambda message, *_place, **_more: f"warning: {message}\n"
    collect_seldom()
    for end in (_end_with_parent, _end_at_once):
        threading.Thread(target=end, args=(counts,), daemon=True).start()
    _here.update(job=job, out=out, counts=counts, slot=slot)


def collect_seldom() -> None:
    """Collect garbage less often than Python does by default.

    A worker keeps lexicons and models in memory, and scanning them takes a quarter of the time of a job of
    small steps, such as rewriting (benchmarks/paraphrase.py).
    """
    gc.set_threshold(20_000, 20, 50)


def _end_with_parent(_counts: Any) -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        _exit()


def _end_at_once(counts: Any) -> None:
    while counts[-1] != _STOP_AT_ONCE:
        time.sleep(_POLL)
    _exit()


def _exit() -> None:
    remove_all()
    os._exit(1)


def _in_worker(unit: Unit) -> Note:
    counts, slot = _here["counts"], _here["slot"]

    def on_clip(now: Sequence[int]) -> None:
        counts[slot * len(now) : (slot + 1) * len(now)] = now
        if counts[-1]:
            raise Stopped

    return do_unit(unit, _here["job"], _here["out"], on_clip)
