"""`Job`: a function from clips to clips, with the settings that decide its output.

A job knows nothing of shards, workers or resumption: `budew.jobs.Plan` provides these for every job. It is a
small object that can be pickled; models and clients are loaded when `run` is first called, in the worker.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

from budew.corpora.clip import Clip
from budew.errors import JobError
from budew.io.disk import remedy_for

OnFailed = Callable[[str, Exception], None]
"""Called with the id of a clip and its error; the clip is then in no output."""


class Job(Protocol):
    """A function from clips to clips.

    A job whose clips are images also has `media = budew.corpora.media.IMAGE`; without it they are audio.

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
        """Return a short name, such as "segment"; it stands in `job.json` and in each record."""

    def settings(self) -> Mapping[str, Any]:
        """Return what determines the output, as JSON values: versions, models, prompts, seeds, thresholds.

        A run with other settings does not continue the output. Settings that do not change the output, such
        as a batch size or an address, do not belong here.
        """

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Process the clips of one unit lazily, in order; call `failed` for each that cannot be processed.

        Raises:
            JobError: no other clip would succeed either.
        """


@runtime_checkable
class NumberedJob(Job, Protocol):
    """A job without input clips: it makes clip 0, 1, 2, … and gets each number in `clip.metadata`.

    Clips with audio are already made, by an earlier run: the job passes them on.
    """

    @property
    def prefix(self) -> str:
        """Return the prefix of shard names: "act" for `act-00000.tar`."""

    def id_of(self, number: int) -> str:
        """Return the id of a clip."""


@runtime_checkable
class TallyingJob(Job, Protocol):
    """A job that counts something besides its clips."""

    @property
    def tallies(self) -> tuple[str, ...]:
        """Return the names of the counts, as they are displayed."""

    def tally(self, clip: Clip) -> Mapping[str, int]:
        """Return what a clip of the output adds to each count."""


def tallies_of(job: Job) -> tuple[str, ...]:
    """Return the names of the further counts of a job, if it has any."""
    return job.tallies if isinstance(job, TallyingJob) else ()


def each(
    clips: Iterable[Clip], work: Callable[[Clip], Clip | Iterable[Clip]], failed: OnFailed
) -> Iterator[Clip]:
    """Apply a function to one clip at a time: the body of most jobs.

    Args:
        clips: the clips of a shard.
        work: returns a clip, or several, or raises an error that says why the clip fails.
        failed: called with the id of a clip and the error of `work`.

    Raises:
        JobError: `work` raised it: no other clip would succeed either.
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
