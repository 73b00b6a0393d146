"""A manifest in JSON Lines as clips: one object a line, with the path of the audio relative to the manifest.

A manifest from elsewhere may name any file; paths that leave its folder, by `..`, from the root or through
a link, are refused. Lines of Lhotse manifests are recognized.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from budew.addresses import is_address, shown
from budew.corpora.clip import Clip
from budew.corpora.fields import choose, in_clip_names
from budew.corpora.labels import Scales, described
from budew.corpora.lhotse import Recordings, cut_out, is_lhotse, plain_row
from budew.corpora.sidecar import LARGEST_JSON, Span, file_lines, json_object
from budew.errors import CorpusError, OnBad, report

MANIFEST = "clips.jsonl"
"""Name of the manifest that we write; a folder with audio and such a manifest reads as the manifest."""


def read_manifest(
    path: str | Path, *, scale: str | None = None, span: Span | None = None, on_bad: OnBad | None = None
) -> Iterator[Clip]:
    """Read each line of a manifest as a clip; the audio stays a path.

    Args:
        path: the `.jsonl`, or `.jsonl.gz`.
        scale, on_bad: as for `budew.read`.
        span: read these lines alone.

    Raises:
        CorpusError: names the manifest, the line and what is wrong with it.
    """
    path = Path(path)
    found = file_lines(path, span=span, on_bad=on_bad)
    lines = ((number, partial(json_object, line, "")) for number, line in found)
    yield from clips_of_rows(lines, path, Scales(scale, partial(manifest_rows, path)), on_bad)


def manifest_rows(path: Path, span: Span | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a manifest, or of a span of it, without the lines that are not valid.

    Raises:
        CorpusError: it cannot be read.
    """
    recordings = Recordings(path)
    for _, line in file_lines(path, span=span, on_bad=lambda error: None):
        with suppress(CorpusError):
            row = json_object(line, "")
            yield plain_row(row, recordings)[0] if is_lhotse(row) else row


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
    rows: Iterable[tuple[int, Callable[[], dict[str, Any]]]], path: Path, scales: Scales, on_bad: OnBad | None
) -> Iterator[Clip]:
    """Make clips of the rows of a manifest, each given as the number of its line and what parses it.

    Raises:
        CorpusError: as for `read_manifest`.
    """
    seen: dict[str, int] = {}
    recordings = Recordings(path)
    for number, parsed in rows:
        try:
            clip = _clip(parsed(), path, recordings, scales)
            if clip.id in seen:
                raise CorpusError(f"the clip {clip.id!r} is on line {seen[clip.id]}: keep one")
        except CorpusError as error:
            report(CorpusError(f"{path}: line {number}: {error}"), on_bad)
            continue
        seen[clip.id] = number
        yield clip


def _clip(row: dict[str, Any], path: Path, recordings: Recordings, scales: Scales) -> Clip:
    stretch = None
    if is_lhotse(row):
        row, stretch = plain_row(row, recordings)
    audio = audio_below(path.parent, row.get(choose(row).get("audio", "")))
    if not audio.is_file():
        raise CorpusError(f"there is no file {str(audio)!r}: correct the path, or leave the line out")
    if not audio.stat().st_size:
        raise CorpusError(f"{str(audio)!r} is empty: copy or record it again")
    id = audio.relative_to(path.parent).with_suffix("").as_posix()
    fields = described(in_clip_names(row), path.stem, scales)
    clip = Clip.from_dict(fields, audio=audio, format=audio.suffix[1:].lower(), id=id)
    return clip if stretch is None else replace(clip, audio=cut_out(audio, stretch), format="flac")


def audio_below(folder: Path, value: Any) -> Path:
    """Return the path that a manifest in `folder` names, given relative to it or absolute.

    Raises:
        CorpusError: it is not a path, or leaves the folder.
    """
    if not isinstance(value, str) or not value or "\0" in value:
        raise CorpusError('there is no path to the audio: add one as "audio", relative to the manifest')
    if is_address(value):
        raise CorpusError(f"{shown(value)!r} is an address: download the audio, and give the path to it")
    path = Path(value)
    with suppress(OSError, RuntimeError, ValueError):  # a loop of links, a name that the system refuses
        path = folder / (path.relative_to(folder.absolute()) if path.is_absolute() else path)
        if ".." not in path.relative_to(folder).parts and path.resolve().is_relative_to(folder.resolve()):
            return path
    raise CorpusError(f"{value!r} leaves the folder of the manifest: move the manifest above its audio")
