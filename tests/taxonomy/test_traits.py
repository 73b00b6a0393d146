"""Traits: words of closed sets, accents of an open one, and numbers on the scale of their attribute."""

import pytest

from budew.errors import InputError
from budew.taxonomy import ACCENTS, ATTRIBUTES, CATEGORIES, TRAITS, trait
from budew.taxonomy.traits import LONGEST_ACCENT, quantized_trait


def test_there_are_six_words_and_fifteen_attributes() -> None:
    assert TRAITS[:6] == ("gender", "age", "accent", "timbre", "pace", "style")
    assert len(ATTRIBUTES) == 15
    assert len(TRAITS) == len(set(TRAITS)) == 21


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in CATEGORIES.items() for value in values]
)
def test_every_word_resolves_to_itself_in_any_case(name: str, value: str) -> None:
    assert trait(name.upper(), value.upper()) == (name, value)


@pytest.mark.parametrize(
    ("name", "value", "canonical"),
    [
        ("gender", "woman", "female"),
        ("age", "young_adult", "young adult"),
        ("age", "Middle Aged", "middle-aged"),
        ("style", "Whisper-Talk", "whispered"),
        ("style", "asmr", "ASMR"),
        ("accent", "british", "British"),
        ("accent", "  West   Country ", "West Country"),
    ],
)
def test_words_come_in_their_canonical_form(name: str, value: str, canonical: str) -> None:
    assert trait(name, value) == (name, canonical)


def test_the_value_tells_the_attribute_from_the_word() -> None:
    assert trait("Gender", "male") == ("gender", "male")
    assert trait("gender", -1.5) == ("Gender", -1.5)
    assert trait("confident vs. hesitant", 3) == ("Confident_vs._Hesitant", 3.0)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [("accent", 3, "a word"), ("style", None, "a word"), ("Valence", "high", "a number")],
)
def test_a_value_of_the_wrong_kind_is_refused(name: str, value: object, wanted: str) -> None:
    with pytest.raises(InputError, match=wanted):
        trait(name, value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["fr33", "<b>", "a\x00b", "- -", "", "x" * (LONGEST_ACCENT + 1)])
def test_an_accent_of_anything_but_letters_spaces_and_hyphens_is_refused(value: str) -> None:
    with pytest.raises(InputError, match="accent"):
        trait("accent", value)


def test_known_accents_are_valid_accents() -> None:
    assert [trait("accent", accent)[1] for accent in ACCENTS] == list(ACCENTS)


def test_unknown_words_are_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown gender 'femal'.*'female'"):
        trait("gender", "femal")
    with pytest.raises(InputError, match=r"unknown voice attribute 'Valenz'.*'Valence'"):
        trait("Valenz", 1)


@pytest.mark.parametrize("attribute", ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_an_attribute_holds_its_scale_and_five_levels_of_it(attribute) -> None:
    low, high = attribute.scale.low, attribute.scale.high
    assert trait(attribute.name, low) == (attribute.name, low)
    assert quantized_trait(attribute.name, high) == high
    assert quantized_trait(attribute.name, low + 0.3 * (high - low)) == low + 0.25 * (high - low)
    with pytest.raises(InputError, match=attribute.name.replace(".", r"\.")):
        trait(attribute.name, high + 0.01)
