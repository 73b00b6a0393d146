"""JSON from outside, read as the standard has it: no number that is none, no key twice in one object.

One place for all readers, so that a line that one command refuses is refused by the next.
"""

import json
import math
from collections import Counter
from typing import Any

LARGEST = 8 * 2**20
"""Bytes of one object or line. A caption is some hundred, a full annotation some thousand."""


def loads(text: bytes | str) -> Any:
    """Return what a JSON text says.

    Raises:
        ValueError: it is not JSON, not UTF-8, nested too deep, or holds NaN, a number beyond any float, or a
            key twice in one object; a sentence without the name of the file.
    """
    try:
        return json.loads(
            text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_without_doubles
        )
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 at byte {error.start}: save it as UTF-8") from error
    except RecursionError as error:
        raise ValueError("is nested too deep: flatten it") from error
    except ValueError as error:
        raise ValueError(f"is not JSON ({error}): correct it") from error


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        double = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"{double[:40]!r} is there twice")
    return fields


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _refuse(number)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a number of JSON")
