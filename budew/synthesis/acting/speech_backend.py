"""Input and output of a speech backend: planned clips and spoken clips."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from budew.jobs import OnFailed
from budew.profile import VoiceProfile
from budew.synthesis.acting.acting_data import NO_ACCENT, challenges


@dataclass(frozen=True, slots=True)
class PlannedClip:
    """One clip to be acted: its levels as in `ClipLevels`, its line and the instructions for a speech model.

    `number` is its place in the plan, or in its part of a plan by hours; `seed` is that of the plan.
    """

    number: int
    id: str
    seed: int
    emotion: str
    intensity: float
    voice: str
    language: str
    accent: str
    challenge: str
    kind: str
    text: str
    instructions: str

    def profile(self, *, bursts: tuple[str, ...] = (), gender: str | None = None) -> VoiceProfile:
        """Return the profile that is planned, with what only the backend knows."""
        challenge = challenges()[self.challenge]
        traits = {
            "gender": gender,
            "accent": None if self.accent == NO_ACCENT else self.accent,
            "style": challenge.style,
        }
        known = {name: value for name, value in traits.items() if value is not None}
        return VoiceProfile({self.emotion: self.intensity}, (*challenge.bursts, *bursts), known)


@dataclass(frozen=True, slots=True)
class SpokenClip:
    """A planned clip as spoken by a backend.

    Attributes:
        audio, format, sampling_rate, duration: encoded, with the suffix of its format; Hz and seconds.
        bursts: vocal bursts that it certainly contains, besides those of the challenge.
        gender: of the voice, None where it is not known.
        transcript: the words spoken, None where they are the line of the plan.
        details: how it was made, as JSON values.
    """

    audio: bytes
    format: str
    sampling_rate: int
    duration: float
    bursts: tuple[str, ...] = ()
    gender: str | None = None
    transcript: str | None = None
    details: Mapping[str, Any] | None = None


class SpeechBackend(Protocol):
    """Anything that speaks. It is pickled into workers, so models and clients are loaded in `speak`.

    Attributes:
        name: of the engine or model, for provenance.
        license: SPDX identifier of the speech, None where it is not known.
        computes: whether it keeps a processor busy: then a worker for each processor pays.
        wording: of the instructions that it follows, a key of `instructions.yaml`.
        clip_seconds: mean length of a clip.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def license(self) -> str | None: ...  # noqa: D102

    @property
    def computes(self) -> bool: ...  # noqa: D102

    @property
    def wording(self) -> str: ...  # noqa: D102

    @property
    def clip_seconds(self) -> float: ...  # noqa: D102

    def voices(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """Return `names`, or the default voices; InputError where there is no such voice."""

    def accents(self, language: str) -> tuple[str, ...]:
        """Return the accents that the backend has for a language, the most neutral first."""

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the sound, as JSON values; no address, no key."""

    def speak(
        self, clips: Iterable[PlannedClip], failed: OnFailed
    ) -> Iterator[tuple[PlannedClip, SpokenClip]]:
        """Speak the clips, in their order; call `failed` for each that cannot be spoken.

        Raises:
            JobError: no other clip would succeed either.
        """
