"""An acted corpus: a plan, spoken by a backend, checked, and written as WebDataset shards.

It is a job like any other, so a run may be killed at any moment, and every planned clip ends in a shard, in
`failures.jsonl` or in `left_out.jsonl`. What is spoken is kept: no clip is spoken, and paid, twice but those
of the shard at hand when the run was killed.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from budew.corpora.clip import Clip
from budew.jobs import Job, OnFailed, Summary, run
from budew.jobs.plan import OnProgress
from budew.synthesis.acting.backend import Backend, Take
from budew.synthesis.acting.plan import ActingPlan, Item
from budew.version import __version__

CLIPS_PER_SHARD = 100
"""What a kill costs at most, in clips that have to be spoken, and paid, again."""


@dataclass(frozen=True, slots=True)
class Performance:
    """An acted corpus, as the job that speaks its planned clips.

    Attributes:
        plan: what is acted.
        backend: who speaks.
        clips: how many clips of the plan.
        clips_per_shard: size of a shard.
        check: a job that every clip passes before it is written, such as `CheckWords`.
    """

    plan: ActingPlan
    backend: Backend
    clips: int
    clips_per_shard: int = CLIPS_PER_SHARD
    check: Job | None = None
    name: str = "act"

    @property
    def prefix(self) -> str:
        """Return the prefix of shard names."""
        return self.name

    @property
    def default_workers(self) -> int | None:
        """Return None, one a processor, for a backend that computes; 0 for a server or with a check."""
        return 0 if self.check is not None or not self.backend.computes else None

    def id_of(self, number: int) -> str:
        """Return the id of clip `number`."""
        return self.plan.id_of(number)

    def settings(self) -> dict[str, Any]:
        """Return what decides a clip."""
        check = None if self.check is None else {"job": self.check.name, **self.check.settings()}
        speech = {**self.backend.settings(), "version": __version__}
        return {"plan": self.plan.to_dict(), "speech": speech, "check": check}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Speak the clips that have no audio yet; pass on the others in their places."""
        kept, places = deque[Clip](), dict[str, int]()

        def items() -> Iterator[Item]:
            for clip in clips:
                places[clip.id] = len(places)
                if clip.audio:
                    kept.append(clip)
                else:
                    yield self.plan.item(clip.metadata["number"])

        for clip in self._spoken(items(), failed):
            while kept and places[kept[0].id] < places[clip.id]:
                yield kept.popleft()
            yield clip
        yield from kept

    def _spoken(self, items: Iterator[Item], failed: OnFailed) -> Iterator[Clip]:
        takes = self.backend.speak(items, failed)
        clips = (_clip(item, take, self.backend) for item, take in takes)
        return clips if self.check is None else self.check.run(clips, failed)


def act(
    out: str | Path,
    performance: Performance,
    *,
    workers: int | None = None,
    retry_failed: bool = False,
    progress: OnProgress | None = None,
) -> Summary:
    """Make the clips that are missing in the folder `out`.

    Args:
        out: folder; what is finished in it is kept. A longer corpus of the same plan goes on with it.
        performance: what is made.
        workers: processes; left out, one a processor for a backend that computes, and this one alone for a
            server or where there is a check.
        retry_failed: speak those clips again that failed or were left out before; the others are kept.
        progress: called a few times a second.

    Raises:
        JobError: the backend or the check cannot go on, the folder holds something else, or a number is out
            of range.
        MissingExtraError: a library is not installed.
        OSError: the disk refuses.
    """
    return run(
        performance,
        range(performance.clips),
        out,
        clips_per_shard=performance.clips_per_shard,
        workers=performance.default_workers if workers is None else workers,
        retry_failed=retry_failed,
        progress=progress,
    )


def _clip(item: Item, take: Take, backend: Backend) -> Clip:
    """Return a take with everything that is known of it."""
    planned = asdict(item)
    acting = {name: planned[name] for name in ("emotion", "intensity", "accent", "challenge", "instructions")}
    acting |= {"text": item.kind, "seed": item.seed, "number": item.number, **backend.settings()}
    return Clip(
        id=item.id,
        audio=take.audio,
        format=take.format,
        sampling_rate=take.sampling_rate,
        duration=take.duration,
        language=item.language,
        speaker=item.voice,
        transcript=item.text,
        profile=item.profile(bursts=take.bursts, gender=take.gender),
        source=f"budew {__version__} acting plan {item.seed}, spoken by {backend.name}",
        license=backend.license,
        metadata={"acting": {**acting, **(take.details or {})}},
    )
