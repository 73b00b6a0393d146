"""The 40 emotions of EmoNet: names in the published order, families, and every spelling in published data."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from budew.taxonomy.names import NameIndex, read_table

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
    return _INDEX.resolve(name)


def find_emotion(name: str) -> str | None:
    """Return what `emotion` returns, None where that raises: for names that may well be something else."""
    return _INDEX.find(name)


def emotion_group(name: str) -> str:
    """Return the family of an emotion, a key of `EMOTION_GROUPS`."""
    return EMOTION_TABLE[emotion(name)].group


def _rows() -> Iterator[Emotion]:
    for row in read_table("emotions")["emotions"]:
        yield Emotion(**{**row, "aliases": tuple(row.get("aliases", ()))})


def _spellings(row: Emotion) -> list[str]:
    """Return the aliases of a row and each part of its compound names: "Hope" stands for "Hope/Optimism"."""
    parts = [part for name in (row.name, *row.aliases) for part in _BETWEEN_PARTS.split(name)]
    return [*row.aliases, *parts]


def _groups() -> dict[str, tuple[str, ...]]:
    groups: dict[str, list[str]] = {}
    for row in EMOTION_TABLE.values():
        groups.setdefault(row.group, []).append(row.name)
    return {group: tuple(names) for group, names in groups.items()}


EMOTION_TABLE: Mapping[str, Emotion] = MappingProxyType({row.name: row for row in _rows()})
"""Canonical name to row."""

EMOTIONS: tuple[str, ...] = tuple(EMOTION_TABLE)
"""The 40 canonical names in the published order: position n is id n + 1."""

EMOTION_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(_groups())
"""Family to its emotions, both in the published order."""

_INDEX = NameIndex.build("emotion", {row.name: _spellings(row) for row in EMOTION_TABLE.values()})
