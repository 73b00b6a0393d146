"""Addresses of shards: what is one, and what of it may be shown."""

from pathlib import Path


def is_address(source: str | Path) -> bool:
    """Tell whether a source is a URL and no path."""
    scheme, mark, _ = str(source).partition("://")
    return bool(mark) and scheme.replace("+", "").replace(":", "").isalnum() and isinstance(source, str)


def shown(address: str) -> str:
    """Return an address without what may be secret in it: user, password and query."""
    scheme, mark, rest = address.partition("://")
    if not mark:
        return address  # a path
    host, slash, path = rest.partition("?")[0].partition("#")[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
