"""Rewriting by vLLM in this process: many requests at a time on a GPU, where vLLM is installed.

vLLM brings a torch of its own, so it is no dependency of any other part; in an environment of its own it can
as well be a server (`vllm serve`) for the chat backend. Written for the interface of vLLM 0.33.

Each candidate is drawn by a seed of its own. How sums are rounded depends on what is computed beside them
and on what the prefix cache holds, and that decides a token now and then; VLLM_BATCH_INVARIANT=1 in the
environment ends that on GPUs of compute capability 9.0 and more, at some cost in speed.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from budew.errors import JobError
from budew.extras import locate, require
from budew.paraphrase.backend import Candidates, Request
from budew.paraphrase.local.conversation import plain, without_system
from budew.paraphrase.local.files import content_of, find_model, shown_name
from budew.paraphrase.prompts import Prompts, load_prompts
from budew.paraphrase.tidy import tidied
from budew.randomness import derived_seed

EXTRA, PURPOSE = "vllm", "rewriting captions by vLLM in process"
_DTYPES = ("auto", "float32", "bfloat16", "float16")
_WRITING = Lock()  # one engine in a process, and one batch in it at a time


@dataclass(frozen=True, slots=True)
class VLLMBackend:
    """A language model in a folder or on the hub, loaded when the backend is first opened in a process.

    Attributes:
        model: folder, or hub id (`Qwen/Qwen2.5-7B-Instruct`); safetensors only, and no code of its own.
        revision: branch, tag or commit on the hub; name a commit where results must stay the same.
        dtype: `auto` (as stored), `float32`, `bfloat16` or `float16`.
        batch: clips whose requests are handed over together; vLLM itself decides how many run at a time.
        temperature: 0 gives the likeliest text, and one candidate.
        top_p: drawn is from the likeliest tokens that have this share of the probability together.
        max_new_tokens: longest answer; None takes what the prompts allow for the request.
        context: tokens of prompt and answer for which memory is set aside; None for all that the model reads.
        memory: share of the GPU's memory that is taken, with the model in it.
        gpus: how many share the model.
        prompts: those that this installation brings when None.

    Raises:
        ValueError: a number out of range, or no such dtype.
    """

    model: str | Path
    revision: str | None = field(default=None, kw_only=True)
    dtype: str = field(default="auto", kw_only=True)
    batch: int = field(default=256, kw_only=True)
    temperature: float = field(default=0.9, kw_only=True)
    top_p: float = field(default=0.95, kw_only=True)
    max_new_tokens: int | None = field(default=None, kw_only=True)
    context: int | None = field(default=None, kw_only=True)
    memory: float = field(default=0.9, kw_only=True)
    gpus: int = field(default=1, kw_only=True)
    prompts: Prompts | None = field(default=None, kw_only=True)
    ahead: int = field(default=1, init=False)

    def __post_init__(self) -> None:
        counts = [self.batch, self.gpus, *(c for c in (self.max_new_tokens, self.context) if c is not None)]
        if min(counts) < 1 or not 0 < self.memory <= 1:
            raise ValueError(
                "batch, tokens, context and GPUs are at least 1, memory more than 0 and at most 1"
            )
        if not 0 <= self.temperature <= 2 or not 0 < self.top_p <= 1:
            raise ValueError("a temperature is from 0 to 2, and top_p more than 0 and at most 1")
        if self.dtype not in _DTYPES:
            raise ValueError(f"there is no dtype {self.dtype!r}: give one of {', '.join(_DTYPES)}")

    def settings(self) -> Mapping[str, Any]:
        """Return what decides the candidates; the weights by a hash, or by hub id and revision.

        Raises:
            MissingExtraError: vLLM is not installed.
        """
        locate("vllm", extra=EXTRA, purpose=PURPOSE)
        return {
            "backend": "vllm",
            "model": shown_name(self.model),
            "revision": self.revision,
            "content": content_of(self.model),
            "dtype": self.dtype,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_new_tokens": self.max_new_tokens,
            "context": self.context,
            "prompt": self._prompts().name,
            "prompt_version": self._prompts().version,
            "vllm": version("vllm"),
        }

    async def __aenter__(self) -> Self:
        """Start the engine.

        Raises:
            MissingExtraError: vLLM is not installed.
            JobError: there is no such model, no GPU, or memory is short.
        """
        self._engine()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep the engine: the next shard wants it as well."""

    async def rewrite(self, requests: Sequence[Request]) -> list[Candidates]:
        """Return candidates for each request, in the order of the requests; too long a prompt has none.

        Raises:
            JobError: the engine has died.
        """
        return await asyncio.to_thread(self._rewritten, list(requests))

    def conversation(self, request: Request) -> list[dict[str, str]]:
        """Return the messages of a request."""
        return [dict(message) for message in self._prompts().messages(request, structured=False)]

    def sampling(self, request: Request) -> dict[str, Any]:
        """Return the arguments of vLLM's `SamplingParams` for a request.

        Candidate number i is drawn by the seed + i, which is vLLM's own way of telling them apart.
        """
        return {
            "n": request.n if self.temperature else 1,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_new_tokens or self._prompts().answer_tokens(request),
            "seed": derived_seed("vllm", request.seed),
        }

    def _rewritten(self, requests: Sequence[Request]) -> list[Candidates]:
        vllm, engine = self._vllm(), self._engine()
        failures: dict[int, str] = {}
        with _WRITING:
            try:
                for number, request in enumerate(requests):
                    try:
                        self._enqueue(vllm, engine, request)
                    except (ValueError, vllm.exceptions.VLLMClientError) as error:
                        failures[number] = _in_one_line(error)
                outputs = engine.wait_for_completion(use_tqdm=False)  # in the order of the queue
            except (RuntimeError, vllm.exceptions.VLLMServerError) as error:
                raise JobError(
                    f"vLLM stopped ({_in_one_line(error)}): see what it wrote, and start again with less "
                    "memory or a smaller batch"
                ) from error
        queued = [number for number in range(len(requests)) if number not in failures]
        written = {number: _texts(output) for number, output in zip(queued, outputs, strict=True)}
        return [
            Candidates(written.get(number, ()), self._made_by(request), failures.get(number, ""))
            for number, request in enumerate(requests)
        ]

    def _enqueue(self, vllm: Any, engine: Any, request: Request) -> None:
        """Hand a request to the engine by itself: one that it refuses takes all with it of the same call."""
        messages, sampling = self.conversation(request), vllm.SamplingParams(**self.sampling(request))
        try:
            _enqueue_chat(engine, messages, sampling)
        except vllm.exceptions.ChatTemplateResolutionError:
            engine.enqueue(plain(messages), sampling, use_tqdm=False)
        except (ValueError, vllm.exceptions.VLLMClientError):
            _enqueue_chat(engine, without_system(messages), sampling)

    def _made_by(self, request: Request) -> dict[str, str | int | float]:
        return {
            "backend": "vllm",
            "model": shown_name(self.model),
            "prompt": self._prompts().name,
            "prompt_version": self._prompts().version,
            "style": request.style,
            "seed": request.seed,
        }

    def _engine(self) -> Any:
        return _engine(
            self._vllm(), self.model, self.revision, self.dtype, self.context, self.memory, self.gpus
        )

    def _vllm(self) -> Any:
        vllm = require("vllm", extra=EXTRA, purpose=PURPOSE)
        require("vllm.exceptions", extra=EXTRA, purpose=PURPOSE)
        return vllm

    def _prompts(self) -> Prompts:
        return self.prompts or load_prompts()


@lru_cache(maxsize=1)
def _engine(
    vllm: Any,
    model: str | Path,
    revision: str | None,
    dtype: str,
    context: int | None,
    memory: float,
    gpus: int,
) -> Any:
    folder = find_model(model, revision=revision)
    try:
        return vllm.LLM(
            model=str(folder),
            dtype=dtype,
            max_model_len=context,
            gpu_memory_utilization=memory,
            tensor_parallel_size=gpus,
            load_format="safetensors",
            trust_remote_code=False,
            enable_prefix_caching=True,
        )
    except (
        RuntimeError,
        ValueError,
        OSError,
        ImportError,
        vllm.exceptions.VLLMError,
    ) as error:
        raise JobError(
            f"vLLM cannot start {shown_name(model)} ({_in_one_line(error)}): it needs a GPU with room for "
            "it; give it less context, or use transformers"
        ) from error


def _enqueue_chat(engine: Any, messages: list[dict[str, str]], sampling: Any) -> None:
    engine.enqueue_chat(messages, sampling, use_tqdm=False, chat_template_kwargs={"enable_thinking": False})


def _texts(output: Any) -> tuple[str, ...]:
    return tuple(tidied(answer.text, cut=answer.finish_reason == "length") for answer in output.outputs)


def _in_one_line(error: BaseException) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:300]
