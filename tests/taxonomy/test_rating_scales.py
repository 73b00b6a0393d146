"""Ratings become intensities and back; intensities round to levels."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.errors import InputError
from budew.taxonomy.rating_scales import (
    LEVEL_NAMES,
    LEVELS,
    SCALES,
    Scale,
    from_intensity,
    level_name,
    nearest_level,
    scale_named,
    to_intensity,
)

intensities = st.floats(0, 1)


@pytest.mark.parametrize(
    ("scale", "rating", "intensity"),
    [
        ("bud-e", 3, 0.75),
        ("scalar-target", 5, 1.0),
        ("emonet-voice", 1, 0.5),
        ("emonet-face", 3.5, 0.5),
        ("voicenet", 0, 0.0),
        ("report", 2.5, 0.25),
    ],
)
def test_the_scales_of_the_field_convert(scale: str, rating: float, intensity: float) -> None:
    assert to_intensity(rating, scale) == intensity
    assert from_intensity(intensity, scale) == rating


@pytest.mark.parametrize("rating", [-0.01, 4.01, math.nan, True, "3", None, 10**400])
def test_a_value_outside_the_scale_is_rejected(rating: object) -> None:
    with pytest.raises(InputError, match=r"'bud-e' must be a number from 0 to 4"):
        to_intensity(rating, "bud-e")  # type: ignore[arg-type]


@pytest.mark.parametrize("rating", [np.float32(2), np.int64(2), Fraction(2)])
def test_any_real_number_is_a_rating(rating: float) -> None:
    assert to_intensity(rating, "bud-e") == 0.5


def test_levels_and_their_names_go_together() -> None:
    assert [level_name(level) for level in LEVELS] == list(LEVEL_NAMES)


@given(intensities)
def test_rounding_gives_the_level_that_is_nearest(intensity: float) -> None:
    rounded = Fraction(nearest_level(intensity))
    assert abs(rounded - Fraction(intensity)) == min(
        abs(Fraction(level) - Fraction(intensity)) for level in LEVELS
    )


@pytest.mark.parametrize(("halfway", "level"), [(0.125, 0.25), (0.375, 0.5), (0.625, 0.75), (0.875, 1.0)])
def test_halfway_goes_to_the_stronger_level_and_just_below_does_not(halfway: float, level: float) -> None:
    assert nearest_level(halfway) == level
    assert nearest_level(math.nextafter(halfway, 0)) == level - 0.25


def test_overshooting_predictions_can_be_clipped() -> None:
    valence = Scale("Valence", -3, 3)
    assert [valence.clipped(value) for value in (-3.69, 0.5, 4)] == [-3, 0.5, 3]


@pytest.mark.parametrize("name", ["0-0", "9-1", "loud"])
def test_an_invalid_scale_is_rejected(name: str) -> None:
    with pytest.raises(InputError, match="not a rating scale"):
        scale_named(name)


def test_a_scale_is_known_by_its_name_and_by_its_ends() -> None:
    assert scale_named("bud-e") is SCALES["bud-e"]
    assert scale_named(" 1 – 5 ") == Scale("1-5", 1.0, 5.0)
