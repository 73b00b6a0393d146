"""Sentence frames: a small grammar, compiled once.

    {slot}       text of the slot, see `budew.captions.slot_filling`
    [ … ]        left out if a slot in it is empty
    [ … | … ]    the text after the bar is used if a slot before the bar is empty
    (this|that)  one of the alternatives, at random
    (~this|that) the first alternative in the plain wording, one of the others in the varied wording
    <rule>       the text of the rule with this name, inserted before brackets are read

A frame is compiled to a tree of functions, which are called to write a caption.
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
"""Function that writes a piece of a frame: given the word choice of one caption, it returns the text."""


class Slot(NamedTuple):
    """A place in a frame that a profile fills.

    Attributes:
        write: function that returns the text of the slot.
        need: need that the profile must meet (see `needs_met`); empty for a slot that is always filled.
    """

    write: Write
    need: str = ""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of a frame: the function that writes it, the needs of its slots outside of brackets, and the
    number of ways to word it.
    """

    write: Write
    needs: frozenset[str] = frozenset()
    ways: int = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """A compiled sentence frame.

    Attributes:
        name: name of the frame.
        style: prose, short or tags.
        view: listener or speaker.
        form: construction of the sentence: verbal, nominal, participial, sentences or tags.
        neutral: whether the frame suits a profile without emotions.
        write: function that returns the caption, without capitals at the start of sentences.
        ways: number of ways to word the frame, not counting words for emotions, bursts and traits.
        needs: needs that a profile must meet (see `needs_met`).
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
        name: name of the frame.
        row: `style`, `view`, `form`, `text` and `neutral` of the frame; and `plain`, the text in the plain
            wording if it differs.
        rules: texts of rules by name.
        slots: slots by name.

    Raises:
        SettingsError: a bracket is not closed, or a slot or rule is unknown.
    """
    text = f"(~{row['plain']}|{row['text']})" if "plain" in row else str(row["text"])
    try:
        piece, mark = _sequence(iter(_TOKEN.findall(_without_rules(text, rules))), slots)
    except KeyError as error:
        raise SettingsError(f"the sentence frame {name!r} names an unknown slot or rule: {error}") from error
    if mark:
        raise SettingsError(f"the sentence frame {name!r} has an unbalanced bracket in {row['text']!r}")
    style, view, form = (str(row[key]) for key in ("style", "view", "form"))
    return Frame(
        name, style, view, form, bool(row.get("neutral", True)), piece.write, piece.ways, piece.needs
    )


def capitalised(text: str) -> str:
    """Capitalize the first letter of each sentence in a text."""
    if ". " not in text:
        return text[:1].upper() + text[1:]
    return ". ".join([sentence[:1].upper() + sentence[1:] for sentence in text.split(". ")])


def _without_rules(text: str, rules: Mapping[str, str]) -> str:
    """Replace rules by their texts, which may contain rules, too."""
    return _RULE.sub(lambda match: _without_rules(rules[match[1]], rules), text)


def _sequence(tokens: Iterator[str], slots: Mapping[str, Slot]) -> tuple[_Piece, str]:
    """Compile tokens up to the mark that ends their bracket or alternative; return the piece and the mark."""
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
    """Compile a bracket after its opening mark."""
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
    """Make a piece that draws an option, weighted by `ways`: all wordings of a frame are equally likely."""
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
    if len(writes) == 2:  # takes half the time of joining a list
        first, second = writes
        return _Piece(lambda choice: first(choice) + second(choice), needs, ways)
    return _Piece(lambda choice: "".join([write(choice) for write in writes]), needs, ways)
