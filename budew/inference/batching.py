"""Batches of windows that are padded to the same length; the next batch is read while the model runs."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from budew.inference.backends import Backend
from budew.model.generate import short_window_seconds

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

AHEAD = 8
"""An item waits for others of its kind for at most this many batches."""


def padded_seconds(model: Backend, samples: int) -> float:
    """Return the seconds to which a window of `samples` samples is padded.

    This is the model's window length; for a model that was trained on short windows, it is the result of
    `short_window_seconds`. It does not depend on the other windows of the batch.
    """
    if not model.short_windows:
        return model.window_seconds
    return short_window_seconds(samples, rate=model.sampling_rate, window=model.window_seconds)


def gathered(
    items: Iterable[T | None], kind: Callable[[T], K], size: int
) -> Iterator[tuple[K, list[T]] | None]:
    """Group items into batches of one kind: yield (kind, items).

    An item waits for others of its kind until `AHEAD` batches' worth of items have followed.

    Args:
        items: items in order; a None among them is yielded at once.
        kind: function that returns the kind of an item.
        size: most items of a batch.
    """
    held: dict[K, list[T]] = {}  # the kind that has waited longest comes first
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
    """Yield the items; while one is used, a thread computes the next one."""
    with ThreadPoolExecutor(1) as thread:
        upcoming = thread.submit(list, islice(items, 1))
        while item := upcoming.result():
            upcoming = thread.submit(list, islice(items, 1))
            yield item[0]
