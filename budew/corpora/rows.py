"""Rows of a Hugging Face table (parquet, Arrow, streamed) as clips: audio as a struct of `bytes` and `path`.

Rows that the hub makes of WebDataset shards (`__key__`, `__url__`, `json`, `mp3`) read as those shards do.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite, isnan
from pathlib import PurePosixPath
from typing import Any

from budew.audio.formats import LARGEST_AUDIO, SUFFIXES, sniff_format
from budew.corpora.clip import Clip, check_id
from budew.corpora.fields import in_clip_names
from budew.corpora.labels import Scales, described
from budew.corpora.sidecar import json_object
from budew.errors import CorpusError, OnBad, report


@dataclass(frozen=True, slots=True)
class Table:
    """What is known of a table before its rows are read.

    Attributes:
        source: what errors call it.
        place: its name without suffix.
        audio: the column of audio.
        scales: finds the scale of scores.
    """

    source: str
    place: str
    audio: str
    scales: Scales


def clips_of_rows(
    rows: Iterable[tuple[str, dict[str, Any]]], table: Table, on_bad: OnBad | None
) -> Iterator[Clip]:
    """Make a clip of each row, which comes with its default id: a name, a hyphen, the number of the row.

    Raises:
        CorpusError: names the row and what is wrong with it, unless `on_bad` takes it.
    """
    seen: set[str] = set()
    for id, row in rows:
        try:
            clip = _clip(row, id, table)
            if clip.id in seen:
                raise CorpusError(f"the clip {clip.id!r} is there twice: keep one of them")
        except CorpusError as error:
            number = int(id.rpartition("-")[2])
            report(CorpusError(f"{table.source}: row {number}: {error}"), on_bad)
            continue
        seen.add(clip.id)
        yield clip


def _clip(row: dict[str, Any], id: str, table: Table) -> Clip:
    cell = row.pop(table.audio)
    audio, file_name = (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (cell, None)
    if not isinstance(audio, bytes) or not audio:
        raise CorpusError(
            "it has no audio inside: embed the bytes (`datasets` does with embed_table_storage)"
        )
    if len(audio) > LARGEST_AUDIO:
        raise CorpusError(
            f"its {len(audio)} bytes of audio are more than the {LARGEST_AUDIO} allowed: cut it"
        )
    fields = _fields(row, table)
    if "id" not in fields and file_name:
        fields["metadata"] = {"file_name": str(file_name)} | dict(fields.get("metadata") or {})
    check_id(id)
    return Clip.from_dict(fields, audio=audio, format=_format(audio, file_name), id=id)


def _fields(row: dict[str, Any], table: Table) -> dict[str, Any]:
    kept = {name: plain(value) for name, value in row.items() if not isinstance(value, bytes)}
    place = table.place
    if "__key__" in kept and isinstance(kept.get("json"), dict):
        kept, place = _of_webdataset(kept, place)
    return described(_with_objects(in_clip_names(kept)), place, table.scales)


def _with_objects(fields: dict[str, Any]) -> dict[str, Any]:
    """Read what is an object with keys of its own, and therefore JSON text in a column of one type."""
    for name in ("profile", "metadata"):
        if isinstance(fields.get(name), str):
            fields[name] = json_object(fields[name], name)
    captions = fields.get("captions")
    for caption in captions if isinstance(captions, list) else []:
        if isinstance(caption, dict) and isinstance(caption.get("made_by"), str):
            caption["made_by"] = json_object(caption["made_by"], "made_by")
    return fields


def _of_webdataset(row: dict[str, Any], place: str) -> tuple[dict[str, Any], str]:
    """Return the JSON of a clip that was in a shard, and the name of that shard."""
    shard = PurePosixPath(str(row.get("__url__") or place)).name
    known = {name: value for name, value in row["json"].items() if value is not None}
    return {**known, "id": row["__key__"]}, shard.removesuffix(".gz").removesuffix(".tar")


def _format(audio: bytes, file_name: str | None) -> str:
    named = PurePosixPath(file_name or "").suffix[1:].lower()
    found = sniff_format(audio[:16], named=named)
    if found is None and named not in SUFFIXES:
        raise CorpusError(
            "its audio is of no known format: store encoded audio (flac, mp3, wav), not samples"
        )
    return found or named


def plain(value: Any) -> Any:
    """Return a value of Arrow as one of JSON: NaN is None; the infinite, dates and decimals become text."""
    if isinstance(value, float) and not isfinite(value):
        return None if isnan(value) else str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items() if not isinstance(inner, bytes)}
    if isinstance(value, list):
        return [plain(inner) for inner in value if not isinstance(inner, bytes)]
    return str(value)
