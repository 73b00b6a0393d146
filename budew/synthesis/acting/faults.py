"""What went wrong with one request to a speech server, and whether and when to try it again.

| what happened | what is done |
|---|---|
| no answer in time, a broken connection, an answer that is no speech, 408, 409, 425, 429, 5xx | tried again |
| nobody at the address | tried again; then the run ends |
| 401, 402, 403, 404, a quota used up | the run ends |
| any other status | the clip is listed |
"""

import json
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from budew.randomness import generator
from budew.synthesis.acting.answer import AnswerError

LONGEST_WAIT = 60.0
"""Seconds that the doubling of waits ends at."""
LONGEST_RETRY_AFTER = 600.0
"""Seconds that a server may ask to wait."""
_LARGEST_REFUSAL = 64 * 2**10
_LONGEST_REASON = 300
_PASSING = (408, 409, 425, 429)
_HOPELESS = {
    401: "set the key in OPENAI_API_KEY",
    402: "pay the bill, or use another key",
    403: "set a key in OPENAI_API_KEY that may use the model",
    404: "check the address and the name of the model",
}


class StatusError(Exception):
    """An answer with a status of 400 or more, and as much of its text as is worth reading."""

    def __init__(self, status: int, retry_after: str | None, body: bytes) -> None:
        super().__init__(f"status {status}")
        self.status, self.retry_after, self.body = status, retry_after, body


@dataclass(frozen=True, slots=True)
class Fault:
    """What an error means.

    Attributes:
        reason: in one line.
        passing: whether another attempt may fare better.
        remedy: what to do where other clips fare no better; empty where they may.
        retry_after: seconds that the server asks to wait.
    """

    reason: str
    passing: bool = False
    remedy: str = ""
    retry_after: float | None = None


async def refuse(response: Any) -> None:
    """Raise `StatusError` for a response that is one; the client would read its text whatever its size."""
    if response.status_code < 400:
        return
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) >= _LARGEST_REFUSAL:
            break
    raise StatusError(response.status_code, response.headers.get("retry-after"), bytes(body))


def fault_of(error: Exception, openai: ModuleType) -> Fault | None:
    """Return what an error means, None where it is no fault of a request."""
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else None
    if isinstance(cause or error, StatusError):  # openai 2 wraps it
        return _of_status(cause or error)
    if isinstance(error, AnswerError):
        return Fault(str(error), passing=True)
    if isinstance(error, TimeoutError | openai.APITimeoutError):
        return Fault("no answer came in time", passing=True)
    if isinstance(error, openai.APIConnectionError):
        nobody = type(cause).__name__ == "ConnectError"
        remedy = "start the server, or check its address" if nobody else ""
        return Fault(_line(f"the connection failed ({cause or error})"), passing=True, remedy=remedy)
    if isinstance(error, OSError) or type(error).__module__.startswith("httpx"):
        return Fault(_line(f"the connection broke ({type(error).__name__} {error})"), passing=True)
    return None


def waiting(fault: Fault, attempt: int, *, first: float, of: str) -> float:
    """Return the seconds to wait after attempt number `attempt` (from 0) of the clip called `of`.

    What the server asks for; else twice as long each time, spread by chance so that clips that failed
    together do not come back together.
    """
    if fault.retry_after is not None:
        return fault.retry_after
    return min(first * 2.0 ** min(attempt, 30), LONGEST_WAIT) * generator("wait", of, attempt).uniform(
        0.5, 1.5
    )


def _of_status(error: Any) -> Fault:
    said, code = _said(error.body)
    reason = _line(f"status {error.status}: {said}")
    remedy = _HOPELESS.get(error.status, "")
    if error.status == 429 and code == "insufficient_quota":
        remedy = _HOPELESS[402]
    passing = not remedy and (error.status in _PASSING or error.status >= 500)
    return Fault(reason, passing, remedy, _seconds(error.retry_after))


def _said(body: bytes) -> tuple[str, object]:
    """Return message and code of a refusal, whatever its form."""
    text = body.decode("utf-8", "replace")
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return text, None
    told = told.get("error", told) if isinstance(told, dict) else told
    if not isinstance(told, dict):
        return str(told), None
    return str(told.get("message", told.get("detail", text))), told.get("code")


def _seconds(retry_after: str | None) -> float | None:
    try:
        seconds = float(retry_after or "")
    except ValueError:  # a date is allowed; the doubling of waits does as well
        return None
    return min(seconds, LONGEST_RETRY_AFTER) if seconds >= 0 else None


def _line(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(shown.split())[:_LONGEST_REASON]
