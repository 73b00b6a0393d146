"""Where a chat server is, and how it is to be asked. What is secret is not in here, or not shown."""

import os
import re
from base64 import b64encode
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from budew.errors import JobError

KEY_VARIABLE = "OPENAI_API_KEY"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class ChatServer:
    """A server that speaks the OpenAI chat protocol. Nothing of it changes an answer.

    Attributes:
        base_url: such as `http://localhost:8000/v1`. A name and password in it are used and never shown.
        key_variable: environment variable with the key. Read where the request is made, kept nowhere.
        concurrency: requests under way at a time; fewer while the server says that it is overloaded.
        timeout: seconds for one answer, from the first byte sent to the last one read.
        attempts: how often a request is tried before the server is looked at, see `budew.chat.client`.
        first_wait: seconds before the second attempt; doubled for each one after it.
        patience: seconds without any answer after which the job ends, to be gone on with later.
        requests_per_minute: as many at most, of all workers on this machine together.
        shown: the address without name, password and query, as messages may hold it.

    Raises:
        ValueError: an address that is none, or a number out of range.
    """

    base_url: str = field(repr=False)
    key_variable: str = KEY_VARIABLE
    concurrency: int = 16
    timeout: float = 120.0
    attempts: int = 5
    first_wait: float = 1.0
    patience: float = 600.0
    requests_per_minute: float | None = None
    shown: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shown", _shown(self.base_url))
        if not _VARIABLE.fullmatch(self.key_variable):  # maybe the key itself, so it is not repeated
            raise ValueError(
                "what is given for the variable of the key is no name of one: put the key into a variable, "
                "and give the name of that, such as OPENAI_API_KEY"
            )
        if min(self.concurrency, self.attempts) < 1:
            raise ValueError("concurrency and attempts are at least 1")
        limit = self.requests_per_minute
        if min(self.timeout, self.first_wait, self.patience) <= 0 or (limit is not None and limit <= 0):
            raise ValueError("timeout, waits, patience and requests a minute are more than 0")

    def query(self) -> dict[str, str]:
        """Return what the address asks for behind its "?", which goes with each request."""
        return dict(parse_qsl(urlsplit(self.base_url).query, keep_blank_values=True))

    def credentials(self) -> tuple[str, str] | None:
        """Return the name and password of the address."""
        parts = urlsplit(self.base_url)
        if parts.username is None and parts.password is None:
            return None
        return unquote(parts.username or ""), unquote(parts.password or "")

    def key(self) -> str | None:
        """Return the key from the environment, None where there is none and none is asked for by name.

        Raises:
            JobError: the variable was asked for and is not set, or what is in it cannot be a key.
        """
        key = os.environ.get(self.key_variable, "").strip()
        if not key and self.key_variable != KEY_VARIABLE:
            raise JobError(f"the environment variable {self.key_variable} is not set: put the key in it")
        if not all("!" <= character <= "~" for character in key):
            raise JobError(
                f"what is in {self.key_variable} is no key (it has spaces or odd letters): set it again"
            )
        return key or None

    def secrets(self) -> list[str]:
        """Return what no message may hold, in all its forms."""
        name, password = self.credentials() or ("", "")
        basic = b64encode(f"{name}:{password}".encode()).decode() if password else ""
        key = os.environ.get(self.key_variable, "").strip()
        queried = [value for _, value in parse_qsl(urlsplit(self.base_url).query)]
        return [secret for secret in (key, password, basic, *queried) if secret]


def _shown(base_url: str) -> str:
    try:
        parts = urlsplit(base_url)
        host = _host(base_url)
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("the base URL is no address: give one such as http://localhost:8000/v1")
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def _host(base_url: str) -> str:
    parts = urlsplit(base_url)
    if parts.port is not None and not parts.port:
        raise ValueError("port 0")
    return parts.netloc.rpartition("@")[2]
