"""What every rewriting backend takes and gives: captions with what they must say, and candidates for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from budew.paraphrase.gate import Reason
from budew.profile import VoiceProfile


class ParaphraseError(RuntimeError):
    """Rewriting cannot go on: a clip has nothing to rewrite, or a backend cannot work."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A candidate that the gate did not let through, and why."""

    text: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """A caption to be written anew.

    Attributes:
        id: of the clip.
        caption: the template caption that is rewritten.
        profile: what the new one must say, and nothing else; see `budew.captions.expressible`.
        seed: of this request alone.
        n: candidates wanted.
        style: a name among the styles of the prompts; "" where it does not matter.
        refused: what earlier requests for this caption brought, the oldest first.
    """

    id: str
    caption: str
    profile: VoiceProfile
    seed: int
    n: int = 1
    style: str = ""
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a backend made of one request.

    Attributes:
        texts: at most `n`; as they came, but on one line and without what was put around them.
        made_by: what wrote them, for the provenance of a caption: `by`, model, version of the prompt.
        failure: why there are none, where the backend could not answer this request; else empty.
    """

    texts: tuple[str, ...]
    made_by: Mapping[str, str | int | float] = field(default_factory=dict)
    failure: str = ""


class Backend(Protocol):
    """Anything that rewrites captions. A small object that can be pickled; what is heavy comes with
    the context.

    Opened as an async context, in the event loop and the process that use it, once for each shard.
    """

    @property
    def batch(self) -> int:
        """Clips whose requests are handed over together."""
        ...

    @property
    def ahead(self) -> int:
        """Batches under way at a time, beside the one whose turn it is."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """Return what decides the candidates, as JSON values: model, versions, sampling."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def rewrite(self, requests: Sequence[Request]) -> list[Candidates]:
        """Return candidates for each request, in the order of the requests.

        Raises:
            JobError: the backend can do no request at all: no server, no model, no memory.
        """
        ...
