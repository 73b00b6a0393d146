"""Answers of several raters in one field: a list of objects by rater, of flat objects, or one object.

`[{'human-1': {'Shame': 1}}, {'human-4': {'Shame': 2}}]` is that of EmoNet-Voice Bench; `{'Joy|Elation': 3}`,
with a family before the name, is from EmoNet-Face HQ.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

from budew.corpora.labels.forms import form
from budew.corpora.labels.scores import number_in
from budew.corpora.ratings import named
from budew.errors import CorpusError

LONGEST = 65_536
"""Characters of a field. Forty ratings by eight people take some 10,000."""
_BEGINNING = re.compile(r"""\s*\[\s*\{\s*(?:'[^']{1,200}'|"[^"]{1,200}")\s*:\s*\{""")
Answer = tuple[str, str, float]
"""Rater, canonical name of the emotion or attribute, number on the question's own scale."""


def answers_in(value: Any, *, rater: str | None = None) -> list[Answer]:
    """Return the answers in a field, in their order.

    Args:
        value: the field: lists and objects, or the text of them in Python or JSON.
        rater: who answers, where the field does not say it; else they are numbered.

    Raises:
        CorpusError: it is something else, names an emotion that there is not, or holds no number where one
            belongs.
    """
    read = _parsed(value) if isinstance(value, str) else value
    people = read if isinstance(read, list | tuple) else [read]
    found = [answer for number, person in enumerate(people, 1) for answer in _of(person, rater, number)]
    if not found:
        raise CorpusError(f"{str(value)[:60]!r} holds no rating: correct it, or leave the row out")
    return found


def looks_like_answers(value: Any) -> bool:
    """Tell whether a field is a list of objects by rater, or the text of one: `[{'human-1': {…`."""
    if isinstance(value, str):
        return _BEGINNING.match(value[:400]) is not None
    people = value if isinstance(value, list) else []
    return bool(people) and all(
        isinstance(one, Mapping) and any(isinstance(answers, Mapping) for answers in one.values())
        for one in people
    )


def _parsed(text: str) -> Any:
    if len(text) > LONGEST:
        raise CorpusError(f"a value of {len(text)} characters is longer than the {LONGEST} allowed")
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise CorpusError(f"{text[:60]!r} is not a list of plain values") from error


def _of(person: Any, rater: str | None, number: int) -> Iterator[Answer]:
    if not isinstance(person, Mapping):
        raise CorpusError(f"{str(person)[:60]!r} is not the answers of a rater: give an object")
    if any(isinstance(value, Mapping) for value in person.values()):
        for who, answers in person.items():
            if answers is not None:  # a column of objects has every rater in every row
                yield from _of_one(answers, str(who))
        return
    keys = form("ratings")["rater"]
    who = next((str(person[key]) for key in keys if person.get(key) is not None), rater)
    said = {key: value for key, value in person.items() if key not in keys}
    yield from _of_one(said, who or f"rater-{number}")


def _of_one(answers: Any, rater: str) -> Iterator[Answer]:
    if not isinstance(answers, Mapping):
        raise CorpusError(f"{str(answers)[:60]!r} is not the answers of a rater: give an object")
    for written, value in answers.items():
        if value is None:
            continue
        number = number_in(value)
        if number is None or isinstance(value, str):
            raise CorpusError(f"{rater} rates {str(written)[:60]!r} as {str(value)[:60]!r}: give a number")
        yield rater, named(str(written).rpartition("|")[2]), number
