"""A manifest or table that is read in parts gives the clips and the errors of the whole."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet
import pytest

from budew.corpora.reading import ReadOptions
from budew.corpora.sources import divide_file, files_read, read_one

SAID = ("one", "two\nlines", "three", "four", "five")


@pytest.fixture(params=["m.csv", "m.tsv", "metadata.csv", "m.jsonl", "m.parquet", "m.arrow"])
def whole(request, voice, tmp_path):
    """Five rows, the fourth of which is broken."""
    path, kind = tmp_path / request.param, request.param.rpartition(".")[2]
    audio = [voice(f"wavs/{n}.wav", seconds=0.05) for n in range(5)]
    names = ["wavs/0.wav", "wavs/1.wav", "wavs/2.wav", "../../x.wav", "wavs/4.wav"]
    if request.param == "metadata.csv":
        path.write_text("\n".join(f"{n}|{said.split()[0]}" for n, said in enumerate(SAID)))
    elif kind == "jsonl":
        rows = [
            json.dumps({"audio": name, "transcript": said}) for name, said in zip(names, SAID, strict=True)
        ]
        path.write_text("\n".join(rows) + "\n")
    elif kind in ("csv", "tsv"):
        mark = "\t" if kind == "tsv" else ","
        rows = [f'{name}{mark}"{said}"' for name, said in zip(names, SAID, strict=True)]
        path.write_text("\n".join([f"audio{mark}transcript", *rows]))
    else:
        sounds = [b"" if n == 3 else file.read_bytes() for n, file in enumerate(audio)]
        table = pa.table({"audio": sounds, "transcript": SAID})
        if kind == "parquet":
            pyarrow.parquet.write_table(table, path, row_group_size=3)
        else:
            with pa.ipc.new_stream(path, table.schema) as file:
                file.write_table(table, max_chunksize=2)
    return path


@pytest.mark.parametrize(("rows", "count"), [(1, 5), (2, 3), (4, 2), (5, 1), (9, 1)])
def test_parts_join_to_the_whole_and_hold_as_many_rows_as_asked(whole, rows, count):
    every, errors, told = (
        list(read_one(whole, ReadOptions(on_bad=(found := []).append))),
        [],
        list(map(str, found)),
    )
    parts = divide_file(whole, rows)
    clips = [list(read_one(whole, ReadOptions(on_bad=errors.append), part=part)) for part in parts]
    assert len(parts) == count
    assert [clip for some in clips for clip in some] == every
    assert list(map(str, errors)) == told
    assert max(map(len, clips)) <= rows
    assert len(every) + len(told) == 5


def test_files_without_rows_are_not_divided(voice, tmp_path):
    for name in ("in/a.wav", "in/b.flac"):
        voice(name, seconds=0.05)
    (tmp_path / "in" / "notes.txt").touch()
    (tmp_path / "m.jsonl.gz").write_bytes(gzip.compress(b'{"audio": "in/a.wav"}\n'))
    (tmp_path / "broken.parquet").write_text("no table")
    for name in ("m.jsonl.gz", "broken.parquet", "in/a.wav"):
        assert divide_file(tmp_path / name, 1) == []
    found = {path.name for path in files_read(tmp_path / "in")}
    assert found == {"a.wav", "a.json", "a.txt", "b.flac", "b.json", "b.txt"}
    assert list(files_read("https://host/a.tar")) == []
    assert [path.name for path in files_read(tmp_path / "*.gz")] == ["m.jsonl.gz"]
