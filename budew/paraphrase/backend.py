"""The interface of rewriting backends: requests with captions and profiles in, candidates out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from budew.paraphrase.gate import Reason
from budew.profile import VoiceProfile


@dataclass(frozen=True, slots=True)
class RefusedCandidate:
    """A candidate that the gate refused, and why."""

    text: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class RewriteRequest:
    """A caption to be rewritten.

    Attributes:
        id: of the clip.
        caption: the template caption that is rewritten.
        profile: what the new one must express, and nothing else; see `budew.captions.expressible`.
        seed: of this request alone.
        n: candidates wanted.
        style: name of a style of the prompts; "" for any.
        refused: candidates of earlier requests for this caption, the oldest first.

    Example:
        >>> from budew.profile import VoiceProfile
        >>> request = RewriteRequest("a", "A very sad voice.", VoiceProfile({"Sadness": 0.75}), seed=7, n=4)
        >>> request.refused
        ()
    """

    id: str
    caption: str
    profile: VoiceProfile
    seed: int
    n: int = 1
    style: str = ""
    refused: tuple[RefusedCandidate, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidates:
    """The answer of a backend to one request.

    Attributes:
        texts: at most `n`, each on one line, without what models put around a caption.
        made_by: provenance of all, such as backend, model and version of the prompt.
        failure: why there is no answer; "" where there is one.
        of_text: further provenance of single texts.

    Example:
        >>> Candidates(("A very sad voice.",), {"backend": "mine"}).failure
        ''
    """

    texts: tuple[str, ...]
    made_by: Mapping[str, str | int | float] = field(default_factory=dict)
    failure: str = ""
    of_text: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class RewritingBackend(Protocol):
    """Anything that rewrites captions. It is pickled into workers, and opened there once for each shard."""

    @property
    def batch(self) -> int:
        """Clips whose requests are passed together."""
        ...

    @property
    def ahead(self) -> int:
        """Batches in progress at a time, besides the first."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the candidates, as JSON values: model, versions, sampling."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *ended: Any) -> None: ...

    async def rewrite(self, requests: Sequence[RewriteRequest]) -> list[Candidates]:
        """Return candidates for each request, in the order of the requests.

        Raises:
            JobError: the backend cannot answer any request: no server, no model, no memory.
        """
        ...
