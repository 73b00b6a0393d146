"""Shards side by side in processes that end when their parent does: a killed run leaves none behind."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Any

from budew.jobs import JobError


def in_workers(work: Callable[..., int], tasks: Sequence[tuple[Any, ...]], *, workers: int) -> Iterator[int]:
    """Call `work` with each of the tasks in so many processes; give the results as they come.

    Raises:
        JobError: a process died.
        Exception: whatever `work` raises; tasks that are not begun are then left undone.
    """
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_begin)
    try:
        futures = [pool.submit(work, *task) for task in tasks]
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise JobError(
            "the process of a worker died, out of memory perhaps: start again to go on, with fewer workers"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which lets the shards end
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
