"""`WorkerPool`: processes that run units in parallel; if one dies, only its current unit is affected.

Each worker is a `ProcessPoolExecutor` with one process, which gets its next unit when it has finished one. A
process that dies (out of memory, a crash in a decoder, `kill -9`) breaks only its own executor, which is
replaced; its unit is run again until `MAX_DEATHS` processes died in it. A process whose parent died ends at
once, so a job that was killed leaves nothing running.
"""

import gc
import os
import signal
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import forkserver, get_all_start_methods, get_context, parent_process, resource_tracker
from multiprocessing.connection import wait
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Self

from budew.io.disk import remove_temporary_folders
from budew.jobs.job import Job, tallies_of
from budew.jobs.job_folder import ShardRecord
from budew.jobs.unit_runner import OnCounts, run_unit
from budew.jobs.units import Unit

MAX_DEATHS = 3
"""Number of processes that may die in a unit before it is given up."""
_POLL = 0.2  # seconds
_STOP, _STOP_AT_ONCE = 1, 2  # after the current clip, or in the middle of it
_PAUSE = 0.5  # seconds for the memory of a killed process to be freed


_Running = Future[ShardRecord]


class _Attempt(NamedTuple):
    unit: Unit
    number: int = 1


class Stopped(BaseException):  # BaseException: a job that catches every Exception must not catch it
    """Raised in a worker when the run is being stopped; its unit stays undone."""


class Outcome(NamedTuple):
    """Result of a unit: its record or an error, `BrokenProcessPool` if `MAX_DEATHS` processes died in it."""

    unit: Unit
    record: ShardRecord | None
    error: BaseException | None = None


class SharedCounts:
    """Memory shared by all workers: the counts of their current units, and whether they must stop."""

    def __init__(self, context: Any, *, workers: int, width: int) -> None:
        self._width = width
        self._counts: Any = context.RawArray("q", width * workers)
        self._stop: Any = context.RawValue("b", 0)

    def report(self, worker: int, counts: Sequence[int]) -> None:
        """Store the counts of a worker."""
        self._counts[worker * self._width : (worker + 1) * self._width] = counts

    def clear(self, worker: int) -> None:
        """Set the counts of a worker to 0."""
        self.report(worker, [0] * self._width)

    def sums(self) -> list[int]:
        """Return the sum of each count over the workers."""
        counts = self._counts[:]
        return [sum(counts[column :: self._width]) for column in range(self._width)]

    def stop(self, when: int) -> None:
        """Make all workers stop: after their current clip (`_STOP`) or immediately (`_STOP_AT_ONCE`)."""
        self._stop.value = when

    @property
    def stopping(self) -> int:
        """The value that `stop` was called with, else 0."""
        return int(self._stop.value)


class WorkerPool:
    """Processes that run units in parallel; if `count` is 0, the current process runs them.

    Use it as a context manager; on exit, each process stops after its current clip.
    """

    def __init__(self, count: int, job: Job, out: Path) -> None:
        self._count, self._job, self._out = count, job, out
        self._context = _context()
        self._counts = SharedCounts(self._context, workers=count, width=2 + len(tallies_of(job)))
        self._executors: list[ProcessPoolExecutor] = []

    def __enter__(self) -> Self:
        if self._count:
            _start_tracker()
            with _interrupts_held():
                if self._context.get_start_method() == "forkserver":
                    forkserver.ensure_running()
                self._executors = [self._executor(slot) for slot in range(self._count)]
        return self

    def __exit__(self, *_: object) -> None:
        if not self._count:
            return
        self._counts.stop(_STOP)
        try:
            self._shut_down()
        except KeyboardInterrupt:  # a second Ctrl-C: do not wait for the current clips
            self._counts.stop(_STOP_AT_ONCE)
            self._shut_down()
            raise

    def counts(self) -> list[int]:
        """Return the counts of the units in progress (see `OnCounts`), summed over the workers."""
        return self._counts.sums()

    def _shut_down(self) -> None:
        for executor in self._executors:
            executor.shutdown(cancel_futures=True)

    def outcomes(self, units: Sequence[Unit], on_counts: OnCounts = lambda counts: None) -> Iterator[Outcome]:
        """Yield the outcome of each unit as it ends; `on_counts` is called with the sums over all workers.

        With a count of 0, errors are raised instead of yielded.
        """
        if not self._executors:
            for unit in units:
                yield Outcome(unit, run_unit(unit, self._job, self._out, on_counts))
            return
        waiting = deque(map(_Attempt, units))
        idle = deque(range(self._count))
        running: dict[_Running, tuple[int, _Attempt]] = {}
        ended: SimpleQueue[_Running] = SimpleQueue()
        while waiting or running:
            while waiting and idle:
                attempt, slot = waiting.popleft(), idle.popleft()
                running[self._submit(slot, attempt.unit, ended)] = slot, attempt
            try:
                future = ended.get(timeout=_POLL)
            except Empty:
                on_counts(self.counts())
                continue
            slot, attempt = running.pop(future)
            idle.append(slot)
            error = future.exception()
            if isinstance(error, BrokenProcessPool):
                self._executors[slot].shutdown()
                self._executors[slot] = self._executor(slot)
                if attempt.number < MAX_DEATHS:
                    time.sleep(_PAUSE * attempt.number)
                    waiting.appendleft(_Attempt(attempt.unit, attempt.number + 1))
                    continue
            self._counts.clear(slot)
            yield Outcome(attempt.unit, None if error else future.result(), error)

    def _submit(self, slot: int, unit: Unit, ended: "SimpleQueue[_Running]") -> _Running:
        """Start a unit in a worker, whose process starts with its first one."""
        with _interrupts_held():
            try:
                future = self._executors[slot].submit(_run_in_worker, unit)
            except (EOFError, OSError, BrokenProcessPool) as error:
                future = Future()
                future.set_exception(BrokenProcessPool(f"killed while it started: {error}"))
            future.add_done_callback(ended.put)
        return future

    def _executor(self, slot: int) -> ProcessPoolExecutor:
        arguments = (self._job, self._out, self._counts, slot, self._count)
        return ProcessPoolExecutor(1, mp_context=self._context, initializer=_start_worker, initargs=arguments)


def _context() -> Any:
    """Return the start method of processes: if possible, forked from a process that only imports this module.

    Such a start takes 50 ms instead of the seconds of the imports, and is safe, as nothing else ran there.
    """
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def _start_tracker() -> None:
    """Start the process that removes the semaphores of a killed job, with its warnings turned off.

    It must start before all others, since its start (Python 3.11) lets a blocked Ctrl-C through.
    """
    quiet = "ignore::UserWarning:multiprocessing.resource_tracker"
    sys.warnoptions.append(quiet)  # child processes inherit it
    try:
        resource_tracker.ensure_running()
    finally:
        sys.warnoptions.remove(quiet)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Delay Ctrl-C while processes start.

    They inherit the blocked signal, so that Ctrl-C never reaches them. Here, other threads (such as those of
    BLAS) still receive it, and Python would handle it in the main thread.
    """
    held = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    in_main_thread = threading.current_thread() is threading.main_thread()
    received: list[int] = []
    if in_main_thread:
        handler = signal.signal(signal.SIGINT, lambda number, _frame: received.append(number))
    try:
        yield
    finally:
        if in_main_thread:
            signal.signal(signal.SIGINT, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        if received:
            signal.raise_signal(signal.SIGINT)


_worker: dict[str, Any] = {}
"""In the process of a worker: the arguments of `_start_worker`."""


def _start_worker(job: Job, out: Path, counts: SharedCounts, slot: int, workers: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent stops this process
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
    warnings.formatwarning = lambda message, *_place, **_more: f"warning: {message}\n"
    collect_garbage_rarely()
    threading.Thread(target=_end_with_parent, args=(counts,), daemon=True).start()
    _worker.update(job=job, out=out, counts=counts, slot=slot)


def collect_garbage_rarely() -> None:
    """Make Python collect garbage less often than by default.

    A worker keeps lexicons and models in memory, and scanning them takes a quarter of the time of a job of
    small steps, such as rewriting (benchmarks/paraphrase.py).
    """
    gc.set_threshold(20_000, 20, 50)


def _end_with_parent(counts: SharedCounts) -> None:
    """End this process when its parent died, or when the run is stopped at once."""
    parent = parent_process()
    sentinels = [parent.sentinel] if parent else []
    while counts.stopping != _STOP_AT_ONCE and not wait(sentinels, timeout=_POLL):
        pass
    remove_temporary_folders()
    os._exit(1)


def _run_in_worker(unit: Unit) -> ShardRecord:
    counts, slot = _worker["counts"], _worker["slot"]

    def on_counts(current: Sequence[int]) -> None:
        counts.report(slot, current)
        if counts.stopping:
            raise Stopped

    return run_unit(unit, _worker["job"], _worker["out"], on_counts)
