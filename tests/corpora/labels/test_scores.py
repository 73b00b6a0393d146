"""Scores are found under any spelling, and no scale is assumed without the metadata saying so."""

import pytest

from budew.corpora import read
from budew.corpora.column_names import number_in
from budew.corpora.labels import Scales, described
from budew.corpora.labels.scores import find_scores, intensities
from budew.errors import CorpusError, InputError
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS
from budew.taxonomy.rating_scales import scale_named


def profile(row, **scales):
    return described(row, "x", Scales(**scales))


@pytest.mark.parametrize(
    ("largest", "scale"),
    [(1, "0-1"), (0.2, "0-1"), (1.5, "0-4"), (4, "0-4"), (4.5, "0-5"), (7, "0-7"), (9, "0-10")],
)
def test_an_undeclared_scale_is_the_smallest_that_holds_every_score_and_is_recorded(largest, scale):
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


def test_a_row_that_declares_no_known_scale_is_a_bad_row_and_a_given_one_a_bad_argument():
    with pytest.raises(CorpusError, match="loud"):
        profile({"Anger": 1, "scale": "loud"})
    with pytest.raises(InputError, match="loud"):
        profile({"Anger": 1}, given="loud")


def test_two_scores_for_one_emotion_are_an_error():
    with pytest.raises(CorpusError, match="second score for 'Helplessness'"):
        profile({"Helplessness": 1, "Hopelessness": 2}, given="0-4")


@pytest.mark.parametrize("value", [True, None, "", "3 kHz", "nan", float("nan"), float("inf"), 10**400, [1]])
def test_values_that_are_not_numbers_are_ignored(value):
    assert number_in(value) is None


@pytest.mark.parametrize(
    "row",
    [
        {"Anger": 2, "Hopelessness": 1},
        {"scores": {"anger": 2, "Helplessness_best": 1}},
        {"emotions": {"model_anger_best.pth": 2, "helplessness": "1"}},
        {"ratings": {"ANGER": 2.0, "Hopelessness": 1, "snr": 30}, "text": "Hi"},
        {"Anger": 2, "Helplessness": 1, "scale": "0-7"},
    ],
)
def test_every_spelling_and_place_gives_the_same_profile(row):
    found = profile(row, given="0-4")
    two = ["Anger", "Helplessness"]
    assert VoiceProfile.from_dict(found["profile"]) == VoiceProfile(
        {"Anger": 0.5, "Helplessness": 0.25}, rated=two
    )
    assert found["profile_from"] == {"form": "scores", "scale": "0-4", "scale_by": "given"}


@pytest.mark.parametrize("given", [None, "0-4"])
def test_answers_in_words_have_their_own_scale(given):
    row = {"Anger": "Mildly Present", "Fear": "not_present", "Pain": "strongly / fully expressed", "Awe": 1}
    found = profile(row, given=given)
    assert found["profile"]["emotions"] == {"Anger": 0.5, "Fear": 0.0, "Pain": 1.0, "Awe": 0.5}
    assert found["profile_from"]["scale"] == "emonet-voice"
    assert find_scores({"interest": "yes", "trust": "present"}) is None


def test_all_forty_emotions_are_found_in_any_spelling_and_other_fields_stay():
    row = {name.replace("/", "_").replace(" ", "_").lower(): 4 for name in EMOTIONS}
    odd = {"Joy": 3, "Pain": True, "Pride": None, "Fear": "loud", "Age": 34}
    scores = find_scores({**odd, **row})
    assert (list(scores.emotions), scores.rest) == (list(EMOTIONS), odd)
    assert find_scores(odd) is None


@pytest.mark.parametrize("declared", ["0-7", "emonet-face", "0–7"])
def test_a_declared_scale_is_taken(declared):
    found = profile({"Anger": 7, "scale": declared})
    assert found["profile"]["emotions"] == {"Anger": 1.0}
    assert found["profile_from"]["scale_by"] == "declared"


def test_without_any_way_to_tell_nothing_is_assumed():
    for rows, fault in (
        (None, "scale of the scores is not declared"),
        (lambda: [{"Anger": 40}], "go up to 40"),
    ):
        with pytest.raises(CorpusError, match=fault):
            profile({"Anger": 2}, rows=rows)


def test_the_scale_is_that_of_the_shard_and_a_bad_item_costs_itself_only(pack, mp3):
    members = []
    for number, row in enumerate((b'{"Anger": 0.5}', b"{", b'{"Anger": 3.5, "Fear": 2}', b'{"text": "Hi"}')):
        members += [(f"{number}.mp3", mp3), (f"{number}.json", row)]
    path, errors = pack("scored.tar", members), []
    clips = list(read(path, on_bad=errors.append))
    assert [clip.profile and dict(clip.profile.emotions) for clip in clips] == [
        {"Anger": 0.125},
        {"Fear": 0.5, "Anger": 0.875},
        None,
    ]
    told = clips[0].metadata["profile_from"]
    assert told == {"form": "scores", "scale": "0-4", "scale_by": "detected", "largest": 3.5, "clips": 2}
    assert len(errors) == 1
    clips = list(read(path, scale="0-1", on_bad=errors.append))
    assert [clip.id for clip in clips] == ["0", "3"]
    assert "clip '2': Anger is 3.5" in str(errors[-1])


@pytest.mark.parametrize(
    ("scale", "score", "intensity"),
    [
        ("0-4", 4.4, 1.0), ("0-4", 4.41, None), ("0-4", -0.4, 0.0), ("0-4", -0.41, None), ("1-5", 2, 0.25),
        ("1-5", 0.6, 0.0), ("1-5", 0.59, None), ("1-5", 5.4, 1.0), ("1-5", 5.41, None), ("0-9999", 9999, 1.0),
    ],
)  # fmt: skip
def test_a_score_may_leave_its_scale_by_a_tenth_of_its_length(scale, score, intensity):
    try:
        found = intensities({"Anger": score}, scale_named(scale))["Anger"]
    except CorpusError:
        found = None
    assert found == (None if intensity is None else pytest.approx(intensity))


@pytest.mark.parametrize("under", [None, "scores", "labels"])
def test_columns_named_by_other_words_are_scores_of_their_emotions(under):
    scores = {"joy": 3, "excitement": 4, "anger": 1, "annoyance": 4, "surprise": 2, "neutral": 0}
    row = {**(scores if under is None else {under: scores}), "scale": "0-4"}
    found = described(row, "x", Scales())
    emotions = {"Elation": 1.0, "Anger": 0.25, "Astonishment/Surprise": 0.5}
    assert found["profile"]["emotions"] == emotions
    assert set(found["profile"]["rated"]) == set(emotions)
    assert found["profile_from"]["read_as"] == {"joy": "Elation", "excitement": "Elation"}
    assert (found if under is None else found[under])["annoyance"] == 4


def test_a_word_alone_at_the_top_is_no_score():
    assert find_scores({"trust": 0.5, "duration": 3.2}) is None
