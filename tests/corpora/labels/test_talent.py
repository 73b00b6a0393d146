"""Got Talent is known by its annotation or its shard's name; each of its variants gives the same profile."""

import json
from collections import Counter

import pytest

from budew.captions import parse, render
from budew.corpora import read
from budew.corpora.column_names import label_layout
from budew.corpora.labels import Scales, described
from budew.corpora.labels.talent import shard_name, transcript_in
from budew.profile import VoiceProfile

SHARD = "de_alloy_intense_anger_rage_fury_hatred_and_annoyance_vocalbursts_fixed"
LINES = "<Elation>0#No elation.</Elation>\n<Anger>3#Strong anger.</Anger>\n<Doubt>1#Slight doubt.</Doubt>"
SPOKEN = "<transcription_start>Lass mich in Ruhe!</transcription_start>"


def fields(row, place="english_nova_0001"):
    return described(row, place, Scales())


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


def test_words_of_the_transcript_are_no_labels():
    found = fields({"annotation": "<transcription_start>I am so angry and sad<transcription_end> Calm."})
    assert found["profile"]["emotions"] == {"Contentment": 0.5}


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


START = "<transcription_start>"
ENDS = (
    "transcription_end",
    "/transcription_start",
    "transcription_stop",
    "/transcription_end",
    "/transcription",
)


@pytest.mark.parametrize(
    ("annotation", "transcript"),
    [
        *((f"Sad. {START} Oh,\nno. <{end}> And more.", "Oh, no.") for end in ENDS),
        (f"{START}Oh no", "Oh no"),
        (f"{START}Oh no <Anger>1#x</Anger>", "Oh no"),
        (f"{START}</transcription_start>", ""),
        ("no mark at all", None),
    ],
)
def test_the_transcript_ends_at_any_end_mark_or_else_the_next_tag(annotation, transcript):
    assert transcript_in(annotation) == transcript


def test_fields_beside_the_annotation_are_taken():
    row = {
        "annotation": f"<Valence>-2#Negative.</Valence><Age>90#x</Age>{LINES}",
        "duration": 3.2,
        "detailed_caption": "A loud voice.",
        "flash_transcription": "Leave me",
        "voice": "Onyx",
        "accent": "Scottish",
        "language": "English",
    }
    found = fields(row)
    assert found["profile"]["traits"] == {"gender": "male", "Valence": -2.0, "accent": "Scottish"}
    assert found["captions"] == [{"text": "A loud voice.", "made_by": {"by": "detailed_caption"}}]
    assert (found["transcript"], found["speaker"], found["language"]) == ("Leave me", "Onyx", "en")
    assert found["duration"] == 3.2


@pytest.mark.parametrize(
    ("accent", "annotation", "name", "profile"),
    [
        ("none", "<Accent>Irish</Accent><Anger>1#x</Anger>", "x", ({"Anger": 0.25}, {"accent": "Irish"})),
        (
            "",
            "<Anger>1#x</Anger>",
            "english_echo_british_accent_joy",
            ({"Anger": 0.25}, {"gender": "male", "accent": "British"}),
        ),
        ("1. hard to say", "<Anger>1#x</Anger>", "x", ({"Anger": 0.25}, {})),
        ("Irish", f"{START}Hi", "x", (None, {"accent": "Irish"})),
        ("vulgar street accent", f"{START}Hi", "x", (None, {"accent": "Vulgar Street"})),
        (
            "none",
            "<Anger>1#x</Anger>",
            "english_echo_valley_girl_joy",
            ({"Anger": 0.25}, {"gender": "male", "accent": "Valley Girl"}),
        ),
        (
            "",
            "<Anger>1#x</Anger>",
            "german_joy_texan-nova_03",
            ({"Anger": 0.25}, {"gender": "female", "accent": "Texan"}),
        ),
        ("", "<Anger>1#x</Anger>", "german_echo_joy", ({"Anger": 0.25}, {"gender": "male"})),
        ("", "<Anger>1#x</Anger>", "german_anna_joy", ({"Anger": 0.25}, {})),
    ],
)
def test_the_accent_is_in_fields_tags_or_names_and_alone_leaves_the_emotions_unknown(
    accent, annotation, name, profile
):
    found = fields({"annotation": annotation, "accent": accent}, name)["profile"]
    assert (found["emotions"], found["traits"]) == profile


@pytest.mark.parametrize(
    ("stem", "named"),
    [
        ("english_shimmer_hope_enthusiasm_and_optimism", ("en", "shimmer", ("Hope/Optimism", 0.5))),
        ("german_dialogue_dataset-echo_000", ("de", "echo", None)),
        ("english_dialogue_dataset-somebody_012", ("en", "somebody", None)),
        ("voice_acting_outputs-alloy+de+_004", ("de", "alloy", None)),
        ("voice_acting_outputs-alloy_004", (None, "alloy", None)),
        ("french_accent_joy-alloy_004", (None, "alloy", ("Elation", 0.5))),
        ("english_echo_well-meant_joy", ("en", "echo", ("Elation", 0.5))),
        *((stem, None) for stem in ("train_00000", "en", "shared-data_00000", "train-00000-of-00003", "")),
    ],
)
def test_names_of_shards_say_language_voice_and_emotion(stem, named):
    name = shard_name(stem)
    assert (name and (name.language, name.voice, name.emotion)) == named
    if name:
        found = fields({"annotation": "<Anger>1#x</Anger>"}, stem)
        assert (found.get("language"), found["speaker"]) == named[:2]


def test_a_voice_has_a_gender_unless_the_row_states_one_and_its_captions_name_it():
    voices = label_layout("talent")["voices"]
    assert Counter(voices.values()) == {"female": 6, "male": 5}
    for voice, gender in voices.items():
        profile = fields({"annotation": SPOKEN}, f"de_{voice}_joy")["profile"]
        assert profile["traits"] == {"gender": gender}
        texts = [render(VoiceProfile.from_dict(profile), seed=seed) for seed in range(20)]
        assert all(parse(text).profile.traits["gender"] == gender for text in texts)
    stated = fields({"annotation": SPOKEN, "gender": "nonbinary"}, "de_ash_joy")
    assert "gender" not in (stated["profile"].get("traits") or {})
    assert "profile" not in fields({"x": 1, "speaker": "nova"}, "clips")


def test_names_and_json_of_a_shard_give_language_voice_words_and_profile(pack, mp3):
    place = "fr_alloy_fear_terror_and_dread"
    annotation = (
        "<Fear>3#Strong fear is present.</Fear>\n<Anger>0#No anger.</Anger>\n"
        f"<Fatigue/Exhaustion>1#A little tired.</Fatigue/Exhaustion>\n{START}Qui est là ?<transcription_end>"
    )
    rows = {"0.5_1": {"annotation": annotation}, "0.5_2": {"annotation": f"{START}Non !<transcription_end>"}}
    members = []
    for id, row in rows.items():
        members += [(f"{place}/{id}.mp3", mp3), (f"{place}/{id}.json", json.dumps(row).encode())]
    first, second = read(pack(f"{place}.tar", members))
    assert (first.id, first.language, first.speaker) == (f"{place}/0.5_1", "fr", "alloy")
    assert (first.transcript, second.transcript) == ("Qui est là ?", "Non !")
    emotions = [dict(clip.profile.emotions) for clip in (first, second)]
    assert emotions == [{"Fear": 0.75, "Fatigue/Exhaustion": 0.25}, {"Fear": 0.5}]
    known = {"form": "talent", "labels": "annotation", "scale": "bud-e", "asked_for": "Fear"}
    assert first.metadata == {"annotation": annotation, "profile_from": known}
