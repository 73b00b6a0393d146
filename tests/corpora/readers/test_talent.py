"""A shard of LAION's Got Talent reads as clips with everything that names, JSON and annotation say."""

import json

import pytest

from budew.audio.samples import decode
from budew.corpora import read
from budew.corpora.readers.talent import read_talent
from budew.errors import CorpusError

ANNOTATION = """<Fear>3#Strong fear is present.</Fear>
<Anger>0#No anger.</Anger>
<Fatigue/Exhaustion>1#A little tired.</Fatigue/Exhaustion>
<transcription_start>Qui est là ?</transcription_start>"""
SHARD = "fr_alloy_fear_terror_and_dread"


@pytest.fixture
def shard(pack, mp3):
    described = {"annotation": ANNOTATION, "duration": 0.1, "detailed_caption": "A trembling voice."}
    return pack(
        f"{SHARD}.tar",
        [
            (f"{SHARD}/0.5_1.mp3", mp3),
            (f"{SHARD}/0.5_1.json", json.dumps(described).encode()),
            (f"{SHARD}/0.5_2.mp3", mp3),
            (f"{SHARD}/0.5_2.json", b'{"annotation": "<transcription_start>Non !<transcription_end>"}'),
        ],
    )


@pytest.mark.parametrize("reader", [read, read_talent])
def test_names_and_json_give_language_voice_words_and_profile(shard, reader):
    first, second = reader(shard)
    assert (first.id, first.format, first.language, first.speaker) == (f"{SHARD}/0.5_1", "mp3", "fr", "alloy")
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
    assert len(decode(first.audio).samples) > 1_000


def test_unpacked_it_reads_as_the_same_clips(shard, tmp_path):
    packed = list(read(shard))
    folder = tmp_path / "unpacked"
    (folder / SHARD).mkdir(parents=True)
    for clip in packed:
        (folder / f"{clip.id}.mp3").write_bytes(clip.audio)
    row = {"annotation": ANNOTATION}
    (folder / SHARD / "0.5_1.json").write_text(json.dumps(row))
    (folder / SHARD / "0.5_2.json").write_text(json.dumps({"annotation": "<transcription_start>Non !"}))
    loose = list(read(folder))
    assert [(clip.id, clip.profile, clip.language) for clip in loose] == [
        (clip.id, clip.profile, clip.language) for clip in packed
    ]


def test_a_shard_of_another_corpus_is_an_error_for_the_reader_of_this_one(pack, mp3):
    other = pack("clips.tar", [("a.mp3", mp3), ("a.json", b'{"transcript": "Hi"}')])
    assert [clip.transcript for clip in read(other)] == ["Hi"]
    with pytest.raises(
        CorpusError, match=r"clips\.tar: clip 'a': its labels are not those of LAION's Got Talent"
    ):
        list(read_talent(other))
