"""Parquet for Hugging Face: `datasets.load_dataset("parquet", data_files="OUT/*.parquet")`, audio inside.

Everything that a clip holds comes back by `budew.read`. What differs from clip to clip in its keys (the
profile, the metadata, what made a caption) is JSON text: a column of Arrow has one type for all its rows.
"""

from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from budew.corpora.clip import Clip
from budew.corpora.writers.expressed import as_json, audio_bytes, expressed
from budew.corpora.writers.parquet_files import AUDIO, schema, write_files
from budew.corpora.writers.whole_folder import write_folder
from budew.errors import OnBad

SCHEMA = schema(
    {
        "id": pa.string(),
        "audio": AUDIO,
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
)


def write_parquet(
    out: str | Path,
    clips: Iterable[Clip],
    *,
    clips_per_file: int = 1_000,
    overwrite: bool = False,
    on_bad: OnBad | None = None,
) -> int:
    """Write parquet files; return how many clips are in them.

    Args:
        out: folder; empty, or of an earlier export.
        clips: read once; memory holds about 100 MB of them.
        clips_per_file: as many clips go into each `clips-<number>.parquet`.
        overwrite: write into a folder that holds other files.
        on_bad: called with the error of each clip that cannot be written; without it the error is raised.

    Raises:
        CorpusError: `out` holds other files, or there is no clip.
        OSError: the disk refuses.
    """

    def fill(folder: Path) -> int:
        return write_files(folder, expressed(clips, _row, on_bad=on_bad), clips_per_file=clips_per_file)

    return write_folder(out, fill, format="parquet", overwrite=overwrite)


def _row(clip: Clip) -> pa.RecordBatch:
    row = clip.to_dict()
    row["audio"] = {"bytes": audio_bytes(clip), "path": f"{clip.id}.{clip.format}"}
    row["captions"] = [{**one, "made_by": as_json(one["made_by"])} for one in row.get("captions", [])]
    row |= {name: as_json(row[name]) for name in ("profile", "metadata") if name in row}
    return pa.RecordBatch.from_pylist([row], schema=SCHEMA)
