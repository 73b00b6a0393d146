"""The taxonomy: 40 emotions, 82 vocal bursts (sounds that are not speech), speaker traits and rating scales.

Names are in the published order; the words are in the YAML files beside the code. Traits are gender, age,
accent, timbre, pace, speaking style and 15 voice attributes. `gender` and `age` are words; `Gender` and `Age`
are attributes, that is numbers. The value tells which is meant, so any case will do.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from budew.errors import InputError
from budew.resources import packaged_table
from budew.taxonomy.names import NameIndex
from budew.taxonomy.scales import LEVEL_NAMES as LEVEL_NAMES
from budew.taxonomy.scales import LEVELS as LEVELS
from budew.taxonomy.scales import Scale, from_intensity, nearest_level, to_intensity

LONGEST_ACCENT = 40
_BETWEEN_PARTS = re.compile(r"/| & | and ")


@dataclass(frozen=True, slots=True)
class Emotion:
    """One row of the table: the source's valence and arousal tendency, this project's group."""

    name: str
    valence: str
    arousal: str
    group: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attribute:
    """A voice attribute: its scale and what the two ends of the scale mean."""

    name: str
    scale: Scale
    at_low: str
    at_high: str


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

_TABLE = packaged_table(__package__, "traits")

CATEGORIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: tuple(values) for name, values in _TABLE["categories"].items()}
)
"""The closed sets of words: `gender`, `age`, `timbre`, `pace` and `style`."""

ACCENTS: tuple[str, ...] = tuple(_TABLE["accents"])
"""Well-known accents. The set is open: see `trait`."""

ATTRIBUTES: Mapping[str, Attribute] = MappingProxyType(
    {
        name: Attribute(
            name, Scale(name, float(row["low"]), float(row["high"])), row["at_low"], row["at_high"]
        )
        for name, row in _TABLE["attributes"].items()
    }
)
"""The 15 voice attributes by their published names."""

WORD_TRAITS: tuple[str, ...] = ("gender", "age", "accent", "timbre", "pace", "style")
"""The keys whose value is a word."""

TRAITS: tuple[str, ...] = (*WORD_TRAITS, *ATTRIBUTES)
"""Every key that the traits of a profile may have, in canonical order."""

_EMOTION_INDEX = NameIndex.build("emotion", {row.name: _spellings(row) for row in EMOTION_TABLE.values()})
_BURST_INDEX = NameIndex.build("vocal burst", dict.fromkeys(BURSTS, ()))
_WORD_TRAITS = NameIndex.build("trait", dict.fromkeys(WORD_TRAITS, ()))
_NUMBER_TRAITS = NameIndex.build("voice attribute", dict.fromkeys(ATTRIBUTES, ()))
_VALUES = {name: NameIndex.build(name, values) for name, values in _TABLE["categories"].items()}
_ACCENTS = NameIndex.build("accent", dict.fromkeys(ACCENTS, ()))


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


def trait(name: str, value: str | float) -> tuple[str, str | float]:
    """Return the canonical name and value of a trait.

    Args:
        name: a trait with a word for a value, or a voice attribute with a number, in any spelling.
        value: a word of the category; an accent, known or any text of at most 40 letters, spaces and hyphens,
            which gets a capital; or a number on the attribute's own scale.

    Raises:
        InputError: there is no such trait, its category has no such value, the number is outside the
            attribute's scale, a word stands where a number belongs or the reverse, or an accent is too long
            or holds something else than letters, spaces and hyphens.
    """
    if isinstance(value, str):
        if name in _NUMBER_TRAITS and name not in _WORD_TRAITS:
            raise InputError(f"the trait {name!r} takes a number, not {value[:LONGEST_ACCENT]!r}")
        key = _WORD_TRAITS.resolve(name)
        return key, _accent(value) if key == "accent" else _VALUES[key].resolve(value)
    if name in _WORD_TRAITS and name not in _NUMBER_TRAITS:
        raise InputError(f"the trait {name!r} takes a word, not {repr(value)[:LONGEST_ACCENT]}")
    attribute = ATTRIBUTES[_NUMBER_TRAITS.resolve(name)]
    return attribute.name, attribute.scale.checked(value, what=f"voice attribute {attribute.name!r}")


def find_attribute(name: str) -> str | None:
    """Return the canonical name of a voice attribute written in any way, None where there is no such one."""
    return _NUMBER_TRAITS.find(name)


def quantized_trait(name: str, value: str | float) -> str | float:
    """Return what a caption can express: a word as it is, a number as the nearest of five on its scale."""
    if isinstance(value, str):
        return value
    scale = ATTRIBUTES[name].scale
    return from_intensity(nearest_level(to_intensity(value, scale)), scale)


def _accent(value: str) -> str:
    text = " ".join(unicodedata.normalize("NFC", value).split())
    if len(text) > LONGEST_ACCENT:
        start = text[:LONGEST_ACCENT]
        raise InputError(f"the accent {start!r}… is longer than {LONGEST_ACCENT} characters: shorten it")
    if not any(map(str.isalpha, text)) or not all(letter.isalpha() or letter in " -" for letter in text):
        raise InputError(f"the accent {value!r} must be made of letters, spaces and hyphens")
    return _ACCENTS.resolve(text) if text in _ACCENTS else text[0].upper() + text[1:]
