"""Job that has an acting plan spoken by a backend.

Every planned clip ends in a shard, in `failures.jsonl` or in `left_out.jsonl`. No clip is spoken (and paid)
twice, except the clips of an unfinished shard when a run is killed.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from budew.corpora.clip import Clip
from budew.jobs import Job, OnFailed
from budew.synthesis.acting.acting_data import NONE
from budew.synthesis.acting.acting_hours import AnyPlan
from budew.synthesis.acting.speech_backend import PlannedClip, SpeechBackend, SpokenClip
from budew.version import __version__


@dataclass(frozen=True, slots=True)
class Act:
    """A `budew.jobs.Job` that synthesizes the clips of an acting plan; its input is the numbers of clips.

    Attributes:
        plan: acting plan.
        backend: speech backend.
        check: job that every spoken clip has to pass before it is written, such as `CheckWords`; None
            writes all.
        name: name of the job.

    Example:
        >>> from budew.jobs import run
        >>> from budew.synthesis.acting import EspeakBackend, make_plan
        >>> backend = EspeakBackend()
        >>> run(Act(make_plan(backend, seed=1), backend), range(2), "acted", workers=1).clips
        2
    """

    plan: AnyPlan
    backend: SpeechBackend
    check: Job | None = None
    name: str = "act"

    @property
    def prefix(self) -> str:
        """Prefix of the names of output shards: the name of the job."""
        return self.name

    def id_of(self, number: int) -> str:
        """Return the id of the clip with this number."""
        return self.plan.id_of(number)

    def settings(self) -> dict[str, Any]:
        """Return the settings that determine the clips (plan, speech, check), as JSON values."""
        check = None if self.check is None else {"job": self.check.name, **self.check.settings()}
        speech = {**self.backend.settings(), "version": __version__}
        return {"plan": self.plan.to_dict(), "speech": speech, "check": check}

    def run(self, clips: Iterator[Clip], failed: OnFailed) -> Iterator[Clip]:
        """Yield the clips in order; those without audio are spoken by their `metadata["number"]`."""
        kept, places = deque[Clip](), dict[str, int]()

        def planned_clips() -> Iterator[PlannedClip]:
            for clip in clips:
                places[clip.id] = len(places)
                if clip.audio:
                    kept.append(clip)
                else:
                    yield self.plan.clip(clip.metadata["number"])

        pairs = self.backend.speak(planned_clips(), failed)
        spoken: Iterator[Clip] = (_clip(planned, audio, self.backend) for planned, audio in pairs)
        for clip in spoken if self.check is None else self.check.run(spoken, failed):
            while kept and places[kept[0].id] < places[clip.id]:
                yield kept.popleft()
            yield clip
        yield from kept


def _clip(planned: PlannedClip, spoken: SpokenClip, backend: SpeechBackend) -> Clip:
    """Return a clip of the speech, with the levels of its plan in the metadata."""
    fields = asdict(planned)
    acting = {name: fields[name] for name in ("emotion", "intensity", "accent", "challenge", "instructions")}
    if planned.persona != NONE:
        acting["persona"] = planned.persona
    acting |= {"text": planned.kind, "seed": planned.seed, "number": planned.number, **backend.settings()}
    return Clip(
        id=planned.id,
        audio=spoken.audio,
        format=spoken.format,
        sampling_rate=spoken.sampling_rate,
        duration=spoken.duration,
        language=planned.language,
        speaker=planned.voice,
        transcript=planned.text if spoken.transcript is None else spoken.transcript,
        profile=planned.profile(bursts=spoken.bursts, gender=spoken.gender),
        source=f"budew {__version__} acting plan {planned.seed}, spoken by {backend.name}",
        license=backend.license,
        metadata={"acting": {**acting, **(spoken.details or {})}},
    )
