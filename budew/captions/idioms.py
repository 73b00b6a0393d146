"""Idioms: figures of speech for an emotion ("over the moon"), each with its own level.

Most idioms are strong; the data file lists them by emotion and level. Idioms have many variants. So a pattern
is not expanded to phrases, as in the lexicon, but compiled to trie nodes that its variants share. This keeps
patterns for very many phrases as small as the rest of the lexicon.

    (a|b)       one of these
    [a|b]       one of these, or nothing
    lose*       the forms of a verb; irregular ones are listed under `verbs`
    {her}       the slot of this name, a pattern
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from budew.captions.phrases import UNKNOWN, Entry, Form, Kind, verb_forms
from budew.captions.tokens import Node, PhraseTrie
from budew.taxonomy import LEVEL_NAMES, LEVELS, emotion

_LONGEST_NOUN = 5
"""Letters of the longest word with the ending "ing" that is not taken for a verb: "thing", "being"."""
_PARTS = re.compile(r"[;\n]")
_PIECE = re.compile(r"[()\[\]|]|\{\w+\}|[^\W_]+\*?")


def with_idioms(phrases: PhraseTrie[Entry], table: Mapping[str, Any]) -> PhraseTrie[Entry]:
    """Return a new trie with the given phrases and the idioms of a data file.

    Args:
        phrases: trie of the lexicon, which is not changed.
        table: content of the file of idioms.

    Raises:
        InputError: the taxonomy lacks an emotion of the file.
        KeyError: a pattern names a slot that the file lacks.
    """
    compiler = _Compiler(table["slots"], table["verbs"])
    # Continuations of the same slot are merged first, which takes a tenth of the time.
    tails: dict[str, PhraseTrie[Entry]] = defaultdict(lambda: PhraseTrie(UNKNOWN))
    for given, row in table["emotions"].items():
        name = emotion(given)
        for grade, patterns in row.items():
            level = LEVELS[LEVEL_NAMES.index(grade)]
            for pattern in filter(None, map(str.strip, _PARTS.split(patterns))):
                slot = pattern[: pattern.index("}") + 1] if pattern.startswith("{") else ""
                entry = Entry(Kind.EMOTION, name, level, form=Form.IDIOM, phrase=pattern)
                tails[slot].merge(compiler.before({None: entry}, pattern[len(slot) :]))
    idioms: PhraseTrie[Entry] = PhraseTrie(UNKNOWN)
    for slot, rests in tails.items():
        idioms.merge(compiler.before(rests.root, slot))
    both: PhraseTrie[Entry] = PhraseTrie(UNKNOWN)
    both.merge(phrases.root)
    both.merge(compiler.before(idioms.root, table["simile"]))
    for word, node in list(both.root.items()):
        if word is not None and word.endswith("ing") and len(word) > _LONGEST_NOUN:
            both.root.setdefault(word[:-1], node)  # "laughin his head off"
    return both


class _Compiler:
    """Compiles patterns from right to left, so that variants share the nodes of the words after them."""

    def __init__(self, slots: Mapping[str, str], verbs: Mapping[str, list[str]]) -> None:
        self._slots = {f"{{{name}}}": _pieces(pattern) for name, pattern in slots.items()}
        self._irregular = {f"{verb}*": (verb, *forms) for verb, forms in verbs.items()}

    def before(self, tail: Node, pattern: str) -> Node:
        """Return the first node of a pattern that ends at the node `tail`."""
        return self._read(tail, iter(_pieces(pattern)))

    def _read(self, tail: Node, pieces: Iterator[str]) -> Node:
        """Return the first node of the pieces of a bracket, read up to its opening mark."""
        node = tail
        options = []
        for piece in pieces:
            if piece in ")]":
                node = self._read(node, pieces)
            elif piece == "|":
                options.append(node)
                node = tail
            elif piece in "([":
                options += (node, tail) if piece == "[" else (node,)
                both: PhraseTrie[Entry] = PhraseTrie(UNKNOWN)
                for option in options:
                    both.merge(option)
                return both.root
            elif piece.startswith("{"):
                node = self._read(node, iter(self._slots[piece]))
            else:
                regular = verb_forms(piece[:-1]) if piece.endswith("*") else (piece,)
                node = dict.fromkeys(self._irregular.get(piece, regular), node)
        return node


def _pieces(pattern: str) -> tuple[str, ...]:
    """Split a pattern into marks, slots and words, from right to left."""
    return tuple(reversed(_PIECE.findall(pattern.lower())))
