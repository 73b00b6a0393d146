"""The JSON object in what a model wrote, prose and code fences around it or not. Bounded and strict."""

import json
from collections.abc import Iterable
from typing import Any, NoReturn

from budew.errors import AnswerError

LONGEST_TEXT = 200_000
"""Characters of an answer that are searched."""
_MOST_BRACES = 200


def object_in(text: str, *, keys: Iterable[str]) -> dict[str, Any]:
    """Return the JSON object in `text` that has one of `keys`. Text before `</think>` is ignored.

    Raises:
        AnswerError: none, several that differ, a key twice in an object, or a number that JSON does not have.
    """
    if len(text) > LONGEST_TEXT:
        raise AnswerError(f"the answer is {len(text)} characters long: at most {LONGEST_TEXT} are read")
    found: list[dict[str, Any]] = []
    wanted = frozenset(keys)
    for value in _objects(text.rpartition("</think>")[2]):
        if wanted & value.keys() and value not in found:
            found.append(value)
    if len(found) > 1:
        raise AnswerError(f"the answer holds {len(found)} JSON objects that differ: give one")
    if not found:
        raise AnswerError("the answer holds no complete JSON object of the form asked for")
    return found[0]


def _objects(text: str) -> Iterable[dict[str, Any]]:
    decoder = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)
    place = text.find("{")
    for _ in range(_MOST_BRACES):
        if place < 0:
            return
        end = place + 1
        try:
            value, end = decoder.raw_decode(text, place)
            yield value
        except AnswerError:
            raise
        except (ValueError, RecursionError):
            pass  # no object begins here; one may begin at the next brace
        place = text.find("{", end)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise AnswerError(f"the key {twice[:40]!r} stands twice in one object")
    return data


def _no_number(constant: str) -> NoReturn:
    raise AnswerError(f"{constant} is not a number of JSON")
