"""Emotions, bursts and traits: published order, and every form of a name that published data use."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.errors import InputError
from budew.taxonomy import (
    ATTRIBUTES,
    BURST_GROUPS,
    BURSTS,
    CATEGORIES,
    EMOTION_GROUPS,
    EMOTION_TABLE,
    EMOTIONS,
    LONGEST_ACCENT,
    SAME_SOUND,
    TRAITS,
    burst,
    emotion,
    emotion_group,
    misspelt_emotion,
    quantized_trait,
    trait,
)

any_emotion = st.sampled_from(EMOTIONS)


def test_there_are_40_in_the_published_order() -> None:
    assert len(EMOTIONS) == len(set(EMOTIONS)) == 40
    published = {
        1: "Amusement",
        8: "Hope/Optimism",
        19: "Impatience and Irritability",
        32: "Anger",
        40: "Jealousy & Envy",
    }
    assert {number: EMOTIONS[number - 1] for number in published} == published


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("Hope", "Hope/Optimism"),
        ("Hope/Enthusiasm/Optimism", "Hope/Optimism"),
        ("pleasure / ecstasy", "Pleasure/Ecstasy"),
        ("Jealousy_&_Envy", "Jealousy & Envy"),
        ("model_Jealousy_%26_Envy_best.pth", "Jealousy & Envy"),
        ("Hopelessness", "Helplessness"),
        ("model_intoxication_altered_states_of_consciousness_best", "Intoxication/Altered States"),
        ("impatience & irritability", "Impatience and Irritability"),
        ("Surprise", "Astonishment/Surprise"),
    ],
)
def test_forms_in_published_data_resolve(written: str, canonical: str) -> None:
    assert emotion(written) == canonical


@given(
    any_emotion,
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
    st.sampled_from("_ -/"),
    st.booleans(),
)
def test_a_name_resolves_however_it_is_cased_joined_escaped_and_filed(name, case, joint, escaped) -> None:
    written = "model_" + case(name).replace(" ", joint) + "_best"
    assert emotion(quote(written) if escaped else written) == name


def test_every_emotion_is_in_exactly_one_group_and_has_the_sources_classes() -> None:
    assert sorted(name for names in EMOTION_GROUPS.values() for name in names) == sorted(EMOTIONS)
    assert all(name in EMOTION_GROUPS[emotion_group(name)] for name in EMOTIONS)
    assert {row.valence for row in EMOTION_TABLE.values()} == {"positive", "neutral", "mixed", "negative"}
    arousals = {"low", "medium-low", "medium", "medium-high", "high"}
    assert {row.arousal for row in EMOTION_TABLE.values()} == arousals


def test_there_are_82_bursts_in_16_groups_and_each_resolves_from_its_file_name() -> None:
    assert len(BURSTS) == len(set(BURSTS)) == 82
    assert len(BURST_GROUPS) == 16
    assert [burst(name.lower().replace(" ", "_").replace("'", "’")) for name in BURSTS] == list(BURSTS)


def test_names_of_one_sound_are_bursts_of_one_group() -> None:
    group_of = {name: group for group, names in BURST_GROUPS.items() for name in names}
    assert SAME_SOUND
    assert all(group_of[name] == group_of[first] for name, first in SAME_SOUND.items())
    assert {SAME_SOUND[first] for first in SAME_SOUND.values()} == set(SAME_SOUND.values())


def test_there_are_six_words_two_of_the_recording_and_fifteen_attributes() -> None:
    assert TRAITS[:6] == ("gender", "age", "accent", "timbre", "pace", "style")
    assert TRAITS[6:8] == ("volume", "distance")
    assert len(ATTRIBUTES) == 15
    assert len(TRAITS) == len(set(TRAITS)) == 23


def test_every_word_resolves_to_itself_in_any_case() -> None:
    words = [(name, value) for name, values in CATEGORIES.items() for value in values]
    assert [trait(name.upper(), value.upper()) for name, value in words] == words


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


@pytest.mark.parametrize(
    ("word", "nearest"),
    [
        ("Happiness", "Elation"),
        ("joy", "Elation"),
        ("Angar", "Anger"),
        ("sadnes", "Sadness"),
        ("duration", None),
    ],
)
def test_the_emotion_of_that_meaning_is_suggested_first(word: str, nearest: str | None) -> None:
    assert misspelt_emotion(word) == nearest
    with pytest.raises(InputError, match=f"known names are '{nearest or ''}"):
        emotion(word)
