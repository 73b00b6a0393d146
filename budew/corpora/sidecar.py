"""JSON from outside, bounded and strict: the `<id>.json` beside a clip, and the lines of a manifest."""

import json
from pathlib import Path
from typing import Any

from budew.corpora.errors import CorpusError

LARGEST_JSON = 8 * 2**20
"""Bytes of one clip's JSON; a caption is some hundred, a full annotation some thousand."""


def json_object(text: bytes | str, name: str) -> dict[str, Any]:
    """Return the JSON object in `text`.

    Raises:
        CorpusError: too large, not UTF-8, not JSON, nested too deep, a number that is none, or not an object.
    """
    if len(text) > LARGEST_JSON:
        raise CorpusError(
            f"{name}: {len(text)} bytes of JSON are more than the {LARGEST_JSON} allowed: shorten it"
        )
    try:
        value = json.loads(text, parse_constant=_refuse)
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


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a number of JSON")
