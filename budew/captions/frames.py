"""Sentence frames: a small grammar, compiled once.

    {slot}       what a profile puts there
    [ … ]        left out where a slot in it is empty
    [ … | … ]    what stands behind the bar takes its place then
    (this|that)  one of these
    (~this|that) the first in the plain wording, and one of the rest in the varied one
    <rule>       the text of a rule

A frame becomes a tree of functions, so that writing a caption is a walk over it.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from math import prod
from operator import and_, or_
from typing import Any, NamedTuple, Protocol

from budew.errors import SettingsError

_TOKEN = re.compile(r"[\[\]()|~]|\{\w+\}|<\w+>|[^\[\](){}|<>~]+")
STYLES = ("prose", "short", "tags")


class Source(Protocol):
    """What a frame is filled from.

    Attributes:
        filled: bits of the slots that the profile has something for.
        plain: whether the plain wording is wanted.
    """

    filled: int
    plain: bool

    def below(self, count: int) -> int:
        """Return a number from 0 to before `count`."""


Fill = Callable[[Any], str]


class Slot(NamedTuple):
    """A slot that frames may name.

    Attributes:
        fill: returns its text for a source.
        bit: set in `Source.filled` where the profile has something for it; 0 for a slot that is never empty.
    """

    fill: Fill
    bit: int = 0


@dataclass(frozen=True, slots=True)
class _Node:
    """A piece of a frame: how it is filled, the bits of its slots outside of brackets, in how many ways it
    can be worded, and its text where that is always the same.
    """

    fill: Fill
    needs: int
    ways: int
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """A way to write a caption.

    Attributes:
        name: of the frame.
        style: prose, short or tags.
        view: listener or speaker.
        form: verbal, nominal, participial, sentences or tags.
        neutral: whether it suits a profile without emotions.
        fill: writes it, without capitals.
        ways: in how many ways it can be worded, words for emotions, bursts and traits not counted.
        needs: bits of the slots without which it cannot be written.
    """

    name: str
    style: str
    view: str
    form: str
    neutral: bool
    fill: Fill
    ways: int
    needs: int = 0


def compile_frame(
    name: str,
    *,
    style: str,
    view: str,
    form: str,
    text: str,
    rules: Mapping[str, str],
    slots: Mapping[str, Slot],
    neutral: bool = True,
) -> Frame:
    """Compile the text of a frame.

    Raises:
        SettingsError: an unknown slot, rule or style, or a bracket that is not closed.
    """
    if style not in STYLES:
        raise SettingsError(f"the frame {name!r} has the style {style!r}: use one of {', '.join(STYLES)}")
    node = _Compiler(name, rules, slots).compile(text)
    return Frame(name, style, view, form, neutral, node.fill, node.ways, node.needs)


def capitalised(text: str) -> str:
    """Return a text with capitals where its sentences begin."""
    if ". " not in text:
        return text[:1].upper() + text[1:]
    return ". ".join([sentence[:1].upper() + sentence[1:] for sentence in text.split(". ")])


class _Compiler:
    """Turns the text of one frame into a tree."""

    def __init__(self, name: str, rules: Mapping[str, str], slots: Mapping[str, Slot]) -> None:
        self._name = name
        self._rules = rules
        self._slots = slots

    def compile(self, text: str, within: tuple[str, ...] = ()) -> _Node:
        """Compile a text that stands `within` some rules."""
        tokens = _TOKEN.findall(text)
        node, at = self._sequence(tokens, 0, within, end="")
        if at < len(tokens) or "".join(tokens) != text:
            raise self._unbalanced(text)
        return node

    def _sequence(
        self, tokens: list[str], at: int, within: tuple[str, ...], *, end: str
    ) -> tuple[_Node, int]:
        """Compile the tokens from `at` to before one of the marks in `end`."""
        nodes: list[_Node] = []
        while at < len(tokens) and tokens[at] not in "])|":
            sign = tokens[at]
            if sign == "[":
                node, at = self._optional(tokens, at, within)
            elif sign == "(":
                node, at = self._alternatives(tokens, at, within)
            else:
                node = self._leaf(sign, within)
            nodes.append(node)
            at += 1
        if end and (at >= len(tokens) or tokens[at] not in end):
            raise self._unbalanced("".join(tokens))
        return _joined(nodes), at

    def _alternatives(self, tokens: list[str], at: int, within: tuple[str, ...]) -> tuple[_Node, int]:
        options = []
        plain = tokens[at + 1 : at + 2] == ["~"]
        at += plain
        while tokens[at] != ")":
            inner, at = self._sequence(tokens, at + 1, within, end="|)")
            options.append(inner)
        if plain and len(options) < 2:
            raise SettingsError(f"the frame {self._name!r} has a (~ without a varied wording behind it")
        return _choice(options[plain:], plain=options[0] if plain else None), at

    def _optional(self, tokens: list[str], at: int, within: tuple[str, ...]) -> tuple[_Node, int]:
        inner, at = self._sequence(tokens, at + 1, within, end="|]")
        instead = _Node(lambda source: "", 0, 1)
        if tokens[at] == "|":
            instead, at = self._sequence(tokens, at + 1, within, end="]")
        return _optional(inner, instead), at

    def _leaf(self, token: str, within: tuple[str, ...]) -> _Node:
        name = token[1:-1]
        if token.startswith("{"):
            if name not in self._slots:
                raise SettingsError(f"the frame {self._name!r} has the slot {name!r}, which is unknown")
            return _Node(self._slots[name].fill, self._slots[name].bit, 1)
        if token.startswith("<"):
            if name not in self._rules or name in within:
                raise SettingsError(
                    f"the frame {self._name!r} has the rule {name!r}, which is unknown or contains itself"
                )
            return self.compile(self._rules[name], (*within, name))
        if "~" in token:
            raise SettingsError(f"the frame {self._name!r} has a ~ that is not right behind a bracket")
        return _Node(lambda source: token, 0, 1, token)

    def _unbalanced(self, text: str) -> SettingsError:
        return SettingsError(f"the frame {self._name!r} has an unbalanced bracket in {text!r}")


def _optional(inner: _Node, instead: _Node) -> _Node:
    fill, other, mask = inner.fill, instead.fill, inner.needs
    return _Node(
        lambda source: fill(source) if source.filled & mask == mask else other(source),
        instead.needs,
        inner.ways + instead.ways,
    )


def _choice(options: list[_Node], *, plain: _Node | None = None) -> _Node:
    """Each option is as likely as it has ways, so that all sentences are equally likely.

    `plain` is what the plain wording takes instead.
    """
    needs = reduce(and_, (option.needs for option in (*options, *([plain] if plain else []))))
    fill, ways = _drawn(options), sum(option.ways for option in options)
    return _Node(_by_wording(plain.fill, fill) if plain else fill, needs, ways)


def _by_wording(plain: Fill, varied: Fill) -> Fill:
    return lambda source: plain(source) if source.plain else varied(source)


def _drawn(options: list[_Node]) -> Fill:
    fills, bounds = tuple(option.fill for option in options), list(accumulate(o.ways for o in options))
    texts = tuple(option.text for option in options if option.text is not None)
    total, count = bounds[-1], len(fills)
    if count == 1:
        return fills[0]
    if len(texts) == count:
        return lambda source: texts[source.below(count)]
    if len({option.ways for option in options}) == 1:
        return lambda source: fills[source.below(count)](source)
    return lambda source: fills[bisect_right(bounds, source.below(total))](source)


def _joined(nodes: list[_Node]) -> _Node:
    if len(nodes) == 1:
        return nodes[0]
    fills = tuple(node.fill for node in nodes)
    return _Node(
        lambda source: "".join([fill(source) for fill in fills]),
        reduce(or_, (node.needs for node in nodes), 0),
        prod(node.ways for node in nodes),
    )
