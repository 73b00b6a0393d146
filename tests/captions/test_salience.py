"""Emotions that stand out in their corpus are kept."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from budew.captions.salience import LEAST_SPREAD, Baseline, salient
from budew.errors import InputError
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS

LAUGHTER = [VoiceProfile({"Amusement": 0.6 + 0.002 * number}) for number in range(101)]
USUAL = Baseline.from_profiles(LAUGHTER)


@settings(max_examples=20)  # each of 40 emotions
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
    kept = salient(annotated, USUAL)
    assert kept == VoiceProfile({"Sadness": 0.2}, ["Chuckle"], {"gender": "male"})


def test_unknown_emotions_are_in_no_baseline_and_stay_unknown():
    unknown = VoiceProfile(None, ["Yawn"], {"Gender": 2.0})
    assert Baseline.from_profiles([unknown, *LAUGHTER, unknown]) == USUAL
    with pytest.raises(InputError, match="rated"):
        Baseline.from_profiles([unknown])
    assert salient(unknown, USUAL) == unknown


@given(st.dictionaries(st.sampled_from(EMOTIONS), st.floats(0, 1)), st.floats(0, 5))
def test_salience_only_removes_emotions(emotions, min_z):
    annotated = VoiceProfile(emotions)
    kept = salient(annotated, USUAL, min_z=min_z)
    assert kept.emotions.items() <= annotated.emotions.items()


def test_an_emotion_stands_out_from_one_spread_above_the_median():
    baseline = Baseline.from_profiles(VoiceProfile({"Fear": level / 10}) for level in range(11))
    distances = {level / 50: baseline.z("Fear", level / 50) for level in range(25, 51)}
    assert any(1 <= z < 1.3 for z in distances.values())
    assert any(0.7 < z < 1 for z in distances.values())
    for level, z in distances.items():
        assert ("Fear" in salient(VoiceProfile({"Fear": level}), baseline).emotions) == (z >= 1)


def test_nan_is_no_limit():
    with pytest.raises(InputError, match="min_z"):
        salient(VoiceProfile({"Fear": 0.5}), Baseline.from_profiles(LAUGHTER), min_z=float("nan"))


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
        (json.dumps({"clips": 1, "median": {}, "spread": FULL}), "'Amusement' is missing"),
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
