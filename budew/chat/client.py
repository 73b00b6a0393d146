"""`Client`: answers from the cache or from a server, with retries, a health probe and a budget.

Retries, waits and timeouts of a single request are those of the `openai` client. If all retries fail, a
health probe (a short request that any such model answers) is sent. While the probe fails, the server is down:
all requests wait, and after `patience` seconds the job ends, and can be resumed. If the probe succeeds, the
request is sent again, and after several rounds given up. Answers are cached, so none is paid for twice.
"""

import asyncio
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from budew.chat.answer_cache import AnswerCache, Spending
from budew.chat.connection import Connection, RefusedError, UnavailableError
from budew.chat.request import Answer, ChatRequest, ServerRequest, request_key, usage_in
from budew.chat.server_settings import ServerSettings
from budew.errors import AnswerError, BudewWarning, InputError, JobError, ServerError

R = TypeVar("R")

_ROUNDS = 3
_OVERLOADED_ROUNDS = 12  # an overloaded server is slow, but not down
_LATER_RETRIES = 1
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0  # seconds between probes
_MAX_REFUSALS = 20  # if all the first requests are refused, the items are not the cause
_NO_SCHEMA = (400, 422)
_LONGEST_REPEATED = 20_000  # characters of an invalid answer that are sent back to the model


class Client:
    """Client of a server, with answer cache and budget.

    Use it as an async context manager, in one event loop.

    Args:
        server: address, model, limits and cache.
        account: name under which the cache adds up the cost, the same in all workers and restarts.

    Raises:
        InputError: a cost or token limit is set, but no cache in which to count.
        MissingExtraError: the library openai is not installed.
        JobError: the key is missing, or the cache cannot be opened.
    """

    def __init__(self, server: ServerSettings, *, account: str = "") -> None:
        if server.has_ceiling and server.cache is None:
            raise InputError(
                "max_cost and max_tokens need a cache, where all workers add up what they used: set cache to "
                "a file"
            )
        self._server, self._account = server, account
        self._connection = Connection(server)
        self._slots, self._pacing = asyncio.Semaphore(server.concurrency), asyncio.Lock()
        self._probing = asyncio.Lock()
        self._last_response = float("-inf")
        self._supports_schemas: bool | None = None
        self._refusals, self._has_answered = 0, False
        self._job_error: JobError | None = None
        self._ended = asyncio.Event()

    async def __aenter__(self) -> "Client":
        self._cache = AnswerCache(self._server.cache)
        await self._connection.__aenter__()
        return self

    async def __aexit__(self, *ended: Any) -> None:
        await self._connection.__aexit__(*ended)
        self._cache.close()

    @property
    def spent(self) -> Spending:
        """Requests, tokens and cost of the account so far, over all workers and runs."""
        return self._cache.spent(self._account)

    async def complete(self, request: ServerRequest) -> Answer:
        """Return the answer to `request`, from the cache if it has one.

        Raises:
            ServerError: the server refuses this request, or answers others but not this one.
            JobError: every other request would fail, too; it is then raised for all further requests.
        """
        try:
            self._check_not_ended()
            key = request_key(request)
            answer = self._cache.answer(key) or await self._ask_in_rounds(request, key)
        except ServerError as refusal:
            self._refusals += 1
            if self._refusals < _MAX_REFUSALS or self._has_answered or self.spent.requests:
                raise
            error = JobError(
                f"{self._server.shown} refused the first {self._refusals} requests, the last with {refusal}: "
                "check the name of the model, and which input it takes"
            )
            self._end_job(error)
            raise error from refusal
        except JobError as error:
            self._end_job(error)
            raise
        self._has_answered = True
        return answer

    async def _ask_in_rounds(self, request: ServerRequest, key: bytes) -> Answer:
        """Send a request in several rounds; between two, wait until the server answers a health probe."""
        failures = overloads = 0
        while failures < _ROUNDS and overloads < _OVERLOADED_ROUNDS:
            retries = _LATER_RETRIES if failures or overloads else self._server.retries
            try:
                return await self._ask_with_retries(request, key, retries)
            except UnavailableError as error:
                fault = error
            await self._wait_until_healthy(request.probe())
            if fault.overload:
                overloads += 1
            else:
                failures += 1
        raise ServerError(f"{self._server.shown} answers other requests but not this one ({fault})")

    async def _ask_with_retries(self, request: ServerRequest, key: bytes, retries: int) -> Answer:
        """Send a request, again if the answer is invalid, and store the answer with its cost."""
        for number in range(retries + 1):
            try:
                answer = await self._send(request, key.hex(), retries)
                break
            except AnswerError as error:
                if number == retries:
                    raise UnavailableError(str(error)) from error
            await self._wait(number)
        cost = self._server.cost(answer.usage) if answer.usage else 0.0
        self._cache.store(key, answer, account=self._account, cost=cost)
        if self._server.has_ceiling and answer.usage is None:
            raise JobError(
                f"{self._server.shown} does not report token counts: remove max_cost and max_tokens"
            )
        return answer

    async def _send(self, request: ServerRequest, key: str, retries: int) -> Answer:
        async with self._slots:
            if self._server.requests_per_minute:
                await self._wait_until_due(60 / self._server.requests_per_minute)
            self._check_not_ended()
            if self._server.has_ceiling:
                self.spent.check(max_tokens=self._server.max_tokens, max_cost=self._server.max_cost)
            try:
                content, content_type = await self._post(request, key, retries)
            except RefusedError:
                self._last_response = _now()
                raise
        self._last_response = _now()
        return self._read(request, content, content_type)

    async def _post(self, request: ServerRequest, key: str, retries: int) -> tuple[bytes, str]:
        """Post the body; if the server has rejected a schema, post the plain body instead."""
        post = partial(self._connection.post, request.path, key=key, retries=retries)
        if self._supports_schemas is False:
            return await post(request.plain_body())
        try:
            response = await post(request.body())
        except RefusedError as refusal:
            if not request.structured or self._supports_schemas or refusal.status not in _NO_SCHEMA:
                raise
            response = await post(request.plain_body())
            self._supports_schemas = False
            return response
        if request.structured:
            self._supports_schemas = True
        return response

    def _read(self, request: ServerRequest, content: bytes, content_type: str) -> Answer:
        try:
            return request.read(content, content_type)
        except (AnswerError, ServerError) as error:
            self._count(content)  # it is paid for, too
            raise type(error)(self._connection.one_line(str(error))) from None

    def _count(self, content: bytes) -> None:
        if usage := usage_in(content):
            self._cache.count(usage, account=self._account, cost=self._server.cost(usage))

    async def _wait_until_healthy(self, probe: ServerRequest) -> None:
        """Return when the server answers a probe, or has answered any request since this was called.

        Raises:
            JobError: the server does not answer within `patience` seconds.
        """
        called = _now()
        async with self._probing:
            started, tries = _now(), 0
            while self._last_response < called:
                self._check_not_ended()
                try:
                    with suppress(RefusedError):  # a refusal shows that the server is up
                        content, kind = await self._connection.post(probe.path, probe.plain_body(), retries=0)
                        self._read(probe, content, kind)
                        self._count(content)
                    self._last_response = _now()
                except (UnavailableError, AnswerError) as fault:
                    name, patience = self._server.shown, self._server.patience
                    if _now() - started > patience:
                        raise JobError(
                            f"{name}: the server has not answered for {patience:.0f} s ({fault}): restart "
                            "the server, then run the same command again; the answers so far are cached"
                        ) from fault
                    if tries == 1:  # one probe may fail by chance
                        warnings.warn(
                            BudewWarning(f"{name}: the server does not answer ({fault}): waiting for it"),
                            stacklevel=2,
                        )
                    await self._wait(tries)
                    tries += 1

    async def _wait_until_due(self, interval: float) -> None:
        """Wait for the rate limit. One request waits at a time, so a run that ends leaves no turns behind."""
        async with self._pacing:
            while not self._ended.is_set():
                wait = self._cache.seconds_until_due(self._server.shown, interval=interval)
                if not wait:
                    return
                await self._pause(wait)

    async def _wait(self, number: int) -> None:
        """Wait twice as long each time, at most until the job ends."""
        await self._pause(min(_FIRST_WAIT * 2.0 ** min(number, 10), _LONGEST_WAIT))

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

    def _end_job(self, error: JobError) -> None:
        self._job_error = self._job_error or error
        self._ended.set()

    def _check_not_ended(self) -> None:
        if self._job_error is not None:
            raise self._job_error


async def complete_with_corrections(
    client: Client,
    request: ChatRequest,
    read: Callable[[str], R],
    *,
    correction: str,
    turns: int,
    item: str,
) -> R:
    """Send a request to a chat model; send an invalid answer back with its errors, and ask again.

    Args:
        client: client of the server.
        request: the first request.
        read: returns the content of an answer, or raises AnswerError with one line for each problem.
        correction: message that is sent after an invalid answer, with `{problems}` in it.
        turns: largest number of answers.
        item: name of the clip or caption in errors.

    Raises:
        ServerError: there is no answer.
        AnswerError: the last answer is invalid, too.
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


def _now() -> float:
    return asyncio.get_running_loop().time()
