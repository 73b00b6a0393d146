"""Answer cache, spending and rate limit in one SQLite file that all workers share, safe against SIGKILL.

An answer and its cost are written in one transaction before the answer is used: nothing is paid for twice, or
paid for and not counted. An annotation takes about 870 bytes with its key; one core writes 15,000 and finds
50,000 per second (benchmarks/answer_cache.py). SQLite's write-ahead log needs a local disk: on a cluster, use
one file per node.
"""

import json
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from budew.chat.request import Answer, Usage
from budew.errors import JobError
from budew.io.disk import user_cache

_LONGEST_LOCK = 60.0  # seconds to wait for other workers; a write takes a fraction of a millisecond
_TABLES = """
CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, answer BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS spending (
    account TEXT PRIMARY KEY, requests INTEGER NOT NULL, tokens_in INTEGER NOT NULL,
    tokens_out INTEGER NOT NULL, cost REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS pace (server TEXT PRIMARY KEY, next REAL NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Spending:
    """Number of requests answered so far, their tokens, and their cost at the prices when they were sent."""

    requests: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0

    @property
    def tokens(self) -> int:
        """Number of tokens, sent and received."""
        return self.tokens_in + self.tokens_out

    def check(self, *, max_tokens: float | None, max_cost: float | None) -> None:
        """Raise `JobError` if a limit is reached; None for no limit."""
        so_far = f"after {self.requests} requests, {self.tokens} tokens and a cost of {self.cost:.2f}"
        limits = (("max_tokens", self.tokens, max_tokens), ("max_cost", self.cost, max_cost))
        for name, reached, limit in limits:
            if limit is not None and reached >= limit:
                raise JobError(f"the limit {name}={limit:g} is reached {so_far}: raise it to continue")

    def __str__(self) -> str:
        cost = f", a cost of {self.cost:,.2f}" if self.cost else ""
        tokens = f"{self.tokens_in:,} tokens in, {self.tokens_out:,} out"
        return f"answers paid so far: {self.requests:,}, {tokens}{cost}"


class AnswerCache:
    """Answers, spending and rate limit, shared by all requests, workers and runs.

    Open it in the process that uses it, since a connection cannot be used after a fork.

    Args:
        path: path of the file, which is created if necessary; None stores everything in memory until `close`.

    Raises:
        JobError: the file cannot be read or written; also raised by all methods.
    """

    def __init__(self, path: Path | None) -> None:
        self._name = str(path or "the answers in memory")
        with self._errors():
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                path or ":memory:", timeout=_LONGEST_LOCK, isolation_level=None, check_same_thread=False
            )
            self._prepare()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def answer(self, key: bytes) -> Answer | None:
        """Return the answer that is stored under `key`; None if there is none."""
        with self._errors():
            row = self._database.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
            if row is None:
                return None
            texts, costs = json.loads(zlib.decompress(row[0]))
            return Answer(tuple(texts), None if costs is None else Usage(*costs))

    def store(self, key: bytes, answer: Answer, *, account: str, cost: float) -> None:
        """Store an answer, and add the request, its tokens and its cost to the spending of an account.

        An account is a name that all workers and restarts of a job share; see `Client`.
        """
        costs = None if answer.usage is None else [answer.usage.tokens_in, answer.usage.tokens_out]
        entry = zlib.compress(json.dumps([list(answer.texts), costs]).encode())
        with self._errors(), self._transaction():
            self._database.execute("INSERT OR REPLACE INTO answers VALUES (?, ?)", (key, entry))
            self._add(account, 1, answer.usage or Usage(0, 0), cost)

    def count(self, usage: Usage, *, account: str, cost: float) -> None:
        """Add tokens and cost of an answer that is not stored to `account`."""
        with self._errors():
            self._add(account, 0, usage, cost)

    def spent(self, account: str) -> Spending:
        """Return requests, tokens and cost of `account` so far, over all processes."""
        with self._errors():
            row = self._database.execute(
                "SELECT requests, tokens_in, tokens_out, cost FROM spending WHERE account = ?", (account,)
            ).fetchone()
        return Spending(*row) if row else Spending()

    def seconds_until_due(self, server: str, *, interval: float) -> float:
        """Return the seconds until the next request to `server` is due; if that is 0, count one as sent.

        A request is due `interval` seconds after the last request of any process.
        """
        now = time.time()
        with self._errors(), self._transaction():
            row = self._database.execute("SELECT next FROM pace WHERE server = ?", (server,)).fetchone()
            wait = (
                min(row[0] - now, interval) if row else 0.0
            )  # a longer wait means that the clock was set back
            if wait <= 0:
                self._database.execute("INSERT OR REPLACE INTO pace VALUES (?, ?)", (server, now + interval))
        return max(wait, 0.0)

    def _add(self, account: str, requests: int, usage: Usage, cost: float) -> None:
        self._database.execute(
            "INSERT INTO spending VALUES (?, ?, ?, ?, ?) ON CONFLICT (account) DO UPDATE SET "
            "requests = requests + excluded.requests, tokens_in = tokens_in + excluded.tokens_in, "
            "tokens_out = tokens_out + excluded.tokens_out, cost = cost + excluded.cost",
            (account, requests, usage.tokens_in, usage.tokens_out, cost),
        )

    def _prepare(self) -> None:
        """Set up the file; many processes may do so at once."""
        end = time.monotonic() + _LONGEST_LOCK
        while True:
            try:
                self._database.execute("PRAGMA journal_mode = WAL")  # does not wait for a lock by itself
                break
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
                time.sleep(0.01)
        self._database.execute("PRAGMA synchronous = NORMAL")
        for statement in _TABLES.split(";"):
            self._database.execute(statement)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        with self._database:  # commits, or rolls back
            yield

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise JobError(
                f"{self._name}: answers cannot be stored there ({error}): free the disk, or name another file"
            ) from error


def default_cache() -> Path:
    """Return the path of the answer cache of this user."""
    return user_cache() / "answers.sqlite"


def spending_of(path: Path, account: str) -> Spending:
    """Return the spending of `account` in a cache file; raise JobError if the file cannot be read."""
    with closing(AnswerCache(path)) as cache:
        return cache.spent(account)
