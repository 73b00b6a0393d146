"""Got Talent is known by its annotation or its shard's name; each of its variants gives the same profile."""

import pytest

from budew.corpora.labels import Scales, described
from budew.corpora.labels.talent import shard_name, transcript_in
from budew.errors import CorpusError

SHARD = "de_alloy_intense_anger_rage_fury_hatred_and_annoyance_vocalbursts_fixed"
LINES = "<Elation>0#No elation.</Elation>\n<Anger>3#Strong anger.</Anger>\n<Doubt>1#Slight doubt.</Doubt>"
SPOKEN = "<transcription_start>Lass mich in Ruhe!</transcription_start>"


def read(row, place="english_nova_0001"):
    return described(row, place, Scales())


@pytest.mark.parametrize(
    "end",
    [
        "<transcription_end>",
        "</transcription_start>",
        "<transcription_stop>",
        "</transcription_end>",
        "</transcription>",
    ],
)
def test_every_end_mark_ends_the_transcript(end):
    assert transcript_in(f"Sad. <transcription_start> Oh,\nno. {end} And more.") == "Oh, no."


@pytest.mark.parametrize(
    ("annotation", "transcript"),
    [
        ("<transcription_start>Oh no", "Oh no"),
        ("<transcription_start>Oh no <Anger>1#x</Anger>", "Oh no"),
        ("<transcription_start></transcription_start>", ""),
        ("no mark at all", None),
    ],
)
def test_a_missing_end_mark_ends_at_the_next_tag(annotation, transcript):
    assert transcript_in(annotation) == transcript


@pytest.mark.parametrize(
    "row",
    [
        {"annotation": f"{LINES}\n{SPOKEN}"},
        {"annotation": f"Angry. {SPOKEN}", "Elation": 0, "Anger": 3, "Doubt": 1},
        {"annotation": SPOKEN, "scores": {"Elation": 0, "Anger": 3, "Doubt": 1}},
    ],
)
def test_scores_are_on_the_scale_of_the_annotation_wherever_they_are(row):
    found = read(row, SHARD)
    assert found["profile"]["emotions"] == {"Elation": 0.0, "Anger": 0.75, "Doubt": 0.25}
    assert found["profile_from"]["scale"] == "bud-e"
    assert found["profile_from"]["asked_for"] == "Anger"
    assert (found["transcript"], found["language"], found["speaker"]) == ("Lass mich in Ruhe!", "de", "alloy")


@pytest.mark.parametrize(
    ("row", "emotions", "labels"),
    [
        ({"annotation": f"She is very sad. {SPOKEN}"}, {"Sadness": 0.75}, "words"),
        ({"annotation": SPOKEN, "emotion": "disgust"}, {"Disgust": 0.5}, "words"),
        ({"annotation": SPOKEN}, {"Anger": 0.75}, "shard name"),
        ({"n": 1}, {"Anger": 0.75}, "shard name"),
    ],
)
def test_words_count_where_there_are_no_scores_and_the_name_of_the_shard_last(row, emotions, labels):
    found = read(row, SHARD)
    assert found["profile"]["emotions"] == emotions
    assert found["profile_from"]["labels"] == labels


def test_what_is_said_is_no_label():
    found = read({"annotation": "<transcription_start>I am so angry and sad<transcription_end> Calm."})
    assert found["profile"]["emotions"] == {"Contentment": 0.5}


def test_fields_beside_the_annotation_are_taken():
    found = read(
        {
            "annotation": f"<Valence>-2#Negative.</Valence><Age>90#x</Age>{LINES}",
            "duration": 3.2,
            "detailed_caption": "A loud voice.",
            "flash_transcription": "Leave me",
            "voice": "Onyx",
            "accent": "Scottish",
            "language": "English",
        }
    )
    assert found["profile"]["traits"] == {"Valence": -2.0, "accent": "Scottish"}
    assert found["captions"] == [{"text": "A loud voice.", "made_by": {"by": "detailed_caption"}}]
    assert (found["transcript"], found["speaker"], found["language"]) == ("Leave me", "Onyx", "en")
    assert found["duration"] == 3.2


@pytest.mark.parametrize(
    ("accent", "annotation", "name", "heard"),
    [
        ("none", "<Accent>Irish</Accent>", "x", {"accent": "Irish"}),
        ("", "", "english_echo_british_accent_joy", {"accent": "British"}),
        ("1. hard to say", "", "x", {}),
    ],
)
def test_the_accent_is_in_fields_tags_or_names(accent, annotation, name, heard):
    found = read({"annotation": f"{annotation}<Anger>1#x</Anger>", "accent": accent}, name)
    assert found["profile"]["traits"] == heard


def test_an_accent_alone_leaves_the_emotions_unknown():
    found = read({"annotation": "<transcription_start>Hi", "accent": "Irish"}, "x")
    assert found["profile"] == {"emotions": None, "traits": {"accent": "Irish"}}


@pytest.mark.parametrize(
    ("place", "row"),
    [
        ("en_train_00000", {"x": 1}),
        ("it_was_raining", {"x": 1}),
        (SHARD, {}),
        ("clips", {"annotation": "sad"}),
    ],
)
def test_other_corpora_are_not_taken_for_it(place, row):
    assert "profile" not in read(row, place)


def test_names_of_shards_are_read():
    name = shard_name("english_shimmer_hope_enthusiasm_and_optimism")
    assert name is not None
    assert (name.language, name.voice, name.emotion) == ("en", "shimmer", ("Hope/Optimism", 0.5))
    assert shard_name("train_00000") is None
    assert shard_name("en") is None


def test_a_score_off_the_scale_is_an_error():
    with pytest.raises(CorpusError, match="Anger is 9, which is not on the scale bud-e"):
        read({"annotation": "<Anger>9#x</Anger>"})
