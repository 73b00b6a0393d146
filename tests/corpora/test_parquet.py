"""A parquet file costs the memory of some clips."""

import json
import os
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from budew.corpora import read, write_shard
from budew.corpora.parquet import AT_ONCE, row_batches
from budew.errors import BudewWarning, CorpusError

MB = 2**20


def sizes(path: Path, columns: list[str] | None = None) -> list[int]:
    with pyarrow.parquet.ParquetFile(path) as file:
        return [len(rows) for rows in row_batches(file, columns, 16)]


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
    with pyarrow.parquet.ParquetFile(tmp_path / "t.parquet") as file:
        rows = [row for some in row_batches(file, None, 3) for row in some.to_pylist()]
    assert rows == table.to_pylist()
    assert sizes(tmp_path / "t.parquet", ["audio.path"]) == [4, 4, 1]
    pyarrow.parquet.write_table(table.slice(0, 0), tmp_path / "t.parquet")
    assert sizes(tmp_path / "t.parquet") == []


def test_parquet_finds_the_audio_by_its_type_and_numbers_rows_without_an_id(voice, tmp_path):
    wav = voice("a.wav", seconds=0.1).read_bytes()
    audio = [{"bytes": wav, "path": None}, {"bytes": None, "path": "b.wav"}, {"bytes": b"text", "path": "c"}]
    profile = json.dumps({"emotions": {"Anger": 0.5}})
    table = pa.table({"audioId": audio, "profile": [profile] * 3, "label": ["x", "y", "z"]})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
    errors: list[CorpusError] = []
    clips = list(read(tmp_path / "t.parquet", on_bad=errors.append))
    assert [(clip.id, clip.format, clip.metadata) for clip in clips] == [
        ("t-00000000", "wav", {"label": "x"})
    ]
    assert clips[0].profile is not None
    assert clips[0].profile.emotions == {"Anger": 0.5}
    assert ["row 1: it has no audio" in str(errors[0]), "row 2: its audio is of no" in str(errors[1])] == [
        True,
        True,
    ]


def test_plain_bytes_are_audio_when_their_column_says_so(voice, tmp_path):
    mp3 = voice("a.mp3", seconds=0.1).read_bytes()
    pyarrow.parquet.write_table(pa.table({"mp3": [mp3], "n": [1]}), tmp_path / "t.parquet")
    assert [clip.format for clip in read(tmp_path / "t.parquet")] == ["mp3"]
    pyarrow.parquet.write_table(pa.table({"n": [1]}), tmp_path / "n.parquet")
    with pytest.raises(CorpusError, match="no column holds audio among n: call it audio"):
        list(read(tmp_path / "n.parquet"))
    pyarrow.parquet.write_table(pa.table({"audio": ["a.mp3"]}), tmp_path / "p.parquet")
    with pytest.raises(CorpusError, match="the column audio holds no audio but string: embed the bytes"):
        list(read(tmp_path / "p.parquet"))


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


def test_binary_columns_besides_the_audio_are_told_once_for_all_files(voice, tmp_path):
    wav = voice("a.wav", seconds=0.1).read_bytes()
    left_out = {"photo": [b"x"], "page": [{"scan": [b"y"], "n": 1}], "key": pa.array([b"z"], pa.binary(1))}
    for name in "ab":
        table = pa.table({"audio": [{"bytes": wav, "path": "a.wav"}], "text": ["Hi"], **left_out})
        pyarrow.parquet.write_table(table, tmp_path / f"{name}.parquet")
    with pytest.warns(BudewWarning) as told:
        clips = list(read(tmp_path / "*.parquet"))
    assert [clip.transcript for clip in clips] == ["Hi", "Hi"]
    assert [str(warning.message) for warning in told] == [
        "binary columns are left out of the metadata of clips: photo, page, key"
    ]


def test_a_row_with_the_id_of_another_is_told(voice, tmp_path):
    wav = voice("a.wav", seconds=0.1).read_bytes()
    pyarrow.parquet.write_table(pa.table({"wav": [wav, wav], "id": ["x", "x"]}), tmp_path / "t.parquet")
    errors: list[CorpusError] = []
    assert [clip.id for clip in read(tmp_path / "t.parquet", on_bad=errors.append)] == ["x"]
    assert "row 1: the clip 'x' is there twice" in str(errors[0])


def test_a_broken_parquet_is_an_error_that_names_it(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1" + bytes(100))
    with pytest.raises(CorpusError, match=r"t\.parquet: the parquet file cannot be read"):
        list(read(tmp_path / "t.parquet"))
