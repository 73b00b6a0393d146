"""Tokens, phrases and quotations of a text. Phrases are found from left to right, the longest first.

Phrases match whole words ("rage" is not in "courage"), in any case, with hyphens as spaces. The trie reads a
token at most as often as the longest phrase has tokens, so the time is linear. Spans of tokens are computed
only on request, since they take as long as everything else.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence, Set
from functools import lru_cache
from typing import Any, Generic, NamedTuple, TypeVar

from budew.errors import SettingsError
from budew.taxonomy import find_emotion

# A word is a run of letters and digits, or a number with its scale: 0.8, 80%, 8/10, "8 out of 10", "8 on a
# scale from 0 to 10"; a mark ends or joins clauses. Apostrophes and hyphens separate words, except invisible
# ones such as soft hyphens, and the hyphen before "free" ("anger-free") and before an answer ("anger - not
# present"); so do quotation marks around a value ("fear": "strong"). Lower-case ASCII words come first, which
# takes a third less time.
_UNSEEN = "\u00ad\u200b\u200c\u200d\u2060\ufeff"
_SCALE = (
    r"(?: ?%| ?/ ?\d++(?!/)"
    r"|(?i: per ?cent| (?:(?:out )?of|on a scale (?:of|from))(?: [01](?: to |[-–]))? ?\d++)(?!\w))"
)
_RANGE = r"(?<=\b[01])(?: ?(?:-|–|\.\.+|(?i:to)) ?)\d++(?![\d.]*\w)"
_TOKEN = re.compile(
    rf"[a-z][a-z0-9]*+(?![^\x00-\x7f])|(?<!\d/)\d++(?:(?:\.|(?<=\b0),)\d++{_SCALE}?|{_SCALE}|{_RANGE}|(?!\w))"
    rf"|[^\W_]+(?:[{_UNSEEN}]+[^\W_]+)*|[,;=:!?&/|()\[\]…—–\n•·]|[\"“”](?<![:=].)(?<![:=] .)"
    r"|\.(?:(?<!\w\.)\d++)?|-free\b"
    r"|-(?= (?i:(?:not|mildly|weakly|slightly|intensely|strongly|fully)(?: ?/ ?fully)? (?:present|expressed)"
    r"|non-?existent)\b)"
)
_NO_UNSEEN = str.maketrans("", "", _UNSEEN)
_END = None

T = TypeVar("T")
Node = dict[str | None, Any]
"""A node of a trie: token to the next node, and `_END` to the meaning of the phrase that ends here."""

# A quotation has no mark of the same kind inside, except apostrophes between letters ('I'm fine'), so that
# marks that are never closed do not make the search quadratic.
_QUOTED = re.compile(
    r'"[^"]*"|“[^“”]*”|«[^«»]*»|„[^„“”]*[“”]'
    r"|(?<!\w)'(?:[^'\n]|(?<=\w)'(?=\w))++'(?!\w)|(?<!\w)‘(?:[^‘’\n]|(?<=\w)’(?=\w))++’(?!\w)"
)
_MARK = re.compile("[\"“”«»„'‘’]")
_QUOTED_WORD = re.compile(r"\w+")
_KEY = re.compile(r"""(?:["']([^"']+)["']: ?|\w=)$""")
_BEHIND = 3
"""Number of words before a quotation in which a verb of speaking is searched."""
_PLAIN_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


class Word(NamedTuple):
    """A word of a caption in lower case, and its span in the text in characters."""

    word: str
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """Return the words of a text in lower case with their spans, without punctuation; "don't" is one word."""
    return [Word(match[0].lower(), *match.span()) for match in _PLAIN_WORD.finditer(text)]


def plain_words(text: str) -> list[str]:
    """Return the words of a text like `words_of`, but without spans, in a third of the time."""
    return _PLAIN_WORD.findall(text.lower())


@lru_cache(maxsize=1)  # parser, linter and gate need the tokens of one caption, one after the other
def tokenize(text: str) -> Sequence[str]:
    """Split a text into words and punctuation marks in lower case; any other character separates words."""
    if text.isascii():
        return _TOKEN.findall(text.lower())
    return [_folded(word) for word in _TOKEN.findall(text)]


@lru_cache(maxsize=1)  # called many times while one caption is parsed
def spans(text: str) -> Sequence[tuple[int, int]]:
    """Return start and end of each token of `tokenize` in the text, in characters."""
    return [match.span() for match in _TOKEN.finditer(text)]


def _folded(word: str) -> str:
    return (
        word.lower()
        if word.isascii()
        else unicodedata.normalize("NFKC", word.translate(_NO_UNSEEN)).casefold()
    )


class PhraseTrie(Generic[T]):
    """Trie of phrases and their meanings, which finds the phrases in a list of tokens.

    Args:
        unknown: meaning of a token that does not begin a phrase.
    """

    def __init__(self, unknown: T) -> None:
        self._unknown = unknown
        self.root: dict[str | None, Any] = {}

    def add(self, phrase: str, meaning: T) -> None:
        """Add a phrase with its meaning.

        Raises:
            SettingsError: the phrase already has another meaning.
        """
        known = self.setdefault(phrase, meaning)
        if known != meaning:
            raise SettingsError(f"the phrase {phrase!r} means both {known} and {meaning}: keep one")

    def setdefault(self, phrase: str, meaning: T) -> T:
        """Add a phrase unless it has a meaning already; return its meaning."""
        node = self.root
        for token in tokenize(phrase):
            node = node.setdefault(token, {})
        known: T = node.setdefault(_END, meaning)
        return known

    def get(self, phrase: str) -> T:
        """Return the meaning of a phrase, or `unknown` if the trie lacks it."""
        node = self.root
        for token in tokenize(phrase):
            node = node.get(token, {})
        meaning: T = node.get(_END, self._unknown)
        return meaning

    def replace(self, phrase: str, meaning: T) -> None:
        """Replace the meaning of a phrase of the trie."""
        node = self.root
        for token in tokenize(phrase):
            node = node[token]
        node[_END] = meaning

    def merge(self, node: Node) -> None:
        """Add the phrases of another trie's node that have no meaning yet. Call it after the last `add`, as
        the node is shared, not copied.
        """
        known: dict[tuple[int, int], Node] = {}
        for token, below in node.items():
            old = self.root.get(token)
            self.root[token] = below if old is None else merged(old, below, known)

    def meanings(self) -> Iterator[T]:
        """Iterate over the meanings, one per phrase; variants of an idiom with the same end count once."""
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
        """Split tokens from left to right into the longest phrases of the trie.

        Returns:
            For each phrase: number of its first token, number after its last token, and its meaning.
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
    """Return a node with the phrases of two nodes; if a phrase has two meanings, that of `first` counts.

    The nodes are not changed, as phrases share them.

    Args:
        first, second: nodes to merge.
        known: cache of merged nodes, which keeps the time linear in the number of nodes.
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
    """Return the spans, in characters, of quoted speech, which does not describe the voice.

    Text in quotation marks is quoted speech if it has more than one word, or follows a verb of speaking;
    another single word (a so-called "happy" voice) or name of an emotion ("Sexual Lust": "very strong"), with
    its value, is not. A caption in quotation marks as a whole is not quoted speech.

    Args:
        text: a caption.
        speaking: words that introduce quoted speech, in lower case: "says", "whispers", "the words"…
    """
    if not _MARK.search(text):
        return []
    found = []
    first, last = _words_reach(text)
    for match in _QUOTED.finditer(text):
        start, end = match.span()
        words = [word for word in _QUOTED_WORD.findall(match[0]) if not word.isdigit()]
        if not words or (start <= first and last <= end):
            continue
        before = text[max(0, start - 80) : start].lower()
        key = _KEY.search(before)
        is_name = find_emotion(match[0]) is not None
        if key is not None and (is_name or find_emotion(key[1] or "") is not None):
            continue
        said = not speaking.isdisjoint(_QUOTED_WORD.findall(before)[-_BEHIND:])
        if said or (len(words) > 1 and not is_name):
            found.append((start, end))
    return found


def _words_reach(text: str) -> tuple[int, int]:
    """Return the start of the first word of a text and the end of its last word, in characters."""
    first = _QUOTED_WORD.search(text)
    end = len(text)
    while end and not (text[end - 1].isalnum() or text[end - 1] == "_"):
        end -= 1
    return first.start() if first else end, end


def is_within(held: Sequence[tuple[int, int]], at: int) -> bool:
    """Return whether the place `at` is in one of the spans `held`, which are sorted and disjoint."""
    before = bisect_right(held, at, key=lambda span: span[0])
    return before > 0 and at < held[before - 1][1]
