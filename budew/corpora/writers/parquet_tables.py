"""Write parquet files in the formats `parquet` and `parler`, in bounded memory.

`parquet` is for Hugging Face `datasets` and has all fields of a clip. Objects whose keys differ from clip to
clip (profile, metadata, origin of a caption) are stored as JSON text, because a column of Arrow has one type.

`parler` has the profile and the columns of dataspeech and Parler-TTS (`--target_audio_column_name audio
--prompt_column_name text --description_column_name text_description`). `columns.yaml` maps these columns to
fields of clips; null means unknown.

A row group ends after 100 rows or 32 MiB, whichever comes first: writing takes this much memory, and so does
reading a clip. The bytes depend only on the clips and the version of pyarrow.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet

from budew.corpora.clip import Clip
from budew.corpora.media import AUDIO, IMAGE
from budew.corpora.text_files import json_line
from budew.corpora.writers.clip_values import (
    converted,
    metadata_value,
    spoken_text,
    text_to_speech_columns,
    with_columns,
)
from budew.errors import CorpusError, OnBad
from budew.taxonomy import ATTRIBUTES
from budew.taxonomy.rating_scales import LEVELS, nearest_level, to_intensity

CLIPS_PER_FILE = 1_000
"""Default number of clips per file."""
DATA = "data"
"""Folder of the tables in an export, as on the hub."""
ROWS = 100
"""Largest number of rows in a row group, as in `datasets` for audio."""
BYTES = 32 * 2**20
"""A row group with fewer rows ends when it has this many bytes."""
_AUDIO = pa.struct({"bytes": pa.binary(), "path": pa.string()})
"""Type of audio in `datasets`: the encoded file, and a file name with its suffix."""


class TableFormat(NamedTuple):
    """A format of parquet files: its columns (`schema`), and a function that returns the rows of a clip."""

    schema: pa.Schema
    rows: Callable[[Clip], list[dict[str, Any]]]


def _parquet_rows(clip: Clip, column: str = "audio") -> list[dict[str, Any]]:
    row = {**with_columns(clip.to_dict()), column: _audio(clip)}
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
    """Return the word in a column such as `pitch`, from the metadata, or else from a trait of the profile."""
    word = metadata_value(clip, [column], str)
    rule = text_to_speech_columns()["words"][column]
    trait = None if clip.profile is None else clip.profile.traits.get(rule.get("trait", ""))
    if word is None and trait is None and rule.get("measure") in clip.metadata:
        return str(rule["middle"])
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
    """Return a schema in which `datasets` reads the column `audio` as its feature `Audio`, or images."""
    media = AUDIO if AUDIO.name in columns else IMAGE
    features = {"info": {"features": {media.name: {"_type": media.name.title()}}}}
    return pa.schema(columns, metadata={"huggingface": json.dumps(features)})


_NUMBERS = {"float": pa.float64(), "int": pa.int64()}
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
    **{name: _NUMBERS[kind] for name, kind in text_to_speech_columns()["measures"].items()},
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
    "image": TableFormat(
        _schema({IMAGE.name if name == AUDIO.name else name: one for name, one in _PARQUET.items()}),
        partial(_parquet_rows, column=IMAGE.name),
    ),
}


def write_tables(
    form: TableFormat, folder: Path, clips: Iterable[Clip], on_bad: OnBad | None, *, clips_per_file: int
) -> int:
    """Write clips to `data/clips-00000.parquet`, …, and return their number.

    pandas and pyarrow read the folder `data`; beside its card, which is no table, they would refuse to.

    Args:
        form: format of the files.
        folder: folder to write into.
        clips: clips to write.
        on_bad: called with the error of each clip that cannot be written; without it the error is raised.
        clips_per_file: number of clips per file.
    """
    rows = converted(
        clips, lambda clip: pa.RecordBatch.from_pylist(form.rows(clip), schema=form.schema), on_bad
    )
    data, count = folder / DATA, 0
    for number, first in enumerate(rows):
        data.mkdir(exist_ok=True)
        part = chain([first], islice(rows, clips_per_file - 1))
        count += _write_file(data / f"clips-{number:05d}.parquet", form.schema, part)
    return count


def _write_file(path: Path, schema: pa.Schema, clips: Iterator[pa.RecordBatch]) -> int:
    # No dictionary and no statistics for encoded media: its values differ and have no useful minimum.
    others = [name for name in schema.names if name not in (AUDIO.name, IMAGE.name)]
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
