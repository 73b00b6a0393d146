"""The taxonomy: 40 emotions, 82 vocal bursts (sounds that are not speech), speaker traits and rating scales.

Names are in the published order; the words are in the YAML files beside the code. Traits are gender, age,
accent, timbre, pace, speaking style, volume, distance from the microphone and 15 voice attributes. `gender`
and `age` are words; `Gender` and `Age` are voice attributes with numbers. Names may be written in any case,
because the type of the value (word or number) decides which is meant.

Names are accepted in many spellings: `Jealousy_&_Envy`, `jealousy and envy` and
`model_jealousy_%26_envy_best.pth` have one normal form, `jealousyenvy`, so the data files list only names
that really differ. An unknown name is an error that lists the nearest known names.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from html import unescape
from typing import Any
from urllib.parse import unquote

from budew.errors import InputError
from budew.io.resources import packaged_table
from budew.taxonomy.rating_scales import LEVEL_NAMES as LEVEL_NAMES
from budew.taxonomy.rating_scales import LEVELS as LEVELS
from budew.taxonomy.rating_scales import Scale, from_intensity, nearest_level, to_intensity

LONGEST_NAME = 100
"""Characters. Longer texts are never looked up as names, so that hostile input costs no time."""

_FILE_NAME_PARTS = re.compile(r"^model[_ -]|[_ -]best(?=\.|$)|\.(?:pth?|onnx|safetensors)$")
_APOSTROPHE = re.compile(r"['’]")
_WORD = re.compile(r"[^\W_]+")
LONGEST_ACCENT = 40
_MISSPELT = 0.8  # share of equal letters, as of `Angar` and Anger
_BETWEEN_PARTS = re.compile(r"/| & | and ")


@lru_cache(maxsize=4096)
def normal_form(name: str) -> str:
    """Return the normal form of a name: no case, punctuation, "and", "or", escapes and file-name parts."""
    text = unicodedata.normalize("NFKC", unescape(unquote(name))).casefold().strip()
    text = _APOSTROPHE.sub("", _FILE_NAME_PARTS.sub("", text))
    return "".join(word for word in _WORD.findall(text) if word not in ("and", "or"))


@dataclass(frozen=True, slots=True)
class NameIndex:
    """Index of a closed set of names that resolves any spelling. Made by `NameIndex.build`.

    Attributes:
        kind: what the names denote, such as "emotion"; for error messages.
        names: canonical names.
        forms: normal form of each name and alias to the canonical name.
        words: normal form of other words to the canonical name that is suggested for them.
    """

    kind: str
    names: tuple[str, ...]
    forms: Mapping[str, str]
    words: Mapping[str, str]

    @classmethod
    def build(
        cls, kind: str, aliases: Mapping[str, Iterable[str]], words: Mapping[str, Iterable[str]] | None = None
    ) -> "NameIndex":
        """Build the index of names.

        Args:
            kind: what the names denote, such as "emotion".
            aliases: canonical name to its aliases, which resolve to it.
            words: canonical name to words with a similar meaning. They do not resolve; errors about them
                suggest the name.

        Raises:
            ValueError: two names share a normal form.
        """
        forms: dict[str, str] = {}
        for name, others in aliases.items():
            for spelling in (name, *others):
                if forms.setdefault(normal_form(spelling), name) != name:
                    taken = forms[normal_form(spelling)]
                    raise ValueError(
                        f"{kind} {spelling!r} stands for both {taken!r} and {name!r}: rename one of them"
                    )
        near = {normal_form(word): name for name, others in (words or {}).items() for word in others}
        return cls(kind, tuple(aliases), forms, near)

    def __contains__(self, name: str) -> bool:
        return self.find(name) is not None

    def find(self, name: str) -> str | None:
        """Return the canonical name of `name`; None if no name or alias has the same normal form."""
        return self.forms.get(normal_form(name)) if len(name) <= LONGEST_NAME else None

    def resolve(self, name: str) -> str:
        """Return the canonical name of `name`.

        Raises:
            InputError: no name or alias has the same normal form; lists the nearest.
        """
        if not isinstance(name, str):
            raise InputError(f"{self.kind} names must be text, not {type(name).__name__}")
        found = self.find(name)
        if found is None:
            short = name[: LONGEST_NAME + 1]
            nearest = ", ".join(map(repr, self.nearest(short)))
            raise InputError(f"unknown {self.kind} {short!r}: the nearest known names are {nearest}")
        return found

    def nearest(self, name: str, *, count: int = 3) -> tuple[str, ...]:
        """Return the `count` canonical names most similar to `name` (`likeness`), the best first."""
        likeness = self.likeness(name)
        return tuple(sorted(likeness, key=lambda canonical: -likeness[canonical])[:count])

    def likeness(self, name: str) -> dict[str, float]:
        """Return the similarity of `name` to each canonical name, its aliases or words: 0 to 1 (same)."""
        matcher = SequenceMatcher(b=normal_form(name))
        likeness: dict[str, float] = {}
        for form, canonical in (*self.words.items(), *self.forms.items()):
            matcher.set_seq1(form)
            likeness[canonical] = max(likeness.get(canonical, 0.0), matcher.ratio())
        return likeness


@dataclass(frozen=True, slots=True)
class Emotion:
    """One emotion of the taxonomy: a row of `emotions.yaml`.

    Attributes:
        name: canonical name.
        valence, arousal: tendency of the emotion according to the published taxonomy.
        group: group of this project, a key of `EMOTION_GROUPS`.
        aliases: other names that resolve to the emotion.
        words: words with a similar meaning, for which errors suggest the emotion.
    """

    name: str
    valence: str
    arousal: str
    group: str
    aliases: Sequence[str] = ()
    words: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Attribute:
    """A voice attribute: its scale, and in words what the low and the high end of the scale mean."""

    name: str
    scale: Scale
    at_low: str
    at_high: str


def name_parts(name: str) -> list[str]:
    """Return the parts of a compound name: "Hope" and "Optimism" of "Hope/Optimism"."""
    return _BETWEEN_PARTS.split(name)


def _spellings(row: Emotion) -> list[str]:
    """Return the aliases of a row and each part of its compound names: "Hope" stands for "Hope/Optimism"."""
    return [*row.aliases, *(part for name in (row.name, *row.aliases) for part in name_parts(name))]


EMOTION_TABLE: Mapping[str, Emotion] = {
    row["name"]: Emotion(**row) for row in packaged_table(__package__, "emotions")["emotions"]
}
"""Canonical name of each emotion to its row."""

EMOTIONS: tuple[str, ...] = tuple(EMOTION_TABLE)
"""The 40 canonical names of emotions in the published order: position n has the published id n + 1."""

EMOTION_GROUPS: Mapping[str, tuple[str, ...]] = {
    group: tuple(row.name for row in EMOTION_TABLE.values() if row.group == group)
    for group in dict.fromkeys(row.group for row in EMOTION_TABLE.values())
}
"""Group to the names of its emotions, both in the published order."""

BURST_GROUPS: Mapping[str, tuple[str, ...]] = {
    group: tuple(names) for group, names in packaged_table(__package__, "bursts")["groups"].items()
}
"""Group to the names of its vocal bursts, both in the published order."""

BURSTS: tuple[str, ...] = tuple(name for names in BURST_GROUPS.values() for name in names)
"""The 82 canonical names of vocal bursts in the published order."""

SAME_SOUND: Mapping[str, str] = {
    name: names[0] for names in packaged_table(__package__, "bursts")["same_sound"] for name in names
}
"""Bursts whose sound has several names in the taxonomy, to the first of these names."""

_TABLE = packaged_table(__package__, "traits")

CATEGORIES: Mapping[str, tuple[str, ...]] = {
    name: tuple(values) for name, values in _TABLE["categories"].items()
}
"""Traits with a closed set of words (`gender`, `age`, `timbre`, `pace`, `style`), to these words."""

ACCENTS: tuple[str, ...] = tuple(_TABLE["accents"])
"""Well-known accents; others are accepted as well, see `trait`."""

ATTRIBUTES: Mapping[str, Attribute] = {
    name: Attribute(name, Scale(name, float(row["low"]), float(row["high"])), row["at_low"], row["at_high"])
    for name, row in _TABLE["attributes"].items()
}
"""The 15 voice attributes, by their published names."""

AGES: Mapping[int, str] = _TABLE["ages"]
"""Last year of each age group, ascending, to the name of the group."""

WITHHELD: Mapping[str, Mapping[str, Any]] = packaged_table(__package__, "withheld")
"""Definition of a minor and of sexual content, for `VoiceProfile.is_withheld`: `withheld.yaml`."""

WORD_TRAITS: tuple[str, ...] = ("gender", "age", "accent", "timbre", "pace", "style")
"""Traits of the voice whose value is a word."""

RECORDING_TRAITS: Mapping[str, tuple[str, ...]] = {
    name: tuple(words) for name, words in _TABLE["recording"].items()
}
"""Traits of the recording (`volume`, `distance`), to their words. Measures set them, not listeners."""

TRAITS: tuple[str, ...] = (*WORD_TRAITS, *RECORDING_TRAITS, *ATTRIBUTES)
"""All traits that a profile may have, in canonical order."""

_EMOTION_INDEX = NameIndex.build(
    "emotion",
    {row.name: _spellings(row) for row in EMOTION_TABLE.values()},
    {row.name: row.words for row in EMOTION_TABLE.values()},
)
_BURST_INDEX = NameIndex.build("vocal burst", dict.fromkeys(BURSTS, ()))
_WORD_TRAITS = NameIndex.build("trait", dict.fromkeys((*WORD_TRAITS, *RECORDING_TRAITS), ()))
_NUMBER_TRAITS = NameIndex.build("voice attribute", dict.fromkeys(ATTRIBUTES, ()))
_VALUES = {name: NameIndex.build(name, values) for name, values in _TABLE["categories"].items()} | {
    name: NameIndex.build(name, dict.fromkeys(words, ())) for name, words in RECORDING_TRAITS.items()
}
_ACCENTS = NameIndex.build("accent", dict.fromkeys(ACCENTS, ()))


def emotion(name: str) -> str:
    """Return the canonical name of an emotion written in any way: alias, file name, URL-encoded, any case.

    Raises:
        InputError: there is no such emotion; lists the nearest names.

    Example:
        >>> emotion("model_jealousy_%26_envy_best.pth"), emotion("hope")
        ('Jealousy & Envy', 'Hope/Optimism')
    """
    return _EMOTION_INDEX.resolve(name)


def find_emotion(name: str) -> str | None:
    """Return the canonical name of an emotion written in any way; None if there is no such emotion."""
    return _EMOTION_INDEX.find(name)


@lru_cache(maxsize=4096)
def misspelt_emotion(name: str) -> str | None:
    """Return the emotion whose spelling is closest to a misspelt name; None if no spelling is close."""
    if len(name) > LONGEST_NAME:
        return None
    likeness = _EMOTION_INDEX.likeness(name)
    nearest = max(likeness, key=likeness.__getitem__)
    return nearest if likeness[nearest] >= _MISSPELT else None


def emotion_group(name: str) -> str:
    """Return the group of an emotion, a key of `EMOTION_GROUPS`.

    Example:
        >>> emotion_group("Anger")
        'anger'
    """
    return EMOTION_TABLE[emotion(name)].group


def burst(name: str) -> str:
    """Return the canonical name of a vocal burst written in any way.

    Raises:
        InputError: there is no such burst; lists the nearest names.

    Example:
        >>> burst("relief_sigh")
        'Relief Sigh'
    """
    return _BURST_INDEX.resolve(name)


def find_burst(name: str) -> str | None:
    """Return the canonical name of a vocal burst written in any way; None if there is no such burst."""
    return _BURST_INDEX.find(name)


def trait(name: str, value: str | float) -> tuple[str, str | float]:
    """Return the canonical name and value of a trait.

    Args:
        name: name of the trait in any spelling; with a word as value it is one of `WORD_TRAITS` or
            `RECORDING_TRAITS`, with a number a voice attribute.
        value: for a voice attribute, a number on its own scale; for an accent, any text of at most 40
            letters, spaces and hyphens, whose first letter is capitalized; for other traits, a word of
            `CATEGORIES`.

    Raises:
        InputError: there is no such trait, its category has no such value, the number is outside the
            attribute's scale, a word is given instead of a number or the reverse, or an accent is too long
            or has characters other than letters, spaces and hyphens.

    Example:
        >>> trait("Gender", "Female"), trait("gender", 1)
        (('gender', 'female'), ('Gender', 1.0))
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


def age_group(years: float) -> str | None:
    """Return the age group (value of the trait `age`) for an age in years; None if no group contains it."""
    return next((name for last, name in AGES.items() if 0 <= years < last + 1), None)


def find_attribute(name: str) -> str | None:
    """Return the canonical name of a voice attribute written in any way; None if there is no such one."""
    return _NUMBER_TRAITS.find(name)


def quantized_trait(name: str, value: str | float) -> str | float:
    """Round the value of a trait as captions do: a number to the nearest of five on its scale, a word not."""
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
