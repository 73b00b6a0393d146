"""The interface of rewriting backends: requests with captions and profiles in, candidates out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from budew.paraphrase.gate import Reason
from budew.profile import VoiceProfile


@dataclass(frozen=True, slots=True)
class RefusedCandidate:
    """Text of a candidate that the gate refused, and the reasons for it."""

    text: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class RewriteRequest:
    """Request to rewrite one caption.

    Attributes:
        id: id of the clip.
        caption: template caption to rewrite.
        profile: what the new caption must express, and nothing else; see `budew.captions.expressible`.
        seed: random seed, different for each request.
        n: number of candidates to return.
        style: name of a writing style of the prompts; "" for any style.
        refused: candidates of earlier requests for this caption that the gate refused, the oldest first.

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
    """Answer of a backend to one `RewriteRequest`.

    Attributes:
        texts: at most `n` captions, each on one line, without quotation marks or comments of a model.
        made_by: provenance of all texts, such as backend, model and version of the prompt.
        failure: why there is no answer; "" if there is one.
        of_text: further provenance of single texts, by text.

    Example:
        >>> Candidates(("A very sad voice.",), {"backend": "mine"}).failure
        ''
    """

    texts: tuple[str, ...]
    made_by: Mapping[str, str | int | float] = field(default_factory=dict)
    failure: str = ""
    of_text: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class RewritingBackend(Protocol):
    """Protocol of classes that rewrite captions.

    A backend is pickled into worker processes, and opened there (as an async context) once for each shard.
    """

    @property
    def batch(self) -> int:
        """Number of clips whose requests are passed to `rewrite` together."""
        ...

    @property
    def ahead(self) -> int:
        """Number of further batches that are started while the first one is in progress."""
        ...

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the candidates, as JSON values: model, versions, sampling."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *ended: Any) -> None: ...

    async def rewrite(self, requests: Sequence[RewriteRequest]) -> list[Candidates]:
        """Return the candidates of each request, in the order of the requests.

        Raises:
            JobError: the backend cannot answer any request: no server, no model, no memory.
        """
        ...
