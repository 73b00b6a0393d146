"""One unit, from its input to its shard and note. Killed anywhere and done again, it ends the same.

The shard appears whole, the note after it: what has no note is not done. The failure of a clip is recorded in
the note; errors of the disk, and those that end the job, are raised.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from glob import escape
from itertools import chain
from pathlib import Path

from budew.audio.formats import LARGEST_AUDIO, SUFFIXES
from budew.corpora.clip import Clip
from budew.corpora.shards import write_shard
from budew.corpora.sidecar import check_characters
from budew.errors import CorpusError, JobError
from budew.jobs.job import Job, Tallying, tallies_of
from budew.jobs.notes import Failure, Note, made_by, note_path, shard_path, write_note
from budew.jobs.units import Unit

OnClip = Callable[[Sequence[int]], None]
"""Called with the clips of the unit that were read, the items that failed, and the tallies of the job."""

_NAMED_ID = re.compile(r"clip '([^']{1,240})'")


def do_unit(unit: Unit, job: Job, out: Path, *, on_clip: OnClip = lambda counts: None) -> Note:
    """Do a unit: write its shard, if a clip is left, and its note.

    Raises:
        JobError: no other clip would succeed either, or the input changed meanwhile.
        OSError: the disk refuses.
    """
    path, failures = shard_path(out, unit), list[Failure]()
    for made, end in ((path, "unfinished"), (note_path(out, unit), "part")):  # of a run that was killed
        for stale in made.parent.glob(f".{escape(made.name)}.*.{end}"):
            stale.unlink(missing_ok=True)
    before, digest = unit.state(), unit.digest()
    read, tally = 0, dict.fromkeys(tallies_of(job), 0)

    def count_clips() -> None:
        on_clip((read, len(failures), *tally.values()))

    def failed(clip: str, error: Exception) -> None:
        failures.append(Failure.of(clip, error))
        count_clips()

    def clips() -> Iterator[Clip]:
        nonlocal read
        for clip in unit.read(lambda error: failed(_clip_named_in(error), error)):
            read += 1
            count_clips()
            yield clip

    def tallied(clips: Iterator[Clip]) -> Iterator[Clip]:
        for clip in clips:
            if isinstance(job, Tallying):
                added = job.tally(clip)
                tally.update({name: count + added.get(name, 0) for name, count in tally.items()})
                count_clips()
            yield clip

    written, count = tallied(_writable(job.run(clips(), failed), failed)), 0
    if (first := next(written, None)) is None:
        path.unlink(missing_ok=True)
    else:
        count = write_shard(path, chain([first], written))
    if unit.state() != before:
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


def _writable(clips: Iterator[Clip], failed: Callable[[str, Exception], None]) -> Iterator[Clip]:
    """Pass on what can be written: audio in memory, metadata that is JSON, a unique id."""
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
