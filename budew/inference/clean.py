"""What a model wrote, made a caption: no special tokens, control characters or stray capitals before it.

BUD-E checkpoints sometimes put single capitals before the caption ("A B The speaker…", "TThe speaker…").
They carry no meaning and confuse a parser, so they go, and the result says so. "A German woman" and "ASMR-
like" stay as they are: what could be a word is taken for stray only before a word that opens a sentence.
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"<\|[^|<>]{0,40}\|>")
_OPENERS = r"(?:The|This|That|An?|She|He|It|They|There|In|With)\b"
_STRAY = (
    re.compile(rf"(?:[A-Z]{{1,4}}\b\W+)+(?={_OPENERS})"),  # "A B The", "AB. This"
    re.compile(r"(?:[B-HJ-Z]\b[\s.,:;]+)+(?=[A-Z])"),  # "T Deep": a lone letter that is no word
    re.compile(r"[A-Z]{1,4}(?=[A-Z][a-z])"),  # "TThe"
)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A caption, and the letters that stood before it ("" as a rule)."""

    text: str
    removed: str = ""


def clean(text: str) -> Cleaned:
    """Return `text` as one line of printable characters that begins with the caption."""
    line = " ".join(_TOKEN.sub(" ", text).split())
    line = "".join(
        character for character in line if character.isprintable() and character != "\ufffd"
    ).strip()
    for pattern in _STRAY:
        found = pattern.match(line)
        if found:
            return Cleaned(line[found.end() :], found.group().strip())
    return Cleaned(line)
