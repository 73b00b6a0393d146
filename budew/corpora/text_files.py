"""Read JSON and text files of corpora, strictly and with limits on their size.

These are `<id>.json` and `<id>.txt` beside the audio of a clip, and the lines of manifests. Errors are
`CorpusError` and begin with the name of the file.
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
"""Largest JSON or text of a clip, in bytes; a caption has some hundred, a full annotation some thousand."""


def json_object(text: bytes | str, name: str) -> dict[str, Any]:
    """Parse a JSON object; errors begin with `name`, or with "the JSON" if that is empty.

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
    """Encode a value as one line of strict JSON with sorted keys.

    Raises:
        ValueError, TypeError, RecursionError: the value is not valid JSON, or a text in it has an unpaired
            surrogate, which Python accepts, but which cannot be written to a file.
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        surrogate = ascii(error.object[error.start])
        raise ValueError(f"a text has {surrogate}, an unpaired surrogate: correct it") from error
    return text


def is_special(path: Path) -> bool:
    """Return whether a path is a pipe, a device or a folder; opening a pipe could wait for ever."""
    try:
        return not S_ISREG(os.stat(path).st_mode)
    except (OSError, ValueError):  # reported when the file is opened
        return False


def check_file(path: Path) -> None:
    """Raise `CorpusError` if a path is a pipe, a device or a folder."""
    if is_special(path):
        raise CorpusError(f"{path}: this is not a file: give the path of a file")


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; raises the errors of `json_object`."""
    return json_object(_content(path), str(path))


def read_text(path: Path) -> str | None:
    """Return the text in a file, None if it is empty; raises the errors of `plain_text`."""
    return plain_text(_content(path), str(path))


def plain_text(text: bytes, name: str) -> str | None:
    """Decode UTF-8 text and strip white space around it; None if nothing is left.

    Raises:
        CorpusError: longer than `LARGEST_JSON` bytes, or not UTF-8; the message begins with `name`.
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
    """Turn errors of opening and reading a file, also of gzip, into `CorpusError`."""
    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CorpusError(f"{path} cannot be read ({reason}): check the file and its permissions") from error


def numbered_lines(
    file: BinaryIO, name: str, *, span: Span | None = None, on_bad: OnBad | None = None
) -> Iterator[tuple[int, bytes]]:
    """Yield number and content of each line of an open file that is not empty.

    Args:
        file: file opened for reading bytes.
        name: name of the file in error messages.
        span: lines to read, which start at the current position; None: to the end.
        on_bad: called with the error of each line that is too long, which is skipped; without it the error is
            raised.

    Raises:
        CorpusError: a line is longer than `LARGEST_JSON` bytes.
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
    """Open a file (gzip if its suffix is `.gz`) and yield its lines as `numbered_lines` does.

    Raises:
        CorpusError: the file cannot be read, or a line is too long.
    """
    with readable(path), gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
        file.seek(span.start if span else 0)
        yield from numbered_lines(cast(BinaryIO, file), str(path), span=span, on_bad=on_bad)


def _content(path: Path) -> bytes:
    check_file(path)
    with readable(path), path.open("rb") as file:
        return file.read(LARGEST_JSON + 1)
