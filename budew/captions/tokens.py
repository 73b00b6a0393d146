"""Words and phrases: where the lexicon's phrases stand in a text, by the longest match from left to right.

A phrase is found on word boundaries only ("rage" is not in "courage"), in any case, with hyphens read as
spaces. The trie looks at a token at most as often as the longest phrase has tokens: linear time.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, TypeVar

# A word is a run of letters and digits; a mark ends or joins clauses. Apostrophes and hyphens part words.
_TOKEN = re.compile(r"[^\W_]+|[.,;:!?&/|()\[\]\"“”…—–\n•·]")
_END = None

T = TypeVar("T")


class Token(NamedTuple):
    """A word or a punctuation mark, lower-case, with its place in the text."""

    text: str
    start: int
    end: int


def tokenize(text: str) -> list[Token]:
    """Split a text into words and punctuation marks; whatever else it holds parts words."""
    if text.isascii():
        return [Token(match[0], match.start(), match.end()) for match in _TOKEN.finditer(text.lower())]
    return [Token(_folded(match[0]), match.start(), match.end()) for match in _TOKEN.finditer(text)]


def _folded(word: str) -> str:
    return word.lower() if word.isascii() else unicodedata.normalize("NFKC", word).casefold()


class PhraseTrie(Generic[T]):
    """Phrases with a meaning each, found in a list of tokens."""

    def __init__(self) -> None:
        self._root: dict[str | None, Any] = {}

    def add(self, phrase: str, meaning: T) -> T:
        """Give `phrase` a meaning, unless it has one already; return the meaning that it has then."""
        node = self._root
        for token in tokenize(phrase):
            node = node.setdefault(token.text, {})
        if node is self._root:
            raise ValueError(f"the phrase {phrase!r} has no word in it")
        meaning_there: T = node.setdefault(_END, meaning)
        return meaning_there

    def scan(self, tokens: list[Token]) -> Iterator[tuple[int, int, T | None]]:
        """Cover the tokens from left to right with the longest phrases.

        Yields:
            First token, token after the last, and the meaning; None for a single token that begins no phrase.
        """
        at, count = 0, len(tokens)
        while at < count:
            node: dict[str | None, Any] | None = self._root
            meaning, stop, ahead = None, at + 1, at
            while ahead < count and node and (node := node.get(tokens[ahead].text)):
                ahead += 1
                if _END in node:
                    meaning, stop = node[_END], ahead
            yield at, stop, meaning
            at = stop
