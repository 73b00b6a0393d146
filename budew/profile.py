"""`VoiceProfile`: emotions, bursts and traits of a voice, which captions and vectors of 40 scores express.

Immutable, hashable, picklable, and always in canonical form: equal profiles give equal JSON, equal captions.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from budew.errors import InputError
from budew.strict_json import loads
from budew.taxonomy import BURSTS, EMOTIONS, TRAITS, burst, emotion, quantized_trait, trait
from budew.taxonomy.scales import INTENSITY, nearest_level

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_UNKNOWN: Mapping[str, float] = MappingProxyType({})
"""Known by its identity, so that emotions handed from one profile to another stay unknown."""
_PARTS = {"emotions", "bursts", "traits"}


@dataclass(frozen=True, slots=True, init=False)
class VoiceProfile:
    """Emotions, vocal bursts and traits of a voice.

    Attributes:
        emotions: canonical name to intensity in (0, 1], in the order of `EMOTIONS`; absent ones are omitted.
            Empty if they are unknown; a profile made from that mapping has unknown emotions too.
        bursts: vocal bursts, each once, in the order of `BURSTS`.
        traits: `gender`, `age`, `accent`, `timbre`, `pace`, `style` as words, voice attributes as
            numbers on their own scales, in the order of `TRAITS`.
        emotions_known: False if the emotions have not been annotated; unknown is different from absent.
    """

    emotions: Mapping[str, float]
    bursts: tuple[str, ...]
    traits: Mapping[str, str | float]
    emotions_known: bool = field(init=False)

    def __init__(
        self,
        emotions: Mapping[str, float] | None = _NOTHING,
        bursts: Iterable[str] = (),
        traits: Mapping[str, str | float] = _NOTHING,
    ) -> None:
        """Bring names and values to canonical form. Emotions that are None are unknown.

        Raises:
            InputError: unknown name, intensity outside [0, 1], a voice attribute outside its scale, a word
                instead of a number or the reverse, an invalid accent, two names for one emotion or trait, or
                a part of the wrong type.
        """
        given = _UNKNOWN if emotions is None else emotions
        known = given is not _UNKNOWN
        object.__setattr__(self, "emotions", _emotions(_mapping("emotions", given)) if known else given)
        object.__setattr__(self, "emotions_known", known)
        object.__setattr__(self, "bursts", _bursts(bursts))
        object.__setattr__(self, "traits", _traits(_mapping("traits", traits)))

    def __hash__(self) -> int:
        return hash((tuple(self.emotions.items()), self.bursts, tuple(self.traits.items())))

    def __reduce__(self) -> tuple[type["VoiceProfile"], tuple[Any, ...]]:
        return type(self), tuple(self.to_dict().values())

    def quantized(self) -> "VoiceProfile":
        """Return the profile with every number rounded to one of five levels."""
        emotions = {name: nearest_level(intensity) for name, intensity in self.emotions.items()}
        traits = {name: quantized_trait(name, value) for name, value in self.traits.items()}
        return VoiceProfile(emotions if self.emotions_known else None, self.bursts, traits)

    def vector(self) -> NDArray[np.float32]:
        """Return the intensities as float32 of shape (40,), in the order of `EMOTIONS`.

        All are NaN if the emotions are unknown, so that metrics computed from them are NaN too.
        """
        if not self.emotions_known:
            return np.full(len(EMOTIONS), np.nan, dtype=np.float32)
        return np.array([self.emotions.get(name, 0.0) for name in EMOTIONS], dtype=np.float32)

    @classmethod
    def from_vector(cls, vector: ArrayLike) -> "VoiceProfile":
        """Make a profile of 40 intensities in [0, 1], in the order of `EMOTIONS`.

        Raises:
            InputError: the shape is not (40,), or an intensity is not a number in [0, 1]; names the emotion.
        """
        array = np.asarray(vector)
        if array.shape != (len(EMOTIONS),):
            raise InputError(f"a vector of emotions has the shape ({len(EMOTIONS)},), not {array.shape}")
        return cls(dict(zip(EMOTIONS, array.tolist(), strict=True)))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data with the keys `emotions` (None where they are unknown), `bursts` and `traits`."""
        emotions = dict(self.emotions) if self.emotions_known else None
        return {"emotions": emotions, "bursts": list(self.bursts), "traits": dict(self.traits)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "VoiceProfile":
        """Make a profile of plain data. A missing key means empty; emotions that are None are unknown.

        Raises:
            InputError: not a mapping, a key other than the three, or as for the class.
        """
        if not isinstance(data, Mapping) or not data.keys() <= _PARTS:
            raise InputError(
                f"a profile is an object with the keys emotions, bursts and traits, not {repr(data)[:60]}"
            )
        return cls(**data)

    def to_json(self) -> str:
        """Return the profile as JSON on one line, the same text for equal profiles."""
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "VoiceProfile":
        """Read what `to_json` wrote, at most `budew.strict_json.LARGEST` bytes.

        Raises:
            InputError: not strict JSON, or as for `from_dict`.
        """
        try:
            data = loads(text)
        except InputError as error:
            raise InputError(f"the profile {error}") from error
        return cls.from_dict(data)


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
