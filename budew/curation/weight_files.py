"""Files of sampling weights, with the id and the weight of each clip: JSON Lines or parquet."""

import json
import math
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from budew.errors import CorpusError, InputError
from budew.io.files import replaced_file, whole_file

_ROWS = 50_000
"""Rows of parquet in memory."""


def check_weight_file(path: Path) -> None:
    """Raise `InputError` unless the suffix names a format that can be written."""
    if path.suffix.lower() not in (".jsonl", ".parquet"):
        raise InputError(f"{path}: weights are written as .jsonl or .parquet: name the file so")


def write_weights(path: Path, weights: Iterable[tuple[str, float]]) -> None:
    """Write id and weight of each clip as JSON Lines or parquet, lazily; the file appears when complete.

    Raises:
        InputError: neither `.jsonl` nor `.parquet`.
        OSError: the disk refuses.

    Example:
        >>> write_weights(Path("weights.jsonl"), [("clip-1", 1.0), ("clip-2", 3.25)])
        >>> read_weights(Path("weights.jsonl"))
        {'clip-1': 1.0, 'clip-2': 3.25}
    """
    check_weight_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = ({"id": id, "weight": round(weight, 6)} for id, weight in weights)
    if path.suffix.lower() == ".parquet":
        _write_parquet(path, rows)
        return
    with whole_file(path) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_weights(path: Path) -> dict[str, float]:
    """Return the weights in a file of `write_weights`, by clip id.

    Raises:
        CorpusError: it is another file, or a weight is not a number from 0 on.
        OSError: it cannot be read.
    """
    check_weight_file(path)
    weights: dict[str, float] = {}
    try:
        for row in _rows(path):
            id, weight = row["id"], row["weight"]
            if not isinstance(id, str) or isinstance(weight, bool) or not 0 <= weight < math.inf:
                raise ValueError
            weights[id] = float(weight)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise CorpusError(f"{path}: not a file of weights: make it with `budew corpus weights`") from error
    return weights


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.suffix.lower() == ".parquet":
        with pyarrow.parquet.ParquetFile(path) as table:
            for batch in table.iter_batches(_ROWS):
                yield from batch.to_pylist()
        return
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _write_parquet(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    schema = pa.schema([("id", pa.string()), ("weight", pa.float64())])
    with replaced_file(path) as part, pyarrow.parquet.ParquetWriter(part, schema) as writer:
        while some := list(islice(rows, _ROWS)):
            writer.write_table(pa.Table.from_pylist(some, schema))
