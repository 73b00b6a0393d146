"""Settings of a server with the OpenAI protocols: address, model, key, time limits, prices, cost limits."""

import os
import re
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import ConfigDict, Field, field_validator, model_validator

from budew.chat.request import Usage
from budew.errors import JobError
from budew.io.addresses import without_secrets
from budew.io.settings import Settings

KEY_VARIABLE = "OPENAI_API_KEY"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ServerSettings(Settings):
    """Address and model of a server, and limits of requests, time and cost. Only `model` changes answers.

    The limits of cost and tokens are checked before each request. Requests in progress when a limit is
    reached are still paid for: at most `concurrency` in each worker.

    Example:
        >>> server = ServerSettings(base_url="http://localhost:8000/v1", model="Qwen/Qwen3-8B", price_in=0.5)
        >>> server.cost(Usage(tokens_in=2_000_000, tokens_out=1000))
        1.0
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    base_url: str = Field(
        repr=False, description="Such as http://localhost:8000/v1. User and password in it are never shown."
    )
    model: str = Field(min_length=1, description="Name of the model on the server.")
    key_variable: str = Field(
        default=KEY_VARIABLE, description="Name of the environment variable with the key."
    )
    concurrency: int = Field(default=16, ge=1, description="Number of concurrent requests of each worker.")
    timeout: float = Field(default=120.0, gt=0, description="Longest time for one answer, in seconds.")
    retries: int = Field(
        default=4, ge=0, description="Number of retries of a request before the health probe."
    )
    patience: float = Field(
        default=600.0, gt=0, description="Seconds to wait for a server that is down before the job ends."
    )
    requests_per_minute: float | None = Field(
        default=None,
        gt=0,
        description="Rate limit of all workers of this machine together; retries are not counted.",
    )
    price_in: float = Field(default=0.0, ge=0, description="Price of a million tokens sent, in any currency.")
    price_out: float = Field(default=0.0, ge=0, description="Price of a million tokens received.")
    max_cost: float | None = Field(
        default=None, ge=0, description="End the job when its output has cost this much, over all runs."
    )
    max_tokens: int | None = Field(
        default=None, ge=0, description="End the job after this many tokens, sent and received."
    )
    cache: Path | None = Field(
        default=None,
        strict=False,
        description="SQLite file with all answers, so that none is paid for twice. An answer is found "
        "by model and request, not server: use another file for other weights of the same name.",
    )

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, address: str) -> str:
        with suppress(ValueError):  # the message of the error may contain the password
            parts = urlsplit(address)
            if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
                return address
        raise ValueError("is not a URL: use one such as http://localhost:8000/v1")

    @field_validator("key_variable")
    @classmethod
    def _is_variable(cls, name: str) -> str:
        if not _VARIABLE.fullmatch(name):  # may be the key itself, so the message does not repeat it
            raise ValueError("is not the name of a variable: put the key into one such as OPENAI_API_KEY")
        return name

    @model_validator(mode="after")
    def _ceiling_has_price(self) -> "ServerSettings":
        if self.max_cost is not None and not self.price_in + self.price_out:
            raise ValueError("max_cost needs price_in and price_out")
        return self

    @property
    def shown(self) -> str:
        """The address without user, password and query, for messages."""
        return without_secrets(self.base_url).rstrip("/")

    @property
    def has_ceiling(self) -> bool:
        """Whether `max_cost` or `max_tokens` is set."""
        return self.max_cost is not None or self.max_tokens is not None

    def query(self) -> dict[str, str]:
        """Return the parameters in the query of the address, which are sent with each request."""
        return dict(parse_qsl(urlsplit(self.base_url).query, keep_blank_values=True))

    def credentials(self) -> tuple[str, str] | None:
        """Return user and password in the address; None if it has neither."""
        parts = urlsplit(self.base_url)
        if parts.username is None and parts.password is None:
            return None
        return unquote(parts.username or ""), unquote(parts.password or "")

    def key(self) -> str | None:
        """Return the key from the environment; None if the default variable is not set.

        Raises:
            JobError: a variable other than the default is not set, or its value is not a valid key.
        """
        key = os.environ.get(self.key_variable, "").strip()
        if not key and self.key_variable != KEY_VARIABLE:
            raise JobError(f"the environment variable {self.key_variable} is not set: put the key in it")
        if not all("!" <= character <= "~" for character in key):
            raise JobError(
                f"{self.key_variable} contains no valid key (it has spaces or odd characters): set it again"
            )
        return key or None

    def secrets(self) -> list[str]:
        """Return the texts that messages must not show: the key, the password, values of the query."""
        user, password = self.credentials() or ("", "")
        basic = b64encode(f"{user}:{password}".encode()).decode() if password else ""
        key = os.environ.get(self.key_variable, "").strip()
        return [secret for secret in (key, password, basic, *self.query().values()) if secret]

    def cost(self, usage: Usage) -> float:
        """Return the cost of a request with this usage."""
        return (usage.tokens_in * self.price_in + usage.tokens_out * self.price_out) / 1e6
