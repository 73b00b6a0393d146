"""Sentence frames: texts with places for what a profile says, and brackets around what an empty one removes.

A frame is compiled once into parts, so that filling it is a loop over strings. Every frame has a place for
everything that a profile can say; one that has not is an error when the lexicon is loaded.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

_GROUP = re.compile(r"\[([^\[\]]*)\]")
_PLACE = re.compile(r"\{(\w+)\}")

# Each row is one thing that a frame must say, in one of these ways.
_MUST_SAY = (
    (
        {"nouns"},
        {"adjectives"},
        {"noun_tags"},
        {"adjective_tags"},
        {"first_noun", "other_nouns"},
    ),
    ({"a_voice"}, {"the_voice"}, {"a_speaker"}, {"the_speaker"}, {"speaker_tags"}),
    ({"bursts"}, {"burst_tags"}),
    ({"an_accent"}, {"accent_tag"}),
    ({"a_style"}, {"style_tag"}),
)
_PLACES = frozenset().union(*(places for ways in _MUST_SAY for places in ways))


class FrameError(ValueError):
    """A frame that names an unknown place or leaves no room for a part of the profile."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a frame: literal texts around places. An optional one goes where a place is empty."""

    literals: tuple[str, ...]
    places: tuple[str, ...]
    optional: bool

    def fill(self, place: Callable[[str], str]) -> str:
        """Return the text with `place(name)` in its places."""
        said = [place(name) for name in self.places]
        if self.optional and not all(said):
            return ""
        return "".join(map(str.__add__, self.literals, (*said, "")))


@dataclass(frozen=True, slots=True)
class Frame:
    """`view`: listener or speaker; `form`: verbal, nominal, participial, sentences or tags."""

    name: str
    view: str
    form: str
    parts: tuple[Part, ...]

    def fill(self, place: Callable[[str], str]) -> str:
        """Return the caption, with capitals where sentences begin; `place` gives the text for a place."""
        return _capitalised("".join([part.fill(place) for part in self.parts]))


def compile_frame(name: str, *, view: str, form: str, text: str) -> Frame:
    """Compile the text of a frame.

    Raises:
        FrameError: an unknown place, a stray bracket, or no place for something that a profile can say.
    """
    pieces = _GROUP.split(text)
    parts = tuple(_part(piece, optional=index % 2 == 1) for index, piece in enumerate(pieces) if piece)
    places = [place for part in parts for place in part.places]
    _check(name, parts, places)
    return Frame(name, view, form, parts)


def _part(text: str, *, optional: bool) -> Part:
    pieces = _PLACE.split(text)
    return Part(tuple(pieces[::2]), tuple(pieces[1::2]), optional)


def _check(name: str, parts: tuple[Part, ...], places: list[str]) -> None:
    stray = [text for part in parts for text in part.literals if set("[]{}") & set(text)]
    if stray:
        raise FrameError(f"the frame {name!r} has a bracket without its fellow in {stray[0]!r}")
    wrong = [place for place in places if place not in _PLACES or places.count(place) > 1]
    if wrong:
        raise FrameError(f"the frame {name!r} has the place {wrong[0]!r}, which is unknown or used twice")
    for ways in _MUST_SAY:
        if sum(way <= set(places) for way in ways) != 1:
            raise FrameError(
                f"the frame {name!r} must have one of the places {sorted(map(sorted, ways))} and has {places}"
            )


def _capitalised(text: str) -> str:
    sentences = text.split(". ")
    return ". ".join([sentence[:1].upper() + sentence[1:] for sentence in sentences])
