"""A profile is immutable data in canonical form, and its views (JSON, dictionary, vector) lose nothing."""

import copy
import json
import math
import pickle
from contextlib import suppress
from dataclasses import FrozenInstanceError, replace
from unicodedata import is_normalized

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from budew.errors import InputError
from budew.io.strict_json import LARGEST
from budew.profile import VoiceProfile
from budew.taxonomy import ACCENTS, ATTRIBUTES, BURSTS, CATEGORIES, EMOTIONS, LEVELS

words = {name: st.sampled_from(values) for name, values in CATEGORIES.items()}
free_accent = st.text(st.characters(categories=["L"]) | st.sampled_from(" -"), min_size=1, max_size=40)
accents = st.sampled_from(ACCENTS) | free_accent.filter(
    lambda text: any(map(str.isalpha, text)) and is_normalized("NFC", text)
)
numbers = {name: st.floats(row.scale.low, row.scale.high) for name, row in ATTRIBUTES.items()}
profiles = st.builds(
    VoiceProfile,
    emotions=st.none() | st.dictionaries(st.sampled_from(EMOTIONS), st.floats(0, 1)),
    rated=st.none() | st.sets(st.sampled_from(EMOTIONS)),
    bursts=st.lists(st.sampled_from(BURSTS)),
    traits=st.fixed_dictionaries({}, optional={**words, "accent": accents, **numbers}),
)
vectors = st_numpy.arrays(np.float32, 40, elements=st.floats(0, 1, width=32) | st.just(math.nan))


@given(profiles)
def test_json_gives_back_the_profile(profile: VoiceProfile) -> None:
    assert VoiceProfile.from_json(profile.to_json()) == profile
    assert VoiceProfile.from_json(profile.to_json().encode()) == profile
    assert VoiceProfile.from_dict(profile.to_dict()) == profile


@given(profiles)
def test_the_representation_evaluates_to_the_profile(profile: VoiceProfile) -> None:
    assert eval(repr(profile), {"VoiceProfile": VoiceProfile}) == profile


@given(vectors)
def test_a_vector_gives_back_the_vector(vector: np.ndarray) -> None:
    returned = VoiceProfile.from_vector(vector).vector()
    assert returned.dtype == np.float32
    assert np.array_equal(returned, vector, equal_nan=True)


@given(profiles)
def test_quantizing_moves_to_levels_at_most_an_eighth_and_only_once(profile: VoiceProfile) -> None:
    quantized = profile.quantized()
    assert set(quantized.emotions.values()) <= set(LEVELS[1:])
    assert quantized.rated == profile.rated
    assert np.all(np.abs(np.nan_to_num(quantized.vector()) - np.nan_to_num(profile.vector())) <= 0.125)
    assert quantized.quantized() == quantized
    assert quantized.bursts == profile.bursts


@given(profiles)
def test_equal_profiles_are_equal_objects_with_equal_json(profile: VoiceProfile) -> None:
    emotions, traits = (dict(reversed(part.items())) for part in (profile.emotions, profile.traits))
    turned = VoiceProfile(emotions, profile.bursts[::-1], traits, profile.rated[::-1])
    assert (turned, hash(turned), turned.to_json()) == (profile, hash(profile), profile.to_json())


@given(profiles)
def test_a_profile_survives_pickling_and_copying(profile: VoiceProfile) -> None:
    assert pickle.loads(pickle.dumps(profile)) == profile
    assert copy.deepcopy(profile) == profile


@given(profiles, vectors)
def test_values_of_unrated_emotions_change_nothing(profile: VoiceProfile, noise: np.ndarray) -> None:
    filled = {name: value for name, value in zip(EMOTIONS, noise.tolist(), strict=True) if value == value}
    noisy = VoiceProfile(
        filled | dict.fromkeys(profile.rated, 0.0) | dict(profile.emotions), rated=profile.rated
    )
    clean = replace(profile, bursts=(), traits={})
    assert (noisy, hash(noisy), noisy.to_json()) == (clean, hash(clean), clean.to_json())
    assert np.array_equal(noisy.vector(), clean.vector(), equal_nan=True)


def test_some_emotions_can_be_rated_and_the_others_are_neither_present_nor_absent() -> None:
    profile = VoiceProfile({"Shame": 0.5}, rated=["Anger", "Shame"])
    assert profile.rated == ("Shame", "Anger")
    assert not profile.fully_rated
    assert profile.to_dict()["rated"] == ["Shame", "Anger"]
    assert {
        name: value for name, value in zip(EMOTIONS, profile.vector(), strict=True) if value == value
    } == {
        "Shame": 0.5,
        "Anger": 0.0,
    }
    assert VoiceProfile({"Shame": 0.5}, rated=EMOTIONS) == VoiceProfile({"Shame": 0.5})
    assert VoiceProfile({}, rated=[]) == VoiceProfile(None)
    assert replace(profile, emotions={"Pain": 1.0}) == VoiceProfile({}, rated=["Anger", "Shame"])


def test_unknown_emotions_are_not_absent_ones_and_stay_unknown_in_copies() -> None:
    unknown, none = VoiceProfile(None, ["Tsk"]), VoiceProfile({}, ["Tsk"])
    assert (unknown.rated, none.rated) == ((), EMOTIONS)
    assert dict(unknown.emotions) == {}
    assert unknown != none
    assert np.isnan(unknown.vector()).all()
    assert (unknown.to_json(), none.to_json()) == (
        '{"emotions": null, "bursts": ["Tsk"], "traits": {}}',
        '{"emotions": {}, "bursts": ["Tsk"], "traits": {}}',
    )
    assert VoiceProfile.from_dict({"bursts": ["Tsk"]}) == none
    for copied in (unknown, copy.deepcopy(unknown), pickle.loads(pickle.dumps(unknown))):
        assert replace(copied, bursts=()) == VoiceProfile(None)


def test_names_become_canonical_and_absent_emotions_are_left_out() -> None:
    profile = VoiceProfile(
        {"model_Anger_best": 1, "Hope": 0.3, "Fear": 0, "Pain": -0.0}, ["TSK", "tsk", "quiet_sob"]
    )
    assert dict(profile.emotions) == {"Hope/Optimism": 0.3, "Anger": 1.0}
    assert list(profile.emotions) == ["Hope/Optimism", "Anger"]
    assert profile.bursts == ("Quiet Sob", "Tsk")
    assert profile.vector()[EMOTIONS.index("Anger")] == 1
    assert '"Valence": 0.0' in VoiceProfile(traits={"Valence": -0.0}).to_json()


def test_a_profile_cannot_be_changed() -> None:
    given_emotions = {"Anger": 0.5}
    profile = VoiceProfile(given_emotions)
    given_emotions["Anger"] = 1.0
    assert profile.emotions["Anger"] == 0.5
    with pytest.raises(TypeError):
        profile.emotions["Anger"] = 1.0  # type: ignore[index]
    with pytest.raises(FrozenInstanceError):
        profile.bursts = ()  # type: ignore[misc]
    assert replace(profile, bursts=("Tsk",)) == VoiceProfile({"Anger": 0.5}, ["Tsk"])


@pytest.mark.parametrize(
    "value", [-0.1, 1.1, math.nan, math.inf, True, "0.5", None, 10**400, np.float32("nan")]
)
def test_an_invalid_intensity_is_rejected_by_the_name_of_its_emotion(value: object) -> None:
    with pytest.raises(InputError, match="'Malevolence/Malice' must be a number from 0 to 1"):
        VoiceProfile({"malice": value})  # type: ignore[dict-item]


def test_a_vector_is_refused_for_its_shape_or_for_one_emotion() -> None:
    with pytest.raises(InputError, match=r"\(40,\), not \(39,\)"):
        VoiceProfile.from_vector(np.zeros(39))
    vector = np.zeros(40)
    vector[EMOTIONS.index("Shame")] = np.inf
    with pytest.raises(InputError, match="Shame"):
        VoiceProfile.from_vector(vector)


def test_one_emotion_or_trait_under_two_names_is_refused() -> None:
    with pytest.raises(InputError, match="'Hope/Optimism' twice"):
        VoiceProfile({"Hope": 0.5, "Optimism": 0.5})
    with pytest.raises(InputError, match="'age' twice"):
        VoiceProfile(traits={"age": "child", "AGE": "adult"})


@pytest.mark.parametrize(
    "data",
    [
        {"emotions": {"Joyness": 1}},
        {"emotions": {"Anger": 2}},
        {"emotions": [["Anger", 1]]},
        {"emotions": []},
        {"emotions_known": False},
        {"rated": "Anger"},
        {"rated": ["Joyness"]},
        {"rated": [1]},
        {"bursts": "Tsk"},
        {"bursts": [1]},
        {"bursts": None},
        {"bursts": {"Tsk": 1}},
        {"traits": {"Valence": [1]}},
        {"traits": {"accent": 1}},
        {"traits": {"shoe size": 44}},
        {"emotion": {"Anger": 1}},
        [],
        "x",
    ],
)
def test_data_that_describe_no_profile_are_rejected(data: object) -> None:
    with pytest.raises(InputError) as caught:
        VoiceProfile.from_json(json.dumps(data))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON|nested|UTF-8"),
        ("{", "not JSON|nested|UTF-8"),
        (b"\xff\xfe\xff", "not JSON|nested|UTF-8"),
        ('{"emotions": {"Anger": NaN}}', "NaN"),
        ('{"emotions": {"Anger": -Infinity}}', "Infinity"),
        ('{"emotions": {"Anger": 1, "Anger": 0}}', "twice"),
        ("[" * 100_000, "not JSON|nested|UTF-8"),
        ('{"emotions": {"Anger": ' + "9" * 5000 + "}}", "not JSON|nested|UTF-8"),
        (" " * (LARGEST + 1), "longer than"),
    ],
)
def test_hostile_json_is_refused_with_a_reason(text: str | bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        VoiceProfile.from_json(text)


def test_a_text_of_the_largest_size_is_read() -> None:
    assert VoiceProfile.from_json("{}".ljust(LARGEST)) == VoiceProfile()


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_a_profile_or_a_value_error(data: object) -> None:
    for text in (json.dumps(data), json.dumps({"emotions": data, "traits": data})):
        with suppress(ValueError):
            assert isinstance(VoiceProfile.from_json(text), VoiceProfile)
