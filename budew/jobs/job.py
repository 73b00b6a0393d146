"""`Job`: a function from clips to clips, with the settings that decide its output.

A job knows nothing of shards, workers or resumption: `budew.jobs.Plan` provides these for every job. It is a
small object that can be pickled; models and clients are loaded when `run` is first called, in the worker.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from budew.corpora.clip import Clip
from budew.errors import JobError, remedy_for

OnFailed = Callable[[str, Exception], None]
"""Called with the id of a clip and its error; the clip is then in no output."""


class Job(Protocol):
    """A function from clips to clips."""

    @property
    def name(self) -> str:
        """Return what the job does in one word, such as "segment"."""

    def settings(self) -> Mapping[str, Any]:
        """Return what determines the output, as JSON values: versions, models, prompts, seeds, thresholds.

        Output made with other settings is not continued. What does not change the output, such as a batch
        size or an address, does not belong here.
        """

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Process the clips of one shard lazily, in order; call `failed` for each that cannot be done.

        Raises:
            JobError: no other clip would succeed either.
        """


@runtime_checkable
class NumberedJob(Job, Protocol):
    """A job without input clips: it makes clip 0, 1, 2, … and gets each number in `clip.metadata`."""

    @property
    def prefix(self) -> str:
        """Return the prefix of shard names: "act" for `act-00000.tar`."""

    def id_of(self, number: int) -> str:
        """Return the id of a clip."""


@runtime_checkable
class Tallying(Protocol):
    """A job that counts something besides its clips."""

    @property
    def tallies(self) -> tuple[str, ...]:
        """Return the names of the counts, as they are displayed."""

    def tally(self, clip: Clip) -> Mapping[str, int]:
        """Return what a clip of the output adds to each count."""


def tallies_of(job: Job) -> tuple[str, ...]:
    """Return the names of what a job counts besides its clips."""
    return job.tallies if isinstance(job, Tallying) else ()


def each(
    clips: Iterable[Clip], work: Callable[[Clip], Clip | Iterable[Clip]], failed: OnFailed
) -> Iterator[Clip]:
    """Apply `work` to one clip at a time: it returns a clip or several, or raises what `failed` receives."""
    for clip in clips:
        try:
            done = work(clip)
            yield from [done] if isinstance(done, Clip) else list(done)
        except JobError:
            raise
        except Exception as error:
            if remedy_for(error):
                raise
            failed(clip.id, error)
