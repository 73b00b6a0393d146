"""One HTTP exchange with a chat server: bounded in time and size, and sorted by what its end means.

| what comes back | what it means |
|---|---|
| 2xx with JSON | a response |
| no connection, nothing in time, too much, no JSON, an error object, 408, 409, 425, 429, 5xx | `FaultError` |
| 401, 402, 403, 404, a redirection, a quota used up | `JobError`: other requests fare no better |
| any other status | `RefusedError` |

Nothing that a message says holds the key, and the server's own words are cut short and cleaned.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from budew.chat.errors import FaultError, RefusedError
from budew.chat.server import ChatServer
from budew.chat.waiting import retry_after
from budew.extras import require
from budew.jobs.job import JobError

if TYPE_CHECKING:
    import httpx2

LARGEST_RESPONSE = 8 * 2**20
"""Bytes of one response; an annotation is some thousand."""
_LONGEST_REASON = 200
_HOPELESS = {
    401: "set the key in {key} again",
    402: "pay its bill, or use another key",
    403: "set a key in {key} that may use the model",
    404: "check the base URL and the name of the model",
}
_PASSING = (408, 409, 425, 429)
_OVERLOAD = (429, 503, 529)


class Exchange:
    """A pool of connections to one server. Open it in the event loop that uses it, as an async context.

    Raises:
        MissingExtraError: the library httpx2 is not installed.
        JobError: the key that was asked for is not there.
    """

    def __init__(self, server: ChatServer) -> None:
        self._server, self._url = server, server.completions_url()
        self._httpx = require("httpx2", extra="corpora", purpose="asking a chat server")
        credentials = server.credentials()
        key = None if credentials else server.key()
        self._http: httpx2.AsyncClient = self._httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            auth=credentials,
            timeout=server.timeout,
            limits=self._httpx.Limits(
                max_connections=server.concurrency + 1, max_keepalive_connections=server.concurrency + 1
            ),
        )

    async def __aenter__(self) -> "Exchange":
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *ended: Any) -> None:
        await self._http.aclose()

    async def post(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Send `body` and return the response, a JSON object.

        Raises:
            FaultError, RefusedError, JobError: as told at the head of this module.
        """
        data = json.dumps(body).encode()
        try:
            async with asyncio.timeout(self._server.timeout):
                status, headers, text = await self._sent(data)
        except TimeoutError as error:
            raise FaultError(f"no answer within {self._server.timeout:g} s") from error
        except (self._httpx.HTTPError, OSError) as error:
            reason = self._cleaned(f"{type(error).__name__} {error}")
            raise FaultError(f"the connection failed ({reason})") from None
        if not 200 <= status < 300:
            raise self._error(status, headers, text)
        return self._response(text)

    async def _sent(self, data: bytes) -> tuple[int, Mapping[str, str], bytes]:
        received = bytearray()
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        async with self._http.stream("POST", self._url, content=data, headers=headers) as response:
            async for chunk in response.aiter_bytes():
                received += chunk
                if len(received) > LARGEST_RESPONSE:
                    raise FaultError(f"an answer of more than {LARGEST_RESPONSE} bytes")
            return response.status_code, response.headers, bytes(received)

    def _response(self, text: bytes) -> dict[str, Any]:
        try:
            response = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise FaultError("the answer is not JSON") from error
        if not isinstance(response, dict):
            raise FaultError("the answer is not a JSON object")
        if response.get("error") and not response.get("choices"):
            raise FaultError(f"an error in place of an answer: {self._reason(text)}")
        return response

    def _error(self, status: int, headers: Mapping[str, str], text: bytes) -> Exception:
        said = f"status {status}: {self._reason(text)}"
        if 300 <= status < 400:
            return JobError(
                f"{self._server.shown} sends elsewhere (status {status}): give the address it has now"
            )
        if status in _HOPELESS:
            remedy = _HOPELESS[status].format(key=self._server.key_variable)
            return JobError(f"{self._server.shown} refuses to work ({said}): {remedy}")
        if status == 429 and b"insufficient_quota" in text:
            return JobError(
                f"the quota at {self._server.shown} is used up ({said}): raise it and start again"
            )
        if status in _PASSING or status >= 500:
            wait = retry_after(headers.get("Retry-After"))
            return FaultError(said, overload=status in _OVERLOAD, retry_after=wait)
        return RefusedError(said, status=status)

    def _reason(self, text: bytes) -> str:
        """Return what an error response says, on one short line."""
        shown = text[:4_000].decode("utf-8", "replace")
        try:
            error = json.loads(text)["error"]
            shown = str(error["message"] if isinstance(error, dict) else error)
        except (ValueError, TypeError, KeyError, RecursionError):
            pass  # not in the form of the protocol: shown as it is
        return self._cleaned(shown)

    def _cleaned(self, text: str) -> str:
        """Return text from outside as one short line, without key, password and control characters."""
        for secret in self._server.secrets():
            text = text.replace(secret, "…")
        line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
        return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 1] + "…"
