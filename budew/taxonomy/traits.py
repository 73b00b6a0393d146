"""Speaker traits: gender, age, accent, timbre, pace, speaking style and 15 voice attributes.

`gender` and `age` are words; `Gender` and `Age` are attributes, that is numbers. The value tells which is
meant, so any case will do.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from budew.errors import InputError
from budew.resources import packaged_table
from budew.taxonomy.names import NameIndex
from budew.taxonomy.scales import Scale, from_intensity, nearest_level, to_intensity

LONGEST_ACCENT = 40


@dataclass(frozen=True, slots=True)
class Attribute:
    """A voice attribute: its scale and what the two ends of the scale mean."""

    name: str
    scale: Scale
    at_low: str
    at_high: str


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

_WORD_TRAITS = NameIndex.build("trait", dict.fromkeys(WORD_TRAITS, ()))
_NUMBER_TRAITS = NameIndex.build("voice attribute", dict.fromkeys(ATTRIBUTES, ()))
_VALUES = {name: NameIndex.build(name, values) for name, values in _TABLE["categories"].items()}
_ACCENTS = NameIndex.build("accent", dict.fromkeys(ACCENTS, ()))


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
