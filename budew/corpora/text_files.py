"""Text from outside, bounded and strict: `<id>.json` and `<id>.txt` beside a clip, lines of a manifest.

Errors are `CorpusError` and begin with the name of the file.
"""

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISREG
from typing import Any, BinaryIO, cast

from budew.corpora.reading import Span
from budew.errors import CorpusError, OnBad, report
from budew.io import strict_json

LARGEST_JSON = strict_json.LARGEST
"""Bytes of one clip's JSON or text; a caption is some hundred, a full annotation some thousand."""


def json_object(text: bytes | str, name: str) -> dict[str, Any]:
    """Return the JSON object in `text`.

    Raises:
        CorpusError: too large, not UTF-8, not JSON, nested too deep, NaN or infinity, a key twice in
            one object, or not an object.
    """
    prefix = f"{name} " if name else "the JSON "
    try:
        value = strict_json.loads(text)
    except ValueError as error:
        raise CorpusError(f"{prefix}{error}") from error
    if not isinstance(value, dict):
        raise CorpusError(f"{prefix}holds a {type(value).__name__}, not an object: put the fields in {{…}}")
    return value


def json_line(value: Any) -> str:
    """Return strict JSON on one line, the same for equal values.

    Raises:
        ValueError, TypeError, RecursionError: not a JSON value, or a text has an unpaired surrogate, which
            JSON and Python accept, but which no file can hold.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        surrogate = ascii(error.object[error.start])
        raise ValueError(f"a text has {surrogate}, an unpaired surrogate: correct it") from error
    return text


def is_special(path: Path) -> bool:
    """Return whether this is a pipe, a device or a folder: opening a pipe waits for a writer."""
    try:
        return not S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):  # reported by whoever opens it
        return False


def check_file(path: Path) -> None:
    """Raise `CorpusError` for a pipe, a device or a folder."""
    if is_special(path):
        raise CorpusError(f"{path}: this is not a file: give the path of a file")


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, or raise `CorpusError` as `json_object` does."""
    return json_object(_content(path), str(path))


def read_text(path: Path) -> str | None:
    """Return the text in a file, or raise `CorpusError`, as `plain_text` does."""
    return plain_text(_content(path), str(path))


def plain_text(text: bytes, name: str) -> str | None:
    """Return text without the space around it, None if it is empty.

    Raises:
        CorpusError: longer than `LARGEST_JSON`, or not UTF-8.
    """
    if len(text) > LARGEST_JSON:
        raise CorpusError(f"{name} is longer than {LARGEST_JSON:,} bytes: shorten it")
    try:
        return text.decode("utf-8-sig").strip() or None
    except UnicodeDecodeError as error:
        fault = f"is not UTF-8 at byte {error.start}: save the file as UTF-8"
        raise CorpusError(f"{name} {fault}") from error


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Make a `CorpusError` of what opening and reading a file, gzip or not, raises."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CorpusError(f"{path} cannot be read ({reason}): check the file and its permissions") from error


def numbered_lines(
    file: BinaryIO, name: str, *, span: Span | None = None, on_bad: OnBad | None = None
) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of an open file, or of a span of it, that are not empty, with their numbers.

    Raises:
        CorpusError: a line is longer than `LARGEST_JSON`; `on_bad` takes it, and the line is skipped.
    """
    number, stop = (span.first - 1, span.stop) if span else (0, None)
    while (stop is None or file.tell() < stop) and (line := file.readline(LARGEST_JSON + 1)):
        number += 1
        if len(line) > LARGEST_JSON:
            fault = f"is longer than {LARGEST_JSON} bytes: give one object per line"
            report(CorpusError(f"{name}: line {number} {fault}"), on_bad)
            while line and not line.endswith(b"\n"):
                line = file.readline(LARGEST_JSON)
        elif line.strip():
            yield number, line


def file_lines(
    path: Path, *, span: Span | None = None, on_bad: OnBad | None = None
) -> Iterator[tuple[int, bytes]]:
    """Open a file, or a gzip file with the suffix `.gz`, and yield its lines as `numbered_lines` does.

    Raises:
        CorpusError: it cannot be read, or a line is too long.
    """
    with readable(path), gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
        file.seek(span.start if span else 0)
        yield from numbered_lines(cast(BinaryIO, file), str(path), span=span, on_bad=on_bad)


def _content(path: Path) -> bytes:
    check_file(path)
    with readable(path), path.open("rb") as file:
        return file.read(LARGEST_JSON + 1)
