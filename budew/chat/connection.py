"""`Connection`: HTTP requests to one server with the `openai` client, limited answers and few kinds of error.

| response | error |
|---|---|
| no connection, no whole answer, 408, 409, 425, 429, 5xx, after all retries | `UnavailableError` |
| 401, 402, 403, 404, a redirection, a quota used up | `JobError`: every other request would fail, too |
| any other status | `RefusedError` |

The openai client runs on aiohttp: on httpx2 it took 1.6 times as long.
"""

import asyncio
import json
from collections.abc import Mapping
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from budew.chat.request import reason_in
from budew.chat.server_settings import ServerSettings
from budew.errors import JobError, ServerError, require
from budew.io.addresses import redact

if TYPE_CHECKING:
    import httpx2
    import openai

LARGEST = 16 * 2**20
"""Largest size of an answer in bytes: an annotation has some thousand, a minute of stereo wav 11 million."""
_PURPOSE = "asking a server"
_NO_KEY = "none"  # the openai client requires a key; this one is not sent
_LONGEST_REASON = 200
_REMEDIES = {
    401: "set the key in {key} again",
    402: "pay its bill, or use another key",
    403: "set a key in {key} that may use the model",
    404: "check the base URL and the name of the model",
}
_TEMPORARY = (408, 409, 425, 429)
_OVERLOAD = (429, 503, 529)


class UnavailableError(Exception):
    """No answer after all retries; a health probe shows whether the server is down.

    `overload`: whether the server reported too many requests.
    """

    def __init__(self, reason: str, *, overload: bool = False) -> None:
        super().__init__(reason)
        self.overload = overload


class RefusedError(ServerError):
    """The server refuses this request; others may succeed. `status` is the HTTP status."""

    def __init__(self, reason: str, *, status: int) -> None:
        super().__init__(reason)
        self.status = status


class Connection:
    """A pool of connections to one server.

    Use it as an async context manager, in one event loop.
    """

    def __init__(self, server: ServerSettings) -> None:
        self._server = server
        self._openai = require("openai", extra="server", purpose=_PURPOSE)
        self._httpx = require("httpx2", extra="server", purpose=_PURPOSE)
        self._aiohttp = require("aiohttp", extra="server", purpose=_PURPOSE)
        credentials = server.credentials()
        key = None if credentials else server.key()
        self._redact = partial(redact, keys=tuple(server.secrets()))
        self._headers: dict[str, Any] = {"Content-Type": "application/json"}
        if key is None:
            self._headers["Authorization"] = self._openai.Omit()
        size = server.concurrency + 1
        self._client: openai.AsyncOpenAI = self._openai.AsyncOpenAI(
            base_url=server.shown,
            api_key=key or _NO_KEY,
            default_headers={"Accept-Encoding": "identity"},
            default_query=server.query(),
            timeout=server.timeout,
            http_client=self._openai.DefaultAioHttpClient(
                auth=credentials,
                limits=self._httpx.Limits(max_connections=size, max_keepalive_connections=size),
                event_hooks={"response": [self._receive]},
                follow_redirects=False,
            ),
        )

    async def __aenter__(self) -> "Connection":
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *ended: Any) -> None:
        await self._client.close()

    async def post(
        self, path: str, body: Mapping[str, Any], *, retries: int, key: str = ""
    ) -> tuple[bytes, str]:
        """Send `body` as JSON, or as a form with a file; return content and content type of the answer.

        Args:
            path: path of the endpoint, relative to the base URL.
            body: fields of the request; values of type bytes are sent as wav files.
            retries: number of retries by the `openai` client, after its own waits or those that the server
                requests.
            key: value of the header `Idempotency-Key`, so that gateways bill a lost answer only once; "" for
                none.

        Raises:
            UnavailableError, RefusedError, JobError: see the table at the top of this module.
        """
        headers = {**self._headers, "Idempotency-Key": key} if key else {**self._headers}
        wavs = {name: value for name, value in body.items() if isinstance(value, bytes)}
        sent: dict[str, Any] = {}
        if wavs:
            headers["Content-Type"] = "multipart/form-data"
            sent["body"] = {name: value for name, value in body.items() if name not in wavs}
            sent["files"] = {name: (f"{name}.wav", wav, "audio/wav") for name, wav in wavs.items()}
        else:
            sent["content"] = json.dumps(body).encode()
        try:
            response: httpx2.Response = await self._client.post(
                f"{self._server.shown}{path}",
                cast_to=self._httpx.Response,
                **sent,
                options={"headers": headers, "max_retries": retries},
            )
            return response.content, response.headers.get("content-type", "")
        except self._openai.APIStatusError as error:
            fault = self._error(error.response)
        except (self._openai.OpenAIError, self._httpx.HTTPError, self._aiohttp.ClientError, OSError) as error:
            cause = error.__cause__ or error
            if isinstance(cause, self._httpx.ReadTimeout):
                fault = UnavailableError(f"no answer within {self._server.timeout:g} s")
            else:
                reason = self.one_line(f"{type(cause).__name__} {cause}")
                fault = UnavailableError(f"the connection failed ({reason})")
        raise fault  # outside of `except`: the client's error, which contains the key, is not its context

    def _error(self, response: "httpx2.Response") -> Exception:
        status, server = response.status_code, self._server
        reason = f"status {status}: {self.one_line(reason_in(response.content))}"
        if 300 <= status < 400:
            return JobError(f"{server.shown} redirects (status {status}): use its new URL")
        if status in _REMEDIES:
            return JobError(f"{server.shown}: {reason}: {_REMEDIES[status].format(key=server.key_variable)}")
        if status == 429 and b"insufficient_quota" in response.content:
            return JobError(f"{server.shown}: the quota is used up ({reason}): raise it and start again")
        if status in _TEMPORARY or status >= 500:
            return UnavailableError(reason, overload=status in _OVERLOAD)
        return RefusedError(reason, status=status)

    def one_line(self, text: str) -> str:
        """Shorten text from a server to one line, without secrets and control characters."""
        text = self._redact(text)
        line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
        return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"

    async def _receive(self, response: Any) -> None:
        """Read a whole answer within the timeout and `LARGEST`: `openai` only limits the wait for a chunk.

        It raises the errors of httpx2 that `openai` retries.
        """
        received = bytearray()
        try:
            async with asyncio.timeout(self._server.timeout), aclosing(response.stream):
                async for chunk in response.stream:
                    received += chunk
                    if len(received) > LARGEST:
                        raise self._httpx.ReadError(f"an answer of more than {LARGEST} bytes")
        except TimeoutError as error:
            raise self._httpx.ReadTimeout("the answer did not end in time") from error
        except (self._aiohttp.ClientError, OSError) as error:
            raise self._httpx.ReadError(str(error)) from error
        response.stream = self._httpx.ByteStream(bytes(received))
        await response.aread()
