"""Emotions that stand out in their corpus are kept, and parts of which the annotation is sure."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.captions.salience import LEAST_SPREAD, Baseline, salient, supported, with_words
from budew.errors import InputError
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS

LAUGHTER = [VoiceProfile({"Amusement": 0.6 + 0.002 * number}) for number in range(101)]


@given(st.lists(st.lists(st.integers(0, 1000), min_size=40, max_size=40), min_size=1, max_size=12))
def test_median_and_spread_are_those_of_numpy(rows):
    table = np.array(rows) / 1000
    baseline = Baseline.from_profiles(map(VoiceProfile.from_vector, table))
    medians = np.median(table, axis=0)
    spreads = 1.4826 * np.median(np.abs(table - medians), axis=0)
    assert list(baseline.median.values()) == pytest.approx(medians, abs=1e-9)
    assert list(baseline.spread.values()) == pytest.approx(np.maximum(spreads, LEAST_SPREAD), abs=1e-5)
    assert baseline.clips == len(rows)


def test_an_unusual_emotion_is_kept_and_the_usual_one_of_the_corpus_is_not():
    annotated = VoiceProfile(
        {"Amusement": 0.7, "Sadness": 0.2, "Fear": 0.05}, ["Chuckle"], {"gender": "male"}
    )
    kept = salient(annotated, Baseline.from_profiles(LAUGHTER))
    assert kept == VoiceProfile({"Sadness": 0.2}, ["Chuckle"], {"gender": "male"})


def test_unknown_emotions_are_in_no_baseline_and_stay_unknown():
    unknown = VoiceProfile(None, ["Yawn"], {"Gender": 2.0})
    laughter = Baseline.from_profiles(LAUGHTER)
    assert Baseline.from_profiles([unknown, *LAUGHTER, unknown]) == laughter
    with pytest.raises(InputError, match="rated"):
        Baseline.from_profiles([unknown])
    assert salient(unknown, laughter) == unknown
    assert supported(unknown, {"yawn": 0.1}) == VoiceProfile(None, (), {"Gender": 2.0})
    assert with_words(unknown) == VoiceProfile(None, ["Yawn"], {"Gender": 2.0, "gender": "female"})


def test_of_many_that_stand_out_the_most_salient_are_kept():
    annotated = VoiceProfile({"Amusement": 1.0, "Sadness": 0.5, "Fear": 0.15})
    kept = salient(annotated, Baseline.from_profiles(LAUGHTER), max_emotions=2)
    assert set(kept.emotions) == {"Amusement", "Sadness"}


@given(st.dictionaries(st.sampled_from(EMOTIONS), st.floats(0, 1)), st.floats(0, 5))
def test_salience_only_removes_emotions(emotions, min_z):
    annotated = VoiceProfile(emotions)
    kept = salient(annotated, Baseline.from_profiles(LAUGHTER), min_z=min_z)
    assert kept.emotions.items() <= annotated.emotions.items()


def test_parts_of_low_confidence_are_left_out():
    annotated = VoiceProfile({"Fear": 0.5, "Awe": 0.5}, ["Yawn"], {"gender": "female", "age": "adult"})
    sure = supported(annotated, {"Fear": 0.9, "awe": 0.2, "gender": 0.49, "yawn": 0.1})
    assert sure == VoiceProfile({"Fear": 0.5}, [], {"age": "adult"})


def test_gender_as_a_word_and_as_a_number_have_a_confidence_each():
    annotated = VoiceProfile(traits={"gender": "female", "Gender": 2.0})
    assert supported(annotated, {"gender": 0.1}).traits == {"Gender": 2.0}
    assert supported(annotated, {"Gender": 0.1}).traits == {"gender": "female"}


@pytest.mark.parametrize(
    ("confidence", "kind", "message"),
    [
        ({"Angr": 0.9}, InputError, "'Angr'"),
        ({"Fear": float("nan")}, InputError, "confidence of 'Fear'"),
        ({"Fear": "high"}, InputError, "from 0 to 1"),
        ({"Fear": 1.5}, InputError, "from 0 to 1"),
        ({"Fear": 0.1, "fear": 0.9}, ValueError, "two spellings"),
    ],
)
def test_an_invalid_confidence_is_rejected(confidence, kind, message):
    with pytest.raises(kind, match=message):
        supported(VoiceProfile({"Fear": 0.5}), confidence)


@pytest.mark.parametrize(
    "wrong", [{"max_emotions": -1}, {"max_emotions": 1.5}, {"min_z": float("nan")}, {"min_z": "1"}]
)
def test_an_invalid_limit_is_rejected(wrong):
    baseline = Baseline.from_profiles([VoiceProfile({"Fear": 0.5})])
    with pytest.raises(InputError, match=next(iter(wrong))):
        salient(VoiceProfile({"Fear": 0.5}), baseline, **wrong)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"Gender": 1.4, "Age": 5.5}, {"gender": "female", "age": "elderly"}),
        ({"Gender": -1.0, "Age": 0.2}, {"gender": "male", "age": "child"}),
        ({"Gender": 0.9, "Age": 2.4}, {}),
        ({"Gender": 2.0, "gender": "male", "Age": 3}, {"gender": "male", "age": "adult"}),
    ],
)
def test_unambiguous_numbers_become_words_for_gender_and_age(numbers, words):
    words_found = with_words(VoiceProfile(traits=numbers)).traits
    assert {key: words_found[key] for key in ("gender", "age") if key in words_found} == words


def test_a_baseline_survives_json_alone_and_within_statistics():
    baseline = Baseline.from_profiles(LAUGHTER)
    alone, within = json.dumps(baseline.to_dict()), json.dumps({"baseline": baseline.to_dict()})
    assert Baseline.from_json(alone) == Baseline.from_json(within) == baseline


FULL = dict.fromkeys(EMOTIONS, 0.5)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "nested"),
        ("x" * 9_000_000, "longer than"),
        *((json.dumps(data), "fields") for data in ([], {}, {"baseline": 3}, {"baseline": {}})),
        (json.dumps({"clips": 1, "median": {}, "spread": FULL}), "lacks 'Amusement'"),
        *(
            (json.dumps({"clips": 1, "median": FULL, "spread": FULL} | {part: value}), part)
            for bad in (True, "0.5", None, 10**400)
            for part, value in (
                ("clips", bad),
                ("median", {**FULL, "Fear": bad}),
                ("spread", {**FULL, "Fear": bad}),
            )
        ),
        (json.dumps({"clips": 1, "median": FULL, "spread": {**FULL, "Fear": 0}}), "greater than 0"),
    ],
)
def test_an_invalid_baseline_is_rejected_in_one_line(text, fault):
    with pytest.raises(InputError, match=f"not a baseline.*({fault})") as caught:
        Baseline.from_json(text)
    assert "\n" not in str(caught.value)
