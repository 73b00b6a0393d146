"""Hugging Face parquet with the audio inside (a struct of `bytes` and `path`, or plain bytes) as clips.

Read in batches, so that a shard of gigabytes costs some clips of memory.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from budew.corpora.clip import Clip, check_id
from budew.corpora.errors import CorpusError, OnBad, report
from budew.corpora.fields import choose, in_clip_names
from budew.corpora.formats import SUFFIXES, sniff_format
from budew.corpora.sidecar import json_object

_BATCH = 16


def read_parquet(
    path: str | Path, *, columns: Mapping[str, str] | None = None, on_bad: OnBad | None = None
) -> Iterator[Clip]:
    """Read each row of a parquet file as a clip; the audio comes as bytes.

    Ids are those of the file's id column, else its name and the number of the row. Columns that are no
    field of a clip are kept in the metadata, but for binary ones.

    Args:
        path: the `.parquet`.
        columns: field of a clip → column, where the column has not a usual name (`fields.yaml`). The audio
            column is found by its type, too.
        on_bad: called with the error of each bad row, and the reading goes on; without it the error is
            raised.

    Raises:
        CorpusError: not a parquet file, no column of audio, or names the row and what is wrong with it.
    """
    path = Path(path)
    seen: set[str] = set()
    for number, row, audio_column in _rows(path, columns, on_bad):
        try:
            clip = _clip(row, audio_column, columns, default_id=f"{path.stem}-{number:08d}")
            if clip.id in seen:
                raise CorpusError(f"the clip {clip.id!r} is there twice: keep one of them")
        except CorpusError as error:
            report(CorpusError(f"{path}: row {number}: {error}"), on_bad)
            continue
        seen.add(clip.id)
        yield clip


def _rows(
    path: Path, columns: Mapping[str, str] | None, on_bad: OnBad | None
) -> Iterator[tuple[int, dict[str, Any], str]]:
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            audio = _audio_column(file.schema_arrow, path, columns)
            number = 0
            for batch in file.iter_batches(batch_size=_BATCH, use_threads=False):
                for row in batch.to_pylist():
                    yield number, row, audio
                    number += 1
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        report(
            CorpusError(f"{path}: the parquet file cannot be read ({reason}): download or make it again"),
            on_bad,
        )


def _audio_column(schema: pa.Schema, path: Path, columns: Mapping[str, str] | None) -> str:
    """Return the column of audio: the one asked for, else a struct with bytes, else binary by its name."""
    try:
        chosen = choose(schema.names, columns)
    except CorpusError as error:
        raise CorpusError(f"{path}: {error}") from error
    if "audio" in (columns or {}):
        return chosen["audio"]
    structs = [field.name for field in schema if _has_bytes(field.type)]
    if structs:
        return chosen["audio"] if chosen.get("audio") in structs else str(structs[0])
    name = chosen.get("audio")
    if name is None or not _is_binary(schema.field(name).type):
        raise CorpusError(
            f"{path}: no column holds audio among {', '.join(schema.names)}: name it with columns="
        )
    return name


def _is_binary(type: pa.DataType) -> bool:
    return bool(pa.types.is_binary(type) or pa.types.is_large_binary(type))


def _has_bytes(type: pa.DataType) -> bool:
    return bool(pa.types.is_struct(type)) and type.get_field_index("bytes") >= 0


def _clip(row: dict[str, Any], column: str, columns: Mapping[str, str] | None, *, default_id: str) -> Clip:
    cell = row.pop(column)
    audio, file_name = (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (cell, None)
    if not isinstance(audio, bytes) or not audio:
        raise CorpusError(
            "it has no audio inside: embed the bytes (`datasets` does with embed_table_storage)"
        )
    kept = {name: _plain(value) for name, value in row.items() if not isinstance(value, bytes)}
    others = {field: name for field, name in (columns or {}).items() if field != "audio"}
    described = _with_objects(in_clip_names(kept, others))
    if "id" not in described and file_name:
        described["metadata"] = {"file_name": str(file_name)} | dict(described.get("metadata") or {})
    check_id(default_id)
    return Clip.from_dict(described, audio=audio, format=_format(audio, file_name), id=default_id)


def _with_objects(described: dict[str, Any]) -> dict[str, Any]:
    """Read what is an object with keys of its own, and therefore JSON text in a column of one type."""
    for name in ("profile", "metadata"):
        if isinstance(described.get(name), str):
            described[name] = json_object(described[name], name)
    captions = described.get("captions")
    for caption in captions if isinstance(captions, list) else []:
        if isinstance(caption, dict) and isinstance(caption.get("made_by"), str):
            caption["made_by"] = json_object(caption["made_by"], "made_by")
    return described


def _format(audio: bytes, file_name: str | None) -> str:
    named = PurePosixPath(file_name or "").suffix[1:].lower()
    found = sniff_format(audio[:16], named=named)
    if found is None and named not in SUFFIXES:
        raise CorpusError(
            "its audio is of no known format: store encoded audio (flac, mp3, wav), not samples"
        )
    return found or named


def _plain(value: Any) -> Any:
    """Return a value of Arrow as one of JSON: dates and decimals become text."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items() if not isinstance(inner, bytes)}
    if isinstance(value, list):
        return [_plain(inner) for inner in value if not isinstance(inner, bytes)]
    return str(value)
