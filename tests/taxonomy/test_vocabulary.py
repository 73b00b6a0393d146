"""The 40 emotions and 82 bursts: published order, and every form of a name that published data use."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.taxonomy import (
    BURST_GROUPS,
    BURSTS,
    EMOTION_GROUPS,
    EMOTION_TABLE,
    EMOTIONS,
    burst,
    emotion,
    emotion_group,
)
from budew.taxonomy.names import normal_form

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
        ("Hope_Enthusiasm_Optimism_best", "Hope/Optimism"),
        ("model_hope_enthusiasm_optimism_best", "Hope/Optimism"),
        ("Pleasure", "Pleasure/Ecstasy"),
        ("pleasure / ecstasy", "Pleasure/Ecstasy"),
        ("Jealousy / Envy", "Jealousy & Envy"),
        ("Jealousy_&_Envy", "Jealousy & Envy"),
        ("Jealousy_and_Envy", "Jealousy & Envy"),
        ("model_Jealousy_%26_Envy_best.pth", "Jealousy & Envy"),
        ("Hopelessness", "Helplessness"),
        ("Malevolence", "Malevolence/Malice"),
        ("Malevolence_Malice", "Malevolence/Malice"),
        ("Fatigue", "Fatigue/Exhaustion"),
        ("Intoxication/Altered States", "Intoxication/Altered States"),
        ("Intoxication/Altered States of Consciousness", "Intoxication/Altered States"),
        ("model_intoxication_altered_states_of_consciousness_best", "Intoxication/Altered States"),
        ("Impatience%20and%20Irritability", "Impatience and Irritability"),
        ("impatience & irritability", "Impatience and Irritability"),
        ("Anger_best", "Anger"),
        ("model_Anger_best", "Anger"),
        ("EMOTIONAL NUMBNESS", "Emotional Numbness"),
        ("Sexual_Lust", "Sexual Lust"),
        ("Thankfulness_Gratitude", "Thankfulness/Gratitude"),
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


def test_every_alias_in_the_data_is_needed() -> None:
    for row in EMOTION_TABLE.values():
        for alias in row.aliases:
            assert normal_form(alias) != normal_form(row.name)


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
