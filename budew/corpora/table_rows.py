"""Rows of a Hugging Face table (parquet, Arrow, streamed) as clips: audio as a struct of `bytes` and `path`.

Rows that the hub makes of WebDataset shards (`__key__`, `__url__`, `json`, `mp3`) read as those shards do.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import isfinite, isnan
from pathlib import PurePosixPath
from typing import Any

from budew.audio.formats import LARGEST_AUDIO
from budew.corpora.clip import Clip
from budew.corpora.column_names import in_clip_names
from budew.corpora.labels import Scales, described
from budew.corpora.media import AUDIO, Media
from budew.corpora.reading import ReadOptions, distinct_clips
from budew.corpora.text_files import json_object
from budew.errors import CorpusError


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What is known of a table before its rows are read.

    Attributes:
        source: what errors call it.
        place: its name without suffix.
        audio: the column of audio, or of images.
        scales: finds the scale of scores.
        classes: the names of the numbers in a column, by column (`ClassLabel` of `datasets`).
    """

    source: str
    place: str
    audio: str
    scales: Scales
    classes: Mapping[str, Sequence[str]] = field(default_factory=dict)


def clips_of_rows(
    rows: Iterable[tuple[str, dict[str, Any]]], table: TableInfo, options: ReadOptions
) -> Iterator[Clip]:
    """Make a clip of each row, which comes with its default id: a name, a hyphen, the number of the row.

    Raises:
        CorpusError: names the row and what is wrong with it, unless `on_bad` takes it.
    """

    def make(row: dict[str, Any], id: str) -> Clip:
        audio, format, file_name = _audio(row.pop(table.audio), options.media)
        fields = _fields(row, table, options.media)
        if "id" not in fields and file_name:
            fields["metadata"] = {"file_name": file_name} | dict(fields.get("metadata") or {})
        return Clip.from_dict(fields, audio=audio, format=format, id=id)

    places = ((f"{table.source}: row {int(id.rpartition('-')[2])}", row, id) for id, row in rows)
    yield from distinct_clips(((place, partial(make, row, id)) for place, row, id in places), options)


def _audio(cell: Any, media: Media) -> tuple[bytes, str, str]:
    """Return encoded audio, its format and the name of its file, "" where the cell has none."""
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


def _fields(row: dict[str, Any], table: TableInfo, media: Media) -> dict[str, Any]:
    known: dict[str, Any] = json_value({name: value for name, value in row.items() if value is not None})
    known |= {key: _named(known[key], names) for key, names in table.classes.items() if key in known}
    place = table.place
    inner = known.get("json")
    if "__key__" in known and isinstance(inner, dict):  # a clip that was in a shard
        place = (
            PurePosixPath(str(known.get("__url__") or place)).name.removesuffix(".gz").removesuffix(".tar")
        )
        known = {**{key: value for key, value in inner.items() if value is not None}, "id": known["__key__"]}
    if media != AUDIO:
        return known
    fields = in_clip_names(known)
    captions = fields.get("captions")
    objects = [one for one in captions if isinstance(one, dict)] if isinstance(captions, list) else []
    # What has keys of its own is JSON text in a column of one type.
    for holder, name in ((fields, "profile"), (fields, "metadata"), *((one, "made_by") for one in objects)):
        if isinstance(holder.get(name), str):
            holder[name] = json_object(holder[name], name)
    return described(fields, place, table.scales, classes=table.classes)


def class_names(features: Any) -> dict[str, tuple[str, ...]]:
    """Return the names of classes by column.

    Args:
        features: of a dataset, or their JSON, by column: a ClassLabel has `names`, a list of them a `feature`
            that has.
    """
    if not isinstance(features, Mapping):
        return {}
    found = {str(column): _part(_part(one, "feature") or one, "names") for column, one in features.items()}
    return {column: tuple(map(str, names)) for column, names in found.items() if isinstance(names, list)}


def _part(feature: Any, name: str) -> Any:
    return feature.get(name) if isinstance(feature, Mapping) else getattr(feature, name, None)


def _named(value: Any, names: Sequence[str]) -> Any:
    """Return the name of a class by its number; None for a number that has none, such as −1."""
    if isinstance(value, list):
        return [_named(one, names) for one in value]
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return names[value] if 0 <= value < len(names) else None


def json_value(value: Any) -> Any:
    """Return a value of Arrow as one of JSON: NaN is None; the infinite, dates and decimals become text."""
    if isinstance(value, float) and not isfinite(value):
        return None if isnan(value) else str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, dict):
        return {str(key): json_value(inner) for key, inner in value.items() if not isinstance(inner, bytes)}
    if isinstance(value, list):
        return [json_value(inner) for inner in value if not isinstance(inner, bytes)]
    return str(value)
