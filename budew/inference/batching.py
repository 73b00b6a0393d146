"""Batches for a model, of windows that are padded alike; each is read while the model works on another."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from budew.inference.backends import Backend
from budew.model.generate import short_window_seconds

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

AHEAD = 8
"""Batches within which items of a kind are gathered."""


def padded_seconds(model: Backend, samples: int) -> float:
    """Return the seconds to which a window of `samples` samples is padded, whatever the others of its batch.

    That is the window of the model, or for one that was trained on short windows that of
    `short_window_seconds`.
    """
    if not model.short_windows:
        return model.window_seconds
    return short_window_seconds(samples, rate=model.sampling_rate, window=model.window_seconds)


def gathered(
    items: Iterable[T | None], kind: Callable[[T], K], size: int
) -> Iterator[tuple[K, list[T]] | None]:
    """Yield batches of at most `size` items of one kind, and that kind.

    An item waits for others of its kind while `AHEAD` batches of any kind come, and no longer. None is passed
    on.
    """
    held: dict[K, list[T]] = {}  # what waits the longest first
    since: dict[K, int] = {}
    count = 0
    for item in items:
        if item is None:
            yield None
            continue
        key = kind(item)
        if key not in held:
            held[key], since[key] = [], count
        held[key].append(item)
        count += 1
        if len(held[key]) == size:
            yield key, held.pop(key)
        elif count - since[oldest := next(iter(held))] >= AHEAD * size:
            yield oldest, held.pop(oldest)
    yield from held.items()


def prefetch(items: Iterator[T]) -> Iterator[T]:
    """Yield the items; the next one is computed in a thread meanwhile."""
    with ThreadPoolExecutor(1) as thread:
        upcoming = thread.submit(list, islice(items, 1))
        while item := upcoming.result():
            upcoming = thread.submit(list, islice(items, 1))
            yield item[0]
