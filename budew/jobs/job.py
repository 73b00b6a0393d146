"""`Job`: a function from clips to clips, with the settings that determine its output.

A job need not handle shards, workers or resumption: `budew.jobs.Plan` does this for every job. It is a small
object that can be pickled; models and clients are loaded when `run` is first called, in the worker.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from budew.corpora.clip import Clip
from budew.errors import JobError
from budew.io.disk import remedy_for

OnFailed = Callable[[str, Exception], None]
"""Called with the id of a clip that failed and its error; the clip is not in the output."""


class Job(Protocol):
    """Protocol of jobs: `run` is a function from clips to clips.

    A job whose clips are images also has the attribute `media = budew.corpora.media.IMAGE`; without it, clips
    are audio.

    Example:
        >>> from collections.abc import Iterator
        >>> from dataclasses import dataclass, replace
        >>> from budew import Clip
        >>> from budew.jobs import Job, OnFailed
        >>> @dataclass(frozen=True)
        ... class SetLanguage:
        ...     language: str
        ...     name: str = "set language"
        ...
        ...     def settings(self) -> dict[str, str]:
        ...         return {"language": self.language}
        ...
        ...     def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        ...         return (replace(clip, language=self.language) for clip in clips)
        >>> job: Job = SetLanguage("de")
    """

    @property
    def name(self) -> str:
        """Short name, such as "segment"; it is written into `job.json` and into each record."""

    def settings(self) -> Mapping[str, Any]:
        """Return what determines the output, as JSON values: versions, models, prompts, seeds, thresholds.

        A run with other settings is refused in the same output folder. Settings that do not change the
        output, such as a batch size or an address, do not belong here.
        """

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Process the clips of one unit lazily and in order.

        Args:
            clips: clips of the unit.
            failed: to call for each clip that cannot be processed.

        Raises:
            JobError: every other clip would fail, too.
        """


@runtime_checkable
class NumberedJob(Job, Protocol):
    """A job that makes new clips: its input clips have only an id, and a `number` (0, 1, …) as metadata.

    Clips that already have audio were made by an earlier run: the job returns them unchanged.
    """

    @property
    def prefix(self) -> str:
        """Prefix of shard names, such as "act" for `act-00000.tar`."""

    def id_of(self, number: int) -> str:
        """Return the id of the clip with this number."""


@runtime_checkable
class TallyingJob(Job, Protocol):
    """A job with further counts besides the number of its clips."""

    @property
    def tallies(self) -> tuple[str, ...]:
        """Names of the counts, as they are displayed."""

    def tally(self, clip: Clip) -> Mapping[str, int]:
        """Return how much a clip of the output adds to each count, by name."""


def tallies_of(job: Job) -> tuple[str, ...]:
    """Return the names of the further counts of a job; () if it has none."""
    return job.tallies if isinstance(job, TallyingJob) else ()


def each(
    clips: Iterable[Clip], work: Callable[[Clip], Clip | Iterable[Clip]], failed: OnFailed
) -> Iterator[Clip]:
    """Apply a function to each clip and yield its results; report the clips for which it raises an error.

    Args:
        clips: the clips of a shard.
        work: returns a clip or several clips, or raises an error that says why the clip fails.
        failed: called with the id of a clip and the error of `work`; nothing is yielded for this clip.

    Raises:
        JobError: raised by `work`, if every other clip would fail, too.
        OSError: the disk is full or read-only.

    Example:
        >>> from dataclasses import replace
        >>> from budew import Clip
        >>> clips = [Clip("a", b"", "wav"), Clip("b", b"", "wav")]
        >>> [clip.language for clip in each(clips, lambda clip: replace(clip, language="de"), print)]
        ['de', 'de']
    """
    for clip in clips:
        try:
            result = work(clip)
            yield from [result] if isinstance(result, Clip) else list(result)
        except JobError:
            raise
        except Exception as error:
            if remedy_for(error):
                raise
            failed(clip.id, error)
