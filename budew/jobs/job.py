"""What a job is: clips in, clips out, and a word on each that came to nothing.

A job says nothing of shards, workers or resumption: `budew.jobs.run` gives those to every job alike. It is a
small object that can be pickled; what is heavy (models, clients) it makes when `run` is first called, in the
worker.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from budew.corpora.clip import Clip
from budew.errors import JobError
from budew.files import place_of, remedy_for

OnFailed = Callable[[str, Exception], None]
"""Called with the id of a clip and what went wrong with it; the clip is then in no output."""


class Job(Protocol):
    """A function from clips to clips."""

    @property
    def name(self) -> str:
        """What the job does, one word: "segment"."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """Return what decides the output, as JSON values: versions, models, prompts, seeds, thresholds.

        An output made with other settings is not gone on with. What does not change the output, such as a
        batch size or an address, does not belong here.
        """
        ...

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Do the clips of one shard, lazily, in their order; tell `failed` of each that cannot be done.

        Raises:
            JobError: going on is useless.
        """
        ...


@runtime_checkable
class Tallying(Protocol):
    """A job that counts more of its clips than that they are done."""

    @property
    def tallies(self) -> tuple[str, ...]:
        """Return the names of what it counts, each a word or two as a person reads them."""
        ...

    def tally(self, clip: Clip) -> Mapping[str, int]:
        """Return what a clip of the output adds to each count; what is not named adds nothing."""
        ...


def each(
    clips: Iterable[Clip], work: Callable[[Clip], Clip | Iterable[Clip]], failed: OnFailed
) -> Iterator[Clip]:
    """Do clips one at a time: `work` gives a clip, or several, or raises what is told to `failed`."""
    for clip in clips:
        try:
            done = work(clip)
            yield from [done] if isinstance(done, Clip) else list(done)
        except JobError:
            raise
        except Exception as error:  # whatever one clip does, the others go on
            if remedy_for(error):
                raise
            failed(clip.id, error)


@contextmanager
def disk_told(out: Path) -> Iterator[None]:
    """Make what a disk refuses the end of the job, as a sentence with the path and what helps.

    Args:
        out: where the job writes: named unless the error names another place.

    Raises:
        JobError: the disk is full, over a quota or read-only, or the file too large for a limit.
    """
    try:
        yield
    except OSError as error:
        remedy = remedy_for(error)
        if remedy is None:
            raise
        fault = f"{place_of(error, out)}: {error.strerror}: {remedy}"
        raise JobError(f"{fault}, and start the job again to go on") from error
