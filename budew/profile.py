"""`VoiceProfile`: emotions, bursts and traits of a voice, from which captions and 40 scores are made.

Immutable, hashable, picklable, and always in canonical form: equal profiles give equal JSON, equal captions.

An emotion is rated or unrated, and a rated emotion is present or absent. For example, annotators of
EmoNet-Voice rate one emotion per clip, so the other 39 are unrated. `rated` lists the rated emotions. All
code that uses profiles follows it: an unrated emotion is NaN in the vector, a caption neither mentions nor
denies it, statistics, splits and weights do not count it, metrics leave the pair out, and training learns
nothing from it. A value that is given for an unrated emotion is dropped.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from budew.errors import InputError
from budew.io.strict_json import loads
from budew.taxonomy import BURSTS, EMOTIONS, TRAITS, WITHHELD, burst, emotion, quantized_trait, trait
from budew.taxonomy.rating_scales import INTENSITY, nearest_level

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_PARTS = {"emotions", "bursts", "traits", "rated"}
_MINOR_AGES, _ADULT = frozenset(WITHHELD["minor"]["age"]), float(WITHHELD["minor"]["Age_below"])
_SEXUAL_EMOTIONS, _SEXUAL_BURSTS = WITHHELD["sexual"]["emotions"], frozenset(WITHHELD["sexual"]["bursts"])


@dataclass(frozen=True, slots=True, init=False)
class VoiceProfile:
    """Emotions, vocal bursts and traits of a voice.

    Attributes:
        emotions: canonical name to intensity in (0, 1], in the order of `EMOTIONS`; without absent and
            unrated emotions.
        bursts: canonical names of the vocal bursts, each once, in the order of `BURSTS`.
        traits: `gender`, `age`, `accent`, `timbre`, `pace`, `style` to words, voice attributes to
            numbers on their own scales, in the order of `TRAITS`.
        rated: names of the rated emotions, in the order of `EMOTIONS`: all 40, some, or no emotion.

    Example:
        >>> profile = VoiceProfile({"anger": 0.7, "Fear": 0}, ["sobs"], {"gender": "Female"})
        >>> profile.to_json()
        '{"emotions": {"Anger": 0.7}, "bursts": ["Sobs"], "traits": {"gender": "female"}}'
        >>> profile.quantized().emotions["Anger"]
        0.75
        >>> VoiceProfile.from_vector(profile.vector()).emotions.keys() == profile.emotions.keys()
        True
    """

    emotions: Mapping[str, float]
    bursts: tuple[str, ...]
    traits: Mapping[str, str | float]
    rated: tuple[str, ...]

    def __init__(
        self,
        emotions: Mapping[str, float] | None = _NOTHING,
        bursts: Iterable[str] = (),
        traits: Mapping[str, str | float] = _NOTHING,
        rated: Iterable[str] | None = None,
    ) -> None:
        """Bring names and values to canonical form.

        Args:
            emotions: name in any spelling to intensity in [0, 1]; emotions that are not listed are absent.
                None: no emotion is rated.
            bursts: names of vocal bursts, in any spelling.
            traits: name in any spelling to a word, or to a number on the scale of the voice attribute.
            rated: names of the rated emotions; None for all 40.

        Raises:
            InputError: unknown name, intensity outside [0, 1], a voice attribute outside its scale, a word
                instead of a number or the reverse, an invalid accent, an emotion or trait that is given
                twice, or a part of the wrong type.
        """
        known = () if emotions is None else _rated(rated)
        found = _emotions(_mapping("emotions", _NOTHING if emotions is None else emotions))
        if len(known) < len(EMOTIONS):
            found = MappingProxyType({name: found[name] for name in known if name in found})
        object.__setattr__(self, "emotions", found)
        object.__setattr__(self, "rated", known)
        object.__setattr__(self, "bursts", _bursts(bursts))
        object.__setattr__(self, "traits", _traits(_mapping("traits", traits)))

    def __hash__(self) -> int:
        return hash((tuple(self.emotions.items()), self.bursts, tuple(self.traits.items()), self.rated))

    def __reduce__(self) -> tuple[type["VoiceProfile"], tuple[Any, ...]]:
        return type(self), (dict(self.emotions), self.bursts, dict(self.traits), self.rated)

    def __repr__(self) -> str:
        partial = "" if self.fully_rated else f", rated={self.rated!r}"
        return f"VoiceProfile({dict(self.emotions)!r}, {self.bursts!r}, {dict(self.traits)!r}{partial})"

    @property
    def fully_rated(self) -> bool:
        """Whether all 40 emotions are rated; only then a profile without emotions means a neutral voice."""
        return len(self.rated) == len(EMOTIONS)

    @property
    def is_minor(self) -> bool:
        """Whether the age, as a word or a number, is one of a minor (defined in `taxonomy/withheld.yaml`)."""
        return are_of_minor(self.traits)

    @property
    def is_sexual(self) -> bool:
        """Whether a burst is sexual, or an emotion that is at least slight (`taxonomy/withheld.yaml`)."""
        return are_sexual(self.emotions, self.bursts)

    @property
    def is_withheld(self) -> bool:
        """Whether the profile joins a minor with sexual content.

        Such a profile can only be read and counted: `render` rejects it, and jobs and exports leave its clip
        out.
        """
        return self.is_minor and self.is_sexual

    def quantized(self) -> "VoiceProfile":
        """Return a copy with every number rounded to the nearest of five levels of its scale."""
        emotions = {name: nearest_level(intensity) for name, intensity in self.emotions.items()}
        traits = {name: quantized_trait(name, value) for name, value in self.traits.items()}
        return VoiceProfile(emotions, self.bursts, traits, self.rated)

    def vector(self) -> NDArray[np.float32]:
        """Return the intensities as float32 of shape (40,), in the order of `EMOTIONS`; NaN: unrated."""
        vector: NDArray[np.float32] = intensity_matrix([self])[0].astype(np.float32)
        return vector

    @classmethod
    def from_vector(cls, vector: ArrayLike) -> "VoiceProfile":
        """Make a profile from 40 intensities in [0, 1], in the order of `EMOTIONS`; NaN means unrated.

        Raises:
            InputError: the shape is not (40,), or an intensity is outside [0, 1].
        """
        array = np.asarray(vector)
        if array.shape != (len(EMOTIONS),):
            raise InputError(f"a vector of emotions has the shape ({len(EMOTIONS)},), not {array.shape}")
        values = {name: value for name, value in zip(EMOTIONS, array.tolist(), strict=True) if value == value}
        return cls(values, rated=values)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data with the keys `emotions`, `bursts` and `traits`.

        `emotions` is None if no emotion is rated. If some, but not all, are rated, the key `rated` lists
        them.
        """
        emotions = dict(self.emotions) if self.rated else None
        partial = {"rated": list(self.rated)} if self.rated and not self.fully_rated else {}
        return {"emotions": emotions, "bursts": list(self.bursts), "traits": dict(self.traits), **partial}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "VoiceProfile":
        """Make a profile from plain data, as `to_dict` returns it.

        Without the key `rated` all emotions are rated; any other missing key means an empty part.

        Raises:
            InputError: `data` is not a mapping, or has an unknown key or an invalid value.
        """
        if not isinstance(data, Mapping) or not data.keys() <= _PARTS:
            raise InputError(
                "a profile is an object with the keys emotions, bursts, traits and rated, not "
                f"{repr(data)[:60]}"
            )
        return cls(**data)

    def to_json(self) -> str:
        """Return the profile as one line of JSON; equal profiles give equal text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "VoiceProfile":
        """Read a profile from JSON as `to_json` writes it, at most `budew.io.strict_json.LARGEST` bytes.

        Raises:
            InputError: `text` is not strict JSON, or `from_dict` rejects it.
        """
        try:
            data = loads(text)
        except InputError as error:
            raise InputError(f"the profile {error}") from error
        return cls.from_dict(data)


def are_of_minor(traits: Mapping[str, str | float]) -> bool:
    """Return whether the traits have the age of a minor; see `VoiceProfile.is_minor`."""
    number = traits.get("Age", _ADULT)
    return traits.get("age") in _MINOR_AGES or (isinstance(number, float) and number < _ADULT)


def are_sexual(emotions: Mapping[str, float], bursts: Collection[str]) -> bool:
    """Return whether an emotion or burst is sexual; see `VoiceProfile.is_sexual`."""
    levels = (nearest_level(emotions.get(name, 0.0)) for name in _SEXUAL_EMOTIONS)
    return not _SEXUAL_BURSTS.isdisjoint(bursts) or any(levels)


def intensity_matrix(profiles: Iterable[VoiceProfile]) -> NDArray[np.float64]:
    """Return the unrounded intensities of profiles, float64 of shape (profiles, 40); NaN: unrated.

    Example:
        >>> intensity_matrix([VoiceProfile({"Anger": 0.7}), VoiceProfile(None)]).shape
        (2, 40)
    """
    rows = []
    for profile in profiles:
        absent = 0.0 if profile.fully_rated else nan
        values = {**dict.fromkeys(profile.rated, 0.0), **profile.emotions} if absent else profile.emotions
        rows.append([values.get(name, absent) for name in EMOTIONS])
    return np.array(rows, dtype=np.float64).reshape(-1, len(EMOTIONS))


def expectation(profiles: Sequence[VoiceProfile]) -> VoiceProfile:
    """Average parsed captions: mean of each emotion; bursts and traits that more than half of them have.

    A caption without emotions, or one that could not be parsed, counts as 0 for all emotions.
    """
    means = intensity_matrix(profiles).mean(axis=0)
    bursts = Counter(burst for profile in profiles for burst in profile.bursts)
    traits = Counter(trait for profile in profiles for trait in profile.traits.items())
    most = len(profiles) / 2
    return VoiceProfile(
        dict(zip(EMOTIONS, means.tolist(), strict=True)),
        [burst for burst, count in bursts.items() if count > most],
        {name: value for (name, value), count in traits.items() if count > most},
    )


def _mapping(part: str, value: Mapping[str, Any]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InputError(
            f"the {part} of a profile are a mapping from names to values, not {repr(value)[:60]}"
        )
    return value


def _emotions(given: Mapping[str, float]) -> Mapping[str, float]:
    pairs = [(emotion(name), value) for name, value in given.items()]
    intensities = {name: INTENSITY.checked(value, what=f"the intensity of {name!r}") for name, value in pairs}
    _check_unique("emotion", pairs)
    return MappingProxyType({name: intensities[name] for name in EMOTIONS if intensities.get(name)})


def _rated(given: Iterable[str] | None) -> tuple[str, ...]:
    if given is None or given is EMOTIONS:
        return EMOTIONS
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise InputError(f"the rated emotions of a profile are a list of names, not {repr(given)[:60]}")
    known = {emotion(name) for name in given}
    return tuple(name for name in EMOTIONS if name in known) if len(known) < len(EMOTIONS) else EMOTIONS


def _bursts(given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise InputError(f"the bursts of a profile are a list of names, not {repr(given)[:60]}")
    known = {burst(name) for name in given}
    return tuple(name for name in BURSTS if name in known)


def _traits(given: Mapping[str, str | float]) -> Mapping[str, str | float]:
    pairs = [trait(name, value) for name, value in given.items()]
    _check_unique("trait", pairs)
    values = dict(pairs)
    return MappingProxyType({name: values[name] for name in TRAITS if name in values})


def _check_unique(kind: str, pairs: Collection[tuple[str, Any]]) -> None:
    if len(dict(pairs)) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise InputError(f"the profile names the {kind} {twice!r} twice: keep one")
