"""Asking a chat server many things at a time, and getting an answer or a reason for each.

A request that meets a fault is tried again, after ever longer waits. When its attempts are used up, a short
question that any chat model can answer tells whose fault it is: while that is not answered either, the
server is down, everyone waits, and after `patience` the job ends, to be gone on with. Once it is answered,
the request is tried again with the others, and at last alone, so that one that brings the server down takes
no other with it; only then is it the one to blame. Answers are kept: what was answered is not asked again.
"""

import asyncio
from contextlib import nullcontext
from typing import Any

from budew.chat.errors import FaultError, RefusedError
from budew.chat.exchange import Exchange
from budew.chat.flow import Flow
from budew.chat.ledger import Ledger
from budew.chat.outage import Outage
from budew.chat.request import Answer, ChatRequest, Usage, answer_in, usage_in
from budew.chat.server import ChatServer
from budew.chat.spending import UNLIMITED, Budget, Spending
from budew.chat.waiting import backoff
from budew.errors import JobError

_LATER_ATTEMPTS = 2
_ROUNDS = 3
_OVERLOADS = 4  # for each attempt: an overloaded server is healthy, and slow
_REFUSALS = 20  # of the first requests of all: what is wrong is not the clips
_NO_SCHEMA = (400, 422)
_PROBE = "ping"


class ChatClient:
    """A server and what is remembered of it. Use it as an async context, in one event loop.

    Args:
        server: where it is and how it is to be asked.
        ledger: where answers, costs and pace are kept; closed by whoever opened it.
        budget: what may be spent.
        account: under which name the ledger adds up.

    Raises:
        MissingExtraError: the library httpx2 is not installed.
        JobError: the key that was asked for is not there.
    """

    def __init__(
        self, server: ChatServer, ledger: Ledger, *, budget: Budget = UNLIMITED, account: str = ""
    ) -> None:
        self._server, self._ledger, self._budget, self._account = server, ledger, budget, account
        self._exchange = Exchange(server)
        limit = server.requests_per_minute
        pace = None if limit is None else lambda: ledger.next_turn(server.shown, every=60 / limit)
        self._flow = Flow(server.concurrency, pace)
        self._outage = Outage(
            server.shown, patience=server.patience, first_wait=server.first_wait, sleep=self._flow.sleep
        )
        self._alone = asyncio.Lock()
        self._schemas: bool | None = None  # whether the server knows them
        self._refusals, self._helped = 0, False

    async def __aenter__(self) -> "ChatClient":
        await self._exchange.__aenter__()
        return self

    async def __aexit__(self, *ended: Any) -> None:
        await self._exchange.__aexit__(*ended)

    @property
    def spent(self) -> Spending:
        """What the account has spent so far, in all workers and runs."""
        return self._ledger.spent(self._account)

    async def complete(self, request: ChatRequest) -> Answer:
        """Return the answer to `request`, from the ledger if it was asked before.

        Raises:
            RefusedError: there is none to be had.
            JobError: there will be none for other requests either; raised for all from then on.
        """
        try:
            self._flow.check()
            key = request.key()
            answer = self._ledger.answer(key) or await self._asked(request, key)
            self._helped = True
            return answer
        except RefusedError as refusal:
            self._refused(refusal)
            raise
        except JobError as error:
            self._flow.end(error)
            raise

    async def _asked(self, request: ChatRequest, key: bytes) -> Answer:
        fault: FaultError | None = None
        for number in range(_ROUNDS):
            attempts = self._server.attempts if not number else _LATER_ATTEMPTS
            async with self._alone if number == _ROUNDS - 1 else nullcontext():
                try:
                    return await self._tried(request, key, attempts)
                except FaultError as error:
                    fault = error
                await self._outage.end(lambda: self._probe(request.model))
        raise RefusedError(f"{self._server.shown} answers others and not this ({fault})")

    async def _tried(self, request: ChatRequest, key: bytes, attempts: int) -> Answer:
        faults = overloads = 0
        while True:
            try:
                answer = await self._sent(request, key)
            except FaultError as fault:
                faults, overloads = faults + (not fault.overload), overloads + fault.overload
                too_long = self._outage.failed()
                if too_long or faults >= attempts or overloads >= attempts * _OVERLOADS:
                    raise
                await self._wait(fault, max(faults, overloads) - 1, key)
                continue
            cost = self._budget.cost(answer.usage) if answer.usage else 0.0
            self._ledger.keep(key, answer, account=self._account, cost=cost)
            self._metered(answer)
            return answer

    async def _wait(self, fault: FaultError, number: int, key: bytes) -> None:
        seconds = backoff(number, first=self._server.first_wait, of=key.hex())
        seconds = max(seconds, min(fault.retry_after or 0.0, self._server.patience))
        if fault.overload:
            self._flow.overloaded(seconds)
        else:
            await self._flow.sleep(seconds)

    async def _sent(self, request: ChatRequest, key: bytes = b"") -> Answer:
        async with self._flow.place():
            self._budget.check(self.spent)
            try:
                response = await self._posted(request, key.hex())
            except RefusedError:
                self._heard()
                raise
        self._heard()
        try:
            return answer_in(response)
        except FaultError:
            if usage := usage_in(response):
                self._count(usage)
            raise

    async def _posted(self, request: ChatRequest, key: str) -> dict[str, Any]:
        """Post in the plainest form from the time on that only that is understood."""
        body = request.plain_body() if self._schemas is False else request.body()
        structured = "response_format" in body
        try:
            response = await self._exchange.post(body, key=key)
            self._schemas = True if structured else self._schemas
        except RefusedError as refusal:
            if self._schemas or not structured or refusal.status not in _NO_SCHEMA:
                raise
            await self._flow.turn()
            response = await self._exchange.post(request.plain_body(), key=key)
            self._schemas = False
        return response

    def _heard(self) -> None:
        self._outage.answered()
        self._flow.answered()

    def _metered(self, answer: Answer) -> None:
        if self._budget.has_ceiling and answer.usage is None:
            raise JobError(
                f"{self._server.shown} does not say how many tokens an answer cost: no ceiling can be kept, "
                "leave it out"
            )

    def _count(self, usage: Usage) -> None:
        self._ledger.count(usage, account=self._account, cost=self._budget.cost(usage))

    def _refused(self, refusal: RefusedError) -> None:
        self._refusals += 1
        if self._refusals >= _REFUSALS and not self._helped and not self.spent.requests:
            error = JobError(
                f"{self._server.shown} refused the first {self._refusals} requests, the last with {refusal}: "
                "check the name of the model, and that it takes what it is sent"
            )
            self._flow.end(error)
            raise error from refusal

    async def _probe(self, model: str) -> None:
        """Ask something short. A refusal is an answer as well."""
        question: dict[str, Any] = {"role": "user", "content": _PROBE}
        request = ChatRequest(model, (question,), max_tokens=8)
        try:
            answer = await self._sent(request)
        except RefusedError:
            return
        if answer.usage:
            self._count(answer.usage)
