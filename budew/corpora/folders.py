"""Read a folder of audio: every audio file below it is a clip, with the JSON and text file of the same name.

The id is the path relative to the folder, without suffix: `anna/01` for `anna/01.mp3` and `anna/01.json`. The
text of `anna/01.txt` is the transcript if the JSON has none. Links to folders are not followed. Hidden files
are left out, such as `._01.mp3`, which macOS writes and which has no audio.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain, groupby
from pathlib import Path, PurePosixPath
from typing import Any

from budew.corpora.clip import Clip
from budew.corpora.labels import Scales, described
from budew.corpora.media import AUDIO, Media
from budew.corpora.reading import AS_USUAL, ReadOptions, distinct_clips, leaves
from budew.corpora.text_files import is_special, read_json_object, read_text
from budew.errors import CorpusError, OnBad, report


def read_folder(
    folder: Path, options: ReadOptions = AS_USUAL, *, files: Iterable[Path] | None = None
) -> Iterator[Clip]:
    """Read the audio files below a folder as clips.

    `Clip.audio` is the path of the file, which is not loaded. The id of a clip is its path relative to the
    folder, without suffix.

    Args:
        folder: folder with the audio, at any depth.
        options: options for reading.
        files: files to read, a part from `divide_folder`; None: all.

    Raises:
        CorpusError: invalid JSON or text, JSON without audio, an empty file, two files with the same id, a
            device file, a link that leads out of the folder, or a folder that cannot be listed.
    """
    media = options.media
    if files is None:
        part = list_files(folder, on_bad=options.on_bad)
        lonely = lonely_json(part, media)
    else:
        part = list(files)
        audio = {path.with_suffix("") for path in part if media.owns(path)}
        lonely = [path for path in part if path.with_suffix("") not in audio]
    for json in lonely:
        options.report(
            CorpusError(f"{json} has no {media.name} beside it: add the {media.name}, or remove the JSON")
        )

    def descriptions() -> Iterator[dict[str, Any]]:
        """Yield the JSON of the whole folder: its scores have one scale, which a part may not show."""
        return _descriptions(filter(media.owns, part if files is None else list_files(folder)))

    scales = Scales(options.scale, descriptions)

    def made(path: Path) -> Clip:
        id = path.relative_to(folder).with_suffix("").as_posix()
        return _clip(path, id, scales, media, folder)

    items = ((str(path), partial(made, path)) for path in part if media.owns(path))
    yield from distinct_clips(items, options)


def divide_folder(folder: Path, clips: int, media: Media = AUDIO) -> list[tuple[Path, ...]]:
    """Divide the files of a folder into parts of `clips` clips; JSON without audio counts as a clip.

    Each part has the audio, JSON and text files of its clips.

    Raises:
        CorpusError: the folder, or a folder in it, cannot be listed.
    """
    files = list_files(folder)
    audio = {path.with_suffix("") for path in files if media.owns(path)}
    lonely = set(lonely_json(files, media))
    beside = (path for path in files if path.suffix in (".json", ".txt") and path.with_suffix("") in audio)
    wanted = [*(path for path in files if media.owns(path) or path in lonely), *beside]
    wanted.sort(key=lambda path: (path.with_suffix("").as_posix(), path.suffix))
    ids = [tuple(some) for _, some in groupby(wanted, key=lambda path: path.with_suffix(""))]
    return [tuple(chain.from_iterable(ids[start : start + clips])) for start in range(0, len(ids), clips)]


def read_audio_file(path: Path, options: ReadOptions = AS_USUAL) -> Iterator[Clip]:
    """Yield the clip of one audio file, with the JSON and text beside it; its id is the name of the file."""
    scales = Scales(options.scale, lambda: _descriptions([path]))
    make = partial(_clip, path, path.stem, scales, options.media, None)
    yield from distinct_clips([(str(path), make)], options)


def list_files(folder: str | Path, *, on_bad: OnBad | None = None) -> list[Path]:
    """Return all files below a folder, at any depth, sorted by path, without hidden files.

    Raises:
        CorpusError: the folder, or a folder in it, cannot be listed. With `on_bad`, it is called with the
            error instead, and the search continues.
    """

    def unlisted(error: OSError) -> None:
        fault = f"the folder cannot be listed ({error.strerror}): check its permissions"
        report(CorpusError(f"{error.filename}: {fault}"), on_bad)

    found: list[Path] = []
    for place, folders, files in os.walk(folder, onerror=unlisted):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in files if not name.startswith(".")]
    return sorted(found, key=lambda path: path.as_posix())


def audio_files(folder: str | Path, *, on_bad: OnBad | None = None) -> list[Path]:
    """Return the audio files below a folder, by suffix; arguments and errors are those of `list_files`."""
    return [path for path in list_files(folder, on_bad=on_bad) if AUDIO.owns(path)]


def lonely_json(files: Iterable[Path], media: Media = AUDIO) -> list[Path]:
    """Return `.json` files without audio of the same name, in folders where other `.json` files have some."""
    files = list(files)
    audio = {path.with_suffix("") for path in files if media.owns(path)}
    json = [path for path in files if path.suffix == ".json"]
    pairs = {path.parent for path in json if path.with_suffix("") in audio}
    return [path for path in json if path.parent in pairs and path.with_suffix("") not in audio]


def saved_tables(folder: Path) -> list[Path]:
    """Return the Arrow files of all splits in a folder that `datasets.save_to_disk` wrote.

    [] for other folders. Other files in the folder, such as caches of `map`, are left out.

    Raises:
        CorpusError: the JSON of the dataset is broken, or names a file that is not in the folder.
    """
    parts = _listed(folder, "dataset_dict.json", "splits") or [folder]
    return [table for part in parts for table in _listed(part, "state.json", "_data_files")]


def check_audio(path: Path, folder: Path | None) -> None:
    """Check that audio is a plain file that is not empty, and that no link leads out of the folder.

    Links are also checked for the JSON and text file of the same name; without a folder they are allowed.

    Raises:
        CorpusError: a check fails; the message does not have the path.
    """
    for part in (path, path.with_suffix(".json"), path.with_suffix(".txt")) if folder else ():
        if part.is_symlink() and folder and leaves(part, folder):
            raise CorpusError(
                f"{part.name} is a link out of the folder: give the folder that the link leads to"
            )
    if is_special(path):
        raise CorpusError("this is not a file: give the path of a file")
    if path.is_file() and not path.stat().st_size:
        raise CorpusError("the file is empty: copy or record it again")


def _clip(path: Path, id: str, scales: Scales, media: Media, folder: Path | None) -> Clip:
    check_audio(path, folder)
    json, text = path.with_suffix(".json"), path.with_suffix(".txt")
    row = read_json_object(json) if json.is_file() else {}
    fields = described(row, path.absolute().parent.name, scales, media=media)
    if fields.get("transcript") is None and text.is_file():
        fields["transcript"] = read_text(text)
    return Clip.from_dict(fields, audio=path, format=path.suffix[1:].lower(), id=id)


def _descriptions(audio: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield the JSON beside audio files; broken JSON is skipped here, and reported when the clip is read."""
    for json in (path.with_suffix(".json") for path in audio):
        if json.is_file():
            with suppress(CorpusError):
                yield read_json_object(json)


def _listed(folder: Path, file: str, key: str) -> list[Path]:
    """Return files or folders that a JSON file of a folder lists under `key`; they must be in the folder."""
    if not os.path.isfile(folder / file):  # also if the folder cannot be opened, which is reported later
        return []
    found, listed = [], read_json_object(folder / file).get(key)
    for entry in listed if isinstance(listed, list) else []:
        name = entry.get("filename") if isinstance(entry, dict) else entry
        plain = isinstance(name, str) and len(PurePosixPath(name).parts) == 1 and name not in (".", "..")
        if not plain or not (folder / str(name)).exists():
            fault = f"lists {str(name)[:80]!r}, which is not in its folder: save the dataset again"
            raise CorpusError(f"{folder / file}: {fault}")
        found.append(folder / str(name))
    return found
