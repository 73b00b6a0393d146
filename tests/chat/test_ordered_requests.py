"""Results come in the order of the items, few items are taken ahead, and nothing is left running."""

import asyncio
import random
import threading
from contextlib import nullcontext

import pytest

from budew.chat.ordered_requests import in_order, open_in_thread
from budew.errors import JobError


async def slow_square(number: int) -> int:
    await asyncio.sleep(random.Random(number).random() / 50)
    if number % 10 == 7:
        raise ValueError(str(number))
    if number == 1_000:
        raise JobError("enough")
    return number * number


def test_results_are_in_input_order_and_few_items_are_taken_ahead():
    before, taken, done = threading.active_count(), [], []
    items = (taken.append(number) or number for number in range(40))
    with open_in_thread(nullcontext) as (loop, _):
        for item, future in in_order(items, slow_square, loop=loop, ahead=8):
            assert len(taken) <= item + 9
            done.append((item, future))
        unfinished = in_order(range(100), slow_square, loop=loop, ahead=3)
        next(unfinished)
        unfinished.close()
        assert asyncio.run_coroutine_threadsafe(slow_square(2), loop).result() == 4
    assert threading.active_count() == before
    assert [item for item, _ in done] == list(range(40))
    for item, future in done:
        if item % 10 == 7:
            assert str(future.exception()) == str(item)
        else:
            assert future.result() == item * item


def test_a_job_error_is_raised_in_order_after_requests_in_progress_ended():
    ended = []

    async def work(number):
        await asyncio.sleep(0.05)
        ended.append(number)
        if number == 3:
            raise JobError("enough")

    seen = []
    with open_in_thread(nullcontext) as (loop, _), pytest.raises(JobError, match="enough"):
        seen.extend(item for item, _ in in_order(range(20), work, loop=loop, ahead=4))
    assert seen == [0, 1, 2]
    assert set(range(8)) <= set(ended)


def test_an_error_of_the_items_cancels_requests_in_progress():
    ended = []

    async def work(number):
        await asyncio.sleep(30)
        ended.append(number)

    def items():
        yield 1
        raise OSError("the disk")

    with open_in_thread(nullcontext) as (loop, _), pytest.raises(OSError, match="the disk"):
        list(in_order(items(), work, loop=loop, ahead=3))
    assert not ended
