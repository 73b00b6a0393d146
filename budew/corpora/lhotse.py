"""Read Lhotse manifests: cuts, or supervisions and recordings, become rows of a plain manifest.

A cut or supervision of a whole recording uses its file; otherwise the part of the recording is cut out as
16-bit FLAC. Mixed and padded cuts, and audio that is not in files, are errors: `lhotse.CutSet.save_audios`
writes such audio to files.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile

from budew.audio.samples import decode, encode_audio
from budew.corpora.text_files import file_lines, json_object
from budew.errors import CorpusError

LONGEST = 36_000.0
"""Longest recording, in seconds, of a format that only FFmpeg decodes: each cut of it decodes all of it."""


class Excerpt(NamedTuple):
    """Part of a recording: start and duration in seconds, and numbers of the channels."""

    start: float
    duration: float
    channels: tuple[int, ...]


class Recordings:
    """Looks up the recordings of a supervision manifest by id, in the recordings manifest beside it.

    That manifest is read at the first lookup; it takes some 300 bytes of memory per recording.
    """

    def __init__(self, manifest: Path) -> None:
        self._path = manifest.with_name(manifest.name.replace("supervisions", "recordings"))

    @cached_property
    def _known(self) -> dict[Any, dict[str, Any]]:
        names = ("id", "sources", "sampling_rate", "duration", "channel_ids")
        known = {}
        for _, line in file_lines(self._path):
            with suppress(CorpusError):
                row = json_object(line, "")
                known[row.get("id")] = {name: row.get(name) for name in names}
        return known

    def of(self, id: Any) -> Mapping[str, Any]:
        """Return the recording with this id; `CorpusError` if there is none."""
        if id not in self._known:
            raise CorpusError(f"the recording {str(id)[:80]!r} is not in {self._path.name}: add it")
        return self._known[id]


def is_lhotse(row: Mapping[str, Any]) -> bool:
    """Return whether a row is a cut, supervision or recording of Lhotse."""
    return "recording_id" in row or {"id", "start", "duration", "recording"} <= row.keys() or "sources" in row


def supervisions_of(path: Path) -> Path:
    """Return the supervision manifest beside a recordings manifest; `path` itself if there is none."""
    other = path.with_name(path.name.replace("recordings", "supervisions"))
    return other if path.name.lower().endswith((".jsonl", ".jsonl.gz")) and other.is_file() else path


def plain_row(row: Mapping[str, Any], recordings: Recordings) -> tuple[dict[str, Any], Excerpt | None]:
    """Convert a cut, supervision or recording to a row of a plain manifest.

    Args:
        row: row of a Lhotse manifest.
        recordings: recordings of the manifest, for supervisions.

    Returns:
        The row, and the part of the recording that it covers; None for the whole recording.

    Raises:
        CorpusError: the row is incomplete, its recording is missing, or its audio is not a single file.
    """
    try:
        if "recording_id" in row:
            recording, supervisions = recordings.of(row["recording_id"]), [row]
        elif "sources" in row:
            recording, supervisions = row, []
        else:
            recording, supervisions = row["recording"], row.get("supervisions") or []
        return _row(row, recording, supervisions), _excerpt(row, recording)
    except CorpusError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise CorpusError(
            f"the line of the Lhotse manifest is incomplete ({error!r}): write the manifest again with lhotse"
        ) from error


def cut_out(path: Path, excerpt: Excerpt) -> bytes:
    """Return a part of an audio file as the bytes of a 16-bit FLAC file.

    Raises:
        CorpusError: the file cannot be decoded, or has no samples there.
    """
    try:
        with soundfile.SoundFile(path) as sound:
            rate = sound.samplerate
            sound.seek(min(round(excerpt.start * rate), sound.frames))
            samples = sound.read(round(excerpt.duration * rate), dtype="float32", always_2d=True)
        samples = samples[:, [channel for channel in excerpt.channels if channel < samples.shape[1]]]
    except soundfile.LibsndfileError:
        decoded = decode(path, sampling_rate=None, max_seconds=LONGEST)
        rate = decoded.sampling_rate
        start = round(excerpt.start * rate)
        samples = decoded.samples[start : start + round(excerpt.duration * rate), np.newaxis]
    if not samples.size:
        raise CorpusError(
            f"{path}: there are no samples at {excerpt.start:.1f} s: correct the start or the channel"
        )
    return encode_audio(samples, rate, "FLAC")


def _row(
    row: Mapping[str, Any], recording: Mapping[str, Any], supervisions: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    in_order = sorted(supervisions, key=lambda one: float(one["start"]))
    found: dict[str, Any] = {}
    for one in (row, *supervisions):
        found |= {} if one is recording else one.get("custom") or {}
    sources = [(source["type"], source["source"]) for source in recording["sources"]]
    if len(sources) != 1 or sources[0][0] != "file":
        kinds = ", ".join(str(kind)[:20] for kind, _ in sources)
        raise CorpusError(f"the audio is not one file ({kinds}): save it as files with CutSet.save_audios")
    if isinstance(found.get("metadata"), str):
        found["metadata"] = json_object(found["metadata"], "metadata")
    found |= {
        "id": row["id"],
        "audio": str(sources[0][1]),
        "sampling_rate": recording["sampling_rate"],
        "duration": row["duration"],
        "transcript": " ".join(one["text"] for one in in_order if one.get("text")) or None,
    }
    for name in ("language", "speaker", "gender"):
        given = {one[name] for one in in_order if one.get(name) is not None}
        if len(given) == 1 and not (name == "gender" and found.get("profile")):
            found[name] = given.pop()
    return {name: value for name, value in found.items() if value is not None}


def _excerpt(row: Mapping[str, Any], recording: Mapping[str, Any]) -> Excerpt | None:
    channels = _channels(recording.get("channel_ids") or recording["sources"][0]["channels"])
    wanted = _channels(row.get("channel", channels))
    start, duration = float(row.get("start", 0.0)), float(row["duration"])
    sample = 1.0 / recording["sampling_rate"]
    if (
        abs(start) < sample
        and abs(duration - recording["duration"]) <= sample
        and set(wanted) >= set(channels)
    ):
        return None
    if not 0 <= start <= LONGEST * 24 or not 0 < duration <= LONGEST:
        raise CorpusError(f"the excerpt starts at {start:g} s and lasts {duration:g} s: correct the times")
    return Excerpt(start, duration, wanted)


def _channels(value: Any) -> tuple[int, ...]:
    return tuple(int(channel) for channel in value) if isinstance(value, list | tuple) else (int(value),)
