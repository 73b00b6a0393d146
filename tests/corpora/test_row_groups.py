"""A parquet file costs the memory of some clips, whatever it inflates to."""

import os
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from budew.corpora import read
from budew.corpora.row_groups import AT_ONCE, batches
from budew.errors import CorpusError

MB = 2**20


def sizes(path: Path, columns: list[str] | None = None) -> list[int]:
    with pyarrow.parquet.ParquetFile(path) as file:
        return [len(rows) for rows in batches(file, columns, 16)]


@pytest.mark.parametrize("column", ["audio", "text"])
@pytest.mark.parametrize("shared", [True, False])
def test_a_file_that_inflates_without_end_is_told_and_not_read(tmp_path, column, shared):
    rows = 2 if shared else 8
    size = 220 * MB // (1 if shared else rows)
    zeros = {"audio": bytes(size), "text": "0" * size}[column]
    table = pa.table({"id": [str(n) for n in range(rows)], "audio": [b"RIFF"] * rows, column: [zeros] * rows})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet", compression="zstd", use_dictionary=shared)
    assert (tmp_path / "t.parquet").stat().st_size < MB
    with pytest.raises(
        CorpusError, match=rf"t\.parquet.*the column {column} inflates to more than 100 times"
    ):
        list(read(tmp_path / "t.parquet"))


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
        rows = [row for some in batches(file, None, 3) for row in some.to_pylist()]
    assert rows == table.to_pylist()
    assert sizes(tmp_path / "t.parquet", ["audio.path"]) == [4, 4, 1]
    pyarrow.parquet.write_table(table.slice(0, 0), tmp_path / "t.parquet")
    assert sizes(tmp_path / "t.parquet") == []
