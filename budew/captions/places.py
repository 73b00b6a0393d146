"""The places that sentence frames may name, and those that a frame must have to say all of a profile."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

# Each row is one thing that a frame must say, in one of these ways.
_FEELINGS = ({"nouns"}, {"adjectives"}, {"noun_tags"}, {"adjective_tags"}, {"first_noun", "other_nouns"})
_THE_REST = (
    (
        {"a_voice"},
        {"known_voice"},
        {"the_voice"},
        {"a_speaker"},
        {"known_speaker"},
        {"the_speaker"},
        {"speaker_tags"},
    ),
    ({"bursts"}, {"burst_tags"}),
    ({"accent_timbre"}, {"accent_tags"}),
    ({"manner"}, {"manner_tags"}),
    ({"qualities"}, {"quality_tags"}),
    ({"recording"}, {"recording_tags"}),
)
_ALL_TAGS = {"speaker_tags", "burst_tags", "accent_tags", "manner_tags", "quality_tags", "recording_tags"}
_STANDS_FOR = {"delivery": {"manner"}, "all_tags": _ALL_TAGS}


@dataclass(frozen=True, slots=True)
class Places:
    """The places that frames may name.

    Attributes:
        feelings: the sets of places of which a frame that speaks of emotions must have one.
        wanted: the same for each other thing that a frame must say.
        stands_for: places that are filled where others are, and those.
        bit: of each place of its own, set where a profile has something to put there.
    """

    feelings: Sequence[Set[str]]
    wanted: Sequence[Sequence[Set[str]]]
    stands_for: Mapping[str, Set[str]]
    bit: Mapping[str, int]


def places_of(
    feelings: Sequence[Set[str]],
    wanted: Sequence[Sequence[Set[str]]],
    *,
    stands_for: Mapping[str, Set[str]],
    others: Set[str],
) -> Places:
    """Give each place a bit; `others` are those that nothing asks for."""
    names = sorted({*others}.union(*(places for ways in (feelings, *wanted) for places in ways)))
    return Places(feelings, wanted, stands_for, {name: 1 << index for index, name in enumerate(names)})


RENDERED = places_of(_FEELINGS, _THE_REST, stands_for=_STANDS_FOR, others={"speaks"})
"""Places of the frames that captions are rendered in."""
BIT = RENDERED.bit
