"""From the answer of a language model to the caption in it, on one line.

Thoughts, code fences, JSON, "Here is the caption:", quotation marks and bold type are removed. The rest is
not changed: whether it expresses the profile is for the gate to decide.
"""

import re

from budew.chat.request import object_in
from budew.errors import AnswerError

KEY = "caption"
"""Of the JSON object that an answer may be."""
_THOUGHTS = ("think", "thinking", "thought", "reasoning")
_THOUGHT_ENDS = re.compile(rf"</(?:{'|'.join(_THOUGHTS)})>", re.IGNORECASE)
_THOUGHT_BEGINS = re.compile(rf"<(?:{'|'.join(_THOUGHTS)})>", re.IGNORECASE)
_FENCED = re.compile(r"```[\w-]*\n(.*?)\n?[ \t]*```", re.DOTALL)
_ANNOUNCED = re.compile(
    r"[^:.\n{\"]{0,60}\b(?:caption|paraphrase|rewrite|rewriting|rewritten)\b[^:.\n{\"]{0,30}:\W*?\s",
    re.IGNORECASE,
)
_GREETED = re.compile(r"(?:sure|certainly|of course|okay)\b[^.!:\n]{0,20}[.!]\s+", re.IGNORECASE)
_AROUND = ('""', "“”", "„“", "«»", "''", "‘’", "``", "**", "__")
_APOSTROPHE = re.compile(r"(?<=\w)['’]")
_WHOLE_SENTENCES = re.compile(r".*[.!?…][\"”'’]*(?=\s|$)")
_MOST_LAYERS = 8


def tidied(answer: str, *, cut: bool = False) -> str:
    """Return the caption in an answer, on one line; empty where there is none.

    Args:
        answer: any text.
        cut: the answer reached its limit of tokens: only whole sentences are kept.
    """
    text = _fenced(_in_json(_said(answer).strip()).strip())
    for _ in range(_MOST_LAYERS):
        bared = _bared(text)
        if bared == text:
            break
        text = bared
    line = " ".join(text.split()).encode("utf-8", "replace").decode()  # JSON can hold halves of characters
    return _whole_sentences(line) if cut else line


def _said(answer: str) -> str:
    """Return the text after the thoughts, whose begin may be in the chat template."""
    said = _THOUGHT_ENDS.split(answer)[-1]
    return _THOUGHT_BEGINS.split(said, maxsplit=1)[0]


def _in_json(text: str) -> str:
    if "{" not in text:
        return text
    try:
        caption = object_in(text, keys=[KEY])[KEY]
    except AnswerError:
        return text
    return caption if isinstance(caption, str) else text


def _fenced(text: str) -> str:
    blocks = _FENCED.findall(text)
    return str(blocks[0]).strip() if len(blocks) == 1 else text


def _bared(text: str) -> str:
    """Take one layer away: a greeting, an announcement, or what stands around the whole."""
    for before in (_GREETED, _ANNOUNCED):
        if (found := before.match(text)) and found.end() < len(text):
            return text[found.end() :].strip()
    for marks in _AROUND:
        inside = text[1:-1]
        if text[:1] + text[-1:] == marks and len(text) > 2 and not _closes(inside, marks):
            return inside.strip()
    return text


def _closes(inside: str, marks: str) -> bool:
    """Whether the first mark is closed before the last, as in `"A" and "B"`."""
    bare = _APOSTROPHE.sub("", inside)
    if marks in ("**", "__"):
        bare = bare[1:-1] if bare[:1] + bare[-1:] == marks else bare  # bold has two of them
    return any(mark in bare for mark in marks)


def _whole_sentences(line: str) -> str:
    found = _WHOLE_SENTENCES.match(line)
    whole = found.group() if found else ""
    return whole[1:] if whole[:1] in ('"', "“") and whole[-1:] not in ('"', "”") else whole
