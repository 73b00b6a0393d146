"""Input and output of a speech backend: planned clips and spoken clips."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from budew.jobs import OnFailed
from budew.profile import VoiceProfile
from budew.synthesis.acting.acting_data import NONE, challenges


@dataclass(frozen=True, slots=True)
class PlannedClip:
    """A clip to be spoken by a backend; the fields from `emotion` to `persona` are those of `ClipLevels`.

    Attributes:
        number: number of the clip in its plan, or in its part of a plan by hours; from 0.
        id: id of the clip.
        seed: random seed of the plan.
        text: line to speak.
        instructions: English instructions for a speech model.
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
    persona: str
    text: str
    instructions: str

    def profile(self, *, bursts: tuple[str, ...] = (), gender: str | None = None) -> VoiceProfile:
        """Return the requested profile, with bursts that the backend added and the gender if known."""
        challenge = challenges()[self.challenge]
        traits = {
            "gender": gender,
            "accent": None if self.accent == NONE else self.accent,
            "style": challenge.style,
        }
        known = {name: value for name, value in traits.items() if value is not None}
        return VoiceProfile({self.emotion: self.intensity}, (*challenge.bursts, *bursts), known)


@dataclass(frozen=True, slots=True)
class SpokenClip:
    """Speech of a planned clip.

    Attributes:
        audio: contents of an audio file.
        format: its format, as a file suffix such as "flac".
        sampling_rate: in Hz.
        duration: in seconds.
        bursts: vocal bursts that the audio certainly contains, besides those of the challenge.
        gender: gender of the voice, None if it is unknown.
        transcript: spoken words, None if they are the line of the plan.
        details: how the audio was made, as JSON values for the metadata of the clip; None without details.
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
    """Protocol of speech synthesizers for acting. They are pickled, so models are loaded in `speak`.

    Attributes:
        name: name of the engine or model, for the provenance of clips.
        license: license of the speech as SPDX identifier, None if it is unknown.
        computes: whether it uses a whole processor, so that one worker for each processor is best.
        wording: how its instructions are worded, a key of `instructions.yaml`.
        instructed: whether it follows the instructions of a clip, such as a persona.
    """

    license: ClassVar[str | None]
    computes: ClassVar[bool]
    instructed: ClassVar[bool]

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def wording(self) -> str: ...  # noqa: D102

    def voices(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """Return the voices with these names, the default voices for None; InputError for an unknown name."""

    def accents(self, language: str) -> tuple[str, ...]:
        """Return the accents that the backend has for a language code, the most neutral one first."""

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the audio, as JSON values, without server addresses and keys."""

    def speak(
        self, clips: Iterable[PlannedClip], failed: OnFailed
    ) -> Iterator[tuple[PlannedClip, SpokenClip]]:
        """Yield each clip with its speech, in order; call `failed` for clips that cannot be spoken.

        Raises:
            JobError: the backend fails for all clips.
        """
