"""A folder of audio as clips: every audio file below it, sorted, with the JSON beside it.

Ids are relative paths without suffix (`anna/01` for `anna/01.mp3` and `anna/01.json`). Links to folders are
not followed, so a loop of links is no trap; hidden files are left out (`._01.mp3` is no audio, whatever its
name says).
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from budew.corpora.clip import Clip
from budew.corpora.errors import CorpusError, OnBad, UnlistedError, report
from budew.corpora.formats import is_audio_name
from budew.corpora.sidecar import read_json

OnUnlisted = Callable[[UnlistedError], None]


def list_files(folder: str | Path, *, on_bad: OnUnlisted | None = None) -> list[Path]:
    """Return all files below a folder, sorted by path, without hidden ones.

    Args:
        folder: searched with all folders in it.
        on_bad: called with an `UnlistedError` for each folder that cannot be listed, and the search goes on;
            without it the error is raised.

    Raises:
        UnlistedError: the folder, or one in it, cannot be listed.
    """
    return sorted(_walk(Path(folder), on_bad), key=lambda path: path.as_posix())


def audio_files(folder: str | Path, *, on_bad: OnUnlisted | None = None) -> list[Path]:
    """Return the files that are audio by their name. Arguments and errors are those of `list_files`."""
    return [path for path in list_files(folder, on_bad=on_bad) if is_audio_name(path)]


def read_files(files: Iterable[Path], *, folder: Path, on_bad: OnBad | None = None) -> Iterator[Clip]:
    """Read each audio file as a clip; the audio stays a path.

    Args:
        files: below `folder`, as `audio_files` gives them.
        folder: to which the ids are relative.
        on_bad: called with the error of each bad item, and the reading goes on; without it the error is
            raised.

    Raises:
        CorpusError: a JSON that is none, two files of one id.
    """
    seen: dict[str, Path] = {}
    for path in files:
        try:
            clip = read_file(path, id=path.relative_to(folder).with_suffix("").as_posix())
            if clip.id in seen:
                raise CorpusError(
                    f"{path}: its id {clip.id!r} is that of {seen[clip.id]} too: rename or remove one"
                )
        except CorpusError as error:
            report(error, on_bad)
            continue
        seen[clip.id] = path
        yield clip


def read_file(path: str | Path, *, id: str | None = None) -> Clip:
    """Return one audio file, with the JSON beside it where there is one, as a clip.

    Raises:
        CorpusError: the JSON is none, or is not that of a clip.
    """
    path = Path(path)
    beside = path.with_suffix(".json")
    described = read_json(beside) if beside.is_file() else {}
    try:
        return Clip.from_dict(described, audio=path, format=path.suffix[1:].lower(), id=id or path.stem)
    except CorpusError as error:
        raise CorpusError(f"{path}: {error}") from error


def _walk(folder: Path, on_bad: OnUnlisted | None) -> Iterator[Path]:
    def tell(error: OSError) -> None:
        unlisted = UnlistedError(Path(error.filename), str(error.strerror))
        if on_bad is None:
            raise unlisted from error
        on_bad(unlisted)

    for place, folders, files in os.walk(folder, onerror=tell):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in files if not name.startswith("."))
