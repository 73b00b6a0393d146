"""The job that speaks an acting plan, and what a backend is.

Every planned clip ends in a shard, in `failures.jsonl` or in `left_out.jsonl`. No clip is spoken, and paid,
twice except those of the shard at hand when a run is killed.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from budew.corpora.clip import Clip
from budew.jobs import Job, OnFailed
from budew.synthesis.acting.acting_hours import AnyPlan
from budew.synthesis.acting.acting_plan import Item, Speaker
from budew.version import __version__


@dataclass(frozen=True, slots=True)
class Take:
    """One item, spoken: encoded audio, the suffix of its format, its rate in Hz and duration in seconds.

    Attributes:
        bursts: vocal bursts that it certainly contains, besides those of the challenge.
        gender: of the voice, None where it is not known.
        transcript: what is said, None where that is the line of the plan.
        details: what else is known of its making, as JSON values.
    """

    audio: bytes
    format: str
    sampling_rate: int
    duration: float
    bursts: tuple[str, ...] = ()
    gender: str | None = None
    transcript: str | None = None
    details: Mapping[str, Any] | None = None


class Backend(Speaker, Protocol):
    """Anything that speaks. It is pickled into workers, so models and clients are loaded in `speak`.

    Attributes:
        name: of what speaks, for provenance.
        license: SPDX identifier of the speech, None where it is not known.
        computes: whether it keeps a processor busy, so that one worker a processor pays.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def license(self) -> str | None: ...  # noqa: D102

    @property
    def computes(self) -> bool: ...  # noqa: D102

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the sound, as JSON values; no address, no key."""

    def speak(self, items: Iterable[Item], failed: OnFailed) -> Iterator[tuple[Item, Take]]:
        """Speak the items, in their order; call `failed` for each that cannot be spoken.

        Raises:
            JobError: no other item would succeed either.
        """


@dataclass(frozen=True, slots=True)
class Act:
    """The job `act`: speaks planned clips, given as clip numbers: `run(Act(plan, backend), range(100), out)`.

    `check` is a job that every clip passes before it is written, such as `CheckWords`.
    """

    plan: AnyPlan
    backend: Backend
    check: Job | None = None
    name: str = "act"

    @property
    def prefix(self) -> str:
        """Return the prefix of shard names."""
        return self.name

    def id_of(self, number: int) -> str:
        """Return the id of clip `number`."""
        return self.plan.id_of(number)

    def settings(self) -> dict[str, Any]:
        """Return the settings that determine a clip."""
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

        takes = self.backend.speak(items(), failed)
        spoken: Iterator[Clip] = (_clip(item, take, self.backend) for item, take in takes)
        for clip in spoken if self.check is None else self.check.run(spoken, failed):
            while kept and places[kept[0].id] < places[clip.id]:
                yield kept.popleft()
            yield clip
        yield from kept


def _clip(item: Item, take: Take, backend: Backend) -> Clip:
    """Return a take as a clip, with its plan in the metadata."""
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
        transcript=item.text if take.transcript is None else take.transcript,
        profile=item.profile(bursts=take.bursts, gender=take.gender),
        source=f"budew {__version__} acting plan {item.seed}, spoken by {backend.name}",
        license=backend.license,
        metadata={"acting": {**acting, **(take.details or {})}},
    )
