"""Read Hugging Face tables: parquet, Arrow (`save_to_disk`), and streamed rows, with the audio in a column.

The audio of a row is a struct of `bytes` and `path`, or bytes. Files are read in batches, so that a shard of
gigabytes takes the memory of some clips. NaN, which pandas writes for missing numbers, counts as missing.
Rows that the hub makes from WebDataset shards (`__key__`, `__url__`, `json`, `mp3`) give the same clips as
the shards.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from math import isfinite, isnan
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from budew.audio.formats import LARGEST_AUDIO
from budew.corpora.clip import Clip
from budew.corpora.column_names import columns_of_fields, in_clip_names
from budew.corpora.labels import Scales, described
from budew.corpora.media import AUDIO, IMAGE, Media
from budew.corpora.reading import AS_USUAL, ReadOptions, Rows, distinct_clips
from budew.corpora.text_files import json_object
from budew.errors import CorpusError, InputError, OnBad, report
from budew.io.strict_json import loads

AT_ONCE = 64 * 2**20
"""Largest size, in bytes, of the rows in memory at a time; a larger row is read alone."""
_BATCH = 16  # rows with audio that are read at a time
_SCANNED = 1_000  # rows without audio that are read at a time


def read_table(
    path: str | Path, options: ReadOptions = AS_USUAL, *, part: Rows | None = None
) -> Iterator[Clip]:
    """Read each row of a parquet or Arrow file as a clip; `Clip.audio` has the bytes.

    Ids are from the id column, or else made of the name of the file and the number of the row, and for Arrow
    also of the folder, because Arrow files have the same names in every split. Columns that are not fields of
    a clip are kept in the metadata, except binary columns.

    Args:
        path: path of the file.
        options: options for reading.
        part: part from `divide_table`; None: all rows.

    Raises:
        CorpusError: the file cannot be read or has no column of audio, or a row is broken; the message names
            the row.
    """
    path = Path(path)
    try:
        schema = _schema(path)
        file_name = _file_name_column(path, schema, options.media)
        audio = media_column(schema, str(path), options.media) if options.audio else file_name or ""
    except CorpusError as error:
        options.report(error)
        return
    columns = None if options.audio else [*label_columns(path), *filter(None, [file_name])]
    scales = Scales(options.scale, lambda: _labels(path))
    column = audio.removesuffix(".path")
    table = TableInfo(str(path), path.stem, column, scales, class_names(_features(schema)))
    batch = _BATCH if options.audio else _SCANNED
    rows = numbered_rows(path, columns=columns, batch=batch, part=part, on_bad=options.on_bad)
    yield from clips_of_rows(rows, table, options)


def divide_table(path: Path, rows: int) -> list[Rows]:
    """Divide a parquet or Arrow file into parts of `rows` rows; of parquet only the footer is read.

    Raises:
        CorpusError: the file cannot be read.
    """
    with _readable(path):
        if _is_arrow(path):
            with _arrow_stream(path) as stream:
                count = sum(len(batch) for batch in stream)
        else:
            count = int(pyarrow.parquet.read_metadata(path).num_rows)
    return [Rows(start, min(start + rows, count), count) for start in range(0, count, rows)]


def numbered_rows(
    path: Path,
    *,
    columns: list[str] | None = None,
    batch: int = _BATCH,
    part: Rows | None = None,
    on_bad: OnBad | None = None,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield default id and content of each row of a parquet or Arrow file.

    Args:
        path: path of the file.
        columns: columns to read; None: all.
        batch: largest number of rows in memory.
        part: part from `divide_table`; None: all rows.
        on_bad: called with the error if the file cannot be read to its end; without it the error is raised.

    Raises:
        CorpusError: the file cannot be read to its end.
    """
    name = f"{path.absolute().parent.name}/{path.stem}" if _is_arrow(path) else path.stem
    number = part.start if part else 0
    try:
        with _readable(path):
            for some in row_batches(path, columns, batch, part):
                for row in _plain_rows(some):
                    if row is None:
                        report(CorpusError(f"{path}: row {number}: a text is not UTF-8: correct it"), on_bad)
                    else:
                        yield f"{name}-{number:08d}", row
                    number += 1
    except CorpusError as error:
        report(error, on_bad)


def _plain_rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any] | None]:
    """Yield the rows of a batch as dictionaries, None for a row with a text that is not UTF-8."""
    try:
        yield from batch.to_pylist()
    except UnicodeDecodeError:
        parts = [batch.slice(row, 1) for row in range(len(batch))]
        yield from chain.from_iterable(map(_plain_rows, parts)) if len(parts) > 1 else [None]


def row_batches(
    path: Path, columns: list[str] | None, size: int, part: Rows | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file in order, in batches of at most `size`, smaller for parquet files with audio.

    The other arguments are those of `numbered_rows`.
    """
    first, left = (part.start, part.stop - part.start) if part else (0, 2**62)
    groups = _arrow_groups if _is_arrow(path) else _parquet_groups
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
    """Return the names of the columns without audio, images or other binary data.

    Raises:
        CorpusError: the file cannot be read.
    """
    fields = _schema(path)
    return [field.name for field in fields if not _has_bytes(field.type) and not _is_binary(field.type)]


def file_name_columns(path: Path) -> list[str]:
    """Return the columns with names of audio or image files in structs, as `_file_name_column` does."""
    return [*filter(None, {_file_name_column(path, _schema(path), media) for media in (AUDIO, IMAGE)})]


def _file_name_column(path: Path, schema: pa.Schema, media: Media) -> str | None:
    """Return the column of file names in the structs of audio, such as "audio.path"; None if there is none.

    For Arrow files, of which a part of a struct cannot be read alone, it is the column of the structs.
    """
    structs = _media_structs(schema, media)
    named = next((name for name in structs if schema.field(name).type.get_field_index("path") >= 0), None)
    return named if named is None or _is_arrow(path) else f"{named}.path"


def media_column(schema: pa.Schema, table: str, media: Media) -> str:
    """Return the name of the column of audio or images.

    It is a column of structs with bytes: of several, one that `datasets` declares as audio, then one with a
    usual name (`fields.yaml`). Without structs, it is a binary column with a usual name; for images, `image`
    or a suffix of images.

    Args:
        schema: schema of the table.
        table: name of the table in the error message.
        media: audio or images.

    Raises:
        CorpusError: there is no such column.
    """
    usual = (name for name in (media.name, *media.suffixes) if name in schema.names)
    name = columns_of_fields(schema.names).get("audio") if media == AUDIO else next(usual, None)
    structs = _media_structs(schema, media)
    if structs:
        return name if name is not None and name in structs else structs[0]
    if name is None or not _is_binary(schema.field(name).type):
        raise CorpusError(
            f"{table}: no column holds {media.name} data among {', '.join(schema.names)}: embed the bytes in "
            f"a column {media.name}, or list the paths of audio in a manifest (clips.jsonl)"
        )
    return name


def _media_structs(schema: pa.Schema, media: Media) -> list[str]:
    """Return the columns of structs with bytes; if some are declared as audio (or images), only these."""
    structs, features = [field.name for field in schema if _has_bytes(field.type)], _features(schema)
    declared = features if isinstance(features, Mapping) else {}
    kind = media.name.title()
    return [name for name in structs if _part(declared.get(name), "_type") == kind] or structs


@dataclass(frozen=True, slots=True)
class TableInfo:
    """Properties of a table that are the same for all rows.

    Attributes:
        source: name of the table in error messages.
        place: name of the file or dataset, which has labels in some corpora.
        audio: name of the column of audio or images.
        scales: finds the scale of scores.
        classes: column → names of its class labels.
    """

    source: str
    place: str
    audio: str
    scales: Scales
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)


def clips_of_rows(
    rows: Iterable[tuple[str, dict[str, Any]]], table: TableInfo, options: ReadOptions
) -> Iterator[Clip]:
    """Yield the clip of each row.

    Args:
        rows: default id and content of each row; the id ends in a hyphen and the number of the row.
        table: properties of the table.
        options: options for reading.

    Raises:
        CorpusError: a row is broken, and `options.on_bad` is None; the message names the row.
    """

    def make(row: dict[str, Any], id: str) -> Clip:
        cell = row.pop(table.audio, None)
        if options.audio:
            audio, format, file_name = _audio(cell, options.media)
        else:
            audio, format, file_name = b"", "", str((cell or {}).get("path") or "")
        fields = _fields(row, table, options.media, file_name)
        return Clip.from_dict(fields, audio=audio, format=format, id=id)

    places = ((f"{table.source}: row {int(id.rpartition('-')[2])}", row, id) for id, row in rows)
    yield from distinct_clips(((place, partial(make, row, id)) for place, row, id in places), options)


def _audio(cell: Any, media: Media) -> tuple[bytes, str, str]:
    """Return the encoded audio in a cell, its format, and the name of its file ("" if it has none)."""
    audio, file_name = (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (cell, None)
    if not isinstance(audio, bytes) or not 0 < len(audio) <= LARGEST_AUDIO:
        size = len(audio) if isinstance(audio, bytes) else 0
        raise CorpusError(
            f"it has {size} bytes of {media.name} inside, not 1 to {LARGEST_AUDIO}: embed the bytes "
            "(`datasets` does with embed_table_storage), or cut the clip"
        )
    format = media.format_of(audio[:16], named=PurePosixPath(file_name or "").suffix[1:].lower())
    if format is None:
        raise CorpusError(
            f"its {media.name} format is unknown: store encoded files (flac, mp3, jpg), not samples"
        )
    return audio, format, str(file_name or "")


def _fields(row: dict[str, Any], table: TableInfo, media: Media, file_name: str) -> dict[str, Any]:
    known: dict[str, Any] = json_value({name: value for name, value in row.items() if value is not None})
    known |= {key: _named(known[key], names) for key, names in table.classes.items() if key in known}
    place = table.place
    inner = known.get("json")
    if "__key__" in known and isinstance(inner, dict):  # a row made from a WebDataset shard
        place = (
            PurePosixPath(str(known.get("__url__") or place)).name.removesuffix(".gz").removesuffix(".tar")
        )
        known = {**{key: value for key, value in inner.items() if value is not None}, "id": known["__key__"]}
    fields = in_clip_names(known) if media == AUDIO else known
    captions = fields.get("captions")
    objects = [one for one in captions if isinstance(one, dict)] if isinstance(captions, list) else []
    # Objects whose keys differ from row to row are stored as JSON text.
    for holder, name in ((fields, "profile"), (fields, "metadata"), *((one, "made_by") for one in objects)):
        if isinstance(holder.get(name), str):
            holder[name] = json_object(holder[name], name)
    if "id" not in fields and file_name:
        fields["metadata"] = {"file_name": file_name} | dict(fields.get("metadata") or {})
    return described(fields, place, table.scales, classes=table.classes, media=media)


def class_names(features: Any) -> dict[str, tuple[str, ...]]:
    """Return {column: names of its classes} for the columns with class labels.

    Args:
        features: features of a dataset (`datasets.Features`) or their JSON, by column.
    """
    if not isinstance(features, Mapping):
        return {}
    found = {str(column): _part(_part(one, "feature") or one, "names") for column, one in features.items()}
    return {column: tuple(map(str, names)) for column, names in found.items() if isinstance(names, list)}


def _part(feature: Any, name: str) -> Any:
    return feature.get(name) if isinstance(feature, Mapping) else getattr(feature, name, None)


def _named(value: Any, names: Sequence[str]) -> Any:
    """Replace the number of a class by its name; None for a number without a name, such as −1."""
    if isinstance(value, list):
        return [_named(one, names) for one in value]
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return names[value] if 0 <= value < len(names) else None


def json_value(value: Any) -> Any:
    """Convert a value of Arrow to JSON: NaN becomes None; infinity, dates and decimals become text."""
    if isinstance(value, float) and not isfinite(value):
        return None if isnan(value) else str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, dict):
        return {str(key): json_value(inner) for key, inner in value.items() if not isinstance(inner, bytes)}
    if isinstance(value, list):
        return [json_value(inner) for inner in value if not isinstance(inner, bytes)]
    return str(value)


Groups = Iterator[tuple[int, Callable[[], Iterator[pa.RecordBatch]]]]
"""Number of rows of each part of a file, and a function that reads them."""


def _parquet_groups(path: Path, columns: list[str] | None, size: int) -> Groups:
    """Yield the row groups of a parquet file.

    Batches are small enough for `AT_ONCE` even if every row has all bytes of its group, because a value that
    rows share is stored once.
    """
    with pyarrow.parquet.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            group = file.metadata.row_group(number)
            fitting = size if columns else min(size, max(1, AT_ONCE // max(1, group.total_byte_size)))
            read_group = partial(file.iter_batches, row_groups=[number], columns=columns, use_threads=False)
            yield group.num_rows, partial(read_group, batch_size=fitting)


def _arrow_groups(path: Path, columns: list[str] | None, size: int) -> Groups:
    def cut(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        batch.validate(full=True)  # detects wrong offsets in damaged files
        names = [name for name in batch.schema.names if columns is None or name in columns]
        chosen = batch.select(names)
        yield from (chosen.slice(start, size) for start in range(0, len(chosen), size))

    with _arrow_stream(path) as stream:
        for batch in stream:
            yield len(batch), partial(cut, batch)


def _is_arrow(path: Path) -> bool:
    return path.suffix.lower() == ".arrow"


@contextmanager
def _arrow_stream(path: Path) -> Iterator[Any]:
    with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
        yield stream


def _schema(path: Path) -> pa.Schema:
    with _readable(path):
        if not _is_arrow(path):
            return pyarrow.parquet.read_schema(path)
        with _arrow_stream(path) as stream:
            return stream.schema


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn the errors of reading a damaged file into `CorpusError`."""
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        kind, reason = path.suffix[1:].lower(), str(error).splitlines()[0]
        fault = f"the {kind} file cannot be read ({reason}): download or make it again"
        raise CorpusError(f"{path}: {fault}") from error


def _labels(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table without their audio, to detect the scale of scores."""
    names = label_columns(path)
    for _, row in numbered_rows(path, columns=names, batch=_SCANNED, on_bad=lambda error: None):
        inner = row.get("json")
        yield inner if isinstance(inner, dict) else row


def _features(schema: pa.Schema) -> Any:
    """Return the features that `datasets` stores in the schema, by column; None if there are none."""
    try:
        return loads((schema.metadata or {}).get(b"huggingface", b"{}")).get("info", {}).get("features")
    except (InputError, AttributeError):  # not written by `datasets`
        return None


def _is_binary(type: pa.DataType) -> bool:
    return bool(pa.types.is_binary(type) or pa.types.is_large_binary(type))


def _has_bytes(type: pa.DataType) -> bool:
    return bool(pa.types.is_struct(type)) and type.get_field_index("bytes") >= 0
