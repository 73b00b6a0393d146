"""What every rewriting backend takes and gives: captions with profiles, and candidates not yet judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from budew.profile import VoiceProfile


class ParaphraseError(RuntimeError):
    """Rewriting cannot go on: a clip has nothing to rewrite, or a backend answers nothing at all."""


@dataclass(frozen=True, slots=True)
class Request:
    """A caption to be rewritten `n` times. `seed` belongs to this request alone."""

    id: str
    caption: str
    profile: VoiceProfile
    seed: int
    n: int


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a backend made of one request: at most `n` texts, and what wrote them.

    `failure` says why there are none where the backend could not answer; it is empty otherwise.
    """

    id: str
    texts: tuple[str, ...]
    made_by: Mapping[str, str | int]
    failure: str = ""


class Backend(Protocol):
    """Anything that rewrites captions."""

    async def rewrite(self, requests: Sequence[Request]) -> list[Candidates]:
        """Return candidates for each request, in the order of the requests."""
        ...
