"""Hugging Face parquet and Arrow files as clips: audio inside, a struct of `bytes` and `path`, or bytes.

Read in batches, so that a shard of gigabytes costs some clips of memory. Arrow is what `save_to_disk` writes.
NaN, which pandas writes for every number that is missing, reads as missing.
"""

import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from budew.corpora.clip import Clip
from budew.corpora.fields import choose
from budew.corpora.labels import Scales
from budew.corpora.rows import Table, clips_of_rows
from budew.errors import BudewWarning, CorpusError, OnBad, report

AT_ONCE = 64 * 2**20
"""Bytes of rows in memory; a row that is larger comes alone, which costs 10 µs more than in company."""
_OF_ANY_SIZE = "BYTE_ARRAY"
_BATCH = 16
_SCANNED = 1_000


def read_parquet(
    path: str | Path,
    *,
    scale: str | None = None,
    rows: range | None = None,
    on_bad: OnBad | None = None,
) -> Iterator[Clip]:
    """Read each row of a parquet or Arrow file as a clip; the audio comes as bytes.

    Ids are those of the file's id column, else its name and the number of the row; before the name of an
    Arrow file stands that of its folder, as it is the same in every split. Columns that are no field of a
    clip are kept in the metadata, except binary ones, which a `BudewWarning` lists.

    Args:
        path: the `.parquet` or `.arrow`.
        scale, on_bad: as for `budew.read`.
        rows: read these alone.

    Raises:
        CorpusError: not such a file, no column of audio, or names the row and what is wrong with it.
    """
    path = Path(path)
    try:
        schema = _schema(path)
    except (pa.ArrowException, OSError) as error:
        report(_unreadable(path, error), on_bad)
        return
    audio = _audio_column(schema, path)
    left_out = tuple(field.name for field in schema if field.name != audio and _holds_binary(field.type))
    if left_out:
        _warn_of_left_out(left_out)
    table = Table(
        source=str(path),
        place=path.stem,
        audio=audio,
        scales=Scales(scale, lambda: _labels(path)),
    )
    yield from clips_of_rows(numbered_rows(path, rows=rows, on_bad=on_bad), table, on_bad)


def numbered_rows(
    path: Path,
    *,
    columns: list[str] | None = None,
    batch: int = _BATCH,
    rows: range | None = None,
    on_bad: OnBad | None = None,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of a file with their default ids.

    Args:
        path: the `.parquet` or `.arrow`.
        columns: what is read, such as "label" or "audio.path"; everything by default.
        batch: rows in memory.
        rows: these alone.
        on_bad: called with the error where the file cannot be read on; without it the error is raised.

    Raises:
        CorpusError: the file cannot be read to its end.
    """
    arrow = path.suffix.lower() == ".arrow"
    name = f"{path.absolute().parent.name}/{path.stem}" if arrow else path.stem
    number = rows.start if rows else 0
    try:
        for some in _wanted(_batches(path, columns, batch, number), rows):
            for row in _plain_rows(some):
                if row is not None:
                    yield f"{name}-{number:08d}", row
                else:
                    report(CorpusError(f"{path}: row {number}: a text of it is not UTF-8: mend it"), on_bad)
                number += 1
    except (pa.ArrowException, OSError) as error:
        report(_unreadable(path, error), on_bad)


def _plain_rows(batch: Any) -> list[dict[str, Any] | None]:
    """Return the rows as Python has them, None for one that it cannot have."""
    try:
        rows: list[dict[str, Any] | None] = batch.to_pylist()
        return rows
    except UnicodeDecodeError:
        if len(batch) == 1:
            return [None]
        return [row for place in range(len(batch)) for row in _plain_rows(batch.slice(place, 1))]


def label_columns(path: Path) -> list[str]:
    """Return the columns without audio, images or other bytes.

    Raises:
        CorpusError: the file cannot be read.
    """
    try:
        schema = _schema(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error
    return [field.name for field in schema if not _has_bytes(field.type) and not _is_binary(field.type)]


def row_count(path: Path) -> int:
    """Return the number of rows, from the footer of a parquet file.

    Raises:
        CorpusError: the file cannot be read.
    """
    try:
        if path.suffix.lower() != ".arrow":
            return int(pyarrow.parquet.read_metadata(path).num_rows)
        with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
            return sum(len(batch) for batch in stream)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(path, error) from error


def _wanted(batches: Iterator[Any], rows: range | None) -> Iterator[Any]:
    """Cut batches off after so many rows."""
    left = len(rows) if rows is not None else None
    for batch in batches:
        if left is None or len(batch) < left:
            left = None if left is None else left - len(batch)
            yield batch
        else:
            yield batch.slice(0, left)
            return


def _batches(path: Path, columns: list[str] | None, size: int, first: int) -> Iterator[Any]:
    """Give the rows from number `first` on, at most `size` at a time."""
    if path.suffix.lower() != ".arrow":
        with pyarrow.parquet.ParquetFile(path) as file:
            yield from row_batches(file, columns, size, first=first)
        return
    with ExitStack() as stack:
        stream = stack.enter_context(pa.ipc.open_stream(stack.enter_context(pa.memory_map(str(path)))))
        wanted = None if columns is None else [name for name in stream.schema.names if name in columns]
        for batch in stream:
            if len(batch) <= first:
                first -= len(batch)
                continue
            batch.validate(full=True)  # or offsets that lie are followed
            chosen, first = (batch if wanted is None else batch.select(wanted)).slice(first), 0
            for start in range(0, len(chosen), size):
                yield chosen.slice(start, size)


def row_batches(file: Any, columns: list[str] | None, size: int, *, first: int = 0) -> Iterator[Any]:
    """Yield the rows of an open `pyarrow.parquet.ParquetFile` in their order, at most `size` at a time.

    Fewer, so that they fit `AT_ONCE` even if each held all of its row group, as rows do that share a value of
    a dictionary.

    Args:
        file: to be read.
        columns: what is read, such as "label" or "audio.path"; everything by default.
        size: rows at a time, where they are small.
        first: number of the first row.

    Raises:
        pyarrow.ArrowException, OSError: it is damaged.
    """
    for number in range(file.num_row_groups):
        group = file.metadata.row_group(number)
        if first and group.num_rows <= first:
            first -= group.num_rows
            continue
        read = (column for column in map(group.column, range(group.num_columns)) if _is_read(column, columns))
        most = sum(column.total_uncompressed_size for column in read if column.physical_type == _OF_ANY_SIZE)
        rows = min(size, max(1, AT_ONCE // max(1, most)))
        for batch in file.iter_batches(
            batch_size=rows, row_groups=[number], columns=columns, use_threads=False
        ):
            if first < len(batch):
                yield batch.slice(first)
            first = max(0, first - len(batch))


def _is_read(column: Any, names: list[str] | None) -> bool:
    path = column.path_in_schema
    return names is None or any(path == name or path.startswith(f"{name}.") for name in names)


def _schema(path: Path) -> pa.Schema:
    if path.suffix.lower() != ".arrow":
        return pyarrow.parquet.read_schema(path)
    with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
        return stream.schema


def _unreadable(path: Path, error: Exception) -> CorpusError:
    kind = path.suffix[1:].lower()
    reason = str(error).splitlines()[0]
    return CorpusError(f"{path}: the {kind} file cannot be read ({reason}): download or make it again")


def _labels(path: Path) -> Iterator[dict[str, Any]]:
    """Give the rows without their audio."""
    names = label_columns(path)
    for _, row in numbered_rows(path, columns=names, batch=_SCANNED, on_bad=lambda error: None):
        inner = row.get("json")
        yield inner if isinstance(inner, dict) else row


def _audio_column(schema: pa.Schema, path: Path) -> str:
    """Return the column of audio: a struct with bytes, else binary with a usual name (`fields.yaml`)."""
    chosen = choose(schema.names)
    structs = [field.name for field in schema if _has_bytes(field.type)]
    if structs:
        return chosen["audio"] if chosen.get("audio") in structs else str(structs[0])
    name = chosen.get("audio")
    if name is None:
        raise CorpusError(f"{path}: no column holds audio among {', '.join(schema.names)}: call it audio")
    if not _is_binary(schema.field(name).type):
        raise CorpusError(
            f"{path}: the column {name} holds no audio but {schema.field(name).type}: embed the bytes, or "
            "list the paths in a manifest (clips.jsonl)"
        )
    return name


@cache
def _warn_of_left_out(columns: tuple[str, ...]) -> None:
    """Warn once, not for every file of a corpus."""
    names = ", ".join(columns)
    warnings.warn(
        BudewWarning(f"binary columns are left out of the metadata of clips: {names}"), stacklevel=2
    )


def _holds_binary(type: pa.DataType) -> bool:
    if pa.types.is_dictionary(type):
        return _holds_binary(type.value_type)
    parts = [type.field(place).type for place in range(type.num_fields)]
    binary = _is_binary(type) or pa.types.is_fixed_size_binary(type) or pa.types.is_binary_view(type)
    return bool(binary) or any(_holds_binary(part) for part in parts)


def _is_binary(type: pa.DataType) -> bool:
    return bool(pa.types.is_binary(type) or pa.types.is_large_binary(type))


def _has_bytes(type: pa.DataType) -> bool:
    return bool(pa.types.is_struct(type)) and type.get_field_index("bytes") >= 0
