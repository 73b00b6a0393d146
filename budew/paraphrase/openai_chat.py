"""Rewriting by a language model behind any server that speaks the OpenAI chat protocol.

vLLM, llama.cpp and `transformers serve` do. Requests run concurrently. Some servers ignore `n`: what is
missing is asked for again, with another seed. A request that fails after the client's retries is reported
and the others go on.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

from budew.extras import require
from budew.paraphrase.backend import Candidates, Request
from budew.paraphrase.prompts import Prompts, load_prompts
from budew.randomness import derived_seed

_NO_KEY = "not-needed"  # the client insists on a key; servers of one's own do not


class OpenAIBackend:
    """A chat server.

    The key comes from the environment variable `OPENAI_API_KEY` and from nowhere else, so that no command
    line or recipe holds one.

    Args:
        base_url: such as `http://localhost:8000/v1`.
        model: the name under which the server knows it.
        temperature: 0 gives the likeliest rewriting over and over.
        timeout: seconds for one answer.
        max_retries: of one request, for what may pass: no connection, overload, a server error.
        concurrency: requests under way at a time.
        prompts: those of `paraphrase/prompts.yaml` when None.

    Raises:
        MissingExtraError: the library `openai` is not installed.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        temperature: float = 0.9,
        timeout: float = 60.0,
        max_retries: int = 4,
        concurrency: int = 16,
        prompts: Prompts | None = None,
    ) -> None:
        self._openai = require("openai", extra="paraphrase", purpose="rewriting captions by a chat server")
        self._client_options = {"base_url": base_url, "timeout": timeout, "max_retries": max_retries}
        self._model = model
        self._temperature = temperature
        self._concurrency = concurrency
        self._prompts = prompts or load_prompts()

    async def rewrite(self, requests: Sequence[Request]) -> list[Candidates]:
        """Return candidates for each request, in their order; `failure` says which got none and why."""
        under_way = asyncio.Semaphore(self._concurrency)
        key = os.environ.get("OPENAI_API_KEY") or _NO_KEY
        async with self._openai.AsyncOpenAI(api_key=key, **self._client_options) as client:
            return await asyncio.gather(*(self._answered(client, request, under_way) for request in requests))

    async def _answered(self, client: Any, request: Request, under_way: asyncio.Semaphore) -> Candidates:
        made_by: dict[str, str | int] = {
            "by": "openai-chat",
            "model": self._model,
            "prompt_version": self._prompts.version,
            "style": self._prompts.style_of(request),
            "seed": request.seed,
        }
        texts: list[str] = []
        try:
            async with under_way:
                for attempt in range(request.n):
                    texts += await self._asked(client, request, attempt, request.n - len(texts))
                    if len(texts) >= request.n:
                        break
        except self._openai.OpenAIError as error:
            if not texts:
                return Candidates(request.id, (), made_by, failure=_in_one_line(error))
        return Candidates(request.id, tuple(texts[: request.n]), made_by)

    async def _asked(self, client: Any, request: Request, attempt: int, n: int) -> list[str]:
        answer = await client.chat.completions.create(
            model=self._model,
            messages=self._prompts.messages(request),
            n=n,
            temperature=self._temperature,
            max_tokens=self._prompts.answer_tokens(request),
            seed=derived_seed("chat", request.id, request.seed, attempt) % 2**31,
        )
        return [_tidied(choice.message.content or "") for choice in answer.choices or ()]


def _tidied(text: str) -> str:
    """Return an answer as one line without the quotation marks that models like to put around it."""
    line = " ".join(text.split())
    return line[1:-1].strip() if len(line) > 1 and line[0] + line[-1] in ('""', "“”", "''") else line


def _in_one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
