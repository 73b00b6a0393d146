"""Hugging Face parquet and Arrow files as clips: audio inside, a struct of `bytes` and `path`, or bytes.

Read in batches, so that a shard of gigabytes costs some clips of memory. `save_to_disk` writes Arrow files.
NaN, which pandas writes for every number that is missing, reads as missing.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from budew.corpora.clip import Clip
from budew.corpora.column_names import columns_of_fields
from budew.corpora.labels import Scales
from budew.corpora.media import AUDIO, Media
from budew.corpora.reading import AS_USUAL, ReadOptions, Rows
from budew.corpora.table_rows import TableInfo, class_names, clips_of_rows
from budew.errors import BudewWarning, CorpusError, InputError, OnBad, report
from budew.io.strict_json import loads

AT_ONCE = 64 * 2**20
"""Bytes of rows in memory at a time; a larger row is read alone."""
_BATCH = 16
_SCANNED = 1_000


def read_table(
    path: str | Path, options: ReadOptions = AS_USUAL, *, part: Rows | None = None
) -> Iterator[Clip]:
    """Read each row of a parquet or Arrow file as a clip; the audio comes as bytes.

    Ids are those of the file's id column, else its name and the number of the row; before the name of an
    Arrow file stands that of its folder, as it is the same in every split. Columns that are no field of a
    clip are kept in the metadata, except binary ones, which a `BudewWarning` lists.

    Args:
        path: the `.parquet` or `.arrow`.
        options: scale, media and what to do with errors.
        part: some of its rows, as `divide_table` gives them.

    Raises:
        CorpusError: not such a file, no column of files, or names the row and what is wrong with it.
    """
    path = Path(path)
    try:
        schema = _schema(path)
        audio = _media_column(schema, path, options.media)
    except CorpusError as error:
        options.report(error)
        return
    left_out = tuple(field.name for field in schema if field.name != audio and _holds_binary(field.type))
    if left_out:
        _warn_of_left_out(left_out)
    scales = Scales(options.scale, lambda: _labels(path))
    table = TableInfo(str(path), path.stem, audio, scales, class_names(_features(schema)))
    yield from clips_of_rows(numbered_rows(path, part=part, on_bad=options.on_bad), table, options)


def divide_table(path: Path, rows: int) -> list[Rows]:
    """Return parts of `rows` rows each, from the footer of a parquet file.

    Raises:
        CorpusError: the file cannot be read.
    """
    with _readable(path):
        if not _is_arrow(path):
            count = int(pyarrow.parquet.read_metadata(path).num_rows)
        else:
            with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
                count = sum(len(batch) for batch in stream)
    return [Rows(start, min(start + rows, count), count) for start in range(0, count, rows)]


def numbered_rows(
    path: Path,
    *,
    columns: list[str] | None = None,
    batch: int = _BATCH,
    part: Rows | None = None,
    on_bad: OnBad | None = None,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of a file with their default ids.

    Args:
        path: the `.parquet` or `.arrow`.
        columns: what is read, such as "label" or "audio.path"; everything by default.
        batch: rows in memory.
        part: these rows alone.
        on_bad: called with the error where the file cannot be read on; without it the error is raised.

    Raises:
        CorpusError: the file cannot be read to its end.
    """
    name = f"{path.absolute().parent.name}/{path.stem}" if _is_arrow(path) else path.stem
    number = part.start if part else 0
    try:
        for some in row_batches(path, columns, batch, part):
            for row in _plain_rows(some):
                if row is not None:
                    yield f"{name}-{number:08d}", row
                else:
                    fault = "one of its texts is not UTF-8: correct it"
                    report(CorpusError(f"{path}: row {number}: {fault}"), on_bad)
                number += 1
    except CorpusError as error:
        report(error, on_bad)


def row_batches(
    path: Path, columns: list[str] | None, size: int, part: Rows | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file in their order, at most `size` at a time.

    Fewer of parquet, so that they fit `AT_ONCE` even if each held all of its row group, as rows do that share
    a value of a dictionary. Arguments and errors are those of `numbered_rows`.
    """
    first, left = (part.start, part.stop - part.start) if part else (0, 2**62)
    groups = _arrow_groups if _is_arrow(path) else _parquet_groups
    with _readable(path):
        for count, batches in groups(path, columns, size):
            if count <= first:
                first -= count
                continue
            for batch in batches():
                wanted = batch.slice(first, left)
                first = max(0, first - len(batch))
                left -= len(wanted)
                if len(wanted):
                    yield wanted
                if not left:
                    return


def label_columns(path: Path) -> list[str]:
    """Return the columns without audio, images or other bytes.

    Raises:
        CorpusError: the file cannot be read.
    """
    fields = _schema(path)
    return [field.name for field in fields if not _has_bytes(field.type) and not _is_binary(field.type)]


def file_name_column(path: Path) -> str | None:
    """Return the column of file names inside the structs of audio, such as "audio.path"; None without one.

    Parts of a struct in an Arrow file are not read alone: there it is the column of the structs.

    Raises:
        CorpusError: the file cannot be read.
    """
    structs = [field for field in _schema(path) if _has_bytes(field.type)]
    named = next((field.name for field in structs if field.type.get_field_index("path") >= 0), None)
    return named if named is None or _is_arrow(path) else f"{named}.path"


def _plain_rows(batch: pa.RecordBatch) -> list[dict[str, Any] | None]:
    """Return the rows as Python has them, None for one that it cannot have."""
    try:
        return list(batch.to_pylist())
    except UnicodeDecodeError:
        if len(batch) == 1:
            return [None]
        return [row for place in range(len(batch)) for row in _plain_rows(batch.slice(place, 1))]


Groups = Iterator[tuple[int, Callable[[], Iterator[pa.RecordBatch]]]]
"""Stretches of a file: the number of rows, and what reads them."""


def _parquet_groups(path: Path, columns: list[str] | None, size: int) -> Groups:
    with pyarrow.parquet.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            group = file.metadata.row_group(number)
            read = (one for one in map(group.column, range(group.num_columns)) if _is_read(one, columns))
            most = sum(one.total_uncompressed_size for one in read if one.physical_type == "BYTE_ARRAY")
            batch = min(size, max(1, AT_ONCE // max(1, most)))
            read_group = partial(file.iter_batches, row_groups=[number], columns=columns, use_threads=False)
            yield group.num_rows, partial(read_group, batch_size=batch)


def _arrow_groups(path: Path, columns: list[str] | None, size: int) -> Groups:
    def cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        batch.validate(full=True)  # or offsets that lie are followed
        names = [name for name in batch.schema.names if columns is None or name in columns]
        chosen = batch.select(names)
        yield from (chosen.slice(start, size) for start in range(0, len(chosen), size))

    with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
        for batch in stream:
            yield len(batch), partial(cut, batch)


def _is_read(column: Any, names: list[str] | None) -> bool:
    path = column.path_in_schema
    return names is None or any(path == name or path.startswith(f"{name}.") for name in names)


def _is_arrow(path: Path) -> bool:
    return path.suffix.lower() == ".arrow"


def _schema(path: Path) -> pa.Schema:
    with _readable(path):
        if not _is_arrow(path):
            return pyarrow.parquet.read_schema(path)
        with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
            return stream.schema


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Make a `CorpusError` of what reading a damaged file raises."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        kind, reason = path.suffix[1:].lower(), str(error).splitlines()[0]
        fault = f"the {kind} file cannot be read ({reason}): download or make it again"
        raise CorpusError(f"{path}: {fault}") from error


def _labels(path: Path) -> Iterator[dict[str, Any]]:
    """Give the rows without their audio."""
    names = label_columns(path)
    for _, row in numbered_rows(path, columns=names, batch=_SCANNED, on_bad=lambda error: None):
        inner = row.get("json")
        yield inner if isinstance(inner, dict) else row


def _features(schema: pa.Schema) -> Any:
    """Return the features that `datasets` stores in the schema, by column; None without any."""
    try:
        return loads((schema.metadata or {}).get(b"huggingface", b"{}")).get("info", {}).get("features")
    except (InputError, AttributeError):  # not written by `datasets`
        return None


def _media_column(schema: pa.Schema, path: Path, media: Media) -> str:
    """Return the column of audio: a struct with bytes, else binary with a usual name (`fields.yaml`).

    That of images is called as they are, or as one of their suffixes.
    """
    usual = (name for name in (media.name, *media.suffixes) if name in schema.names)
    name = columns_of_fields(schema.names).get("audio") if media == AUDIO else next(usual, None)
    structs = [field.name for field in schema if _has_bytes(field.type)]
    if structs:
        return name if name is not None and name in structs else str(structs[0])
    if name is None or not _is_binary(schema.field(name).type):
        raise CorpusError(
            f"{path}: no column holds {media.name} data among {', '.join(schema.names)}: embed the bytes in "
            f"a column {media.name}, or list the paths of audio in a manifest (clips.jsonl)"
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
