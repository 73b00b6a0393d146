"""`WorkerPool`: processes that run units side by side; one that dies costs no more than its own unit.

Each worker is a standard-library pool of one process, fed by a thread. A process that dies (out of memory, a
crash in a decoder, `kill -9`) breaks its own pool alone; its unit is run again, up to `MAX_DEATHS` times. A
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
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import forkserver, get_all_start_methods, get_context, parent_process, resource_tracker
from multiprocessing.connection import wait
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Self

from budew.io.disk import remove_temporary_folders
from budew.jobs.job import Job, tallies_of
from budew.jobs.shard_records import ShardRecord
from budew.jobs.unit_runner import OnCounts, run_unit
from budew.jobs.units import Unit

MAX_DEATHS = 3
"""A unit is given up when this many processes died in it."""
_POLL = 0.2  # seconds
_STOP, _STOP_AT_ONCE = 1, 2  # after the current clip, or in the middle of it
_PAUSE = 0.5  # seconds until the memory of a killed process is free


class Stopped(BaseException):  # not to be caught by a job that catches every error
    """The run is being stopped; the unit is left undone."""


class Outcome(NamedTuple):
    """How a unit ended: a record or an error, `BrokenProcessPool` if process after process died in it."""

    unit: Unit
    record: ShardRecord | None
    error: BaseException | None = None


class WorkerPool:
    """Processes that run units side by side; with a count of 0, this process runs them.

    Use as a context manager; leaving it stops them when each has finished its current clip.
    """

    def __init__(self, count: int, job: Job, out: Path) -> None:
        self._job, self._out = job, out
        self._context = _context()
        # Shared memory: for each worker the counts of its current unit; the last cell makes all stop.
        self._width = 2 + len(tallies_of(job))
        self._counts: Any = self._context.RawArray("q", self._width * count + 1) if count else [0]
        self._todo: SimpleQueue[Unit | None] = SimpleQueue()
        self._done: SimpleQueue[Outcome] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run_units, args=(slot,), daemon=True) for slot in range(count)
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
            self._join_threads()
        except KeyboardInterrupt:  # the second one: the current clips are not waited for
            self._counts[-1] = _STOP_AT_ONCE
            self._join_threads()
            raise

    def _join_threads(self) -> None:
        for thread in self._threads:
            if thread.is_alive():
                thread.join()

    def outcomes(self, units: Sequence[Unit], on_counts: OnCounts = lambda counts: None) -> Iterator[Outcome]:
        """Yield the outcome of each unit as it ends; `on_counts` gets the sums over all workers."""
        if not self._threads:
            for unit in units:
                yield Outcome(unit, run_unit(unit, self._job, self._out, on_counts))
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
                on_counts([sum(counts[column :: self._width]) for column in range(self._width)])
                continue
            waiting -= 1
            yield outcome

    def _run_units(self, slot: int) -> None:
        """Run units in one process after the other, until none is left or the run is stopped."""
        pool = self._pool(slot)
        try:
            while (unit := self._todo.get()) is not None and not self._counts[-1]:
                for death in range(MAX_DEATHS):
                    outcome = _run_in(pool, unit)
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
        arguments = (self._job, self._out, self._counts, slot, len(self._threads))
        return ProcessPoolExecutor(1, mp_context=self._context, initializer=_start_worker, initargs=arguments)


def _run_in(pool: ProcessPoolExecutor, unit: Unit) -> Outcome:
    try:
        try:
            record = pool.submit(_run_in_worker, unit)
        except (EOFError, OSError) as error:
            raise BrokenProcessPool("it was killed while it started") from error
        return Outcome(unit, record.result())
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


_worker: dict[str, Any] = {}
"""In the process of a worker: the arguments of `_start_worker`."""


def _start_worker(job: Job, out: Path, counts: Any, slot: int, workers: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops it
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
    warnings.formatwarning = lambda message, *_place, **_more: f"warning: {message}\n"
    collect_garbage_rarely()
    threading.Thread(target=_end_with_parent, args=(counts,), daemon=True).start()
    _worker.update(job=job, out=out, counts=counts, slot=slot)


def collect_garbage_rarely() -> None:
    """Collect garbage less often than Python does by default.

    A worker keeps lexicons and models in memory, and scanning them takes a quarter of the time of a job of
    small steps, such as rewriting (benchmarks/paraphrase.py).
    """
    gc.set_threshold(20_000, 20, 50)


def _end_with_parent(counts: Any) -> None:
    """End this process when its parent died, or when the run is stopped at once."""
    parent = parent_process()
    sentinels = [parent.sentinel] if parent else []
    while counts[-1] != _STOP_AT_ONCE and not wait(sentinels, timeout=_POLL):
        pass
    remove_temporary_folders()
    os._exit(1)


def _run_in_worker(unit: Unit) -> ShardRecord:
    counts, slot = _worker["counts"], _worker["slot"]

    def on_counts(current: Sequence[int]) -> None:
        counts[slot * len(current) : (slot + 1) * len(current)] = current
        if counts[-1]:
            raise Stopped

    return run_unit(unit, _worker["job"], _worker["out"], on_counts)
