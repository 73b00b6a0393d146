"""`caption_files`: recordings in files, folders and corpora, found and captioned in their order."""

from collections.abc import Callable, Container, Iterable, Iterator
from glob import has_magic
from os.path import exists, isdir
from pathlib import Path

from budew.corpora.folders import audio_files
from budew.corpora.reading import ReadOptions
from budew.corpora.sources import Entry, is_corpus_file, matches, read_one
from budew.errors import CorpusError
from budew.inference.captioner import Captioner, Result, WindowStore
from budew.inference.recordings import Recording, failing_recording, from_clip, from_file
from budew.io.addresses import is_address, without_secrets

Progress = Callable[[int, int | None], None]


def caption_files(
    captioner: Captioner,
    paths: Iterable[str | Path],
    *,
    finished: Container[str] = (),
    store: WindowStore | None = None,
    progress: Progress | None = None,
) -> Iterator[Result]:
    """Caption files, folders and corpora, one result for each recording in their order.

    Args:
        captioner: the model.
        paths: audio files, folders of them at any depth, and whatever `budew.read` reads.
        finished: sources that are left out.
        store: windows of recordings that were captioned in part.
        progress: called after each result with the number of recordings done and of all, None where that is
            not known.

    Example:
        >>> from budew import Captioner
        >>> from budew.io.resources import data_folder
        >>> results = caption_files(Captioner.from_pretrained(), [data_folder("demo_clips")])
        >>> sum(1 for result in results)
        16
    """
    found, total = from_paths(paths)
    waiting = (recording for recording in found if recording.source not in finished)
    for done, result in enumerate(captioner.caption_each(waiting, store), start=1):
        if progress is not None:
            progress(done, total)
        yield result


def from_paths(paths: Iterable[str | Path]) -> tuple[Iterator[Recording], int | None]:
    """Return the recordings in files, folders and corpora, in order, and how many there are.

    A folder is searched with all folders below it, without hidden files and links to folders; its audio files
    are recordings, and where it has none, its shards are read. Archives, tables, manifests, addresses and
    patterns are read as `budew.read` does, lazily; then the number is None. Any other file is tried as audio,
    whatever its suffix. What cannot be read is a recording that fails when it is read.
    """
    entries = [entry for path in paths for entry in _entries(path)]
    total = len(entries) if all(isinstance(entry, Recording) for entry in entries) else None
    return (recording for entry in entries for recording in _recordings(entry)), total


def _entries(path: str | Path) -> list[Recording | Entry]:
    """Return what a path stands for: recordings, and corpus files as `read_one` takes them."""
    if not is_address(path):
        if isdir(path):
            return _in_folder(Path(path))
        if exists(path) or not has_magic(str(path)):
            return [Path(path) if is_corpus_file(Path(path)) else from_file(Path(path))]
    found, failures = _matches(path)
    inner = (_entries(entry) if isinstance(entry, Path) else [entry] for entry in found)
    return [*(one for some in inner for one in some), *failures]


def _in_folder(folder: Path) -> list[Recording | Entry]:
    unlisted: list[CorpusError] = []
    files = audio_files(folder, on_bad=unlisted.append)
    if files:
        return [*map(from_file, files), *(failing_recording(str(folder), error) for error in unlisted)]
    found, failures = _matches(folder)
    return [*(entry for entry in found if entry != folder), *failures]


def _matches(path: str | Path) -> tuple[list[Entry], list[Recording]]:
    bad: list[CorpusError] = []
    try:
        found = matches(path, ReadOptions(on_bad=bad.append))
    except CorpusError as error:
        found, bad = [], [*bad, error]
    return found, [failing_recording(without_secrets(str(path)), error) for error in bad]


def _recordings(entry: Recording | Entry) -> Iterator[Recording]:
    if isinstance(entry, Recording):
        yield entry
        return
    name, bad = without_secrets(str(entry)), list[CorpusError]()
    try:
        for clip in read_one(entry, ReadOptions(on_bad=bad.append)):
            yield from (failing_recording(name, error) for error in bad)
            bad.clear()
            yield from_clip(clip, f"{name}/{clip.id}")
    except (CorpusError, OSError) as error:
        bad.append(error if isinstance(error, CorpusError) else CorpusError(f"{name}: {error}"))
    yield from (failing_recording(name, error) for error in bad)
