"""Scores under any spelling become a profile, each on its own scale, beside what was known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.annotation.head_files import canonical
from budew.annotation.heads import scored
from budew.errors import InputError
from budew.profile import VoiceProfile
from budew.taxonomy import ATTRIBUTES, EMOTIONS
from budew.taxonomy.scales import SCALES, to_intensity


def test_names_are_known_in_any_spelling_and_others_are_not():
    assert canonical("Hope_Enthusiasm_Optimism") == "Hope/Optimism"
    assert canonical("Jealousy%20%26%20Envy") == "Jealousy & Envy"
    assert canonical("high-pitched_vs._low-pitched") == "High-Pitched_vs._Low-Pitched"
    assert canonical("Age") == "Age"
    for other in ("age", "gender", "loudness", "score_speech_quality", "", "x" * 500):
        assert canonical(other) is None


@given(
    st.dictionaries(st.sampled_from(EMOTIONS), st.floats(0, 1), max_size=6),
    st.dictionaries(st.sampled_from(sorted(set(ATTRIBUTES) - {"Gender"})), st.floats(0, 1), max_size=4),
    st.sampled_from([*SCALES, "intensity"]),
)
def test_scores_come_back_as_the_intensities_that_they_stand_for(emotions, attributes, scale):
    span = SCALES[scale].high if scale in SCALES else 1.0
    numbers = {
        name: ATTRIBUTES[name].scale.low + share * (ATTRIBUTES[name].scale.high - ATTRIBUTES[name].scale.low)
        for name, share in attributes.items()
    }
    profile = scored({name: share * span for name, share in emotions.items()} | numbers, scale=scale)
    for name, share in emotions.items():
        assert profile.emotions.get(name, 0.0) == pytest.approx(share, abs=1e-4)
    assert profile.traits == pytest.approx(numbers, abs=1e-4)


def test_an_overshoot_is_the_end_of_the_scale_and_more_is_an_error():
    assert scored({"Awe": 4.5, "Valence": -3.7}, scale="bud-e") == VoiceProfile(
        {"Awe": 1}, (), {"Valence": -3}
    )
    for score in (4.7, -0.7, float("nan"), float("inf")):
        with pytest.raises(InputError, match=r"Awe is .*'bud-e'"):
            scored({"Awe": score}, scale="bud-e")
    with pytest.raises(InputError, match="Awe is 7"):
        scored({"Awe": 7}, scale="bud-e")
    assert to_intensity(7, "emonet-face") == scored({"Awe": 7}, scale="emonet-face").emotions["Awe"]


def test_what_has_no_score_stays_and_what_has_is_replaced():
    before = VoiceProfile({"Awe": 0.5, "Fear": 0.5}, ["Cough"], {"pace": "slow", "Arousal": 1})
    after = scored({"Fear": 0.0, "Arousal": 3.0, "Pride": 2.0}, scale="bud-e", onto=before)
    assert after == VoiceProfile({"Awe": 0.5, "Pride": 0.5}, ["Cough"], {"pace": "slow", "Arousal": 3})


def test_a_score_makes_emotions_known_even_where_it_is_zero_and_attributes_alone_do_not():
    assert scored({"Arousal": 3.0}, scale="bud-e") == VoiceProfile(None, (), {"Arousal": 3})
    assert scored({"Arousal": 3.0}, scale="bud-e", onto=VoiceProfile()).emotions_known
    assert scored({"Awe": 0.0}, scale="bud-e", onto=VoiceProfile(None, ["Cough"])) == VoiceProfile(
        {}, ["Cough"]
    )


@pytest.mark.parametrize(("number", "word"), [(1.5, "female"), (-1.0, "male"), (0.6, None), (-0.9, None)])
def test_gender_is_a_word_where_its_number_is_sure(number, word):
    assert scored({"Gender": number}, scale="bud-e").traits.get("gender") == word
    known = VoiceProfile({}, (), {"gender": "androgynous"})
    assert scored({"Gender": number}, scale="bud-e", onto=known).traits["gender"] == "androgynous"
