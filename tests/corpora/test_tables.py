"""A parquet file costs the memory of some clips."""

import json
import os
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from budew.corpora import read, write_shard
from budew.corpora.reading import ReadOptions
from budew.corpora.tables import AT_ONCE, read_table, row_batches
from budew.errors import CorpusError

MB = 2**20


def sizes(path: Path, columns: list[str] | None = None) -> list[int]:
    return [len(rows) for rows in row_batches(path, columns, 16)]


def test_rows_that_share_one_large_value_are_few_at_a_time(tmp_path):
    value = 5 * MB
    shared = pa.DictionaryArray.from_arrays(pa.array([0] * 30, pa.int32()), [os.urandom(value)])
    table = pa.table({"audio": shared, "number": range(30)})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet", store_schema=False)
    assert sizes(tmp_path / "t.parquet") == [12, 12, 6]
    assert max(sizes(tmp_path / "t.parquet")) * value <= AT_ONCE
    assert sizes(tmp_path / "t.parquet", ["number"]) == [16, 14]


def test_all_rows_of_all_groups_come_in_their_order(tmp_path):
    audio = [{"bytes": random.Random(number).randbytes(3 * MB), "path": None} for number in range(9)]
    table = pa.table({"audio": audio, "number": range(9)})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet", row_group_size=4)
    rows = [row for some in row_batches(tmp_path / "t.parquet", None, 3) for row in some.to_pylist()]
    assert rows == table.to_pylist()
    pyarrow.parquet.write_table(table.slice(0, 0), tmp_path / "t.parquet")
    assert sizes(tmp_path / "t.parquet") == []


def test_numbers_that_are_missing_in_a_table_cost_no_clip(voice, tmp_path):
    wav = voice("a.wav", seconds=0.1).read_bytes()
    numbers = {"duration": [0.1, float("nan")], "snr": [float("nan"), 7.0], "gain": [float("-inf"), 0.0]}
    nested = [{"f0": float("nan"), "rate": [float("nan"), 3.0]}] * 2
    table = pa.table({"wav": [wav, wav], **numbers, "measured": nested})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    clips = list(read(tmp_path / "t.parquet"))
    measured = {"f0": None, "rate": [None, 3.0]}
    assert [clip.metadata for clip in clips] == [
        {"gain": "-inf", "measured": measured},
        {"snr": 7.0, "gain": 0.0, "measured": measured},
    ]
    assert [clip.duration for clip in clips] == [0.1, None]
    assert write_shard(tmp_path / "t.tar", clips) == 2


def write(path: Path, **columns) -> Path:
    pyarrow.parquet.write_table(pa.table(columns), path)
    return path


@pytest.fixture
def wav(voice) -> bytes:
    return voice("a.wav", seconds=0.1).read_bytes()


def test_parquet_finds_the_audio_by_its_type_and_numbers_rows_without_an_id(wav, tmp_path):
    audio = [{"bytes": wav, "path": None}, {"bytes": None, "path": "b.wav"}, {"bytes": b"text", "path": "c"}]
    profile = json.dumps({"emotions": {"Anger": 0.5}})
    path = write(tmp_path / "t.parquet", audioId=audio, profile=[profile] * 3, label=["x", "y", "z"])
    errors: list[CorpusError] = []
    (clip,) = read(path, on_bad=errors.append)
    assert (clip.id, clip.format, clip.metadata) == ("t-00000000", "wav", {"label": "x"})
    assert clip.profile.emotions == {"Anger": 0.5}
    assert [str(error).partition("t.parquet: ")[2][:6] for error in errors] == ["row 1:", "row 2:"]


@pytest.mark.parametrize("named", ["audio", "utterance"])
def test_of_several_structs_the_column_declared_as_audio_is_read(wav, tmp_path, named):
    cells = {"face": [{"bytes": b"\x89PNG", "path": "a.png"}], named: [{"path": "a.wav", "bytes": wav}]}
    types = {"info": {"features": {"face": {"_type": "Image"}, named: {"_type": "Audio"}}}}
    table = pa.table(cells).replace_schema_metadata({"huggingface": json.dumps(types)})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    (clip,) = read(tmp_path / "t.parquet")
    (without,) = read_table(tmp_path / "t.parquet", ReadOptions(audio=False))
    assert (clip.audio, clip.metadata["file_name"]) == (wav, "a.wav")
    assert (without.audio, without.metadata["file_name"]) == (b"", "a.wav")


def test_plain_bytes_are_audio_when_their_column_says_so_and_ids_are_there_once(voice, tmp_path):
    mp3 = voice("a.mp3", seconds=0.1).read_bytes()
    errors: list[CorpusError] = []
    clips = list(read(write(tmp_path / "t.parquet", mp3=[mp3] * 2, id=["x", "x"]), on_bad=errors.append))
    assert [(clip.id, clip.format) for clip in clips] == [("x", "mp3")]
    assert "row 1: the clip 'x' occurs twice" in str(errors[0])


def test_a_text_that_is_not_utf_8_costs_its_row_only(wav, tmp_path):
    offsets, letters = pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0"), pa.py_buffer(b"a\xffc")
    text = pa.Array.from_buffers(pa.string(), 3, [None, offsets, letters])
    errors: list[CorpusError] = []
    path = write(tmp_path / "t.parquet", wav=[wav] * 3, text=text)
    assert [(clip.id, clip.transcript) for clip in read(path, on_bad=errors.append)] == [
        ("t-00000000", "a"),
        ("t-00000002", "c"),
    ]
    assert [str(error).partition("t.parquet: ")[2] for error in errors] == [
        "row 1: a text is not UTF-8: correct it"
    ]
    with pytest.raises(CorpusError, match="row 1: a text is not UTF-8"):
        list(read(path))


@pytest.mark.parametrize("column", ["n", "audio", None])
def test_a_file_without_audio_or_a_broken_one_is_an_error_that_names_it(tmp_path, column):
    path = tmp_path / "t.parquet"
    write(path, **{column: ["a.mp3"]}) if column else path.write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(CorpusError, match=r"t\.parquet: .*(column|the parquet file cannot be read)"):
        list(read(path))


@pytest.mark.parametrize(
    "note", [b"", b"{", b"[]", b'{"info": null}', b'{"info": {"features": {"label": 3}}}']
)
def test_invalid_features_in_the_schema_are_ignored(wav, tmp_path, note):
    table = pa.table({"audio": [wav], "label": [1]}).replace_schema_metadata({b"huggingface": note})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    assert [clip.metadata for clip in read(tmp_path / "t.parquet")] == [{"label": 1}]
