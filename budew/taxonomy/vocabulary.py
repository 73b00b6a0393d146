"""The 40 emotions of EmoNet and the 82 vocal bursts (sounds of voice and body that are not speech).

Names in the published order, their groups, and every spelling in published data.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from budew.resources import packaged_table
from budew.taxonomy.names import NameIndex

_BETWEEN_PARTS = re.compile(r"/| & | and ")


@dataclass(frozen=True, slots=True)
class Emotion:
    """One row of the table: the source's valence and arousal tendency, this project's group."""

    name: str
    valence: str
    arousal: str
    group: str
    aliases: tuple[str, ...] = ()


def emotion(name: str) -> str:
    """Return the canonical name of an emotion written in any way: alias, file name, URL-encoded, any case.

    Raises:
        InputError: there is no such emotion; lists the nearest.
    """
    return _EMOTION_INDEX.resolve(name)


def find_emotion(name: str) -> str | None:
    """Return what `emotion` returns, None where that raises: for names that may well be something else."""
    return _EMOTION_INDEX.find(name)


def emotion_group(name: str) -> str:
    """Return the family of an emotion, a key of `EMOTION_GROUPS`."""
    return EMOTION_TABLE[emotion(name)].group


def burst(name: str) -> str:
    """Return the canonical name of a vocal burst written in any way.

    Raises:
        InputError: there is no such burst; lists the nearest.
    """
    return _BURST_INDEX.resolve(name)


def _spellings(row: Emotion) -> list[str]:
    """Return the aliases of a row and each part of its compound names: "Hope" stands for "Hope/Optimism"."""
    parts = [part for name in (row.name, *row.aliases) for part in _BETWEEN_PARTS.split(name)]
    return [*row.aliases, *parts]


EMOTION_TABLE: Mapping[str, Emotion] = MappingProxyType(
    {
        row["name"]: Emotion(**{**row, "aliases": tuple(row.get("aliases", ()))})
        for row in packaged_table(__package__, "emotions")["emotions"]
    }
)
"""Canonical name to row."""

EMOTIONS: tuple[str, ...] = tuple(EMOTION_TABLE)
"""The 40 canonical names in the published order: position n is id n + 1."""

EMOTION_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        group: tuple(row.name for row in EMOTION_TABLE.values() if row.group == group)
        for group in dict.fromkeys(row.group for row in EMOTION_TABLE.values())
    }
)
"""Family to its emotions, both in the published order."""

BURST_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {group: tuple(names) for group, names in packaged_table(__package__, "bursts")["groups"].items()}
)
"""Group to its bursts, both in the published order."""

BURSTS: tuple[str, ...] = tuple(name for names in BURST_GROUPS.values() for name in names)
"""The 82 canonical names in the published order."""

_EMOTION_INDEX = NameIndex.build("emotion", {row.name: _spellings(row) for row in EMOTION_TABLE.values()})
_BURST_INDEX = NameIndex.build("vocal burst", dict.fromkeys(BURSTS, ()))
