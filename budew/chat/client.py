"""Asking a server many things at a time, and getting an answer or a reason for each.

Retries, waits and timeouts of a single request are those of the `openai` client. When they are used up, a
health probe (a short request that any such model answers) decides whose fault it is: while the probe fails,
the server is down, all requests wait, and after `patience` the job ends, to be resumed. Otherwise the request
is asked again, and at last alone; then it is refused. Answers are kept: what was answered is never asked, nor
paid, again.
"""

import asyncio
import warnings
from collections.abc import Callable, Coroutine, Generator, Iterable
from concurrent.futures import Future
from contextlib import closing, nullcontext, suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from budew.chat.in_order import in_order, loop_in_thread, wait_for
from budew.chat.ledger import Ledger, Spending
from budew.chat.request import Answer, ChatRequest, Request, request_key, usage_in
from budew.chat.server_settings import ServerSettings
from budew.chat.transport import Connection, Refused, Unavailable
from budew.errors import AnswerError, BudewWarning, InputError, JobError, ServerError
from budew.io.addresses import redact

T = TypeVar("T")
R = TypeVar("R")

_ROUNDS = 3
_OVERLOADED_ROUNDS = 12  # an overloaded server is healthy, and slow
_LATER_RETRIES = 1
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0  # seconds between probes
_REFUSALS = 20  # of the first requests of all: the items are not at fault
_NO_SCHEMA = (400, 422)
_SHORTEST_SECRET = 6  # a shorter one may be a word of the answer
_LONGEST_REPEATED = 20_000  # characters of an answer that are given back to the model


class Client:
    """A server with its answer cache and budget. Use it as an async context, in one event loop.

    `account` is the name under which the cache adds up what is spent, the same in all workers and restarts.

    Raises:
        InputError: a ceiling without a cache to count in.
        MissingExtraError: the library openai is not installed.
        JobError: the key that was asked for is missing, or the cache cannot be opened.
    """

    def __init__(self, server: ServerSettings, *, account: str = "") -> None:
        if server.has_ceiling and server.cache is None:
            raise InputError(
                "max_cost and max_tokens are counted in the cache, over all workers: set cache to a file"
            )
        self._server, self._account = server, account
        self._connection = Connection(server, self._pace if server.requests_per_minute else None)
        self._places, self._pacing = asyncio.Semaphore(server.concurrency), asyncio.Lock()
        self._probing, self._alone = asyncio.Lock(), asyncio.Lock()
        self._answered_at = float("-inf")
        self._knows_schemas: bool | None = None
        self._refusals, self._succeeded = 0, False
        self._end: JobError | None = None
        self._ended = asyncio.Event()
        secrets = (secret for secret in server.secrets() if len(secret) >= _SHORTEST_SECRET)
        self._redact = partial(redact, keys=tuple(secrets))

    async def __aenter__(self) -> "Client":
        self._ledger = Ledger(self._server.cache)
        await self._connection.__aenter__()
        return self

    async def __aexit__(self, *ended: Any) -> None:
        await self._connection.__aexit__(*ended)
        self._ledger.close()

    @property
    def spent(self) -> Spending:
        """What the account has spent so far, in all workers and runs."""
        return self._ledger.spent(self._account)

    async def complete(self, request: Request) -> Answer:
        """Return the answer to `request`, from the cache if it was asked before.

        Raises:
            ServerError: the server refuses this request, or never answers it.
            JobError: no other request would succeed either; raised for all from then on.
        """
        self._check()
        try:
            key = request_key(request)
            try:
                answer = self._ledger.answer(key) or await self._asked(request, key)
            except ServerError as refusal:
                self._check_refusals(refusal)
                raise
        except JobError as error:
            self._end = self._end or error
            self._ended.set()
            raise
        self._succeeded = True
        return answer

    async def _asked(self, request: Request, key: bytes) -> Answer:
        rounds = overloads = 0
        while True:
            retries = _LATER_RETRIES if rounds or overloads else self._server.retries
            async with self._alone if rounds == _ROUNDS - 1 else nullcontext():
                try:
                    return await self._tried(request, key, retries)
                except Unavailable as error:
                    fault = error
                await self._wait_until_healthy(request.probe())
            rounds, overloads = rounds + (not fault.overload), overloads + fault.overload
            if rounds == _ROUNDS or overloads == _OVERLOADED_ROUNDS:
                raise ServerError(f"{self._server.shown} answers other requests but not this one ({fault})")

    async def _tried(self, request: Request, key: bytes, retries: int) -> Answer:
        """Ask, and ask again where the answer cannot be used."""
        for number in range(retries + 1):
            try:
                answer = await self._sent(request, key.hex(), retries)
                break
            except AnswerError as error:
                if number == retries:
                    raise Unavailable(str(error)) from error
            await self._wait(number)
        answer = replace(answer, texts=tuple(map(self._redact, answer.texts)))
        cost = self._server.cost(answer.usage) if answer.usage else 0.0
        self._ledger.keep(key, answer, account=self._account, cost=cost)
        if self._server.has_ceiling and answer.usage is None:
            raise JobError(
                f"{self._server.shown} does not report token counts: remove max_cost and max_tokens"
            )
        return answer

    async def _sent(self, request: Request, key: str, retries: int) -> Answer:
        async with self._places:
            self._check()
            if self._server.has_ceiling:
                self.spent.check(max_tokens=self._server.max_tokens, max_cost=self._server.max_cost)
            try:
                content, content_type = await self._posted(request, key, retries)
            except Refused:
                self._answered_at = _now()
                raise
        self._answered_at = _now()
        return self._read(request, content, content_type)

    async def _posted(self, request: Request, key: str, retries: int) -> tuple[bytes, str]:
        """Post the plain body as soon as the server has shown that it knows no schemas."""
        post = partial(self._connection.post, request.path, key=key, retries=retries)
        if self._knows_schemas is False:
            return await post(request.plain_body())
        try:
            response = await post(request.body())
        except Refused as refusal:
            if not request.structured or self._knows_schemas or refusal.status not in _NO_SCHEMA:
                raise
            response = await post(request.plain_body())
            self._knows_schemas = False
            return response
        if request.structured:
            self._knows_schemas = True
        return response

    def _read(self, request: Request, content: bytes, content_type: str) -> Answer:
        try:
            return request.read(content, content_type)
        except (AnswerError, ServerError) as error:
            self._count(content)  # it is paid all the same
            raise type(error)(self._connection.line(str(error))) from None

    def _count(self, content: bytes) -> None:
        if usage := usage_in(content):
            self._ledger.count(usage, account=self._account, cost=self._server.cost(usage))

    async def _wait_until_healthy(self, probe: Request) -> None:
        """Return when the server answers a probe, or has answered anyone since this was called.

        Raises:
            JobError: it does not within `patience`.
        """
        asked_at = _now()
        async with self._probing:
            started, tries = _now(), 0
            while self._answered_at < asked_at:
                self._check()
                try:
                    with suppress(Refused):  # an answer as well
                        content, kind = await self._connection.post(probe.path, probe.plain_body(), retries=0)
                        self._read(probe, content, kind)
                        self._count(content)
                    self._answered_at = _now()
                except (Unavailable, AnswerError) as fault:
                    name, patience = self._server.shown, self._server.patience
                    if _now() - started > patience:
                        raise JobError(
                            f"{name} has not answered for {patience:.0f} s ({fault}): check it and start "
                            "again; the answers so far are kept"
                        ) from fault
                    if tries == 1:  # one probe may fail by chance
                        warnings.warn(
                            BudewWarning(f"{name} does not answer ({fault}): waiting"), stacklevel=2
                        )
                    await self._wait(tries)
                    tries += 1

    async def _wait(self, number: int) -> None:
        """Wait ever longer, at most until the job ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(_FIRST_WAIT * 2.0 ** min(number, 10), _LONGEST_WAIT)):
                await self._ended.wait()

    async def _pace(self, _request: object) -> None:
        async with self._pacing:
            every = 60 / (self._server.requests_per_minute or 60)
            while (wait := self._ledger.next_turn(self._server.shown, every=every)) > 0:
                await asyncio.sleep(wait)

    def _check_refusals(self, refusal: ServerError) -> None:
        self._refusals += 1
        if self._refusals >= _REFUSALS and not self._succeeded and not self.spent.requests:
            raise JobError(
                f"{self._server.shown} refused the first {self._refusals} requests, the last with {refusal}: "
                "check the name of the model, and which input it takes"
            ) from refusal

    def _check(self) -> None:
        if self._end is not None:
            raise self._end


async def corrected(
    client: Client,
    request: ChatRequest,
    read: Callable[[str], R],
    *,
    correction: str,
    turns: int,
    item: str,
) -> R:
    """Ask, and give answers that cannot be used back with what is wrong with them; return what is read.

    Args:
        client, request: whom, and what.
        read: returns what an answer says; AnswerError with a line for each problem.
        correction: text about an answer that cannot be used, with `{problems}` in it.
        turns: answers in all.
        item: what errors call it.

    Raises:
        ServerError: there is no answer.
        AnswerError: the last answer cannot be used either.
    """
    problems: list[str] = []
    for _ in range(turns):
        try:
            text = (await client.complete(request)).texts[0]
            return read(text)
        except ServerError as refusal:
            raise ServerError(f"{item}: no answer from {request.model} ({refusal})") from refusal
        except AnswerError as error:
            problems = str(error).splitlines()
            lines = "\n".join(f"- {problem}" for problem in problems)
            more = (
                {"role": "assistant", "content": text[:_LONGEST_REPEATED] or "{}"},
                {"role": "user", "content": correction.replace("{problems}", lines)},
            )
            request = replace(request, messages=(*request.messages, *more))
    raise AnswerError(
        f"{item}: the last of {turns} answers of {request.model} cannot be used ({'; '.join(problems)}): "
        "allow more turns (--turns), or use another model"
    )


def answered_in_order(
    items: Iterable[T],
    work: Callable[[Client, T], Coroutine[Any, Any, R]],
    server: ServerSettings,
    *,
    account: str = "",
) -> Generator[tuple[T, Future[R]], None, None]:
    """Yield each item with the finished future of `work(client, item)`, in the order of the items.

    Items are taken as needed, twice as many ahead as requests may be under way.

    Raises:
        JobError: continuing is useless. Answers are kept.
    """

    async def opened() -> Client:
        return await Client(server, account=account).__aenter__()

    with loop_in_thread() as loop:
        client = wait_for(loop, opened())
        try:
            ahead = 2 * server.concurrency
            with closing(in_order(items, partial(work, client), loop=loop, ahead=ahead)) as results:
                yield from results
        finally:
            wait_for(loop, client.__aexit__(None, None, None))


def _now() -> float:
    return asyncio.get_running_loop().time()
