"""Rewriting by a language model behind any server that speaks the OpenAI chat protocol.

Many requests are under way at a time. What was answered is kept by its content and never asked or paid
again; a server that is overloaded or down for a while is waited for; a request that no server answers is
told, and its caption falls back on a template. See `budew.chat`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from budew.chat.client import ChatClient
from budew.chat.errors import RefusedError
from budew.chat.ledger import Ledger
from budew.chat.request import ChatRequest
from budew.chat.server import ChatServer
from budew.chat.spending import UNLIMITED, Budget
from budew.paraphrase.backend import Candidates, Request
from budew.paraphrase.prompts import Prompts, load_prompts
from budew.paraphrase.tidy import tidied


@dataclass(slots=True)
class ChatBackend:
    """A chat server.

    Attributes:
        server: where to ask, and how patiently.
        model: the name under which the server knows it.
        prompts: what to ask.
        temperature: that of the prompts where None.
        structured: ask for JSON of a schema; a server that knows no schemas is asked without from then on.
        cache: file that keeps the answers, shared by all workers; None keeps them until the shard is done.
        budget: prices, and what may be spent.
        account: name under which the cache adds up what is spent, the same in all workers and restarts.

    Raises:
        ValueError: a number out of range, or a ceiling without a cache to count in.
    """

    server: ChatServer
    model: str
    prompts: Prompts = field(default_factory=load_prompts)
    temperature: float | None = None
    structured: bool = True
    cache: Path | None = None
    budget: Budget = UNLIMITED
    account: str = ""
    _open: tuple[ChatClient, Ledger] | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("the model has no name: give the one under which the server knows it")
        if self.temperature is not None and not 0 <= self.temperature <= 2:
            raise ValueError("a temperature is from 0 to 2")
        if self.budget.has_ceiling and self.cache is None:
            raise ValueError("a ceiling is counted in the cache, over all workers: name a file for it")

    @property
    def batch(self) -> int:
        """Clips that are handed over together: none waits for another."""
        return 1

    @property
    def ahead(self) -> int:
        """Clips under way, enough that all places at the server are taken while one is waited for."""
        return 2 * self.server.concurrency

    def settings(self) -> Mapping[str, Any]:
        """Return what decides the candidates."""
        return {
            **self._made_by(),
            "temperature": self._temperature(),
            "top_p": self.prompts.top_p,
            "structured": self.structured,
        }

    async def __aenter__(self) -> Self:
        ledger = Ledger(self.cache)
        client = ChatClient(self.server, ledger, budget=self.budget, account=self.account)
        self._open = await client.__aenter__(), ledger
        return self

    async def __aexit__(self, *ended: Any) -> None:
        if self._open is not None:
            client, ledger = self._open
            self._open = None
            await client.__aexit__(*ended)
            ledger.close()

    async def rewrite(self, requests: Sequence[Request]) -> list[Candidates]:
        """Return candidates for each request, in their order; `failure` says which got none and why.

        Raises:
            JobError: the key or the model is refused, the server stays away for longer than patience lasts,
                a ceiling is reached, or the cache cannot be written. What was answered is kept.
        """
        return list(await asyncio.gather(*map(self._answered, requests)))

    async def _answered(self, request: Request) -> Candidates:
        if self._open is None:
            raise RuntimeError("the backend is not open: use it as an async context")
        try:
            answer = await self._open[0].complete(self._chat_request(request))
        except RefusedError as refusal:
            return Candidates((), self._made_by(request), failure=str(refusal))
        texts = tuple(tidied(text) for text in answer.texts[: request.n])
        return Candidates(texts, self._made_by(request))

    def _chat_request(self, request: Request) -> ChatRequest:
        return ChatRequest(
            model=self.model,
            messages=self.prompts.messages(request, structured=self.structured),
            max_tokens=self.prompts.answer_tokens(request),
            temperature=self._temperature(),
            top_p=self.prompts.top_p,
            seed=request.seed % 2**31,
            n=request.n,
            schema=self.prompts.schema() if self.structured else None,
        )

    def _temperature(self) -> float:
        return self.prompts.temperature if self.temperature is None else self.temperature

    def _made_by(self, request: Request | None = None) -> dict[str, str | int | float]:
        made_by: dict[str, str | int | float] = {
            "backend": "chat",
            "model": self.model,
            "prompt": self.prompts.name,
            "prompt_version": self.prompts.version,
        }
        return {**made_by, "style": request.style} if request else made_by
