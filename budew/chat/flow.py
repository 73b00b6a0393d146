"""How many requests may be under way at a time: all that are wanted, fewer while the server is overloaded.

At each sign of overload everyone pauses and half as many go on; each answer lets a part of one more in. When
the job has to end, whoever waits is told so at once, and what is under way ends by itself.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from budew.errors import JobError
from budew.randomness import generator

FirstTurn = Callable[[], float]
"""Returns 0 when a request may be made now, else the seconds until one may ask again."""


class Flow:
    """Lets requests through. Belongs to one event loop.

    Args:
        most: requests at a time.
        pace: asked before each request; None for no limit.
    """

    def __init__(self, most: int, pace: FirstTurn | None = None) -> None:
        self._most, self._allowed, self._grown, self._to_withdraw = most, most, 0.0, 0
        self._places = asyncio.Semaphore(most)
        self._pace, self._pacing = pace, asyncio.Lock()
        self._pause_ends = 0.0
        self._spread = generator("flow", most)
        self._end, self._why = asyncio.Event(), JobError()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place, for the end of a pause and for the pace; hold the place while in here."""
        await self._places.acquire()
        try:
            await self._no_pause()
            await self.turn()
            self.check()
            yield
        finally:
            if self._to_withdraw:
                self._to_withdraw -= 1
            else:
                self._places.release()

    def overloaded(self, seconds: float) -> None:
        """Let nobody in for `seconds`, and half as many after it."""
        now = asyncio.get_running_loop().time()
        if now >= self._pause_ends:  # of a burst of refusals the first one counts
            fewer = self._allowed // 2
            self._allowed, self._to_withdraw = self._allowed - fewer, self._to_withdraw + fewer
        self._pause_ends = max(self._pause_ends, now + seconds)

    def answered(self) -> None:
        """Let more in again, by one for as many answers as may be under way."""
        if self._allowed >= self._most:
            return
        self._grown += 1 / self._allowed
        if self._grown >= 1:
            self._allowed, self._grown = self._allowed + 1, 0.0
            if self._to_withdraw:
                self._to_withdraw -= 1
            else:
                self._places.release()

    def end(self, why: JobError) -> None:
        """Let nobody in any more; raise `why` wherever someone waits."""
        if not self._end.is_set():
            self._why = why
            self._end.set()

    def check(self) -> None:
        """Raise the reason of the end, when it has come."""
        if self._end.is_set():
            raise self._why

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds`, or raise the reason of the end as soon as there is one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._end.wait()
        self.check()

    async def _no_pause(self) -> None:
        while (rest := self._pause_ends - asyncio.get_running_loop().time()) > 0:
            await self.sleep(rest * (1 + 0.1 * self._spread.random()))  # not all in the same instant

    async def turn(self) -> None:
        """Wait until the pace allows another request."""
        if self._pace is None:
            return
        async with self._pacing:
            while (wait := self._pace()) > 0:
                await self.sleep(wait)
