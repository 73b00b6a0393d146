"""URLs of shards and servers, and the removal of secrets from texts that are shown."""

import re
from base64 import b64encode
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote

from budew.errors import CorpusError

_SHORTEST = 4
"""Letters. Shorter values in a query are not secrets, or `?page=1` would hide every "1" in a message."""

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+")  # a `Path` has one slash of the two; C:/ is a disk


def is_address(source: str | Path) -> bool:
    """Return whether a source is a URL, and not a path."""
    scheme, mark, _ = str(source).partition("://")
    return bool(mark) and scheme.replace("+", "").replace(":", "").isalnum() and isinstance(source, str)


def check_local(out: str | Path) -> None:
    """Require that an output is a local path; a URL taken for a path would create a folder such as `s3:`.

    Raises:
        CorpusError: `out` is a URL.
    """
    scheme = _SCHEME.match(str(out))
    if scheme:
        address = without_secrets(f"{scheme[1]}://{str(out)[scheme.end() :]}")
        raise CorpusError(f"{address} is a URL: write to a local folder, and upload that")


def without_secrets(address: str) -> str:
    """Return a URL without the parts that may be secret: user, password and query."""
    scheme, mark, rest = address.partition("://")
    if not mark:
        return address  # a path
    host, slash, path = rest.partition("?")[0].partition("#")[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def redact(text: str, address: str = "", keys: tuple[str, ...] = ()) -> str:
    """Replace secrets in a text by `…`.

    Secrets are found as they are, quoted as in URLs, and in Base64 as in HTTP headers.

    Args:
        text: text to show, such as an error message.
        address: URL whose user, password and query are secret.
        keys: other secrets, such as API keys.
    """
    pattern = _pattern(address, keys)
    return pattern.sub("…", text) if pattern else text


@lru_cache(maxsize=16)
def _pattern(address: str, keys: tuple[str, ...]) -> re.Pattern[str] | None:
    forms: set[str] = set()
    for secret in (*_secrets(address), *keys):
        encoded = b64encode(secret.encode("utf-8", "surrogateescape")).decode()
        forms |= {secret, quote(secret), quote(secret, safe=""), encoded.rstrip("=")}
    found = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
    return re.compile(found, flags=re.IGNORECASE) if found else None  # %2f is %2F


def _secrets(address: str) -> Iterator[str]:
    rest, _, query = address.partition("://")[2].partition("#")[0].partition("?")
    login = rest.partition("/")[0].rpartition("@")[0]
    words = [*login.partition(":")[::2], *(value for _, value in parse_qsl(query))]
    for secret in (address, login, query, *(word for word in words if len(word) >= _SHORTEST)):
        yield from filter(None, (secret, unquote(secret)))
