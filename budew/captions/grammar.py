"""Sentence frames: a small grammar, compiled once.

    {place}      what a profile puts there
    [ … ]        falls away where a place in it is empty
    [ … | … ]    what stands behind the bar takes its place then
    (this|that)  one of these
    (~this|that) the first in the plain wording, and one of the rest in the varied one
    <rule>       the text of a rule

A frame becomes a tree of functions, so that writing a caption is a walk over it. Every frame has a place for
everything that a profile can say; one that has not is an error when the lexicon is loaded.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import Protocol

from budew.captions.places import RENDERED, Places

_TOKEN = re.compile(r"[\[\]()|~]|\{\w+\}|<\w+>|[^\[\](){}|<>~]+")
STYLES = ("prose", "short", "tags")


class FrameError(ValueError):
    """A frame that names an unknown place or leaves no room for a part of the profile."""


class Source(Protocol):
    """What a frame is filled from."""

    filled: int
    plain: bool

    def below(self, count: int) -> int:
        """Return a number from 0 to before `count`."""

    def place(self, name: str) -> str:
        """Return the text for a place."""


Fill = Callable[[Source], str]


@dataclass(frozen=True, slots=True)
class _Node:
    """A piece of a frame: how it is filled, its places outside of brackets, all its places, and in how
    many ways it can be said.
    """

    fill: Fill
    needs: frozenset[str]
    places: tuple[frozenset[str], ...]
    ways: int
    text: str | None = None  # of one that is always the same


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
        ways: in how many ways it can be said, words for emotions, bursts and traits not counted.
        needs: bits of the places without which it cannot be written.
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
    neutral: bool = True,
    feelings: bool = True,
    places: Places = RENDERED,
) -> Frame:
    """Compile the text of a frame. One without `feelings` has no place for emotions.

    Raises:
        FrameError: an unknown place, rule or style, a stray bracket, or no place for something that a
        profile can say.
    """
    if style not in STYLES:
        raise FrameError(f"the frame {name!r} has the style {style!r}: use one of {', '.join(STYLES)}")
    node = _Compiler(name, rules, places).compile(text)
    for named in node.places:
        _check(name, named, (places.feelings, *places.wanted) if feelings else places.wanted)
    needs = sum(places.bit[place] for place in node.needs)
    return Frame(name, style, view, form, neutral, node.fill, node.ways, needs)


def capitalised(text: str) -> str:
    """Return a text with capitals where its sentences begin."""
    if ". " not in text:
        return text[:1].upper() + text[1:]
    return ". ".join([sentence[:1].upper() + sentence[1:] for sentence in text.split(". ")])


def _check(name: str, places: frozenset[str], wanted_ways: Sequence[Sequence[Set[str]]]) -> None:
    for ways in wanted_ways:
        if not any(way <= places for way in ways):
            wanted = sorted(map(sorted, ways))
            raise FrameError(
                f"the frame {name!r} must have one of the places {wanted} and has {sorted(places)}"
            )


class _Compiler:
    """Turns the text of one frame into a tree."""

    def __init__(self, name: str, rules: Mapping[str, str], places: Places) -> None:
        self._name = name
        self._rules = rules
        self._places = places

    def compile(self, text: str, within: tuple[str, ...] = ()) -> _Node:
        """Compile a text that stands `within` some rules."""
        tokens = _TOKEN.findall(text)
        if "".join(tokens) != text:
            raise self._stray(text)
        node, at = self._sequence(tokens, 0, within, end="")
        if at < len(tokens):
            raise self._stray(text)
        return node

    def _sequence(
        self, tokens: list[str], at: int, within: tuple[str, ...], *, end: str
    ) -> tuple[_Node, int]:
        """Compile the tokens from `at` to before one of the marks in `end`."""
        nodes: list[_Node] = []
        while at < len(tokens) and (tokens[at] not in end or not end):
            sign = tokens[at]
            if sign == "[":
                node, at = self._optional(tokens, at, within)
                nodes.append(node)
            elif sign == "(":
                node, at = self._alternatives(tokens, at, within)
                nodes.append(node)
            elif sign == "~":
                raise FrameError(
                    f"the frame {self._name!r} has a ~ that does not stand right behind a bracket"
                )
            elif sign in "])|":
                break
            else:
                nodes.append(self._leaf(sign, within))
            at += 1
        if end and at >= len(tokens):
            raise self._stray("".join(tokens))
        return _joined(nodes), at

    def _alternatives(self, tokens: list[str], at: int, within: tuple[str, ...]) -> tuple[_Node, int]:
        options, sign = [], "("
        plain = tokens[at + 1 : at + 2] == ["~"]  # 0 or 1 options are for the plain wording
        at += plain
        while sign != ")" and at < len(tokens):
            inner, at = self._sequence(tokens, at + 1, within, end="|)")
            options.append(inner)
            sign = tokens[at] if at < len(tokens) else ")"
        if plain and len(options) < 2:
            raise FrameError(
                f"the frame {self._name!r} has a (~ with nothing for the varied wording behind it"
            )
        return _choice(options[plain:], plain=options[0] if plain else None), at

    def _optional(self, tokens: list[str], at: int, within: tuple[str, ...]) -> tuple[_Node, int]:
        inner, at = self._sequence(tokens, at + 1, within, end="|]")
        instead = None
        if tokens[at] == "|":
            instead, at = self._sequence(tokens, at + 1, within, end="]")
        return _optional(inner, instead, sum(self._places.bit[place] for place in inner.needs)), at

    def _leaf(self, token: str, within: tuple[str, ...]) -> _Node:
        name = token[1:-1]
        if token.startswith("{"):
            if name not in self._places.bit and name not in self._places.stands_for:
                raise FrameError(f"the frame {self._name!r} has the place {name!r}, which is unknown")
            named = frozenset(self._places.stands_for.get(name, {name}))
            return _Node(lambda source: source.place(name), named, (named,), 1)
        if token.startswith("<"):
            if name not in self._rules or name in within:
                raise FrameError(
                    f"the frame {self._name!r} has the rule {name!r}, which is unknown or holds itself"
                )
            return self.compile(self._rules[name], (*within, name))
        return _Node(lambda source: token, frozenset(), (frozenset(),), 1, token)

    def _stray(self, text: str) -> FrameError:
        return FrameError(f"the frame {self._name!r} has a bracket without its fellow in {text!r}")


def _optional(inner: _Node, instead: _Node | None, mask: int) -> _Node:
    fill = inner.fill
    if instead is None:
        return _Node(
            lambda source: fill(source) if source.filled & mask == mask else "",
            frozenset(),
            inner.places,
            inner.ways + 1,  # or nothing
        )
    other = instead.fill
    return _Node(
        lambda source: fill(source) if source.filled & mask == mask else other(source),
        instead.needs,
        (*inner.places, *instead.places),
        inner.ways + instead.ways,
    )


def _choice(options: list[_Node], *, plain: _Node | None = None) -> _Node:
    """Each option is as likely as it has ways: all that can be said is drawn alike.

    `plain` is what the plain wording takes instead.
    """
    there = [*options, plain] if plain else options
    places = tuple({places for option in there for places in option.places})
    needs = frozenset.intersection(*(option.needs for option in there))
    fill, ways = _drawn(options), sum(option.ways for option in options)
    return _Node(_by_wording(plain.fill, fill) if plain else fill, needs, places, ways)


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
    places = {frozenset[str]()}
    for node in nodes:
        places = {before | here for before in places for here in node.places}
    return _Node(
        lambda source: "".join([fill(source) for fill in fills]),
        frozenset().union(*(node.needs for node in nodes)),
        tuple(places),
        prod(node.ways for node in nodes),
    )
