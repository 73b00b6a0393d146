"""Weights of clips on disk: JSON Lines or parquet, with `id` and `weight`, written as they come.

The file appears when it is complete.
"""

import json
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet

from budew.errors import CorpusError
from budew.files import whole_file

Weights = Iterable[tuple[str, float]]

_SCHEMA = pa.schema([("id", pa.string()), ("weight", pa.float64())])
_ROWS = 50_000  # held at once


def check_weight_file(path: Path) -> None:
    """Raise `CorpusError` unless the name tells a format that can be written."""
    if path.suffix.lower() not in (".jsonl", ".parquet"):
        raise CorpusError(f"{path}: weights are written as .jsonl or .parquet: name the file so")


def write_weights(path: Path, weights: Weights) -> None:
    """Write the id and the weight of each clip.

    Raises:
        CorpusError: neither `.jsonl` nor `.parquet`.
        OSError: the disk refuses.
    """
    check_weight_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix.lower() == ".parquet":
        _write_parquet(path, iter(weights))
        return
    with whole_file(path) as file:
        for id, weight in weights:
            file.write(json.dumps({"id": id, "weight": round(weight, 6)}, ensure_ascii=False) + "\n")


def _write_parquet(path: Path, weights: Iterator[tuple[str, float]]) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with pyarrow.parquet.ParquetWriter(unfinished, _SCHEMA) as writer:
            while rows := list(islice(weights, _ROWS)):
                ids, values = zip(*rows, strict=True)
                columns = [pa.array(ids, pa.string()), pa.array([round(value, 6) for value in values])]
                writer.write_table(pa.Table.from_arrays(columns, schema=_SCHEMA))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
