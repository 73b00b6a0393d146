"""Rating scales of the field, and their conversion to intensity.

Ratings are converted when they are read. In this package an intensity is a float in [0, 1], and captions
express five levels of it.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from math import nan
from numbers import Real

from budew.errors import InputError
from budew.io.resources import packaged_table

LEVELS: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The intensities that captions can express."""

LEVEL_NAMES: tuple[str, ...] = ("absent", "slight", "moderate", "strong", "extreme")
"""Names of the levels, in the order of `LEVELS`."""

_BOUNDARIES = (0.125, 0.375, 0.625, 0.875)
_FROM_TO = re.compile(r"(\d{1,4})\s*[-–]\s*(\d{1,4})")


@dataclass(frozen=True, slots=True)
class Scale:
    """A rating scale from `low` (absent) to `high` (strongest possible), both finite."""

    name: str
    low: float
    high: float

    def checked(self, value: object, *, what: str = "value") -> float:
        """Return `value` as a float.

        Raises:
            InputError: `value` is not a number within the scale; the message begins with `what`.
        """
        number = _as_float(value)
        if self.low <= number <= self.high:
            return number + 0.0  # no negative zero
        raise InputError(
            f"{what} must be a number from {self.low:g} to {self.high:g}, not {repr(value)[:40]}"
        )

    def clipped(self, value: float) -> float:
        """Return the nearest value within the scale, for predictions beyond its ends."""
        return min(max(value, self.low), self.high)


INTENSITY = Scale("intensity", 0.0, 1.0)

SCALES: Mapping[str, Scale] = {
    name: Scale(name, float(row["low"]), float(row["high"]))
    for name, row in packaged_table(__package__, "scales").items()
}
"""Named scales: `bud-e`, `scalar-target`, `emonet-voice`, `emonet-face`, `voicenet`, `report`."""


def to_intensity(value: float, scale: str | Scale) -> float:
    """Convert a rating on `scale` to an intensity in [0, 1].

    Raises:
        InputError: the rating is not a number within the scale.
        KeyError: no scale has this name.

    Example:
        >>> to_intensity(3, "bud-e")
        0.75
    """
    chosen = _scale(scale)
    rating = chosen.checked(value, what=f"a rating on the scale {chosen.name!r}")
    return (rating - chosen.low) / (chosen.high - chosen.low)


def from_intensity(intensity: float, scale: str | Scale) -> float:
    """Convert an intensity in [0, 1] to a rating on `scale`.

    Raises:
        InputError: the intensity is not a number in [0, 1].
        KeyError: no scale has this name.

    Example:
        >>> from_intensity(0.75, "emonet-face")
        5.25
    """
    chosen = _scale(scale)
    return chosen.low + INTENSITY.checked(intensity, what="an intensity") * (chosen.high - chosen.low)


def scale_named(name: str) -> Scale:
    """Return a rating scale by its name, such as `bud-e`, or by its ends, such as `0-4`.

    Raises:
        InputError: there is no such scale.

    Example:
        >>> scale_named("0-4").high
        4.0
    """
    known = {INTENSITY.name: INTENSITY, **SCALES}
    if name in known:
        return known[name]
    ends = _FROM_TO.fullmatch(name.strip())
    if ends is None or int(ends[1]) >= int(ends[2]):
        raise InputError(
            f"{name!r} is not a rating scale: give its ends, as in '0-4', or one of {', '.join(known)}"
        )
    return Scale(f"{int(ends[1])}-{int(ends[2])}", float(ends[1]), float(ends[2]))


def nearest_level(intensity: float) -> float:
    """Round an intensity to the nearest of `LEVELS`; halfway between two levels, to the stronger one.

    Raises:
        InputError: the intensity is not a number in [0, 1].

    Example:
        >>> nearest_level(0.7)
        0.75
    """
    return LEVELS[_level_index(intensity)]


def level_name(intensity: float) -> str:
    """Return the name of the nearest level: absent, slight, moderate, strong or extreme.

    Example:
        >>> level_name(0.7)
        'strong'
    """
    return LEVEL_NAMES[_level_index(intensity)]


def _level_index(intensity: float) -> int:
    return bisect_right(_BOUNDARIES, INTENSITY.checked(intensity, what="an intensity"))


def _as_float(value: object) -> float:
    """Return a real number as a float, and NaN, which is on no scale, for anything else."""
    if type(value) is float:  # the usual case; the check below takes a microsecond
        return value
    if isinstance(value, bool) or not isinstance(value, Real):
        return nan
    try:
        return float(value)
    except OverflowError:  # an integer of 400 digits
        return nan


def _scale(scale: str | Scale) -> Scale:
    return scale if isinstance(scale, Scale) else SCALES[scale]
