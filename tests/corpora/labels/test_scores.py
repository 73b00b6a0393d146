"""Scores are found under any spelling, and no scale is assumed without the metadata saying so."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budew.corpora import read
from budew.corpora.labels import Scales, described
from budew.corpora.labels.scores import find_scores, intensities, number_in, scale_named
from budew.errors import CorpusError
from budew.taxonomy import EMOTIONS


def profile(row, **scales):
    return described(row, "x", Scales(**scales))


@pytest.mark.parametrize(
    "row",
    [
        {"Anger": 2, "Hopelessness": 1},
        {"scores": {"anger": 2, "Helplessness_best": 1}},
        {"emotions": {"model_anger_best.pth": 2, "helplessness": "1"}},
        {"ratings": {"ANGER": 2.0, "Hopelessness": 1, "snr": 30}, "text": "Hi"},
    ],
)
def test_every_spelling_and_place_gives_the_same_profile(row):
    found = profile(row, asked="0-4")
    assert found["profile"] == {"emotions": {"Anger": 0.5, "Helplessness": 0.25}}
    assert found["profile_from"] == {"form": "scores", "scale": "0-4", "scale_by": "given"}


def test_all_forty_are_found_by_their_names():
    scores = find_scores({name: number for number, name in enumerate(EMOTIONS)})
    assert scores is not None
    assert (list(scores.emotions), scores.rest) == (list(EMOTIONS), {})


def test_what_is_no_score_stays():
    row = {"Anger": 1, "Fear": "loud", "Joy": 3, "Pain": True, "Pride": None, "Age": 34}
    found = profile(row, asked="0-4")
    assert found["profile"]["emotions"] == {"Anger": 0.25}
    assert {key: found[key] for key in ("Fear", "Joy", "Pain", "Age")} == {
        key: row[key] for key in ("Fear", "Joy", "Pain", "Age")
    }


@pytest.mark.parametrize(
    ("largest", "scale"),
    [(1, "0-1"), (0.2, "0-1"), (1.5, "0-4"), (4, "0-4"), (4.5, "0-5"), (7, "0-7"), (9, "0-10")],
)
def test_an_unsaid_scale_is_the_smallest_that_holds_every_score_and_is_told(largest, scale):
    rows = [{"Anger": 0}, {"Anger": 0.1, "Fear": largest}, {"said": "nothing"}]
    found = profile({"Anger": 0.1}, rows=lambda: rows)
    assert found["profile_from"] == {
        "form": "scores",
        "scale": scale,
        "scale_by": "detected",
        "largest": largest,
        "clips": 2,
    }
    assert found["profile"]["emotions"]["Anger"] == pytest.approx(0.1 / scale_named(scale).high)


def test_a_faint_clip_is_on_the_scale_of_its_shard():
    faint, rows = {"Anger": 1}, [{"Anger": 1}, {"Anger": 4}]
    assert profile(faint, rows=lambda: rows)["profile"]["emotions"] == {"Anger": 0.25}


@pytest.mark.parametrize("declared", ["0-7", "emonet-face", "0–7"])
def test_a_declared_scale_is_taken(declared):
    found = profile({"Anger": 7, "scale": declared})
    assert found["profile"]["emotions"] == {"Anger": 1.0}
    assert found["profile_from"]["scale_by"] == "declared"


def test_a_given_scale_outweighs_a_declared_one():
    assert profile({"Anger": 2, "scale": "0-7"}, asked="0-4")["profile"]["emotions"] == {"Anger": 0.5}


def test_without_any_way_to_tell_nothing_is_assumed():
    with pytest.raises(CorpusError, match="on which scale"):
        profile({"Anger": 2})
    with pytest.raises(CorpusError, match=r"go up to 40"):
        profile({"Anger": 2}, rows=lambda: [{"Anger": 40}])


@pytest.mark.parametrize("name", ["0-0", "9-1", "loud", "", "0-99999"])
def test_what_is_no_scale_is_refused(name):
    with pytest.raises(CorpusError, match="no rating scale"):
        scale_named(name)


def test_a_little_overshoot_is_clipped_and_more_is_an_error():
    scale = scale_named("0-4")
    assert intensities({"Anger": 4.3, "Fear": -0.2}, scale) == {"Anger": 1.0, "Fear": 0.0}
    with pytest.raises(CorpusError, match=r"Anger is 7\.2, which is not on the scale 0-4"):
        intensities({"Anger": 7.2}, scale)


def test_two_scores_for_one_emotion_are_an_error():
    with pytest.raises(CorpusError, match="second score for 'Helplessness'"):
        profile({"Helplessness": 1, "Hopelessness": 2}, asked="0-4")


@given(st.sampled_from(EMOTIONS), st.floats(0, 10))
def test_intensities_keep_the_order_and_the_ends(name, value):
    scale = scale_named("0-10")
    found = intensities({name: value}, scale)[name]
    assert found == pytest.approx(value / 10)
    assert 0 <= found <= 1


@pytest.mark.parametrize("value", [True, None, "", "3 kHz", "nan", float("nan"), float("inf"), 10**400, [1]])
def test_what_is_no_number_is_none(value):
    assert number_in(value) is None


def scored(pack, mp3, rows, name="scored.tar"):
    members = []
    for number, row in enumerate(rows):
        members += [(f"{number}.mp3", mp3), (f"{number}.json", json.dumps(row).encode())]
    return pack(name, members)


def test_the_scale_is_that_of_the_shard_and_not_of_the_clip(pack, mp3):
    rows = [{"scores": {"Anger": 0.5}}, {"scores": {"Anger": 3.5, "Fear": 2}}, {"transcript": "no scores"}]
    clips = list(read(scored(pack, mp3, rows)))
    assert [clip.profile and dict(clip.profile.emotions) for clip in clips] == [
        {"Anger": 0.125},
        {"Fear": 0.5, "Anger": 0.875},
        None,
    ]
    told = clips[0].metadata["profile_from"]
    assert told == {"form": "scores", "scale": "0-4", "scale_by": "detected", "largest": 3.5, "clips": 2}


def test_the_option_names_the_scale(pack, mp3):
    path = scored(pack, mp3, [{"Anger": 1.0, "text": "Hi", "lang": "German"}])
    (clip,) = read(path, scale="scalar-target")
    assert dict(clip.profile.emotions) == {"Anger": 0.2}
    assert (clip.transcript, clip.language) == ("Hi", "de")
    assert [dict(c.profile.emotions) for c in read(path)] == [{"Anger": 1.0}]


def test_all_forty_in_any_spelling(pack, mp3):
    row = {name.replace("/", "_").replace(" ", "_").lower(): 4 for name in EMOTIONS}
    (clip,) = read(scored(pack, mp3, [row]))
    assert list(clip.profile.emotions) == list(EMOTIONS)
    assert "profile_from" in clip.metadata
    assert len(clip.metadata) == 1


def test_a_score_off_the_scale_costs_its_clip_only(pack, mp3):
    path = scored(pack, mp3, [{"Anger": 3}, {"Anger": 9}, {"Anger": 1}])
    errors = []
    clips = list(read(path, scale="0-4", on_bad=errors.append))
    assert [clip.id for clip in clips] == ["0", "2"]
    (error,) = map(str, errors)
    assert "clip '1': Anger is 9" in error


def test_a_damaged_item_does_not_hide_the_scale(pack, mp3):
    path = pack(
        "a.tar",
        [("0.mp3", mp3), ("0.json", b"{"), ("1.mp3", mp3), ("1.json", b'{"Anger": 1}'), ("2.mp3", mp3),
         ("2.json", b'{"Anger": 4}')],
    )  # fmt: skip
    errors = []
    clips = list(read(path, on_bad=errors.append))
    assert [dict(clip.profile.emotions) for clip in clips] == [{"Anger": 0.25}, {"Anger": 1.0}]
    assert len(errors) == 1
