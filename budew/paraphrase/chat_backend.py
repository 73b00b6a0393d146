"""Rewriting by a language model on a server with an OpenAI-compatible chat API, see `budew.chat`."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from budew.chat.client import Client
from budew.chat.request import ChatRequest, Schema
from budew.chat.server_settings import ServerSettings
from budew.errors import ServerError
from budew.paraphrase.answer_cleaning import CAPTION_KEY, clean_answer
from budew.paraphrase.backend import Candidates, RewriteRequest
from budew.paraphrase.prompts import Prompts, load_prompts

_ANSWER_SCHEMA = Schema(
    "caption",
    {
        "type": "object",
        "properties": {CAPTION_KEY: {"type": "string"}},
        "required": [CAPTION_KEY],
        "additionalProperties": False,
    },
)


@dataclass(slots=True)
class ChatBackend:
    """Rewriting backend that uses a language model on a server with an OpenAI-compatible chat API.

    Attributes:
        server: address, model, timeouts, retries, and limits of cost and tokens.
        prompts: prompts, with styles and examples.
        temperature: sampling temperature; None for that of the prompt file.
        structured: request JSON that follows a schema; if the server rejects schemas, plain JSON.
        account: name under which the answer cache adds up the cost; use the same name for all workers and
            restarts of a run.
        batch: number of clips whose requests are passed together, always 1.

    Example:
        >>> from budew.chat.server_settings import ServerSettings
        >>> server = ServerSettings(base_url="http://localhost:8000/v1", model="Qwen/Qwen2.5-7B-Instruct")
        >>> ChatBackend(server, temperature=0.7).settings()["temperature"]
        0.7
    """

    server: ServerSettings
    prompts: Prompts = field(default_factory=load_prompts)
    temperature: float | None = None
    structured: bool = True
    account: str = ""
    batch: int = field(default=1, init=False)
    _open: Client | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def ahead(self) -> int:
        """Number of clips in progress at a time: twice the concurrent requests, so that none has to wait."""
        return 2 * self.server.concurrency

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the candidates (model, prompts, sampling), as JSON values."""
        return {
            **self._made_by(),
            "temperature": self._temperature(),
            "top_p": self.prompts.file.sampling.top_p,
            "structured": self.structured,
        }

    async def __aenter__(self) -> Self:
        self._open = await Client(self.server, account=self.account).__aenter__()
        return self

    async def __aexit__(self, *ended: Any) -> None:
        if self._open is not None:
            client, self._open = self._open, None
            await client.__aexit__(*ended)

    async def rewrite(self, requests: Sequence[RewriteRequest]) -> list[Candidates]:
        """Return the candidates of each request, in order; a request that failed has `Candidates.failure`.

        Raises:
            JobError: all further requests would fail too, such as for a wrong API key. Earlier answers stay
                in the cache.
        """
        return list(await asyncio.gather(*map(self._answer, requests)))

    async def _answer(self, request: RewriteRequest) -> Candidates:
        if self._open is None:
            raise RuntimeError("the backend is not open: use it as an async context")
        made_by = {**self._made_by(), "style": request.style}
        asked = ChatRequest(
            model=self.server.model,
            messages=self.prompts.messages(request, structured=self.structured),
            max_tokens=self.prompts.answer_tokens(request),
            temperature=self._temperature(),
            top_p=self.prompts.file.sampling.top_p,
            seed=request.seed % 2**31,
            n=request.n,
            schema=_ANSWER_SCHEMA if self.structured else None,
        )
        try:
            answer = await self._open.complete(asked)
        except ServerError as refusal:
            return Candidates((), made_by, failure=str(refusal))
        return Candidates(tuple(clean_answer(text) for text in answer.texts[: request.n]), made_by)

    def _made_by(self) -> dict[str, str | int | float]:
        prompt = self.prompts.file
        made_by: dict[str, str | int | float] = {"backend": "chat", "model": self.server.model}
        return {**made_by, "prompt": prompt.name, "prompt_version": prompt.version}

    def _temperature(self) -> float:
        return self.prompts.file.sampling.temperature if self.temperature is None else self.temperature
