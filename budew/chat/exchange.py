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

from budew.chat.bounded import bounded_client
from budew.chat.errors import FaultError, RefusedError
from budew.chat.server import ChatServer
from budew.chat.waiting import retry_after
from budew.errors import JobError
from budew.extras import require

if TYPE_CHECKING:
    import httpx2
    import openai

LARGEST_RESPONSE = 8 * 2**20
"""Bytes of one response; an annotation is some thousand."""
_NO_KEY = "none"  # the client insists on one, and does not send it
_SHORTEST_SECRET = 6  # what is shorter may be a word of the answer
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

    The `openai` client speaks the protocol. Its own retries and unbounded reading are switched off: what is
    tried again, when, and how much is read, is decided here for all clients alike.

    Raises:
        MissingExtraError: the library openai is not installed.
        JobError: the key that was asked for is not there.
    """

    def __init__(self, server: ChatServer) -> None:
        self._server, self._url = server, f"{server.shown}/chat/completions"
        self._openai = require("openai", extra="paraphrase", purpose="asking a chat server")
        self._httpx = require("httpx2", extra="paraphrase", purpose="asking a chat server")
        self._aiohttp = require("aiohttp", extra="paraphrase", purpose="asking a chat server")
        credentials = server.credentials()
        key = None if credentials else server.key()
        self._secrets = [secret.encode() for secret in server.secrets() if len(secret) >= _SHORTEST_SECRET]
        self._headers: dict[str, Any] = {"Content-Type": "application/json"}
        if key is None:
            self._headers["Authorization"] = self._openai.Omit()
        self._client: openai.AsyncOpenAI = self._openai.AsyncOpenAI(
            base_url=server.shown,
            api_key=key or _NO_KEY,
            default_headers={"Accept-Encoding": "identity"},
            default_query=server.query(),
            max_retries=0,
            timeout=server.timeout,
            http_client=bounded_client(
                connections=server.concurrency + 1, largest=LARGEST_RESPONSE, credentials=credentials
            ),
        )

    async def __aenter__(self) -> "Exchange":
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *ended: Any) -> None:
        await self._client.close()

    async def post(self, body: Mapping[str, Any], *, key: str = "") -> dict[str, Any]:
        """Send `body` and return the response, a JSON object.

        Args:
            body: of the request.
            key: of the request; a server or gateway that honors the header `Idempotency-Key` does not make,
                nor bill, the same answer twice, though we died before we had it.

        Raises:
            FaultError, RefusedError, JobError: as told at the head of this module.
        """
        answer = await self._answered(body, key)
        if isinstance(answer, Exception):
            raise answer  # here, where what the client raised and the key in it are no context of it any more
        if not answer.is_success:
            raise self._error(answer.status_code, answer.headers, answer.content)
        return self._response(self._without_secrets(answer.content))

    def _without_secrets(self, text: bytes) -> bytes:
        """Return an answer without our own key, which a server may echo and which would go into a corpus."""
        for secret in self._secrets:
            text = text.replace(secret, "…".encode())
        return text

    async def _answered(self, body: Mapping[str, Any], key: str) -> "httpx2.Response | FaultError":
        """Return what came back, whatever its status, or the fault that kept it from coming."""
        try:
            async with asyncio.timeout(self._server.timeout):
                return await self._sent(body, key)
        except self._openai.APIStatusError as error:
            response: httpx2.Response = error.response
            return response
        except (TimeoutError, self._openai.APITimeoutError):
            return FaultError(f"no answer within {self._server.timeout:g} s")
        except FaultError as fault:
            return fault
        except (self._openai.OpenAIError, self._httpx.HTTPError, self._aiohttp.ClientError, OSError) as error:
            cause = error.__cause__ or error
            return FaultError(f"the connection failed ({self._cleaned(f'{type(cause).__name__} {cause}')})")

    async def _sent(self, body: Mapping[str, Any], key: str) -> "httpx2.Response":
        headers = {**self._headers, "Idempotency-Key": key} if key else self._headers
        return await self._client.post(
            self._url,  # whole: the client would put it together for each request
            cast_to=self._httpx.Response,
            content=json.dumps(body).encode(),
            options={"headers": headers},
        )

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
