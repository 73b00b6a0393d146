"""Ordered concurrency: many requests in progress in a separate event loop, with results in input order.

The loop runs in a thread: requests are sent while results are written, and while the next audio is decoded.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, closing, contextmanager
from functools import partial
from threading import Thread
from typing import Any, TypeVar

from budew.chat.client import Client
from budew.chat.server_settings import ServerSettings
from budew.errors import JobError

T = TypeVar("T")
R = TypeVar("R")


def answered_in_order(
    items: Iterable[T],
    work: Callable[[Client, T], Coroutine[Any, Any, R]],
    server: ServerSettings,
    *,
    account: str = "",
) -> Generator[tuple[T, Future[R]], None, None]:
    """Yield each item with the finished future of `work(client, item)`, in the order of the items.

    Items are read ahead, up to twice the number of concurrent requests.

    `account` is the name under which the cache adds up the cost.

    Raises:
        JobError: every other request would fail, too. Answers so far are cached.
    """
    with (
        open_in_thread(lambda: Client(server, account=account)) as (loop, client),
        closing(in_order(items, partial(work, client), loop=loop, ahead=2 * server.concurrency)) as results,
    ):
        yield from results


def in_order(
    items: Iterable[T],
    work: Callable[[T], Coroutine[Any, Any, R]],
    *,
    loop: asyncio.AbstractEventLoop,
    ahead: int,
) -> Generator[tuple[T, Future[R]], None, None]:
    """Yield each item with the finished future of `work(item)`, in the order of the items.

    Items are read in the thread of the caller, at most `ahead` beyond the one that is yielded; `work` runs in
    the thread of the loop. Closing the generator cancels the work in progress.

    Raises:
        JobError: raised by `work`. Work in progress is finished first, so that no paid answer is lost.
    """
    in_progress: deque[tuple[T, Future[R]]] = deque()
    try:
        for item in items:
            in_progress.append((item, asyncio.run_coroutine_threadsafe(work(item), loop)))
            if len(in_progress) > ahead:
                yield _finished(*in_progress.popleft())
        while in_progress:
            yield _finished(*in_progress.popleft())
    except JobError:
        for _, future in in_progress:
            future.exception()
        raise
    finally:
        for _, future in in_progress:
            future.cancel()


@contextmanager
def open_in_thread(
    make: Callable[[], AbstractAsyncContextManager[R]],
) -> Iterator[tuple[asyncio.AbstractEventLoop, R]]:
    """Run an event loop in a thread, with the async context of `make` open in it, until this context ends.

    Yields the loop and the value of the async context. On exit, tasks in progress are cancelled.
    """
    opened: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, R]] = Future()

    async def serve() -> None:
        ended = asyncio.Event()
        try:
            async with make() as value:
                opened.set_result((asyncio.get_running_loop(), ended, value))
                await ended.wait()
        except BaseException as error:
            if opened.done():
                raise
            opened.set_exception(error)

    thread = Thread(target=lambda: asyncio.run(serve()), name="event loop", daemon=True)
    thread.start()
    loop, ended, value = opened.result()
    try:
        yield loop, value
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()


def _finished(item: T, future: Future[R]) -> tuple[T, Future[R]]:
    error = future.exception()
    if isinstance(error, JobError):
        raise error
    return item, future
