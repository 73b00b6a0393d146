"""Lhotse manifests: `recordings.jsonl.gz` and `supervisions.jsonl.gz`, with the audio in files beside them.

```python
recordings = lhotse.load_manifest("OUT/recordings.jsonl.gz").with_path_prefix("OUT")
supervisions = lhotse.load_manifest("OUT/supervisions.jsonl.gz")
cuts = lhotse.CutSet.from_manifests(recordings=recordings, supervisions=supervisions)
```

Paths are relative to OUT, so that it can be moved; `with_path_prefix` says where it is. Lhotse itself is not
needed to write them. Lengths are counted by libsndfile, with which Lhotse reads; what that cannot open (m4a,
webm) becomes 16-bit FLAC.
"""

import gzip
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import soundfile

from budew.audio.decoders import open_stream
from budew.corpora.clip import Clip
from budew.corpora.writers.expressed import as_json, audio_bytes, expressed, write_audio
from budew.corpora.writers.file_names import FileNames
from budew.corpora.writers.undamaged import undamaged
from budew.corpora.writers.whole_folder import write_folder
from budew.errors import OnBad

_UNKNOWN = 2**40
"""Samples. A FLAC that was written to a pipe claims 2**63."""


def write_lhotse(
    out: str | Path, clips: Iterable[Clip], *, overwrite: bool = False, on_bad: OnBad | None = None
) -> int:
    """Write the manifests of recordings and supervisions and their audio; return how many clips are in them.

    Each clip is a recording with one supervision over its whole length; captions, profile, source, license
    and metadata are custom fields of the supervision.

    Args:
        out: folder; empty, or of an earlier export.
        clips: read once, one at a time.
        overwrite: write into a folder that holds other files.
        on_bad: called with the error of each clip that cannot be written; without it the error is raised.

    Raises:
        CorpusError: `out` holds other files, or there is no clip.
        OSError: the disk refuses.
    """

    def fill(folder: Path) -> int:
        names = FileNames()

        def manifests(clip: Clip) -> tuple[str, str]:
            audio, suffix = _readable(clip)
            recording = _recording(clip, audio)
            supervision = as_json(_supervision(clip, recording))
            path = f"audio/{names.name(clip.id)}.{suffix}"
            recording["sources"][0]["source"] = path
            write_audio(folder / path, audio)
            return as_json(recording), supervision

        count = 0
        with (
            _lines(folder / "recordings.jsonl.gz") as first,
            _lines(folder / "supervisions.jsonl.gz") as second,
        ):
            for recording, supervision in expressed(clips, manifests, on_bad=on_bad):
                first.write(recording + "\n")
                second.write(supervision + "\n")
                count += 1
        return count

    return write_folder(out, fill, format="lhotse", overwrite=overwrite)


@contextmanager
def _lines(path: Path) -> Iterator[TextIO]:
    """Open a gzip file for text, without the name and time that would differ from run to run."""
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="\n") as text,
    ):
        yield text


def _readable(clip: Clip) -> tuple[bytes, str]:
    """Return the audio as libsndfile reads it, of a length that is known, with its suffix."""
    audio = audio_bytes(clip)
    try:
        if 0 < soundfile.info(io.BytesIO(audio)).frames < _UNKNOWN:
            return audio, clip.format
    except soundfile.LibsndfileError:
        pass
    with open_stream(audio, f"clip {clip.id!r}") as stream:
        rate = stream.sampling_rate
    packed = io.BytesIO()
    soundfile.write(packed, undamaged(clip, rate), rate, format="FLAC", subtype="PCM_16")
    return packed.getvalue(), "flac"


def _recording(clip: Clip, audio: bytes) -> dict[str, Any]:
    about = soundfile.info(io.BytesIO(audio))
    channels = list(range(about.channels))
    return {
        "id": clip.id,
        "sources": [{"type": "file", "channels": channels, "source": ""}],
        "sampling_rate": about.samplerate,
        "num_samples": about.frames,
        "duration": about.frames / about.samplerate,
        "channel_ids": channels,
    }


def _supervision(clip: Clip, recording: dict[str, Any]) -> dict[str, Any]:
    channels = recording["channel_ids"]
    described = clip.to_dict()
    custom: dict[str, Any] = {
        name: described[name] for name in ("profile", "captions", "source", "license") if name in described
    }
    if clip.metadata:
        # As text: of an object that looks like one, Lhotse makes a recording, whose source may be a command.
        custom["metadata"] = as_json(dict(clip.metadata))
    known = {
        "text": clip.transcript,
        "language": clip.language,
        "speaker": clip.speaker,
        "gender": None if clip.profile is None else clip.profile.traits.get("gender"),
        "custom": custom or None,
    }
    return {
        "id": clip.id,
        "recording_id": clip.id,
        "start": 0.0,
        "duration": recording["duration"],
        "channel": channels if len(channels) > 1 else 0,
        **{name: value for name, value in known.items() if value is not None},
    }
