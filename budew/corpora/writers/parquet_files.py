"""Parquet files whose audio column is one to Hugging Face `datasets`, written in bounded memory.

A row group ends after 100 clips or 32 MiB, whichever comes first: as much is held while writing, and by
whoever reads one clip. The bytes depend on the rows and the version of pyarrow alone.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from budew.corpora.writers.expressed import parts

ROWS = 100
"""Most rows of a row group, the number that `datasets` takes for audio."""
BYTES = 32 * 2**20
"""Size at which a row group ends earlier."""

AUDIO = pa.struct({"bytes": pa.binary(), "path": pa.string()})
"""How `datasets` stores audio: the encoded file, and a name for its suffix."""


def schema(columns: dict[str, pa.DataType]) -> pa.Schema:
    """Return a schema whose column `audio` opens as the feature `Audio`; other types need no saying."""
    features = {"info": {"features": {"audio": {"_type": "Audio"}}}}
    return pa.schema(columns, metadata={"huggingface": json.dumps(features)})


def write_files(folder: Path, clips: Iterable[pa.RecordBatch], *, clips_per_file: int) -> int:
    """Write `clips-00000.parquet` and so on; return how many clips are in them.

    Args:
        folder: where nothing of this name is.
        clips: the rows of each clip, all of one schema.
        clips_per_file: as many clips go into each file.
    """
    count = 0
    for number, part in enumerate(parts(clips, clips_per_file)):
        count += _write_file(folder / f"clips-{number:05d}.parquet", part)
    return count


def _write_file(path: Path, clips: Iterator[pa.RecordBatch]) -> int:
    count, writer = 0, None
    try:
        for group in _row_groups(clips):
            table = pa.Table.from_batches(group)
            if writer is None:
                writer = _writer(path, table.schema)
            writer.write_table(table, row_group_size=table.num_rows)
            count += len(group)
    finally:
        if writer is not None:
            writer.close()
    return count


def _writer(path: Path, schema: pa.Schema) -> pyarrow.parquet.ParquetWriter:
    # Encoded audio is as small as it gets, no two alike, and has no least: only the rest is worth the effort.
    others = [name for name in schema.names if name != "audio"]
    return pyarrow.parquet.ParquetWriter(path, schema, use_dictionary=others, write_statistics=others)


def _row_groups(clips: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    held: list[pa.RecordBatch] = []
    rows = size = 0
    for clip in clips:
        held.append(clip)
        rows, size = rows + clip.num_rows, size + clip.nbytes
        if rows >= ROWS or size >= BYTES:
            yield held
            held, rows, size = [], 0, 0
    if held:
        yield held
