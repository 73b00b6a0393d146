"""Strict reader for JSON from users and servers, so that all commands reject the same lines."""

import json
import math
from collections import Counter
from typing import Any

from budew.errors import InputError

LARGEST = 8 * 2**20
"""Largest JSON text in bytes. A caption has a few hundred, a full annotation a few thousand."""


def loads(text: bytes | str) -> Any:
    """Parse a JSON text, and return its value.

    Raises:
        InputError: the text is longer than `LARGEST` bytes, not JSON, not UTF-8, nested too deep, or has NaN,
            a number too large for a float, or the same key twice in an object. The message is a predicate,
            such as "is not JSON (…)", to which the caller adds the name of the file.
    """
    if len(text) > LARGEST:
        raise InputError(f"is longer than {LARGEST:,} bytes: shorten it")
    try:
        return json.loads(text, **HOOKS)
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 at byte {error.start}: save it as UTF-8") from error
    except RecursionError as error:
        raise InputError("is nested too deep: flatten it") from error
    except ValueError as error:
        raise InputError(f"is not JSON ({error}): correct it") from error


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        double = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"{double[:40]!r} occurs twice")
    return fields


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _refuse(number)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not valid JSON")


HOOKS: dict[str, Any] = {
    "parse_constant": _refuse,
    "parse_float": _finite,
    "object_pairs_hook": _without_doubles,
}
"""Options of `json.loads` that reject NaN, infinity, too large numbers and duplicate keys with ValueError."""
