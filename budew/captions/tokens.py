"""Tokens, phrases and quotations of a text. Phrases are found from left to right, the longest first.

A phrase is found on word boundaries only ("rage" is not in "courage"), in any case, with hyphens read as
spaces. The trie looks at a token at most as often as the longest phrase has tokens: linear time. Places
in the text are worked out only for those who ask: they cost as much as all the rest.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence, Set
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from budew.errors import SettingsError

# A word is a run of letters and digits, or a rating such as 0.8, 80% and 8/10; a mark ends or joins
# clauses. Apostrophes and hyphens part words, but for those that are not seen, soft hyphens and the like, and
# the one that denies: "anger-free". Lower-case ASCII words come first: a third less time.
_UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_TOKEN = re.compile(
    rf"[a-z][a-z0-9]*+(?![^\x00-\x7f])|\d+\.\d+|\d+%|\d+/\d+|[^\W_]+(?:[{_UNSEEN}]+[^\W_]+)*"
    r"|[.,;=:!?&/|()\[\]\"“”…—–\n•·]|-free\b"
)
_NO_UNSEEN = str.maketrans("", "", _UNSEEN)
_END = None

T = TypeVar("T")
Node = dict[str | None, Any]
"""A node of a trie: the next node by token, and under `_END` what the phrase means that ends here."""

# No mark of the same kind within, but for an apostrophe between letters ('I'm fine'): what is left open costs
# no second look, however often it comes.
_QUOTED = re.compile(
    r'"[^"]*"|“[^“”]*”|«[^«»]*»|„[^„“”]*[“”]'
    r"|(?<!\w)'(?:[^'\n]|(?<=\w)'(?=\w))++'(?!\w)|(?<!\w)‘(?:[^‘’\n]|(?<=\w)’(?=\w))++’(?!\w)"
)
_MARK = re.compile("[\"“”«»„'‘’]")
_QUOTED_WORD = re.compile(r"\w+")
_BEHIND = 3
"""Words before a quotation among which a verb of speaking introduces it."""
_PLAIN_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


class Word(NamedTuple):
    """A word of a caption, lower-case, and its span in characters."""

    word: str
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """Return the words of a text without punctuation; "don't" is one word."""
    return [Word(match[0].lower(), *match.span()) for match in _PLAIN_WORD.finditer(text)]


def plain_words(text: str) -> list[str]:
    """Return the words of a text without their places, in a third of the time of `words_of`."""
    return _PLAIN_WORD.findall(text.lower())


@lru_cache(maxsize=1)  # parser, linter and gate ask for those of one caption, one after the other
def tokenize(text: str) -> Sequence[str]:
    """Split a text into words and punctuation marks, lower-case; whatever else it holds parts words."""
    if text.isascii():
        return _TOKEN.findall(text.lower())
    return [_folded(word) for word in _TOKEN.findall(text)]


@lru_cache(maxsize=1)  # asked for again and again while one caption is read
def spans(text: str) -> Sequence[tuple[int, int]]:
    """Return where each token begins and ends in the text, in characters."""
    return [match.span() for match in _TOKEN.finditer(text)]


def _folded(word: str) -> str:
    return (
        word.lower()
        if word.isascii()
        else unicodedata.normalize("NFKC", word.translate(_NO_UNSEEN)).casefold()
    )


class PhraseTrie(Generic[T]):
    """Phrases with a meaning each, found in a list of tokens.

    Args:
        unknown: meaning of a token that begins no phrase.
    """

    def __init__(self, unknown: T) -> None:
        self._unknown = unknown
        self.root: dict[str | None, Any] = {}

    def add(self, phrase: str, meaning: T) -> None:
        """Give `phrase` a meaning.

        Raises:
            SettingsError: it has another one already.
        """
        known = self.setdefault(phrase, meaning)
        if known != meaning:
            raise SettingsError(f"the phrase {phrase!r} means both {known} and {meaning}: keep one")

    def setdefault(self, phrase: str, meaning: T) -> T:
        """Give `phrase` a meaning, unless it has one already; return the meaning that it has then."""
        node = self.root
        for token in tokenize(phrase):
            node = node.setdefault(token, {})
        known: T = node.setdefault(_END, meaning)
        return known

    def get(self, phrase: str) -> T:
        """Return the meaning of `phrase`."""
        node = self.root
        for token in tokenize(phrase):
            node = node.get(token, {})
        meaning: T = node.get(_END, self._unknown)
        return meaning

    def replace(self, phrase: str, meaning: T) -> None:
        """Give `phrase`, which has a meaning, another one."""
        node = self.root
        for token in tokenize(phrase):
            node = node[token]
        node[_END] = meaning

    def merge(self, node: Node) -> None:
        """Add the phrases of a node that have no meaning yet. It is shared, not changed: call this after
        the last `add`.
        """
        known: dict[tuple[int, int], Node] = {}
        for token, below in node.items():
            old = self.root.get(token)
            self.root[token] = below if old is None else merged(old, below, known)

    def meanings(self) -> Iterator[T]:
        """Iterate over the meanings: one for each phrase, but only one for variants that share their end."""
        waiting = [self.root]
        seen = {id(self.root)}
        while waiting:
            node = waiting.pop()
            if _END in node:
                yield node[_END]
            for token, below in node.items():
                if token is not _END and id(below) not in seen:
                    seen.add(id(below))
                    waiting.append(below)

    def scan(self, tokens: Sequence[str]) -> list[tuple[int, int, T]]:
        """Cover the tokens from left to right with the longest phrases.

        Returns:
            First token, token after the last, and the meaning of each phrase.
        """
        found: list[tuple[int, int, T]] = []
        root = self.root
        at = 0
        count = len(tokens)
        unknown = self._unknown
        while at < count:
            node = root.get(tokens[at])
            if node is None:
                found.append((at, at + 1, unknown))
                at += 1
                continue
            stop = at + 1
            ahead = at + 1
            meaning = node.get(_END, unknown)
            while len(node) > (_END in node) and ahead < count:
                node = node.get(tokens[ahead])
                if node is None:
                    break
                ahead += 1
                if _END in node:
                    meaning = node[_END]
                    stop = ahead
            found.append((at, stop, meaning))
            at = stop
        return found


def merged(first: Node, second: Node, known: dict[tuple[int, int], Node]) -> Node:
    """Return a node with the phrases of two; of two meanings the first counts.

    Neither node is changed, as phrases share them. What two give is kept in `known`: linear in the number of
    nodes, however many phrases they have.
    """
    if first is second:
        return first
    pair = id(first), id(second)
    if pair in known:
        return known[pair]
    both = known[pair] = {**first}
    for token, below in second.items():
        if token not in first:
            both[token] = below
        elif token is not _END:
            both[token] = merged(first[token], below, known)
    return both


def quoted_spans(text: str, speaking: Set[str]) -> list[tuple[int, int]]:
    """Return the spans of quoted speech in a text, in characters: it does not describe the voice.

    Quotation marks hold quoted speech where more than one word is in them, or one word after a verb of
    speaking; a single word elsewhere ("a so-called "happy" voice") is the writer's own. A caption that is
    enclosed in quotation marks as a whole is not quoted speech.

    Args:
        text: a caption.
        speaking: words that introduce what is spoken, lower-case: "says", "whispers", "the words"…
    """
    if not _MARK.search(text):
        return []
    found = []
    first, last = _words_reach(text)
    for match in _QUOTED.finditer(text):
        start, end = match.span()
        words = _QUOTED_WORD.findall(match[0])
        if not words or (start <= first and last <= end):
            continue
        before = _QUOTED_WORD.findall(text[max(0, start - 40) : start].lower())[-_BEHIND:]
        if len(words) > 1 or not speaking.isdisjoint(before):
            found.append((start, end))
    return found


def _words_reach(text: str) -> tuple[int, int]:
    """Return where the first word of a text begins and the last one ends."""
    first = _QUOTED_WORD.search(text)
    end = len(text)
    while end and not (text[end - 1].isalnum() or text[end - 1] == "_"):
        end -= 1
    return first.start() if first else end, end


def is_within(held: Sequence[tuple[int, int]], at: int) -> bool:
    """Return whether one of some spans, in their order and disjoint, holds a place."""
    before = bisect_right(held, at, key=lambda span: span[0])
    return before > 0 and at < held[before - 1][1]
