"""How long to wait before asking again: what the server says, else ever longer, spread by chance."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from budew.randomness import generator

LONGEST_WAIT = 60.0
"""Seconds. What the doubling of waits ends at."""


def backoff(attempt: int, *, first: float, of: str) -> float:
    """Return the seconds to wait after attempt number `attempt` (from 0) of the request called `of`.

    Twice as long each time, times a number in [0.5, 1.5) that depends on the request and the attempt, so
    that requests that failed together do not come back together.
    """
    spread = 0.5 + generator("wait", of, attempt).random()
    return min(first * 2.0 ** min(attempt, 30), LONGEST_WAIT) * spread


def retry_after(value: str | None) -> float | None:
    """Return the seconds that a `Retry-After` header asks for: a number, or a date to come.

    None for no header, and for one that is neither. Never negative; not bounded otherwise.
    """
    if value is None or len(value) > 64:
        return None
    text = value.strip()
    if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (date - datetime.now(UTC)).total_seconds())
