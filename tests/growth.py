"""How the time of a function grows with its input: the one thing that a test asserts about time."""

import gc
import time
from collections.abc import Callable


def seconds(run: Callable[[], object], *, times: int = 3) -> float:
    """Return the least processor time of several runs, without those of the garbage collector."""
    best = float("inf")
    gc.disable()
    try:
        for _ in range(times):
            start = time.process_time()
            run()
            best = min(best, time.process_time() - start)
    finally:
        gc.enable()
    return best


def is_linear(run: Callable[[int], object], size: int) -> bool:
    """Whether eight times the size takes far less than 64 times the time: `run` takes the size."""
    return seconds(lambda: run(8 * size)) < 4 * 8 * seconds(lambda: run(size)) + 0.05
