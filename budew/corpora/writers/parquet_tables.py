"""Parquet: columns of the formats `parquet` and `parler`, and files written in bounded memory.

`parquet` is for Hugging Face `datasets` and gives back everything that a clip holds. What differs in its keys
from clip to clip (profile, metadata, what made a caption) is JSON text, as a column of Arrow has one type.

`parler` has the columns of dataspeech and Parler-TTS (`--target_audio_column_name audio --prompt_column_name
text --description_column_name text_description`) and the profile; `columns.yaml` says where their values come
from, null is unknown.

A row group ends after 100 clips or 32 MiB, whichever comes first: as much is held while writing, and by
whoever reads one clip. The bytes depend on the clips and the version of pyarrow alone.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet

from budew.corpora.clip import Clip
from budew.corpora.text_files import json_line
from budew.corpora.writers.clip_values import (
    converted,
    metadata_value,
    spoken_text,
    text_to_speech_columns,
)
from budew.errors import CorpusError, OnBad
from budew.taxonomy import ATTRIBUTES
from budew.taxonomy.rating_scales import LEVELS, nearest_level, to_intensity

CLIPS_PER_FILE = 1_000
ROWS = 100
"""Most rows of a row group, the number that `datasets` takes for audio."""
BYTES = 32 * 2**20
"""Size at which a row group ends earlier."""
_AUDIO = pa.struct({"bytes": pa.binary(), "path": pa.string()})
"""How `datasets` stores audio: the encoded file, and a name for its suffix."""


class TableFormat(NamedTuple):
    """Columns of a table, and what gives the rows of a clip."""

    schema: pa.Schema
    rows: Callable[[Clip], list[dict[str, Any]]]


def _parquet_rows(clip: Clip) -> list[dict[str, Any]]:
    row = {**clip.to_dict(), "audio": _audio(clip)}
    row["captions"] = [{**one, "made_by": json_line(one["made_by"])} for one in row.get("captions", [])]
    return [row | {name: json_line(row[name]) for name in ("profile", "metadata") if name in row}]


def _parler_rows(clip: Clip) -> list[dict[str, Any]]:
    text = spoken_text(clip)
    if not clip.captions:
        fault = "has no caption, which Parler-TTS learns from: run budew corpus render first"
        raise CorpusError(f"clip {clip.id!r} {fault}")
    columns = text_to_speech_columns()
    same = {
        "audio": _audio(clip),
        "text": text,
        "speaker_id": clip.speaker,
        "language": clip.language,
        "source": clip.source,
        "license": clip.license,
        "profile": None if clip.profile is None else json_line(clip.profile.to_dict()),
        **{name: _word_for(clip, name) for name in columns["words"]},
        **{name: metadata_value(clip, names, float) for name, names in columns["numbers"].items()},
    }
    ids = [clip.id, *(f"{clip.id}#{number}" for number in range(2, len(clip.captions) + 1))]
    captions = zip(ids, clip.captions, strict=True)
    return [{**same, "id": id, "text_description": caption.text} for id, caption in captions]


def _word_for(clip: Clip, column: str) -> str | None:
    """Return the word of a column such as `pitch`: that of the metadata, else by a trait of the profile."""
    word = metadata_value(clip, [column], str)
    rule = text_to_speech_columns()["words"][column]
    trait = None if clip.profile is None else clip.profile.traits.get(rule.get("trait", ""))
    if word is not None or trait is None:
        return word
    if isinstance(trait, str):
        words: dict[str, str] = rule.get("values", {trait: trait})
        return words.get(trait)
    level = nearest_level(to_intensity(trait, ATTRIBUTES[rule["trait"]].scale))
    return str(rule["levels"][LEVELS.index(level)])


def _audio(clip: Clip) -> dict[str, Any]:
    return {"bytes": clip.encoded(), "path": f"{clip.id}.{clip.format}"}


def _schema(columns: dict[str, pa.DataType]) -> pa.Schema:
    """Return a schema whose column `audio` opens as the feature `Audio` of `datasets`."""
    features = {"info": {"features": {"audio": {"_type": "Audio"}}}}
    return pa.schema(columns, metadata={"huggingface": json.dumps(features)})


_PARQUET = {
    "id": pa.string(),
    "audio": _AUDIO,
    "sampling_rate": pa.int64(),
    "duration": pa.float64(),
    "language": pa.string(),
    "speaker": pa.string(),
    "transcript": pa.string(),
    "profile": pa.string(),
    "captions": pa.list_(pa.struct({"text": pa.string(), "made_by": pa.string()})),
    "source": pa.string(),
    "license": pa.string(),
    "metadata": pa.string(),
}
_PARLER_TEXTS = ("text", "text_description", "speaker_id", "language", "source", "license", "profile")
_PARLER = {
    "id": pa.string(),
    "audio": _AUDIO,
    **dict.fromkeys((*_PARLER_TEXTS, *text_to_speech_columns()["words"]), pa.string()),
    **dict.fromkeys(text_to_speech_columns()["numbers"], pa.float64()),
}
TABLE_FORMATS = {
    "parquet": TableFormat(_schema(_PARQUET), _parquet_rows),
    "parler": TableFormat(_schema(_PARLER), _parler_rows),
}


def write_tables(
    form: TableFormat, folder: Path, clips: Iterable[Clip], on_bad: OnBad | None, *, clips_per_file: int
) -> int:
    """Write `clips-00000.parquet` and so on, `clips_per_file` clips each; return how many clips there are."""
    rows = converted(
        clips, lambda clip: pa.RecordBatch.from_pylist(form.rows(clip), schema=form.schema), on_bad
    )
    count = 0
    for number, first in enumerate(rows):
        part = chain([first], islice(rows, clips_per_file - 1))
        count += _write_file(folder / f"clips-{number:05d}.parquet", form.schema, part)
    return count


def _write_file(path: Path, schema: pa.Schema, clips: Iterator[pa.RecordBatch]) -> int:
    # Encoded audio is as small as it gets, no two alike, and has no least: only the rest is worth the effort.
    others = [name for name in schema.names if name != "audio"]
    count = 0
    with pyarrow.parquet.ParquetWriter(
        path, schema, use_dictionary=others, write_statistics=others
    ) as writer:
        for group in _row_groups(clips):
            table = pa.Table.from_batches(group)
            writer.write_table(table, row_group_size=table.num_rows)
            count += len(group)
    return count


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
