"""Sentence frames: a small grammar, compiled once.

    {slot}       what a profile has for the slot, see `budew.captions.slot_filling`
    [ … ]        left out if a slot in it is empty
    [ … | … ]    the text after the bar is used instead
    (this|that)  one of these
    (~this|that) the first in the plain wording, and one of the rest in the varied one
    <rule>       the text of a rule, put in before brackets are read

A frame becomes a tree of functions, so that writing a caption is a walk over it.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from typing import NamedTuple

from budew.captions.word_choice import WordChoice
from budew.errors import SettingsError

_TOKEN = re.compile(r"\(~|[\[\]()|]|\{\w+\}|[^\[\](){}|]+")
_RULE = re.compile(r"<(\w+)>")
_CLOSED_BY = {"[": "]", "(": ")", "(~": ")"}
_ENDS = ("|", *_CLOSED_BY.values())

Write = Callable[[WordChoice], str]
"""Returns the text of a piece of a frame for one caption."""


class Slot(NamedTuple):
    """A place in a frame that a profile fills.

    Attributes:
        write: returns its text.
        need: what the profile must have, one of `WordChoice.met`; empty for a slot that is always filled.
    """

    write: Write
    need: str = ""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of a frame: what writes it, what its slots outside of brackets need, in how many ways it can be
    worded.
    """

    write: Write
    needs: frozenset[str] = frozenset()
    ways: int = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """A way to write a caption.

    Attributes:
        name: of the frame.
        style: prose, short or tags.
        view: listener or speaker.
        form: verbal, nominal, participial, sentences or tags.
        neutral: whether it suits a profile without emotions.
        write: returns the caption, without capitals.
        ways: in how many ways it can be worded, words for emotions, bursts and traits not counted.
        needs: what a profile must have for it.
    """

    name: str
    style: str
    view: str
    form: str
    neutral: bool
    write: Write
    ways: int
    needs: frozenset[str]


def compile_frame(
    name: str,
    row: Mapping[str, str | bool],
    *,
    rules: Mapping[str, str],
    slots: Mapping[str, Slot],
) -> Frame:
    """Compile a frame of the data file.

    Args:
        name: of the frame.
        row: its `style`, `view`, `form` and `text`, whether it is `neutral`, and the text in the `plain`
            wording, where it is another one.
        rules: texts by name.
        slots: by name.

    Raises:
        SettingsError: a bracket that is not closed, or an unknown slot or rule.
    """
    text = f"(~{row['plain']}|{row['text']})" if "plain" in row else str(row["text"])
    try:
        piece, mark = _sequence(iter(_TOKEN.findall(_without_rules(text, rules))), slots)
    except KeyError as error:
        raise SettingsError(f"the frame {name!r} names an unknown slot or rule: {error}") from error
    if mark:
        raise SettingsError(f"the frame {name!r} has an unbalanced bracket in {row['text']!r}")
    style, view, form = (str(row[key]) for key in ("style", "view", "form"))
    return Frame(
        name, style, view, form, bool(row.get("neutral", True)), piece.write, piece.ways, piece.needs
    )


def capitalised(text: str) -> str:
    """Return a text with capitals where its sentences begin."""
    if ". " not in text:
        return text[:1].upper() + text[1:]
    return ". ".join([sentence[:1].upper() + sentence[1:] for sentence in text.split(". ")])


def _without_rules(text: str, rules: Mapping[str, str]) -> str:
    """Put the texts of rules in their places; they may name rules, too."""
    return _RULE.sub(lambda match: _without_rules(rules[match[1]], rules), text)


def _sequence(tokens: Iterator[str], slots: Mapping[str, Slot]) -> tuple[_Piece, str]:
    """Compile the tokens up to the mark that ends their bracket or alternative, which is returned, too."""
    pieces: list[_Piece] = []
    for token in tokens:
        if token in _ENDS:
            return _joined(pieces), token
        if token in _CLOSED_BY:
            pieces.append(_bracket(token, tokens, slots))
        elif token.startswith("{"):
            slot = slots[token[1:-1]]
            pieces.append(_Piece(slot.write, frozenset({slot.need} - {""})))
        else:
            pieces.append(_fixed(token))
    return _joined(pieces), ""


def _bracket(opening: str, tokens: Iterator[str], slots: Mapping[str, Slot]) -> _Piece:
    """Compile a bracket, whose first mark is read."""
    options: list[_Piece] = []
    mark = "|"
    while mark == "|":
        option, mark = _sequence(tokens, slots)
        options.append(option)
    if mark != _CLOSED_BY[opening]:
        raise SettingsError(f"a frame has a {opening!r} that is not closed")
    if opening == "[":
        return _optional(options[0], options[1] if len(options) > 1 else _fixed(""))
    return _plain_or_varied(options[0], options[1:]) if opening == "(~" else _one_of(options)


def _fixed(text: str) -> _Piece:
    return _Piece(lambda choice: text)


def _optional(inner: _Piece, instead: _Piece) -> _Piece:
    needs, write, write_instead = inner.needs, inner.write, instead.write

    def write_if_filled(choice: WordChoice) -> str:
        return write(choice) if needs <= choice.met else write_instead(choice)

    return _Piece(write_if_filled, instead.needs, inner.ways + instead.ways)


def _plain_or_varied(plain: _Piece, options: list[_Piece]) -> _Piece:
    varied = _one_of(options)
    write_plain, write_varied = plain.write, varied.write

    def write(choice: WordChoice) -> str:
        return write_plain(choice) if choice.vocabulary.is_plain else write_varied(choice)

    return _Piece(write, varied.needs & plain.needs, varied.ways)


def _one_of(options: list[_Piece]) -> _Piece:
    """Each option is as likely as it has ways, so that all sentences of one frame are equally likely."""
    if len(options) == 1:
        return options[0]
    needs = frozenset.intersection(*(option.needs for option in options))
    writes = tuple(option.write for option in options)
    count, ways = len(options), sum(option.ways for option in options)
    if len({option.ways for option in options}) == 1:
        return _Piece(lambda choice: writes[choice.below(count)](choice), needs, ways)
    bounds = list(accumulate(option.ways for option in options))
    return _Piece(lambda choice: writes[bisect_right(bounds, choice.below(ways))](choice), needs, ways)


def _joined(pieces: list[_Piece]) -> _Piece:
    if len(pieces) == 1:
        return pieces[0]
    writes = tuple(piece.write for piece in pieces)
    needs = frozenset[str]().union(*(piece.needs for piece in pieces))
    ways = prod(piece.ways for piece in pieces)
    if len(writes) == 2:  # half the time of joining a list
        first, second = writes
        return _Piece(lambda choice: first(choice) + second(choice), needs, ways)
    return _Piece(lambda choice: "".join([write(choice) for write in writes]), needs, ways)
