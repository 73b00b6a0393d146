"""JSON Lines: a manifest with one clip a line, and the audio in files beside it.

```
OUT/clips.jsonl          {"audio": "audio/anna/01.flac", "id": "anna/01", "transcript": …}
OUT/audio/anna/01.flac
```

`budew.read("OUT")` and `budew.read("OUT/clips.jsonl")` give the clips back.
"""

from collections.abc import Iterable
from pathlib import Path

from budew.corpora.clip import Clip
from budew.corpora.manifest import MANIFEST
from budew.corpora.writers.expressed import as_json, audio_bytes, expressed, write_audio, write_lines
from budew.corpora.writers.file_names import FileNames
from budew.corpora.writers.whole_folder import write_folder
from budew.errors import OnBad


def write_jsonl(
    out: str | Path, clips: Iterable[Clip], *, overwrite: bool = False, on_bad: OnBad | None = None
) -> int:
    """Write a manifest and its audio files; return how many clips are in it.

    The audio is copied as it is encoded, everything else is in the line of the clip (`Clip.to_dict`).

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

        def line(clip: Clip) -> str:
            described, audio = clip.to_dict(), audio_bytes(clip)
            as_json(described)  # may refuse it, and a file without a line is not to stay
            described["audio"] = f"audio/{names.name(clip.id)}.{clip.format}"
            write_audio(folder / described["audio"], audio)
            return as_json(described)

        with (folder / MANIFEST).open("w", encoding="utf-8", newline="\n") as manifest:
            return write_lines(manifest, expressed(clips, line, on_bad=on_bad))

    return write_folder(out, fill, format="jsonl", overwrite=overwrite)
