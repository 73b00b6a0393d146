"""Parquet for Parler-TTS, with the columns of dataspeech: what is said, and a description of how it is said.

| from | columns |
|---|---|
| audio, transcript, a caption | `audio`, `text`, `text_description` |
| the clip | `id`, `speaker_id`, `language`, `source`, `license` |
| metadata, else profile: words | `gender`, `accent`, `pitch`, `speech_monotony`, `speaking_rate`, `noise`… |
| metadata: numbers | `utterance_pitch_mean`, `utterance_pitch_std`, `snr`, `c50`, `si-sdr`, `pesq`… |

`columns.yaml` says how; what is not known is null. Parler-TTS trains on it with `--target_audio_column_name
audio --prompt_column_name text --description_column_name text_description`, the names that it has by default
or in its own recipes.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from budew.corpora.clip import Clip
from budew.corpora.errors import LackError
from budew.corpora.writers.columns import known_columns, spoken_text, value_of, word_for
from budew.corpora.writers.expressed import audio_bytes, expressed
from budew.corpora.writers.parquet_files import AUDIO, schema, write_files
from budew.corpora.writers.whole_folder import write_folder
from budew.errors import OnBad


def write_parler(
    out: str | Path,
    clips: Iterable[Clip],
    *,
    clips_per_file: int = 1_000,
    overwrite: bool = False,
    on_bad: OnBad | None = None,
) -> int:
    """Write parquet files with a row a caption; return how many clips are in them.

    A second caption of the clip `x` is the row `x#2`. A clip without transcript or caption is told to
    `on_bad`.

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
    columns = _schema()

    def fill(folder: Path) -> int:
        def rows(clip: Clip) -> pa.RecordBatch:
            return pa.RecordBatch.from_pylist(_rows(clip), schema=columns)

        return write_files(folder, expressed(clips, rows, on_bad=on_bad), clips_per_file=clips_per_file)

    return write_folder(out, fill, format="parler", overwrite=overwrite)


def _schema() -> pa.Schema:
    texts = ("text", "text_description", "speaker_id", "language", "source", "license")
    return schema(
        {
            "id": pa.string(),
            "audio": AUDIO,
            **dict.fromkeys((*texts, *known_columns()["words"]), pa.string()),
            **dict.fromkeys(known_columns()["numbers"], pa.float64()),
        }
    )


def _rows(clip: Clip) -> list[dict[str, Any]]:
    if not clip.captions and clip.transcript is None:
        lack = "no transcript and no caption, and Parler-TTS learns from both"
        raise LackError(clip.id, lack, remedy="run budew corpus transcribe first, then budew corpus render")
    if not clip.captions:
        raise LackError(
            clip.id, "no caption, which Parler-TTS learns from", remedy="run budew corpus render first"
        )
    same: Mapping[str, Any] = {
        "audio": {"bytes": audio_bytes(clip), "path": f"{clip.id}.{clip.format}"},
        "text": spoken_text(clip),
        "speaker_id": clip.speaker,
        "language": clip.language,
        "source": clip.source,
        "license": clip.license,
        **{name: word_for(clip, name) for name in known_columns()["words"]},
        **{name: value_of(clip, names, float) for name, names in known_columns()["numbers"].items()},
    }
    ids = [clip.id, *(f"{clip.id}#{number}" for number in range(2, len(clip.captions) + 1))]
    return [
        {**same, "id": id, "text_description": caption.text}
        for id, caption in zip(ids, clip.captions, strict=True)
    ]
