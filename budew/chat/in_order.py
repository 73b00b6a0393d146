"""Ordered concurrency: many coroutines under way in an event loop of their own, results in input order.

The loop runs in a thread: requests go on while the results are written, and while the next audio is decoded.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeVar

from budew.errors import JobError

T = TypeVar("T")
R = TypeVar("R")


@contextmanager
def loop_in_thread() -> Iterator[asyncio.AbstractEventLoop]:
    """Run an event loop in a thread until the end of the context; what is still under way is cancelled."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="event loop", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def wait_for(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, R]) -> R:
    """Do `work` in the loop of another thread and return its result."""
    return asyncio.run_coroutine_threadsafe(work, loop).result()


def in_order(
    items: Iterable[T],
    work: Callable[[T], Coroutine[Any, Any, R]],
    *,
    loop: asyncio.AbstractEventLoop,
    ahead: int,
) -> Generator[tuple[T, Future[R]], None, None]:
    """Yield each item with the finished future of `work` on it, in the order of the items.

    Items are taken in the thread of the caller, `ahead` beyond the one that is yielded, which bounds the
    memory; `work` runs on all of these at a time, in the `loop` of another thread. Closing the generator
    cancels what is under way.

    Raises:
        JobError: `work` raised it. What is under way ends first, so that nothing that was paid is lost.
    """
    under_way: deque[tuple[T, Future[R]]] = deque()
    try:
        for item in items:
            under_way.append((item, asyncio.run_coroutine_threadsafe(work(item), loop)))
            if len(under_way) > ahead:
                yield _done(*under_way.popleft())
        while under_way:
            yield _done(*under_way.popleft())
    except JobError:
        for _, future in under_way:
            future.exception()
        raise
    finally:
        for _, future in under_way:
            future.cancel()


def _done(item: T, future: Future[R]) -> tuple[T, Future[R]]:
    error = future.exception()
    if isinstance(error, JobError):
        raise error
    return item, future


async def _cancel_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
