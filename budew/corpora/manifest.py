"""A JSON Lines manifest as clips: one object a line, with the path of the audio relative to the manifest.

A manifest from elsewhere may name any file; paths that leave its folder, by `..`, from the root or through
a link, are refused.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from budew.addresses import is_address, shown
from budew.corpora.clip import Clip
from budew.corpora.fields import choose, in_clip_names
from budew.corpora.labels import Scales, described
from budew.corpora.sidecar import LARGEST_JSON, json_object, numbered_lines
from budew.errors import CorpusError, OnBad, report

MANIFEST = "clips.jsonl"
"""Name of the manifest that we write; a folder with audio and such a manifest reads as the manifest."""


@dataclass(frozen=True, slots=True)
class Span:
    """Some lines of a manifest: the bytes from where to where (None: the end), and the first's number."""

    start: int
    stop: int | None
    first: int


def read_manifest(
    path: str | Path,
    *,
    scale: str | None = None,
    span: Span | None = None,
    on_bad: OnBad | None = None,
) -> Iterator[Clip]:
    """Read each line of a manifest as a clip; the audio stays a path.

    Args:
        path: the `.jsonl`.
        scale: of scores that come without one, such as "0-4"; else see `budew.corpora.labels.scores`.
        span: read these lines alone.
        on_bad: called with the error of each bad line, and the reading goes on; without it the error is
            raised.

    Raises:
        CorpusError: names the manifest, the line and what is wrong with it.
    """
    path = Path(path)
    lines = ((number, partial(_object, line, path, number)) for number, line in _lines(path, on_bad, span))
    yield from clips_of_rows(lines, path, Scales(scale, partial(manifest_rows, path)), on_bad)


def manifest_rows(path: Path, span: Span | None = None) -> Iterator[dict[str, Any]]:
    """Give the objects on the lines of a manifest, or of a span of it; lines that hold none are passed over.

    Raises:
        CorpusError: it cannot be read.
    """
    for _, line in _lines(path, lambda error: None, span):
        with suppress(CorpusError):
            yield json_object(line, "")


def spans(path: Path, lines: int) -> list[Span]:
    """Cut a manifest into spans of so many lines, in one pass that parses nothing.

    Raises:
        CorpusError: it cannot be read.
    """
    marks, place = [(0, 1)], 0
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LARGEST_JSON):
                place += len(line)
                number += line.endswith(b"\n")
                if line.endswith(b"\n") and number % lines == 0:
                    marks.append((place, number + 1))
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read ({error.strerror}): check its permissions") from error
    if len(marks) > 1 and marks[-1][0] == place:
        marks.pop()
    ends = [start for start, _ in marks[1:]]
    return [Span(start, end, first) for (start, first), end in zip(marks, [*ends, None], strict=True)]


def clips_of_rows(
    rows: Iterable[tuple[int, Callable[[], dict[str, Any]]]],
    path: Path,
    scales: Scales,
    on_bad: OnBad | None,
) -> Iterator[Clip]:
    """Make clips of the rows of a manifest, each given as the number of its line and what parses it.

    Raises:
        CorpusError: as for `read_manifest`.
    """
    seen: dict[str, int] = {}
    for number, parsed in rows:
        try:
            clip = _clip(parsed(), path, scales)
            if clip.id in seen:
                raise CorpusError(f"the clip {clip.id!r} is on line {seen[clip.id]}: keep one")
        except CorpusError as error:
            report(CorpusError(f"{path}: line {number}: {error}"), on_bad)
            continue
        seen[clip.id] = number
        yield clip


def _object(line: bytes, path: Path, number: int) -> dict[str, Any]:
    name = f"{path}: line {number}"
    try:
        return json_object(line, name)
    except CorpusError as error:
        raise CorpusError(str(error).removeprefix(f"{name}: ")) from error


def _lines(path: Path, on_bad: OnBad | None, span: Span | None = None) -> Iterator[tuple[int, bytes]]:
    span = span or Span(0, None, 1)
    try:
        with path.open("rb") as file:
            file.seek(span.start)
            yield from numbered_lines(file, str(path), first=span.first, stop=span.stop, on_bad=on_bad)
    except OSError as error:
        raise CorpusError(
            f"{path}: cannot be read ({error.strerror}): check the path and its permissions"
        ) from error


def _clip(row: dict[str, Any], path: Path, scales: Scales) -> Clip:
    folder = path.parent
    audio = _inside(folder, row.get(choose(row).get("audio", "")))
    if not audio.is_file():
        raise CorpusError(f"there is no file {str(audio)!r}: correct the path, or leave the line out")
    if not audio.stat().st_size:
        raise CorpusError(f"{str(audio)!r} is empty: copy or record it again")
    id = audio.relative_to(folder).with_suffix("").as_posix()
    fields = described(in_clip_names(row), path.stem, scales)
    return Clip.from_dict(fields, audio=audio, format=audio.suffix[1:].lower(), id=id)


def _inside(folder: Path, value: Any) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise CorpusError('there is no path to the audio: add one as "audio", relative to the manifest')
    if is_address(value):
        raise CorpusError(f"{shown(value)!r} is an address: download the audio, and give the path to it")
    path = folder / value
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name that the system refuses
        inside = False
    if not inside or ".." in Path(value).parts or Path(value).is_absolute():
        raise CorpusError(f"{value!r} leaves the folder of the manifest: move the manifest above its audio")
    return path
