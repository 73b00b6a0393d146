"""`caption_files`: find the recordings in files, folders and corpora, and caption them in order."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from budew.audio.samples import SAMPLING_RATE
from budew.corpora.folders import audio_files
from budew.corpora.reading import ReadOptions
from budew.corpora.sources import Entry, is_corpus_file, matches, read_one
from budew.errors import CorpusError
from budew.inference.captioned_recording import FailedRecording
from budew.inference.recordings import Recording, failing_recording, from_clip, from_file
from budew.io.addresses import without_secrets

if TYPE_CHECKING:
    from budew.inference.captioner import Captioner, Result  # torch takes seconds
    from budew.inference.resume_file import ResumeFile

Progress = Callable[[int, int | None], None]


def caption_files(
    captioner: "Captioner",
    paths: Iterable[str | Path],
    *,
    resume: "ResumeFile | None" = None,
    progress: Progress | None = None,
) -> "Iterator[Result]":
    """Caption files, folders and corpora, lazily: one result per recording, in order.

    Args:
        captioner: captioner with the loaded model.
        paths: audio files, folders with audio files at any depth, and any source that `budew.read` reads.
        resume: file with results of an earlier run; these recordings are skipped. None: caption everything.
        progress: called after each result with the number of recordings done and the number of all recordings
            (None if unknown).

    Example:
        >>> from budew import Captioner
        >>> from budew.io.resources import data_folder
        >>> results = caption_files(Captioner.from_pretrained(), [data_folder("demo_clips")])
        >>> sum(1 for result in results)
        16
    """
    found, total = from_paths(paths)
    if resume is not None:
        found = (recording for recording in found if recording.source not in resume.finished)
    for done, result in enumerate(captioner.caption_each(found, resume), start=1):
        if progress is not None:
            progress(done, total)
        yield result


def unreadable(paths: Sequence[str | Path]) -> list[FailedRecording]:
    """Return the failures of recordings of which none can be opened; [] if one can, or in a corpus.

    So a model need not be loaded for them. Recordings after the first that can be opened are not tried.
    """
    failures: list[FailedRecording] = []
    found, total = from_paths(paths)
    for recording in found if total is not None else ():
        if isinstance(recording.file, Path) and not recording.file.is_file():
            return []  # a stream can be read only once
        try:
            next(recording.cut(1.0, SAMPLING_RATE))
        except (CorpusError, OSError) as error:
            reason = str(error).removeprefix(f"{recording.source}: ")
            failures.append(FailedRecording(recording.source, reason))
        else:
            return []
    return failures


def from_paths(paths: Iterable[str | Path]) -> tuple[Iterator[Recording], int | None]:
    """Return an iterator of the recordings in files, folders and corpora, and their number (None: unknown).

    A folder is searched recursively, without hidden files and links to folders, for audio files; if it has no
    audio files, its shards are read. Archives, tables, manifests, addresses, patterns and known corpora are
    read lazily as by `budew.read`; the number is then None. Any other file is taken for audio, whatever its
    suffix. A path that cannot be read gives a recording that fails when it is read.
    """
    entries = [entry for path in paths for entry in _entries(path)]
    total = len(entries) if all(isinstance(entry, Recording) for entry in entries) else None
    return (recording for entry in entries for recording in _recordings(entry)), total


def _entries(path: str | Path) -> list[Recording | Entry]:
    """Return the recordings of a path, or entries of a corpus for `read_one`."""
    bad: list[CorpusError] = []
    found: list[Entry] = []
    if os.path.isdir(path):
        found = [*audio_files(path, on_bad=bad.append)]
    elif os.path.exists(path):
        found = [Path(path)]
    if not found:
        bad.clear()  # `matches` reports them as well
        try:
            found = matches(path, ReadOptions(on_bad=bad.append))
        except CorpusError as error:
            bad.append(error)
    entries: list[Recording | Entry] = []
    for entry in found:
        if not isinstance(entry, Path) or is_corpus_file(entry):
            entries.append(entry)
        elif entry.is_dir():
            entries += _entries(entry)
        else:
            entries.append(from_file(entry))
    return [*entries, *(failing_recording(without_secrets(str(path)), error) for error in bad)]


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
