"""A folder of audio as clips: every audio file below it, sorted, with the JSON beside it, or the text.

Ids are relative paths without suffix (`anna/01` for `anna/01.mp3` and `anna/01.json`). `anna/01.txt` is the
transcript where the JSON has none. Links to folders are not followed, so a loop of links is no trap; hidden
files are left out (`._01.mp3` is no audio, whatever its name says).
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from budew.corpora.clip import Clip, distinct_clips
from budew.corpora.labels import Scales, described
from budew.corpora.media import AUDIO, Media
from budew.corpora.text_files import is_special, read_json_object, read_text
from budew.errors import CorpusError, OnBad, report

_SPLITS, _STATE = "dataset_dict.json", "state.json"


def list_files(folder: str | Path, *, on_bad: OnBad | None = None) -> list[Path]:
    """Return all files below a folder, sorted by path, without hidden ones.

    Args:
        folder: searched with all folders in it.
        on_bad: called with an error for each folder that cannot be listed, and the search continues;
            without it the error is raised.

    Raises:
        CorpusError: the folder, or one in it, cannot be listed.
    """
    return sorted(_walk(Path(folder), on_bad), key=lambda path: path.as_posix())


def audio_files(folder: str | Path, *, on_bad: OnBad | None = None) -> list[Path]:
    """Return the files that are audio by their name. Arguments and errors are those of `list_files`."""
    return [path for path in list_files(folder, on_bad=on_bad) if AUDIO.owns(path)]


def read_files(
    files: Iterable[Path],
    *,
    folder: Path | None = None,
    scale: str | None = None,
    described_by: Iterable[Path] | None = None,
    media: Media = AUDIO,
    on_bad: OnBad | None = None,
) -> Iterator[Clip]:
    """Read each audio file, with the JSON and text beside it if any, as a clip; the audio stays a path.

    Args:
        files: below `folder`, as `audio_files` gives them.
        folder: to which the ids are relative, and out of which no link may lead; None where the user names
            the files.
        scale, on_bad: as for `budew.read`.
        described_by: files whose JSON decides the scale where `scale` is None; by default `files`.
        media: what the files are; labels of images are not interpreted.

    Raises:
        CorpusError: an invalid JSON or text, an empty file, two files of one id, a device, a link that leaves
            the folder.
    """
    files = list(files)
    scales = Scales(scale, lambda: _descriptions(list(described_by if described_by is not None else files)))
    place = None if folder is None else folder.resolve()

    def made(path: Path) -> Clip:
        check_audio(path, place)
        id = path.relative_to(folder).with_suffix("").as_posix() if folder is not None else path.stem
        return _clip(path, id, scales, media)

    yield from distinct_clips(((str(path), partial(made, path)) for path in files), on_bad)


def lonely_json(files: Iterable[Path], media: Media = AUDIO) -> list[Path]:
    """Return the `.json` files without audio beside them, of folders where others have it."""
    names = {path: path.with_suffix("") for path in files if media.owns(path) or path.suffix == ".json"}
    audio = {name for path, name in names.items() if path.suffix != ".json"}
    pairs = {path.parent for path, name in names.items() if path.suffix == ".json" and name in audio}
    return [
        path
        for path, name in names.items()
        if path.suffix == ".json" and path.parent in pairs and name not in audio
    ]


def saved_tables(folder: Path) -> list[Path]:
    """Return the Arrow files of a saved dataset, of all of its splits; nothing where the folder is none.

    Files that lie there besides, such as the cache of `map`, are none of it.

    Raises:
        CorpusError: its JSON is broken, or names a file that lies elsewhere or not at all.
    """
    if os.path.isfile(folder / _SPLITS):  # False, too, where the folder may not be looked into: see its list
        splits = read_json_object(folder / _SPLITS).get("splits")
        names = splits if isinstance(splits, list) else []
        return [table for name in names for table in _tables(_part_of(folder, name))]
    return _tables(folder)


def check_audio(path: Path, folder: Path | None) -> None:
    """Refuse what is no file, an empty file, and links that lead out of the folder.

    Args:
        path: of audio; the JSON and text beside it are checked as well.
        folder: resolved; None where links may lead anywhere.

    Raises:
        CorpusError: says what is wrong, without the path.
    """
    for part in (path, path.with_suffix(".json"), path.with_suffix(".txt")) if folder else ():
        if part.is_symlink() and not Path(os.path.realpath(part)).is_relative_to(str(folder)):
            raise CorpusError(f"{part.name} leads out of the folder: give the folder that it leads to")
    if is_special(path):
        raise CorpusError("this is not a file: give the path of a file")
    if path.is_file() and not path.stat().st_size:
        raise CorpusError("the file is empty: copy or record it again")


def _clip(path: Path, id: str, scales: Scales, media: Media) -> Clip:
    beside = path.with_suffix(".json")
    row = read_json_object(beside) if beside.is_file() else {}
    fields = described(row, path.absolute().parent.name, scales) if media == AUDIO else row
    text = path.with_suffix(".txt")
    if fields.get("transcript") is None and text.is_file():
        fields["transcript"] = read_text(text)
    return Clip.from_dict(fields, audio=path, format=path.suffix[1:].lower(), id=id)


def _descriptions(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield the JSON beside the files; faults are reported when the clip is read."""
    for path in files:
        beside = path.with_suffix(".json")
        if beside.is_file():
            with suppress(CorpusError):
                yield read_json_object(beside)


def _walk(folder: Path, on_bad: OnBad | None) -> Iterator[Path]:
    def unlisted(error: OSError) -> None:
        fault = f"cannot be listed ({error.strerror}): check its permissions"
        report(CorpusError(f"{error.filename}: {fault}"), on_bad)

    for place, folders, files in os.walk(folder, onerror=unlisted):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in files if not name.startswith("."))


def _tables(folder: Path) -> list[Path]:
    if not os.path.isfile(folder / _STATE):
        return []
    files = read_json_object(folder / _STATE).get("_data_files")
    named = [file.get("filename") if isinstance(file, dict) else None for file in files or ()]
    return [_part_of(folder, name) for name in named] if isinstance(files, list) else []


def _part_of(folder: Path, name: object) -> Path:
    plain = isinstance(name, str) and len(PurePosixPath(name).parts) == 1 and name not in (".", "..")
    if not plain or not (folder / str(name)).exists():
        fault = f"its JSON names {str(name)[:80]!r}, which is not in it: save the dataset again"
        raise CorpusError(f"{folder}: {fault}")
    return folder / str(name)
