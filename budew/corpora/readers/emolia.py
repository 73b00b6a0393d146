"""Emolia bench: folders `<Emotion>_best/` of `<stem>.mp3` + `<stem>.json`. See `budew.corpora.labels.emolia`.

What people say of its clips is a table of its own: `budew.curation.rating_files`.
"""

from collections.abc import Iterator
from pathlib import Path

from budew.audio.formats import is_audio_name
from budew.corpora.clip import Clip
from budew.corpora.folder import list_files, lonely_json, read_files
from budew.corpora.labels import only
from budew.corpora.labels.emolia import describe_emolia
from budew.errors import CorpusError, OnBad, report


def read_emolia(path: str | Path, *, on_bad: OnBad | None = None) -> Iterator[Clip]:
    """Read the clips below a folder, with 40 emotions, 15 voice attributes and a caption each.

    Raises and tells as `budew.corpora.folder.read_files` does.
    """
    files = list_files(path, on_bad=on_bad)
    for lonely in lonely_json(files):
        report(CorpusError(f"{lonely}: has no audio beside it: add it, or remove the JSON"), on_bad)
    describe = only(lambda row, place, scales: describe_emolia(row) or {}, "Emolia")
    audio = [file for file in files if is_audio_name(file)]
    yield from read_files(audio, folder=Path(path), describe=describe, on_bad=on_bad)
