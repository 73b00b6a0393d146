"""Read manifests: JSON Lines, CSV and TSV with the path of the audio in each row, and manifests of Lhotse.

A manifest from others could name any file of this machine. So a path that leads out of the folder of the
manifest (absolute, by `..` or through a link) is an error, unless it is in the folder that the user allows
with `audio_root` or, for all commands, the environment variable `BUDEW_AUDIO_ROOT`.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from budew.corpora.clip import Clip
from budew.corpora.column_names import columns_of_fields, in_clip_names, names_of_fields, number_in
from budew.corpora.csv_tables import DELIMITED, delimited_rows, divide_delimited
from budew.corpora.labels import Scales, described
from budew.corpora.lhotse import Recordings, cut_out, is_lhotse, plain_row
from budew.corpora.reading import AS_USUAL, ReadOptions, Span, distinct_clips, leaves
from budew.corpora.text_files import LARGEST_JSON, file_lines, json_object, readable
from budew.errors import CorpusError, OnBad
from budew.io.addresses import is_address, without_secrets

MANIFEST = "clips.jsonl"
"""Name of the manifests that budew writes; of a folder with audio and this file only the manifest is read."""
MANIFESTS = (".jsonl", ".jsonl.gz", ".ndjson", *DELIMITED)
"""Suffixes of manifests."""
AUDIO_ROOT = "BUDEW_AUDIO_ROOT"
"""Environment variable with a further folder from which manifests may name audio files."""


def read_manifest(
    path: str | Path, options: ReadOptions = AS_USUAL, *, part: Span | None = None
) -> Iterator[Clip]:
    """Read each row of a manifest as a clip.

    `Clip.audio` is the path of the audio file, which is not loaded. Without a column for the id, the id is
    this path, relative to the folder of the manifest and without suffix.

    Args:
        path: path of the manifest.
        options: options for reading.
        part: part from `divide_manifest`; None: all rows.

    Raises:
        CorpusError: the manifest cannot be read, or a line is broken; the message names the line.
    """
    path = Path(path)
    scales, recordings = Scales(options.scale, partial(_valid_rows, path)), Recordings(path)
    folders = _audio_folders(path, options.audio_root)

    def make(parse: Callable[[], dict[str, Any]]) -> Clip:
        row, excerpt = parse(), None
        if is_lhotse(row):
            row, excerpt = plain_row(row, recordings)
        audio, id = _audio_in(folders, row)
        if not os.path.isfile(audio):
            raise CorpusError(f"there is no file {str(audio)!r}: correct the path, or leave the line out")
        if not audio.stat().st_size:
            raise CorpusError(f"{str(audio)!r} is empty: copy or record it again")
        fields = described(in_clip_names(row), path.stem, scales)
        clip = Clip.from_dict(fields, audio=audio, format=audio.suffix[1:].lower(), id=id)
        return clip if excerpt is None else replace(clip, audio=cut_out(audio, excerpt), format="flac")

    rows = _rows(path, part, options.on_bad)
    yield from distinct_clips(((f"{path}: line {n}", partial(make, parse)) for n, parse in rows), options)


def divide_manifest(path: Path, rows: int) -> list[Span]:
    """Divide a manifest into parts of `rows` rows, in one pass; JSON is not parsed.

    Raises:
        CorpusError: the manifest cannot be read.
    """
    if path.name.lower().endswith(DELIMITED):
        return divide_delimited(path, rows)
    starts, place, number = [(0, 1)], 0, 0
    with readable(path), path.open("rb") as file:
        while line := file.readline(LARGEST_JSON):
            place += len(line)
            number += line.endswith(b"\n")
            if line.endswith(b"\n") and number % rows == 0:
                starts.append((place, number + 1))
    if len(starts) > 1 and starts[-1][0] == place:
        starts.pop()
    inner = [Span(start, stop, first) for (start, first), (stop, _) in pairwise(starts)]
    return [*inner, Span(starts[-1][0], None, starts[-1][1])]


def allowed_root() -> Path | None:
    """Return the folder in the environment variable `BUDEW_AUDIO_ROOT`, absolute; None if it is not set."""
    root = os.environ.get(AUDIO_ROOT)
    return Path(root).absolute() if root else None


def named_audio(path: Path, part: Span | None = None, audio_root: Path | None = None) -> list[Path]:
    """Return the audio files that a manifest, or a part of it, names; [] for other files.

    Files are returned even if they do not exist, but not if their path leads out of the allowed folders.
    Takes a third of the time of reading the clips.
    """
    named: dict[Path, None] = {}
    if path.name.lower().endswith(MANIFESTS):
        folders = _audio_folders(path, audio_root)
        with suppress(CorpusError):  # reported when the clips are read
            for row in _valid_rows(path, part):
                with suppress(CorpusError):
                    named[_audio_in(folders, row)[0]] = None
    return list(named)


def _rows(
    path: Path, part: Span | None, on_bad: OnBad | None
) -> Iterator[tuple[int, Callable[[], dict[str, Any]]]]:
    """Yield the number of each line, and a function that parses it."""
    if path.name.lower().endswith(DELIMITED):
        for number, row in delimited_rows(path, span=part, on_bad=on_bad):
            yield number, partial(_typed, row)
    else:
        for number, line in file_lines(path, span=part, on_bad=on_bad):
            yield number, partial(json_object, line, "")


def _valid_rows(path: Path, part: Span | None = None) -> Iterator[dict[str, Any]]:
    """Yield the parsed rows of a manifest, or of a part of it; broken rows are skipped."""
    recordings = Recordings(path)
    for _, parse in _rows(path, part, lambda error: None):
        with suppress(CorpusError):
            row = parse()
            yield plain_row(row, recordings)[0] if is_lhotse(row) else row


def _typed(row: dict[str, str]) -> dict[str, Any]:
    """Return a row of a CSV with numbers and the profile parsed."""
    typed: dict[str, Any] = dict(row)
    for name in (*names_of_fields()["duration"], *names_of_fields()["sampling_rate"]):
        number = number_in(row.get(name))
        if number is not None:
            typed[name] = number
    if "profile" in typed:
        typed["profile"] = json_object(typed["profile"], "profile")
    return typed


def _audio_folders(path: Path, audio_root: str | Path | None) -> tuple[Path, ...]:
    """Return the folders in which the audio of a manifest may be: its own, and the allowed one."""
    root = audio_root or allowed_root()
    return (path.parent, Path(root)) if root else (path.parent,)


def _audio_in(folders: Sequence[Path], row: dict[str, Any]) -> tuple[Path, str]:
    """Return the audio file that a row names, and its path relative to the folder it is in, without suffix.

    Raises:
        CorpusError: the row has no path, or the path leads out of all `folders`.
    """
    value = row.get(columns_of_fields(row).get("audio", ""))
    if not isinstance(value, str) or not value or "\0" in value:
        raise CorpusError('there is no path to the audio: add one as "audio", relative to the manifest')
    if is_address(value):
        raise CorpusError(f"{without_secrets(value)!r} is a URL: download the audio, and use its path")
    found = []
    for place in folders:
        for folder in folders:
            with suppress(OSError, RuntimeError, ValueError):  # not in this folder, or a loop of links
                name = Path(os.path.abspath(place / value)).relative_to(os.path.abspath(folder))
                if not leaves(folder / name, folder):
                    found.append((folder / name, name.with_suffix("").as_posix()))
    if not found:
        remedy = f"allow the folder of its audio with budew --audio-root, {AUDIO_ROOT} or read(audio_root=…)"
        raise CorpusError(f"{value!r} is outside the folder of the manifest: {remedy}")
    return next((one for one in found if os.path.isfile(one[0])), found[0])  # also if the name is too long
