"""Answer cleaning: finds the caption in the answer of a language model, and puts it on one line.

Reasoning, code fences, JSON, "Here is the caption:", quotation marks and bold type are removed. The rest is
not changed; the gate checks whether it expresses the profile.
"""

import re

from budew.chat.request import object_in
from budew.errors import AnswerError

CAPTION_KEY = "caption"
"""Key of the caption in answers that are JSON objects."""
_REASONING = "think|thinking|thought|reasoning"
_REASONING_ENDS = re.compile(rf"</(?:{_REASONING})>", re.IGNORECASE)
_REASONING_BEGINS = re.compile(rf"<(?:{_REASONING})>", re.IGNORECASE)
_CODE_FENCE = re.compile(r"```[\w-]*\n(.*?)\n?[ \t]*```", re.DOTALL)
_ANNOUNCEMENT = re.compile(
    r"[^:.\n{\"]{0,60}\b(?:caption|paraphrase|rewrite|rewriting|rewritten)\b[^:.\n{\"]{0,30}:\W*?\s",
    re.IGNORECASE,
)
_GREETING = re.compile(r"(?:sure|certainly|of course|okay)\b[^.!:\n]{0,20}[.!]\s+", re.IGNORECASE)
_MARKS_AROUND = [
    pair.split() for pair in ("** **", "__ __", "* *", "_ _", '" "', "“ ”", "„ “", "« »", "' '", "‘ ’", "` `")
]
_APOSTROPHE = re.compile(r"(?<=\w)['’]")
_MOST_LAYERS = 8


def clean_answer(answer: str) -> str:
    """Return the caption in the answer of a language model, on one line; "" if there is no caption."""
    # the tag that begins the reasoning may be in the chat template, not in the answer
    text = _REASONING_BEGINS.split(_REASONING_ENDS.split(answer)[-1], maxsplit=1)[0].strip()
    text = _caption_of_json(text).strip()
    blocks = _CODE_FENCE.findall(text)
    if len(blocks) == 1:
        text = blocks[0].strip()
    for _ in range(_MOST_LAYERS):
        inner = _without_layer(text)
        if inner == text:
            break
        text = inner
    return " ".join(text.split()).encode("utf-8", "replace").decode()  # JSON can hold unpaired surrogates


def _caption_of_json(text: str) -> str:
    if "{" not in text:
        return text
    try:
        caption = object_in(text, keys=[CAPTION_KEY])[CAPTION_KEY]
    except AnswerError:
        return text
    return caption if isinstance(caption, str) else text


def _without_layer(text: str) -> str:
    """Remove a greeting, an announcement ("Here is the caption:") or a pair of marks around the text."""
    for before in (_GREETING, _ANNOUNCEMENT):
        if (found := before.match(text)) and found.end() < len(text):
            return text[found.end() :].strip()
    for first, last in _MARKS_AROUND:
        inside = text[len(first) : -len(last)]
        if not inside or text != f"{first}{inside}{last}":
            continue
        bare = _APOSTROPHE.sub("", inside)
        if first not in bare and last not in bare:  # unlike in `"A" and "B"`
            return inside.strip()
    return text
