"""Values that data sets keep as the text of Python (`[{'human-1': {'Shame': 1}}]`), read without running it.

The text is checked before Python's parser sees it: nothing but lists, objects, texts and numbers, of bounded
length and depth. `ast.literal_eval` alone can be made to exhaust memory or the stack.
"""

import ast
import re
from typing import Any

from budew.errors import CorpusError

LONGEST = 65_536
"""Characters. Forty ratings by eight people take some 10,000."""
DEEPEST = 6
"""Brackets within one another."""
_TEXT = r"'(?:[^'\\\n]|\\.)*+'|\"(?:[^\"\\\n]|\\.)*+\""
_VALUE = re.compile(rf"(?:[\s,:\[\]{{}}()]|{_TEXT}|[+-]?\d{{1,15}}+(?:\.\d{{1,20}}+)?+|None|True|False)*+")
_QUOTED = re.compile(_TEXT)


def literal(text: str) -> Any:
    """Return the value that a text of Python or JSON stands for.

    Raises:
        CorpusError: too long, nested too deep, or anything but lists, objects, texts and numbers.
    """
    if len(text) > LONGEST:
        raise CorpusError(f"a value of {len(text)} characters is longer than the {LONGEST} allowed")
    if not _VALUE.fullmatch(text):
        raise CorpusError(f"{text[:60]!r} is not a list of plain values")
    if _depth(_QUOTED.sub("", text)) > DEEPEST:
        raise CorpusError(f"{text[:60]!r} is nested deeper than the {DEEPEST} allowed")
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise CorpusError(f"{text[:60]!r} is not a list of plain values") from error


def _depth(text: str) -> int:
    deepest = depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest
