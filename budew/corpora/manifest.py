"""A JSON Lines manifest as clips: one object a line, with the path of the audio relative to the manifest.

A manifest from elsewhere may name any file; paths that leave its folder, by `..`, from the root or through
a link, are refused.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from budew.corpora.clip import Clip
from budew.corpora.errors import CorpusError, OnBad, report
from budew.corpora.fields import choose, in_clip_names
from budew.corpora.sidecar import json_object, numbered_lines

MANIFEST = "clips.jsonl"
"""Name of the manifest that we write; a folder with audio and such a manifest reads as the manifest."""


def read_manifest(
    path: str | Path, *, columns: Mapping[str, str] | None = None, on_bad: OnBad | None = None
) -> Iterator[Clip]:
    """Read each line of a manifest as a clip; the audio stays a path.

    Args:
        path: the `.jsonl`.
        columns: field of a clip → name in the manifest, where it is not a usual one (`fields.yaml`).
        on_bad: called with the error of each bad line, and the reading goes on; without it the error is
            raised.

    Raises:
        CorpusError: names the manifest, the line and what is wrong with it.
    """
    path = Path(path)
    seen: dict[str, int] = {}
    for number, line in _lines(path, on_bad):
        try:
            clip = _clip(line, path.parent, f"{path}: line {number}", columns)
            if clip.id in seen:
                raise CorpusError(
                    f"{path}: line {number}: the clip {clip.id!r} is on line {seen[clip.id]}: keep one"
                )
        except CorpusError as error:
            report(error, on_bad)
            continue
        seen[clip.id] = number
        yield clip


def _lines(path: Path, on_bad: OnBad | None) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            yield from numbered_lines(file, str(path), on_bad=on_bad)
    except OSError as error:
        raise CorpusError(
            f"{path}: cannot be read ({error.strerror}): check the path and its permissions"
        ) from error


def _clip(line: bytes, folder: Path, name: str, columns: Mapping[str, str] | None) -> Clip:
    row = json_object(line, name)
    try:
        audio = _inside(folder, row.get(choose(list(row), columns).get("audio", "")))
        id = audio.relative_to(folder).with_suffix("").as_posix()
        return Clip.from_dict(
            in_clip_names(row, columns), audio=audio, format=audio.suffix[1:].lower(), id=id
        )
    except CorpusError as error:
        raise CorpusError(f"{name}: {error}") from error


def _inside(folder: Path, value: Any) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise CorpusError('there is no path to the audio: add one as "audio", relative to the manifest')
    path = folder / value
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name that the system refuses
        inside = False
    if not inside or ".." in Path(value).parts or Path(value).is_absolute():
        raise CorpusError(f"{value!r} leaves the folder of the manifest: move the manifest above its audio")
    return path
