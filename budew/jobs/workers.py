"""`WorkerPool`: units in processes side by side, where a process that dies costs no more than its own unit.

Each worker is a standard-library pool of one process, fed by a thread. A process that dies (out of memory, a
crash in a decoder, `kill -9`) breaks its own pool alone; its unit is done again, up to `MAX_DEATHS` times. A
process whose parent died ends at once, so a job that was killed leaves nothing running.
"""

import gc
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import forkserver, get_all_start_methods, get_context, parent_process, resource_tracker
from multiprocessing.connection import wait
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple

from budew.files import remove_all
from budew.jobs.job import Job, tallies_of
from budew.jobs.notes import Note
from budew.jobs.unit_work import do_unit
from budew.jobs.units import Unit

MAX_DEATHS = 3
"""A unit in which so many processes died is given up."""
_POLL = 0.2  # seconds
_STOP, _STOP_AT_ONCE = 1, 2  # after the current clip, or in the middle of it
_PAUSE = 0.5  # seconds until what a killed process held is free


class Stopped(BaseException):  # not to be caught by a job that catches every error
    """The run is being stopped; the unit is left undone."""


class Outcome(NamedTuple):
    """How a unit ended: a note or an error."""

    unit: Unit
    note: Note | None
    error: BaseException | None
    deaths: int = 0


class WorkerDiedError(RuntimeError):
    """Process after process died in a unit."""


class WorkerPool:
    """Processes that do units side by side.

    Use as a context manager; leaving it stops them when each has done its current clip.
    """

    def __init__(self, count: int, job: Job, out: Path) -> None:
        self._job, self._out = job, out
        self._context = _context()
        # For each worker the counts of `OnClip` in its current unit; the last cell orders all to stop.
        self._width = 2 + len(tallies_of(job))
        self._counts = self._context.RawArray("q", self._width * count + 1)
        self._todo: SimpleQueue[Unit | None] = SimpleQueue()
        self._done: SimpleQueue[Outcome] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._feed, args=(slot,), daemon=True) for slot in range(count)
        ]

    def __enter__(self) -> "WorkerPool":
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

    def outcomes(self, units: Sequence[Unit]) -> Iterator[Outcome | None]:
        """Give the outcome of each unit as it ends, and None a few times a second meanwhile."""
        for unit in units:
            self._todo.put(unit)
        for _ in self._threads:
            self._todo.put(None)
        waiting = len(units)
        while waiting:
            try:
                outcome = self._done.get(timeout=_POLL)
            except Empty:
                yield None
                continue
            waiting -= 1
            yield outcome

    def under_way(self) -> list[int]:
        """Return the counts of `OnClip`, summed over the units that are under way."""
        counts = self._counts[:-1]
        return [sum(counts[column :: self._width]) for column in range(self._width)]

    def _feed(self, slot: int) -> None:
        pool = self._pool(slot)
        try:
            while (unit := self._todo.get()) is not None and not self._counts[-1]:
                outcome, pool = self._do(unit, pool, slot)
                self._counts[slot * self._width : (slot + 1) * self._width] = [0] * self._width
                self._done.put(outcome)
        finally:
            pool.shutdown(cancel_futures=True)

    def _do(self, unit: Unit, pool: ProcessPoolExecutor, slot: int) -> tuple[Outcome, ProcessPoolExecutor]:
        for death in range(MAX_DEATHS):
            try:
                return Outcome(unit, _begun(pool, unit).result(), None, death), pool
            except BrokenProcessPool:
                pool.shutdown()
                if self._counts[-1]:
                    return Outcome(unit, None, Stopped(), death), pool
                time.sleep(_PAUSE * (death + 1))
                pool = self._pool(slot)
            except BaseException as error:  # noqa: BLE001  # the plan decides
                return Outcome(unit, None, error, death), pool
        why = f"{unit.name}: {MAX_DEATHS} processes died in it, out of memory perhaps: try fewer workers"
        return Outcome(unit, None, WorkerDiedError(why), MAX_DEATHS), pool

    def _pool(self, slot: int) -> ProcessPoolExecutor:
        given = (self._job, self._out, self._counts, slot, len(self._threads))
        return ProcessPoolExecutor(1, mp_context=self._context, initializer=_begin, initargs=given)


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


def _begun(pool: ProcessPoolExecutor, unit: Unit) -> Future[Note]:
    """Submit a unit to a pool; a process that was killed while it started counts as dead."""
    try:
        return pool.submit(_in_worker, unit)
    except (EOFError, OSError) as error:
        raise BrokenProcessPool(f"no process could be started: {error}") from error


_here: dict[str, Any] = {}
"""In a worker's process: the arguments of `_begin`."""


def _begin(job: Job, out: Path, counts: Any, slot: int, workers: int) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
    warnings.formatwarning = lambda message, *_place, **_more: f"warning: {message}\n"
    depend_on_parent()
    collect_seldom()
    threading.Thread(target=_end_at_once, args=(counts,), daemon=True).start()
    _here.update(job=job, out=out, counts=counts, slot=slot)


def collect_seldom() -> None:
    """Collect garbage less often than Python does by default.

    A worker keeps lexicons and models in memory, and scanning them takes a quarter of the time of a job of
    small steps, such as rewriting (benchmarks/paraphrase.py).
    """
    gc.set_threshold(20_000, 20, 50)


def depend_on_parent() -> None:
    """Let a worker's process end with its parent, and ignore Ctrl-C, on which the parent stops it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
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

    return do_unit(unit, _here["job"], _here["out"], on_clip=on_clip)
