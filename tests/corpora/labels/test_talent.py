"""Got Talent is known by its annotation or its shard's name; each of its variants gives the same profile."""

import json

import pytest

from budew.corpora import read
from budew.corpora.labels import Scales, described
from budew.corpora.labels.talent import shard_name, transcript_in
from budew.errors import CorpusError

SHARD = "de_alloy_intense_anger_rage_fury_hatred_and_annoyance_vocalbursts_fixed"
LINES = "<Elation>0#No elation.</Elation>\n<Anger>3#Strong anger.</Anger>\n<Doubt>1#Slight doubt.</Doubt>"
SPOKEN = "<transcription_start>Lass mich in Ruhe!</transcription_start>"


def fields(row, place="english_nova_0001"):
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
    found = fields(row, SHARD)
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
    found = fields(row, SHARD)
    assert found["profile"]["emotions"] == emotions
    assert found["profile_from"]["labels"] == labels


def test_what_is_said_is_no_label():
    found = fields({"annotation": "<transcription_start>I am so angry and sad<transcription_end> Calm."})
    assert found["profile"]["emotions"] == {"Contentment": 0.5}


def test_fields_beside_the_annotation_are_taken():
    found = fields(
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
    found = fields({"annotation": f"{annotation}<Anger>1#x</Anger>", "accent": accent}, name)
    assert found["profile"]["traits"] == heard


def test_an_accent_alone_leaves_the_emotions_unknown():
    found = fields({"annotation": "<transcription_start>Hi", "accent": "Irish"}, "x")
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
    assert "profile" not in fields(row, place)


def test_names_of_shards_are_read():
    name = shard_name("english_shimmer_hope_enthusiasm_and_optimism")
    assert name is not None
    assert (name.language, name.voice, name.emotion) == ("en", "shimmer", ("Hope/Optimism", 0.5))


@pytest.mark.parametrize(
    ("stem", "language", "voice"),
    [
        ("german_dialogue_dataset-echo_000", "de", "echo"),
        ("english_dialogue_dataset-somebody_012", "en", "somebody"),
        ("voice_acting_outputs-alloy+de+_004", "de", "alloy"),
        ("voice_acting_outputs-alloy_004", None, "alloy"),
        ("english_echo_well-meant_joy", "en", "echo"),
    ],
)
def test_the_voice_may_come_last_in_the_name_of_a_shard(stem, language, voice):
    name = shard_name(stem)
    assert (name.language, name.voice) == (language, voice)
    found = fields({"annotation": "<Anger>1#x</Anger>"}, stem)
    assert (found.get("language"), found["speaker"]) == (language, voice)


@pytest.mark.parametrize("stem", ["train_00000", "en", "shared-data_00000", "train-00000-of-00003", ""])
def test_names_of_other_shards_name_no_voice(stem):
    assert shard_name(stem) is None


def test_a_score_off_the_scale_is_an_error():
    with pytest.raises(CorpusError, match="Anger is 9, which is not on the scale bud-e"):
        fields({"annotation": "<Anger>9#x</Anger>"})


ANNOTATION = """<Fear>3#Strong fear is present.</Fear>
<Anger>0#No anger.</Anger>
<Fatigue/Exhaustion>1#A little tired.</Fatigue/Exhaustion>
<transcription_start>Qui est là ?</transcription_start>"""
FRENCH = "fr_alloy_fear_terror_and_dread"


@pytest.fixture
def shard(pack, mp3):
    described = {"annotation": ANNOTATION, "duration": 0.1, "detailed_caption": "A trembling voice."}
    return pack(
        f"{FRENCH}.tar",
        [
            (f"{FRENCH}/0.5_1.mp3", mp3),
            (f"{FRENCH}/0.5_1.json", json.dumps(described).encode()),
            (f"{FRENCH}/0.5_2.mp3", mp3),
            (f"{FRENCH}/0.5_2.json", b'{"annotation": "<transcription_start>Non !<transcription_end>"}'),
        ],
    )


def test_names_and_json_give_language_voice_words_and_profile(shard):
    first, second = read(shard)
    assert (first.id, first.format, first.language, first.speaker) == (
        f"{FRENCH}/0.5_1",
        "mp3",
        "fr",
        "alloy",
    )
    assert (first.transcript, first.duration) == ("Qui est là ?", 0.1)
    assert dict(first.profile.emotions) == {"Fear": 0.75, "Fatigue/Exhaustion": 0.25}
    assert [caption.text for caption in first.captions] == ["A trembling voice."]
    assert first.metadata["profile_from"] == {
        "form": "talent",
        "labels": "annotation",
        "scale": "bud-e",
        "asked_for": "Fear",
    }
    assert first.metadata["annotation"] == ANNOTATION
    assert (second.transcript, dict(second.profile.emotions)) == ("Non !", {"Fear": 0.5})


def test_unpacked_it_reads_as_the_same_clips(shard, tmp_path):
    packed = list(read(shard))
    folder = tmp_path / "unpacked"
    (folder / FRENCH).mkdir(parents=True)
    for clip in packed:
        (folder / f"{clip.id}.mp3").write_bytes(clip.audio)
    row = {"annotation": ANNOTATION}
    (folder / FRENCH / "0.5_1.json").write_text(json.dumps(row))
    (folder / FRENCH / "0.5_2.json").write_text(json.dumps({"annotation": "<transcription_start>Non !"}))
    loose = list(read(folder))
    assert [(clip.id, clip.profile, clip.language) for clip in loose] == [
        (clip.id, clip.profile, clip.language) for clip in packed
    ]
