"""Rewriting by a language model in this process, with `transformers`: chat models, plain and T5-like ones.

For models of some billion parameters on one GPU, or small ones on a CPU; vLLM, in process or as a server, is
made for many requests at a time. The same batch of requests gets the same texts whatever was done before it
and in whatever process: chance comes from the seeds of the requests.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from budew.paraphrase.backend import Candidates, Request
from budew.paraphrase.local.conversation import prompt_tokens
from budew.paraphrase.local.files import content_of, shown_name
from budew.paraphrase.local.generation import Asked, Sampling, Written, write
from budew.paraphrase.local.model import DTYPES, LocalModel, load_model
from budew.paraphrase.prompts import Prompts, load_prompts
from budew.paraphrase.tidy import tidied
from budew.quiet import quiet_transformers
from budew.randomness import derived_seed


@dataclass(frozen=True, slots=True)
class TransformersBackend:
    """A language model in a folder or on the hub, loaded when the backend is first opened in a process.

    Memory that does not suffice for a batch is met by halving it. Halves, as any other size of the batch,
    give the same texts but for the rounding of sums.

    Attributes:
        model: folder, or hub id (`Qwen/Qwen2.5-1.5B-Instruct`); safetensors only, and no code of its own.
        revision: branch, tag or commit on the hub; name a commit where results must stay the same.
        device: `cpu`, `cuda`, `cuda:1`, `mps`; None takes the first of cuda, mps, cpu that is there.
        dtype: `auto` (as stored), `float32`, `bfloat16` or `float16`; None: float32 on a CPU, else `auto`.
        batch: requests written at a time; each is as many rows as it wants candidates.
        temperature: 0 gives the likeliest text, and one candidate.
        top_p: drawn is from the likeliest tokens that have this share of the probability together.
        max_new_tokens: longest answer; None takes what the prompts allow for the request.
        prompts: those that this installation brings when None.

    Raises:
        ValueError: a number out of range, or no such dtype.
    """

    model: str | Path
    revision: str | None = field(default=None, kw_only=True)
    device: str | None = field(default=None, kw_only=True)
    dtype: str | None = field(default=None, kw_only=True)
    batch: int = field(default=16, kw_only=True)
    temperature: float = field(default=0.9, kw_only=True)
    top_p: float = field(default=0.95, kw_only=True)
    max_new_tokens: int | None = field(default=None, kw_only=True)
    prompts: Prompts | None = field(default=None, kw_only=True)
    ahead: int = field(default=1, init=False)

    def __post_init__(self) -> None:
        if self.batch < 1 or (self.max_new_tokens is not None and self.max_new_tokens < 1):
            raise ValueError("a batch has one request at least, and an answer one token")
        if not 0 <= self.temperature <= 2 or not 0 < self.top_p <= 1:
            raise ValueError("a temperature is from 0 to 2, and top_p more than 0 and at most 1")
        if self.dtype is not None and self.dtype not in DTYPES:
            raise ValueError(f"there is no dtype {self.dtype!r}: give one of {', '.join(DTYPES)}")

    def settings(self) -> Mapping[str, Any]:
        """Return what decides the candidates; the weights by a hash, or by hub id and revision.

        Device and batch, which decide the rounding of sums alone, are not among them.
        """
        return {
            "backend": "transformers",
            "model": shown_name(self.model),
            "revision": self.revision,
            "content": content_of(self.model),
            "dtype": self.dtype,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_new_tokens": self.max_new_tokens,
            "prompt": self._prompts().name,
            "prompt_version": self._prompts().version,
            "transformers": version("transformers"),
        }

    async def __aenter__(self) -> Self:
        """Load the model.

        Raises:
            JobError: there is no such model or device, it is incomplete, or memory is short.
            MissingExtraError: its tokenizer needs a library that is not installed.
        """
        self._loaded()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep the model: the next shard wants it as well."""

    async def rewrite(self, requests: Sequence[Request]) -> list[Candidates]:
        """Return candidates for each request, in the order of the requests; too long a prompt has none.

        Raises:
            JobError: memory does not suffice for a single request, or the model takes no such prompts.
        """
        return await asyncio.to_thread(self._rewritten, list(requests))

    def _rewritten(self, requests: Sequence[Request]) -> list[Candidates]:
        local = self._loaded()
        asked = [self._asked(local, request) for request in requests]
        fitting = [one for one in asked if isinstance(one, Asked)]
        sampling = Sampling(self.temperature, self.top_p)
        written: list[list[Written]] = []
        with quiet_transformers():
            for place in range(0, len(fitting), self.batch):
                written += write(local, fitting[place : place + self.batch], sampling)
        answers = iter(written)
        return [
            self._candidates(local, request, next(answers))
            if isinstance(one, Asked)
            else Candidates((), self._made_by(local, request), failure=one)
            for request, one in zip(requests, asked, strict=True)
        ]

    def _asked(self, local: LocalModel, request: Request) -> Asked | str:
        """Return what the model is asked, or why it cannot be."""
        tokens = prompt_tokens(local.tokenizer, self._prompts().messages(request, structured=False))
        longest = self.max_new_tokens or self._prompts().answer_tokens(request)
        if local.encoder_decoder:
            longest = min(longest, local.context)
        needed = len(tokens) + (0 if local.encoder_decoder else longest)
        if needed > local.context:
            return (
                f"the prompt has {len(tokens)} tokens and its answer up to {longest}, and {local.name} reads "
                f"{local.context}: take a model with a longer context, or shorter prompts"
            )
        answers = request.n if self.temperature else 1
        return Asked(tokens, answers, longest, derived_seed("transformers", request.seed))

    def _candidates(self, local: LocalModel, request: Request, written: Sequence[Written]) -> Candidates:
        texts = tuple(tidied(answer.text, cut=answer.cut) for answer in written)
        return Candidates(texts, self._made_by(local, request))

    def _made_by(self, local: LocalModel, request: Request) -> dict[str, str | int | float]:
        return {
            "backend": "transformers",
            "model": local.name,
            "prompt": self._prompts().name,
            "prompt_version": self._prompts().version,
            "style": request.style,
            "seed": request.seed,
        }

    def _loaded(self) -> LocalModel:
        return load_model(
            self.model,
            revision=self.revision,
            device=self.device,
            dtype=self.dtype,
            _content=content_of(self.model),
        )

    def _prompts(self) -> Prompts:
        return self.prompts or load_prompts()
