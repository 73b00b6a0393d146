"""JSON from outside, bounded and strict: the `<id>.json` beside a clip, and the lines of a manifest."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from budew import strict_json
from budew.corpora.errors import check_file
from budew.errors import CorpusError, OnBad, report

LARGEST_JSON = strict_json.LARGEST
"""Bytes of one clip's JSON; a caption is some hundred, a full annotation some thousand."""


def json_object(text: bytes | str, name: str) -> dict[str, Any]:
    """Return the JSON object in `text`, all of which can be written to a file again.

    Raises:
        CorpusError: as `loose_json_object`, or it holds half of a character.
    """
    value = loose_json_object(text, name)
    if not isinstance(text, bytes) or b"\\ud" in text or b"\\uD" in text:
        check_characters(value, name)  # takes as long as parsing
    return value


def loose_json_object(text: bytes | str, name: str) -> dict[str, Any]:
    """Return the JSON object in `text`, whose texts may hold half of a character.

    Raises:
        CorpusError: too large, not UTF-8, not JSON, nested too deep, a number that is none, a key twice in
            one object, or not an object.
    """
    if len(text) > LARGEST_JSON:
        raise CorpusError(
            f"{name}: {len(text)} bytes of JSON are more than the {LARGEST_JSON} allowed: shorten it"
        )
    try:
        value = strict_json.loads(text)
    except ValueError as error:
        raise CorpusError(f"{name}: {error}") from error
    if not isinstance(value, dict):
        raise CorpusError(f"{name}: holds a {type(value).__name__}, not an object: put the fields in {{…}}")
    return value


def check_characters(value: Any, name: str) -> None:
    """Refuse JSON values with half of a character: `\\ud800` without its other half is a text to JSON and to
    Python, and no file holds it.

    Raises:
        CorpusError: there is one; `name` is what it calls the value.
        TypeError, ValueError: these are no JSON values.
    """
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start])
        raise CorpusError(f"{name}: holds {half}, which is half of a character: correct the text") from error


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, or raise `CorpusError` as `json_object` does."""
    check_file(path)
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
