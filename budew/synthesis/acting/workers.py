"""Shards side by side in processes that end when their parent does: a killed run leaves none behind."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

from budew.jobs import JobError
from budew.jobs.workers import depend_on_parent


def in_workers(work: Callable[..., int], tasks: Sequence[tuple[Any, ...]], *, workers: int) -> Iterator[int]:
    """Call `work` with each of the tasks in so many processes; give the results as they come.

    Raises:
        JobError: a process died.
        Exception: whatever `work` raises; tasks that are not begun are then left undone.
    """
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=depend_on_parent)
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
