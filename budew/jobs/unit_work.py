"""One unit, from its input shard to its note. Stopped anywhere and done again, it ends the same.

The shard comes first and appears whole, the note after it: what has no note is not done. Whatever happens to
one clip is told in the note; what happens to the disk, or ends the job, is raised.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from glob import escape
from pathlib import Path

from budew.audio.formats import LARGEST_AUDIO, SUFFIXES
from budew.corpora.clip import Clip
from budew.corpora.shards import write_shard
from budew.corpora.sidecar import check_characters
from budew.errors import CorpusError, JobError
from budew.jobs.job import Job, Tallying
from budew.jobs.notes import Failure, Note, made_by, note_path, shard_path, write_note
from budew.jobs.unit import Unit

OnClip = Callable[[Sequence[int]], None]
"""Called with how many clips of the unit were read, how many items failed, and the tallies of the job."""

_NAMED_ID = re.compile(r"clip '([^']{1,240})'")


def do_unit(unit: Unit, job: Job, out: Path, *, on_clip: OnClip = lambda counts: None) -> Note:
    """Do a unit: write its shard, where there is a clip to be in it, and its note.

    Raises:
        JobError: the job says that going on is useless.
        OSError: the disk refuses.
    """
    path, failures = shard_path(out, unit), list[Failure]()
    remove_unfinished(out, unit)
    made_from = unit.input()
    before, digest = made_from.state(), made_from.digest()
    read, tally = 0, dict.fromkeys(tallies_of(job), 0)

    def tell() -> None:
        on_clip((read, len(failures), *tally.values()))

    def failed(clip: str, error: Exception) -> None:
        failures.append(Failure.of(clip, error))
        tell()

    def clips() -> Iterator[Clip]:
        nonlocal read
        for clip in unit.read(lambda error: failed(_clip_named_in(error), error)):
            read += 1
            tell()
            yield clip

    def tallied(clips: Iterator[Clip]) -> Iterator[Clip]:
        for clip in clips:
            if isinstance(job, Tallying):
                added = job.tally(clip)
                tally.update({name: count + added.get(name, 0) for name, count in tally.items()})
                tell()
            yield clip

    written = tallied(_written_whole(job.run(clips(), failed), failed))
    first = next(written, None)
    count = 0
    if first is None:
        path.unlink(missing_ok=True)
    else:
        count = write_shard(path, _with(first, written))
    if made_from.state() != before:
        raise JobError(f"{unit.name}: its input changed while it was read: start again when it is complete")
    note = Note(
        clips=count,
        bytes=path.stat().st_size if count else 0,
        input_bytes=before.bytes,
        input_sha256=digest,
        made_by=made_by(job),
        failures=tuple(failures),
        tally=tally,
    )
    write_note(out, unit, note)
    return note


def tallies_of(job: Job) -> tuple[str, ...]:
    """Return the names of what a job counts beside its clips."""
    return job.tallies if isinstance(job, Tallying) else ()


def remove_unfinished(out: Path, unit: Unit) -> None:
    """Remove what a run that was killed in this unit left under temporary names."""
    for path, end in ((shard_path(out, unit), "unfinished"), (note_path(out, unit), "part")):
        for stale in path.parent.glob(f".{escape(path.name)}.*.{end}"):
            stale.unlink(missing_ok=True)


def _with(first: Clip, rest: Iterator[Clip]) -> Iterator[Clip]:
    yield first
    yield from rest


def _written_whole(clips: Iterator[Clip], failed: Callable[[str, Exception], None]) -> Iterator[Clip]:
    """Pass on what can be written: audio in memory, metadata that is JSON, an id of its own."""
    seen: set[str] = set()
    for clip in clips:
        try:
            ready = _ready(clip, seen)
        except (CorpusError, ValueError, TypeError) as error:
            failed(clip.id, error)
            continue
        seen.add(ready.id)
        yield ready


def _ready(clip: Clip, seen: set[str]) -> Clip:
    if clip.id in seen:
        raise CorpusError(f"clip {clip.id!r}: another clip of the shard has this id: give each its own")
    if clip.format not in SUFFIXES:
        raise CorpusError(f"clip {clip.id!r}: {clip.format!r} is no audio format")
    check_characters(clip.to_dict(), f"clip {clip.id!r}")
    if isinstance(clip.audio, bytes):
        return clip
    try:
        size = clip.audio.stat().st_size
        if size > LARGEST_AUDIO:
            raise CorpusError(f"clip {clip.id!r}: {size} bytes of audio are more than {LARGEST_AUDIO}")
        return replace(clip, audio=clip.audio.read_bytes())
    except OSError as error:
        raise CorpusError(f"clip {clip.id!r}: {clip.audio} cannot be read ({error.strerror})") from error


def _clip_named_in(error: CorpusError) -> str:
    found = _NAMED_ID.search(str(error))
    return found[1] if found else ""
