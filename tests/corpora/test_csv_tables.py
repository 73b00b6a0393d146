"""CSV and TSV manifests read as JSON Lines do, and a broken record costs itself only."""

import csv

import pytest

from budew.corpora import read
from budew.corpora.csv_tables import LARGEST_RECORD
from budew.errors import CorpusError


@pytest.fixture
def corpus(voice, tmp_path):
    """A folder with `wavs/1.wav` to `wavs/3.wav`."""
    for number in "123":
        voice(f"c/wavs/{number}.wav", seconds=0.05)
    return tmp_path / "c"


@pytest.mark.parametrize("name", ["m.csv", "m.jsonl"])
def test_errors_show_the_url_of_audio_without_its_secrets(corpus, name):
    address = "http://u:hunter2@127.0.0.1/a.wav?tok=hunter2"
    text = f"audio\n{address}\n" if name == "m.csv" else f'{{"audio": "{address}"}}\n'
    (corpus / name).write_text(text)
    errors = []
    assert list(read(corpus / name, on_bad=errors.append)) == []
    assert "'http://127.0.0.1/a.wav' is a URL: download the audio" in str(errors[0])
    assert "hunter2" not in str(errors[0])


def test_a_field_may_have_several_lines_and_empty_ones_are_unknown(corpus):
    (corpus / "m.csv").write_text('audio,text,speaker\nwavs/1.wav,"one\ntwo",\nwavs/2.wav,,anna\n')
    first, second = read(corpus / "m.csv")
    assert (first.transcript, first.speaker) == ("one\ntwo", None)
    assert (second.transcript, second.speaker) == (None, "anna")


def test_a_column_may_hold_a_profile(corpus):
    (corpus / "m.csv").write_text(
        'audio,profile\nwavs/1.wav,"{""emotions"": {""Fear"": 0.5}}"\nwavs/2.wav,{\n'
    )
    errors = []
    (clip,) = read(corpus / "m.csv", on_bad=errors.append)
    assert dict(clip.profile.emotions) == {"Fear": 0.5}
    assert "m.csv: line 3: profile is not JSON" in str(errors[0])


def test_ljspeech_reads_by_its_wavs_and_its_folder_by_its_metadata(corpus):
    (corpus / "metadata.csv").write_text('1|He said "hi|He said "hello\n2|Dr. 2|Doctor two\n3|three|\n')
    clips = list(read(corpus))
    assert [clip.id for clip in clips] == ["1", "2", "3"]
    assert [clip.transcript for clip in clips] == ['He said "hello', "Doctor two", "three"]
    assert clips[1].metadata == {"raw_text": "Dr. 2"}


@pytest.mark.parametrize("columns", [2, 3])
@pytest.mark.parametrize("first", ["1", "9"])
def test_ljspeech_has_commas_in_its_first_line_and_may_lack_its_first_audio(corpus, columns, first):
    texts = (f"{first}|In 2, text, and, so, on{{}}", "2|Dr. 2{}", "3|three{}")
    normalized = ("|In two, text, and, so, on", "|Doctor two", "|")
    lines = [text.format(second * (columns - 2)) for text, second in zip(texts, normalized, strict=True)]
    (corpus / "metadata.csv").write_text("\n".join(lines))
    errors = []
    clips = list(read(corpus, on_bad=errors.append))
    assert [clip.id for clip in clips] == ["1", "2", "3"][-3 + len(errors) :]
    assert len(errors) == (first == "9")
    assert clips[-2].transcript == ("Doctor two" if columns == 3 else "Dr. 2")
    assert clips[-2].metadata == ({"raw_text": "Dr. 2"} if columns == 3 else {})


@pytest.mark.parametrize(
    ("names", "metadata"),
    [
        ("Audio,Text,Emotion,GENDER,Duration,Anna", {"Anna": "x"}),
        ("File_Name,text,emotion,Gender,duration,TEXT", {"TEXT": "x"}),
    ],
)
def test_columns_are_known_in_any_case_and_lower_case_comes_first(corpus, names, metadata):
    (corpus / "m.csv").write_text(f"{names}\nwavs/1.wav,Hi,angry,female,0.05,x\n")
    (clip,) = read(corpus / "m.csv")
    assert (clip.id, clip.transcript, clip.duration) == ("wavs/1", "Hi", 0.05)
    assert (dict(clip.profile.emotions), dict(clip.profile.traits)) == ({"Anger": 0.5}, {"gender": "female"})
    assert metadata.items() <= clip.metadata.items()


def test_a_table_with_bars_a_known_column_and_wavs_is_no_ljspeech(corpus):
    (corpus / "metadata.csv").write_text("File_Name|words\nwavs/1.wav|one\n")
    assert [clip.metadata for clip in read(corpus)] == [{"words": "one"}]


def test_each_bad_record_is_reported_once_with_its_line(corpus):
    (corpus / "m.csv").write_bytes(
        b"audio,text\n"
        b"wavs/1.wav,fine\n"
        b'wavs/2.wav,"never closed\n'
        b"wavs/2.wav,fine\n"
        b"too,many,fields\n"
        b"few\n"
        b"wavs/3.wav,\xff\n"
        b"../secret.wav,out\n"
        b"wavs/9.wav,missing\n"
        b"empty.wav,empty\n"
        b"wavs/1.wav,again\n"
        b"wavs/3.wav,fine\n"
    )
    (corpus / "empty.wav").touch()
    errors = []
    clips = list(read(corpus / "m.csv", on_bad=errors.append))
    assert [clip.id for clip in clips] == ["wavs/1", "wavs/2", "wavs/3"]
    told = sorted(int(str(error).partition(": line ")[2].split(":")[0].split(" ")[0]) for error in errors)
    assert told == [3, 5, 6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "header"),
        ("a,a\n", "'a'"),
        ("Audio,TEXT,Text\n", "'text'"),
        ("speaker,text\nanna,Hi\n", r"line 2\b.*\baudio"),
    ],
)
def test_a_table_without_usable_columns_is_an_error(corpus, content, fault):
    (corpus / "m.csv").write_text(content)
    with pytest.raises(CorpusError, match=rf"m\.csv\b.*{fault}"):
        list(read(corpus / "m.csv"))


@pytest.mark.parametrize(
    ("name", "delimiter"), [("m.csv", ","), ("m.csv", ";"), ("m.csv", "\t"), ("m.tsv", "\t")]
)
def test_the_delimiter_is_found(corpus, name, delimiter):
    names = ("file_name", "text", "duration", "Anger", "snr")
    rows = [names, ("wavs/1.wav", '"Hi, you; there"', "0.05", "3", "20")]
    (corpus / name).write_text("".join(delimiter.join(row) + "\r\n" for row in rows), encoding="utf-8-sig")
    (clip,) = read(corpus / name, scale="0-4")
    assert (clip.id, clip.audio, clip.format) == ("wavs/1", corpus / "wavs/1.wav", "wav")
    assert (clip.transcript, clip.duration, clip.metadata["snr"]) == ("Hi, you; there", 0.05, "20")
    assert dict(clip.profile.emotions) == {"Anger": 0.75}


def test_an_endless_record_ends(corpus):
    usual = csv.field_size_limit(2**40)  # what another library may have set for the whole process
    line = "x" * 1_000 + "\n"
    endless = 'audio,text\nwavs/1.wav,"' + line * (LARGEST_RECORD // 1_000 + 2) + "wavs/2.wav,fine\n"
    (corpus / "m.csv").write_text(endless)
    errors = []
    assert [clip.id for clip in read(corpus / "m.csv", on_bad=errors.append)] == ["wavs/2"]
    csv.field_size_limit(usual)
    assert "line 2 cannot be read (a record of more than" in str(errors[0])
