"""Manifests as clips: JSON Lines, CSV and TSV with the path of the audio in each row, and those of Lhotse.

A manifest from elsewhere may name any file: paths that leave its folder, by `..`, from the root or through
a link, are refused unless they lead below the folder that the user allows: `audio_root`, or
`BUDEW_AUDIO_ROOT` in the environment, which holds for all commands.
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
"""Name of the manifest that we write; a folder with audio and such a manifest reads as the manifest."""
MANIFESTS = (".jsonl", ".jsonl.gz", ".ndjson", *DELIMITED)
AUDIO_ROOT = "BUDEW_AUDIO_ROOT"


def read_manifest(
    path: str | Path, options: ReadOptions = AS_USUAL, *, part: Span | None = None
) -> Iterator[Clip]:
    """Read each row of a manifest, or of a part of it, as a clip.

    The audio stays a path, which is the id where no column is.

    Raises:
        CorpusError: names the manifest, the line and what is wrong with it.
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
    """Return parts of `rows` rows each, in one pass; of JSON Lines it parses nothing.

    Raises:
        CorpusError: it cannot be read.
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
    """Return the folder of `BUDEW_AUDIO_ROOT`, absolute; None where it is not set."""
    root = os.environ.get(AUDIO_ROOT)
    return Path(root).absolute() if root else None


def named_audio(path: Path, part: Span | None = None, audio_root: Path | None = None) -> list[Path]:
    """Return the audio that a manifest or a part of it names, there or not; nothing for any other file.

    Paths that are not allowed are left out: they are not read either. Takes a third of the time of reading
    the clips.
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
    """Yield the number of each line, and what parses its row."""
    if path.name.lower().endswith(DELIMITED):
        for number, row in delimited_rows(path, span=part, on_bad=on_bad):
            yield number, partial(_typed, row)
    else:
        for number, line in file_lines(path, span=part, on_bad=on_bad):
            yield number, partial(json_object, line, "")


def _valid_rows(path: Path, part: Span | None = None) -> Iterator[dict[str, Any]]:
    """Yield the rows of a manifest, or of a span of it, without those that are not valid."""
    recordings = Recordings(path)
    for _, parse in _rows(path, part, lambda error: None):
        with suppress(CorpusError):
            row = parse()
            yield plain_row(row, recordings)[0] if is_lhotse(row) else row


def _typed(row: dict[str, str]) -> dict[str, Any]:
    """Return a row of text with numbers and objects where a clip has them."""
    typed: dict[str, Any] = dict(row)
    for name in (*names_of_fields()["duration"], *names_of_fields()["sampling_rate"]):
        number = number_in(row.get(name))
        if number is not None:
            typed[name] = number
    if "profile" in typed:
        typed["profile"] = json_object(typed["profile"], "profile")
    return typed


def _audio_folders(path: Path, audio_root: str | Path | None) -> tuple[Path, ...]:
    """Return the folders in which the audio of a manifest may lie."""
    root = audio_root or allowed_root()
    return (path.parent, Path(root)) if root else (path.parent,)


def _audio_in(folders: Sequence[Path], row: dict[str, Any]) -> tuple[Path, str]:
    """Return the audio that a row names, and its path without suffix relative to its folder.

    Raises:
        CorpusError: it is not a path, or leads out of all folders.
    """
    value = row.get(columns_of_fields(row).get("audio", ""))
    if not isinstance(value, str) or not value or "\0" in value:
        raise CorpusError('there is no path to the audio: add one as "audio", relative to the manifest')
    if is_address(value):
        raise CorpusError(f"{without_secrets(value)!r} is a URL: download the audio, and use its path")
    found = []
    for place in folders:
        for folder in folders:
            with suppress(OSError, RuntimeError, ValueError):  # it lies elsewhere, or is a loop of links
                name = Path(os.path.abspath(place / value)).relative_to(os.path.abspath(folder))
                if not leaves(folder / name, folder):
                    found.append((folder / name, name.with_suffix("").as_posix()))
    if not found:
        remedy = f"allow the folder of its audio with budew --audio-root, {AUDIO_ROOT} or read(audio_root=…)"
        raise CorpusError(f"{value!r} is outside the folder of the manifest: {remedy}")
    return next((one for one in found if os.path.isfile(one[0])), found[0])  # also if the name is too long
