"""Telling a server that is down from a request that it cannot do, and waiting for the server to come back."""

import asyncio
import warnings
from collections.abc import Awaitable, Callable

from budew.chat.errors import FaultError
from budew.chat.waiting import backoff
from budew.errors import JobError


class ServerDownWarning(UserWarning):
    """The server does not answer; the job waits for it."""


class Outage:
    """Watches one server. Belongs to one event loop.

    Args:
        server: what messages call it.
        patience: seconds without an answer, from the first fault on, after which the job ends.
        first_wait: seconds between the first two probes; doubled for each one after them.
        sleep: waits so many seconds, or raises what ends the job.
    """

    def __init__(
        self,
        server: str,
        *,
        patience: float,
        first_wait: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._server, self._patience, self._first_wait, self._sleep = server, patience, first_wait, sleep
        self._since: float | None = None
        self._answered_at = float("-inf")
        self._probing = asyncio.Lock()

    def answered(self) -> None:
        """Take note of an answer, whatever it was."""
        self._since, self._answered_at = None, asyncio.get_running_loop().time()

    def failed(self) -> bool:
        """Take note of a fault; return whether there has been no answer for longer than patience lasts."""
        now = asyncio.get_running_loop().time()
        self._since = now if self._since is None else self._since
        return now - self._since > self._patience

    async def end(self, probe: Callable[[], Awaitable[None]]) -> None:
        """Return when the server answers `probe`, or has answered anyone since this was called.

        Raises:
            JobError: it does not within patience.
        """
        asked_at = asyncio.get_running_loop().time()
        async with self._probing:
            tries = 0
            while self._answered_at < asked_at:
                try:
                    await probe()
                except FaultError as fault:
                    if self.failed():
                        raise self._hopeless(fault) from fault
                    self._tell(tries, fault)
                    wait = backoff(tries, first=self._first_wait, of=self._server)
                    await self._sleep(max(wait, min(fault.retry_after or 0.0, self._patience)))
                    tries += 1

    def _hopeless(self, fault: FaultError) -> JobError:
        return JobError(
            f"{self._server} has not answered for {self._patience:.0f} s ({fault}): see to it and start "
            "again; what was answered is kept"
        )

    def _tell(self, tries: int, fault: FaultError) -> None:
        if tries == 1:  # one probe may fail by chance
            warnings.warn(
                ServerDownWarning(f"{self._server} does not answer ({fault}): waiting"), stacklevel=2
            )
