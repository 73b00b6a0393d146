"""Names resolve by a normal form, and what does not resolve is refused with the nearest names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.errors import InputError
from budew.taxonomy import LONGEST_NAME, NameIndex, normal_form
from tests.growth import is_linear

INDEX = NameIndex.build("colour", {"Red": ("Crimson",), "Blue & Green": ("Teal",), "Grey": ()})


@pytest.mark.parametrize(
    "spelling",
    [
        "blue_and_green",
        "BLUE%20%26%20GREEN",
        "Blue &amp; Green",
        "model_Blue_&_Green_best.pth",
        " blue-green ",
    ],
)
def test_spellings_of_one_name_share_a_normal_form(spelling: str) -> None:
    assert normal_form(spelling) == "bluegreen"
    assert INDEX.resolve(spelling) == "Blue & Green"


@pytest.mark.parametrize(
    "aliases", [{"Dark Red": (), "dark_red": ()}, {"Red": ("Warm",), "Orange": ("warm",)}]
)
def test_two_names_with_one_normal_form_cannot_be_indexed(aliases) -> None:
    with pytest.raises(ValueError, match="stands for both"):
        NameIndex.build("colour", aliases)


def test_an_unknown_name_is_refused_with_the_nearest_first() -> None:
    with pytest.raises(InputError, match=r"unknown colour 'Crimsn'.* 'Red', "):
        INDEX.resolve("Crimsn")
    assert INDEX.nearest("Crimsn")[0] == "Red"
    assert len(set(INDEX.nearest("Crimsn"))) == 3


def test_a_name_that_is_no_text_is_refused_by_its_type() -> None:
    with pytest.raises(InputError, match="colour names must be text, not int"):
        INDEX.resolve(3)  # type: ignore[arg-type]


def test_a_hostile_name_costs_neither_time_nor_a_long_message() -> None:
    def resolve(copies: int) -> None:
        with pytest.raises(InputError) as caught:
            INDEX.resolve("red " * copies)
        assert len(str(caught.value)) < 3 * LONGEST_NAME

    assert is_linear(resolve, 100_000)


@given(st.text(max_size=120))
def test_any_text_resolves_or_is_refused(text: str) -> None:
    if text in INDEX:
        assert INDEX.resolve(text) in INDEX.names
    else:
        with pytest.raises(InputError):
            INDEX.resolve(text)
        assert set(INDEX.nearest(text)) <= set(INDEX.names)
