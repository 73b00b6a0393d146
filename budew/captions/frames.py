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
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from math import prod
from operator import and_, or_
from typing import Any, Literal, NamedTuple, Protocol, get_args

from budew.errors import SettingsError

_TOKEN = re.compile(r"\(~|[\[\]()|]|\{\w+\}|[^\[\](){}|]+")
_RULE = re.compile(r"<(\w+)>")
_CLOSED_BY = {"[": "]", "(": ")", "(~": ")"}
_ENDS = ("|", *_CLOSED_BY.values())
Style = Literal["prose", "short", "tags"]
STYLES: tuple[Style, ...] = get_args(Style)


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
    plain: str = "",
) -> Frame:
    """Compile the text of a frame; `plain` is that of the plain wording, where it is another one.

    Raises:
        SettingsError: a bracket that is not closed.
        KeyError: an unknown slot or rule.
    """
    tokens = _TOKEN.findall(_without_rules(f"(~{plain}|{text})" if plain else text, rules))
    node, mark = _sequence(iter(tokens), slots)
    if mark:
        raise SettingsError(f"the frame {name!r} has an unbalanced bracket in {text!r}")
    return Frame(name, style, view, form, neutral, node.fill, node.ways, node.needs)


def capitalised(text: str) -> str:
    """Return a text with capitals where its sentences begin."""
    if ". " not in text:
        return text[:1].upper() + text[1:]
    return ". ".join([sentence[:1].upper() + sentence[1:] for sentence in text.split(". ")])


def _without_rules(text: str, rules: Mapping[str, str]) -> str:
    """Put the texts of rules in their places, which may name rules, too."""
    return _RULE.sub(lambda match: _without_rules(rules[match[1]], rules), text)


def _sequence(tokens: Iterator[str], slots: Mapping[str, Slot]) -> tuple[_Node, str]:
    """Compile the tokens to the mark that ends their bracket or alternative, which is returned, too."""
    nodes: list[_Node] = []
    for piece in tokens:
        if piece in _ENDS:
            return _joined(nodes), piece
        if piece in _CLOSED_BY:
            nodes.append(_bracket(piece, tokens, slots))
        elif piece.startswith("{"):
            slot = slots[piece[1:-1]]
            nodes.append(_Node(slot.fill, slot.bit, 1))
        else:
            nodes.append(_text(piece))
    return _joined(nodes), ""


def _bracket(opening: str, tokens: Iterator[str], slots: Mapping[str, Slot]) -> _Node:
    """Compile a bracket, whose first mark is read."""
    options, mark = [], "|"
    while mark == "|":
        option, mark = _sequence(tokens, slots)
        options.append(option)
    if mark != _CLOSED_BY[opening]:
        raise SettingsError(f"a frame has a {opening!r} that is not closed")
    if opening == "[":
        return _optional(options[0], options[1] if len(options) > 1 else _text(""))
    return _choice(options[1:], plain=options[0]) if opening == "(~" else _choice(options)


def _text(text: str) -> _Node:
    return _Node(lambda source: text, 0, 1, text)


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
    needs, ways = reduce(and_, (option.needs for option in options)), sum(option.ways for option in options)
    varied = _drawn(options)
    if plain is None:
        return _Node(varied, needs, ways)
    fixed = plain.fill
    return _Node(lambda source: fixed(source) if source.plain else varied(source), needs & plain.needs, ways)


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
        _both(*fills) if len(fills) == 2 else lambda source: "".join([fill(source) for fill in fills]),
        reduce(or_, (node.needs for node in nodes), 0),
        prod(node.ways for node in nodes),
    )


def _both(first: Fill, second: Fill) -> Fill:
    """Return what joins two texts, which takes half the time of joining a list."""
    return lambda source: first(source) + second(source)
