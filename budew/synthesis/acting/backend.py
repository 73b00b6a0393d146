"""What speaks a plan: a backend takes items and gives takes, in their order; what it cannot do it tells."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from budew.jobs import OnFailed
from budew.synthesis.acting.plan import Item


@dataclass(frozen=True, slots=True)
class Take:
    """One item, spoken.

    Attributes:
        audio: encoded.
        format: suffix of the encoding.
        sampling_rate: Hz.
        duration: seconds.
        bursts: vocal bursts that are in it for certain, besides those of the challenge.
        gender: of the voice, None where it is not known.
        details: what else is known of its making, as JSON values.
    """

    audio: bytes
    format: str
    sampling_rate: int
    duration: float
    bursts: tuple[str, ...] = ()
    gender: str | None = None
    details: Mapping[str, Any] | None = None


class Backend(Protocol):
    """Anything that speaks. It is pickled into workers, so what is heavy is made in `speak`.

    Attributes:
        name: of what speaks, for provenance.
        license: SPDX identifier of what it speaks, None where that is for others to say.
        computes: whether it keeps a processor busy, so that one worker a processor pays.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def license(self) -> str | None: ...  # noqa: D102

    @property
    def computes(self) -> bool: ...  # noqa: D102

    def voices(self, names: Sequence[str] | None) -> tuple[str, ...]:
        """Return `names`, or those that speak where none are named.

        Raises:
            ActingError: nobody has this voice.
        """
        ...

    def accents(self, language: str) -> tuple[str, ...]:
        """Return the accents in which it speaks a language, the first one the plainest."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """Return what decides the sound, as JSON values; no address, no key."""
        ...

    def speak(self, items: Iterable[Item], failed: OnFailed) -> Iterator[tuple[Item, Take]]:
        """Speak the items, in their order; tell `failed` of each that cannot be spoken.

        Raises:
            JobError: going on is useless.
        """
        ...
