"""JSON from outside, bounded and strict: the `<id>.json` beside a clip, and the lines of a manifest."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from budew.corpora.errors import CorpusError, OnBad, report

LARGEST_JSON = 8 * 2**20
"""Bytes of one clip's JSON; a caption is some hundred, a full annotation some thousand."""


def json_object(text: bytes | str, name: str) -> dict[str, Any]:
    """Return the JSON object in `text`.

    Raises:
        CorpusError: too large, not UTF-8, not JSON, nested too deep, a number that is none, a key twice in
            one object, or not an object.
    """
    if len(text) > LARGEST_JSON:
        raise CorpusError(
            f"{name}: {len(text)} bytes of JSON are more than the {LARGEST_JSON} allowed: shorten it"
        )
    try:
        value = json.loads(
            text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_without_doubles
        )
    except UnicodeDecodeError as error:
        raise CorpusError(f"{name}: is not UTF-8 at byte {error.start}: save it as UTF-8") from error
    except RecursionError as error:
        raise CorpusError(f"{name}: is nested too deep: flatten it") from error
    except ValueError as error:
        raise CorpusError(f"{name}: is not JSON ({error}): correct it") from error
    if not isinstance(value, dict):
        raise CorpusError(f"{name}: holds a {type(value).__name__}, not an object: put the fields in {{…}}")
    return value


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, or raise `CorpusError` as `json_object` does."""
    try:
        with path.open("rb") as file:
            return json_object(file.read(LARGEST_JSON + 1), str(path))
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror}): check its permissions") from error


def numbered_lines(
    file: BinaryIO, name: str, *, first: int = 1, stop: int | None = None, on_bad: OnBad | None = None
) -> Iterator[tuple[int, bytes]]:
    """Give the lines of a file that are not empty, with their numbers. Memory holds one line.

    Args:
        file: open for reading bytes.
        name: what errors call the file.
        first: number of the line at which the file stands.
        stop: byte at which to end, None for the end of the file.
        on_bad: called with the error of each line that is too long, which is then passed over; without it the
            error is raised.

    Raises:
        CorpusError: a line is longer than `LARGEST_JSON`.
    """
    number = first - 1
    while (stop is None or file.tell() < stop) and (line := file.readline(LARGEST_JSON + 1)):
        number += 1
        if len(line) > LARGEST_JSON:
            fault = f"is longer than {LARGEST_JSON} bytes: give one object a line"
            report(CorpusError(f"{name}: line {number} {fault}"), on_bad)
            _pass_over_line(file, line)
        elif line.strip():
            yield number, line


def _pass_over_line(file: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = file.readline(LARGEST_JSON)


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
