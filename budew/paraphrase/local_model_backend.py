"""Rewriting by a language model in this process, run by `transformers`: decoder-only or T5-like.

A text depends on its own request only: `generate(do_sample=True)` would draw a batch from one global
generator, so here each answer has its own random numbers in [0, 1), one a token, each looked up in the
distribution (inverse transform sampling). The rest of the batch only decides the rounding of sums, which
changes a token now and then in half precision. A server is faster on a GPU: see `ChatBackend`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import lru_cache
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, Self

import torch
import transformers
from jinja2 import TemplateError
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList

from budew.errors import InputError, JobError
from budew.io.disk import fingerprint
from budew.model.cpu_precision import check_precision
from budew.model.quiet import quiet_transformers
from budew.paraphrase.answer_cleaning import clean_answer
from budew.paraphrase.backend import Candidates, RewriteRequest
from budew.paraphrase.prompts import Prompts, load_prompts
from budew.randomness import derived_seed, generator

_UNLIMITED = 10**9  # tokenizers without a limit give 1e30
_CONTENT_FILES = ("*.json", "*.jinja", "*.model", "*.safetensors", "*.txt")
_LOCK = Lock()  # one batch at a time in a process


class PromptTokens(NamedTuple):
    """A prompt as token ids, how many answers of at most how many tokens, and the seed of the sampling."""

    ids: list[int]
    answers: int
    longest: int
    seed: int


class LanguageModel(NamedTuple):
    """A loaded model; `context`: tokens of prompt and answer together, of T5-like models of each."""

    model: Any
    tokenizer: Any
    context: int
    encoder_decoder: bool = False


@dataclass(frozen=True, slots=True)
class LocalModelBackend:
    """A language model run by transformers; loaded when first opened in a process, and kept.

    Attributes:
        model: folder, or hub id (`Qwen/Qwen2.5-1.5B-Instruct`); safetensors only, without code of its own.
        revision: branch, tag or commit on the hub; name a commit where results must stay the same.
        device: `cpu`, `cuda`, `cuda:1`, `mps`; None takes the first of cuda, mps, cpu that is there.
        dtype: `auto` (as stored), `float32`, `bfloat16`, `float16`; None is float32 on a CPU, else `auto`.
        batch: requests generated together.
        temperature: of the sampling, that of the prompt file when None; 0 gives the likeliest text, and one
            candidate.
        prompts: what to ask, and `top_p` of the sampling; those of this installation by default.

    Raises:
        InputError: a number is out of range.

    Example:
        >>> backend = LocalModelBackend("models/qwen2.5-1.5b-instruct", batch=8)
        >>> backend.settings()["temperature"]
        0.9
    """

    model: str | Path
    _: KW_ONLY
    revision: str | None = None
    device: str | None = None
    dtype: str | None = None
    batch: int = 16
    temperature: float | None = None
    prompts: Prompts = field(default_factory=load_prompts)
    ahead: int = field(default=1, init=False)

    def __post_init__(self) -> None:
        if self.batch < 1 or not 0 <= self._temperature() <= 2:
            raise InputError("a number is out of range: batch at least 1, temperature from 0 to 2")

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the candidates, local weights by their fingerprint."""
        sampling = {"temperature": self._temperature(), "top_p": self.prompts.file.sampling.top_p}
        source = {"revision": self.revision, "dtype": self.dtype, "content": _fingerprint(self.model)}
        return {**self._made_by(), **source, **sampling, "transformers": version("transformers")}

    async def __aenter__(self) -> Self:
        """Load the model; JobError if that fails."""
        self._load()
        return self

    async def __aexit__(self, *ended: object) -> None:
        """Keep the model for the next shard."""

    async def rewrite(self, requests: Sequence[RewriteRequest]) -> list[Candidates]:
        """Return candidates for each request, in order; `failure` where the prompt is too long.

        Raises:
            JobError: memory does not suffice, or the model cannot take such prompts.
        """
        return await asyncio.to_thread(self._rewrite, requests)

    def prompt(self, loaded: LanguageModel, request: RewriteRequest) -> PromptTokens | str:
        """Return the prompt of a request, or why it does not fit the context."""
        ids = prompt_ids(loaded.tokenizer, self.prompts.messages(request, structured=False))
        longest = min(self.prompts.answer_tokens(request), loaded.context)
        needed = len(ids) if loaded.encoder_decoder else len(ids) + longest
        if needed > loaded.context:
            return (
                f"prompt and answer take {needed} tokens, more than the model's context of {loaded.context}: "
                "use a model with a longer context, or shorter prompts"
            )
        answers = request.n if self._temperature() else 1
        return PromptTokens(ids, answers, longest, derived_seed("transformers", request.seed))

    def _rewrite(self, requests: Sequence[RewriteRequest]) -> list[Candidates]:
        loaded, top_p = self._load(), self.prompts.file.sampling.top_p
        prompts = [self.prompt(loaded, request) for request in requests]
        fitting = [prompt for prompt in prompts if isinstance(prompt, PromptTokens)]
        texts: list[tuple[str, ...]] = []
        try:
            with _LOCK, quiet_transformers(), torch.inference_mode():
                for start in range(0, len(fitting), self.batch):
                    batch = fitting[start : start + self.batch]
                    texts += sample_answers(loaded, batch, self._temperature(), top_p)
        except RuntimeError as error:
            remedy = "if memory is short, use a smaller batch or fewer candidates"
            raise JobError(f"transformers cannot continue ({_one_line(error)}): {remedy}") from error
        answers, found = iter(texts), []
        for request, prompt in zip(requests, prompts, strict=True):
            made_by = {**self._made_by(request.style), "seed": request.seed}
            if isinstance(prompt, str):
                found.append(Candidates((), made_by, failure=prompt))
            else:
                found.append(Candidates(next(answers), made_by))
        return found

    def _load(self) -> LanguageModel:
        content = _fingerprint(self.model)
        return load_language_model(self.model, self.revision, self.device, self.dtype, content)

    def _temperature(self) -> float:
        return self.prompts.file.sampling.temperature if self.temperature is None else self.temperature

    def _made_by(self, style: str | None = None) -> dict[str, str | int | float]:
        folder = Path(self.model).expanduser()
        name = folder.resolve().name if folder.is_dir() else str(self.model)
        return self.prompts.made_by("transformers", name, style)


def _fingerprint(name_or_dir: str | Path) -> str:
    """Return a fingerprint of the files of a local model (under a second); "" for one on the hub."""
    folder = Path(name_or_dir).expanduser()
    files = sorted(file for pattern in _CONTENT_FILES for file in folder.glob(pattern))
    return fingerprint(files) if folder.is_dir() else ""


@lru_cache(maxsize=1)
def load_language_model(
    name_or_dir: str | Path, revision: str | None, device: str | None, dtype: str | None, content: str = ""
) -> LanguageModel:
    """Load a model with transformers, or return the last one if neither arguments nor files changed.

    Args:
        name_or_dir: hub id or folder.
        revision: branch, tag or commit on the hub; None for `main`.
        device: None takes the first of cuda, mps, cpu that is there.
        dtype: `auto` (as stored) or a name; None is float32 on a CPU, else `auto`.
        content: fingerprint of the files, so that changed files are loaded again.

    Raises:
        JobError: there is no such model or device, it is incomplete, memory is short, or this CPU cannot
            compute the precision.
    """
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    safe: dict[str, Any] = {"revision": revision or "main", "trust_remote_code": False}
    source = str(Path(name_or_dir).expanduser())
    try:
        with quiet_transformers():
            target = torch.device(device or best)
            config = transformers.AutoConfig.from_pretrained(source, **safe)
            precision = dtype or ("float32" if target.type == "cpu" else "auto")
            if target.type == "cpu":
                stored = str(config.dtype or "float32").removeprefix("torch.")
                check_precision(
                    "torch", stored if precision == "auto" else precision, instead="dtype float32"
                )
            auto: Any = transformers.AutoModelForCausalLM
            if config.is_encoder_decoder:
                auto = transformers.AutoModelForSeq2SeqLM
            model, report = auto.from_pretrained(
                source,
                config=config,
                dtype=precision,
                use_safetensors=True,
                output_loading_info=True,
                **safe,
            )
            tokenizer = transformers.AutoTokenizer.from_pretrained(source, **safe)
            model.to(target).eval().requires_grad_(False)
    except InputError as error:
        raise JobError(f"{name_or_dir}: {error}") from error
    except Exception as error:  # files from outside can be wrong in any way
        raise _unusable(name_or_dir, _one_line(error)) from error
    if missing := sorted(report["missing_keys"]):
        raise _unusable(name_or_dir, f"it lacks {len(missing)} weights, such as {missing[0]}")
    if not tokenizer("a voice").input_ids:
        raise _unusable(name_or_dir, "it has no tokenizer")
    model.generation_config = _generation_config(model.generation_config, tokenizer)
    known = getattr(config.get_text_config(), "max_position_embeddings", None) or _UNLIMITED  # T5 has none
    context = min(int(tokenizer.model_max_length), known, _UNLIMITED)
    return LanguageModel(model, tokenizer, context, bool(config.is_encoder_decoder))


def _unusable(name: str | Path, why: str) -> JobError:
    needed = "give a hub id or a folder with config, tokenizer and safetensors"
    return JobError(f"{name} cannot be loaded ({why}): {needed}")


def _generation_config(saved: Any, tokenizer: Any) -> transformers.GenerationConfig:
    """Take the special tokens of the model's own config; the sampling is ours."""
    saved_ends = saved.eos_token_id if isinstance(saved.eos_token_id, list) else [saved.eos_token_id]
    ends = sorted({*saved_ends, tokenizer.eos_token_id} - {None})
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token_id = min(ends, default=0)
    kept = ("bos_token_id", "decoder_start_token_id", "forced_bos_token_id")
    ids = {name: getattr(saved, name) for name in kept} | {"pad_token_id": tokenizer.pad_token_id}
    return transformers.GenerationConfig(eos_token_id=ends or None, **ids)


def prompt_ids(tokenizer: Any, messages: Sequence[Mapping[str, str]]) -> list[int]:
    """Return the tokens of a prompt: by the chat template, with thinking switched off, or of the plain texts.

    Raises:
        JobError: the template refuses the messages, also with the system message joined to the user's.
    """
    if not tokenizer.chat_template:
        return list(
            tokenizer("\n\n".join(message["content"].strip() for message in messages) + "\n").input_ids
        )
    system, first, *others = map(dict, messages)
    joined = {**first, "content": f"{system['content']}\n\n{first['content']}"}
    reason: Exception | None = None
    for form in ([system, first, *others], [joined, *others]):
        try:
            text = tokenizer.apply_chat_template(
                form, tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
            return list(tokenizer(text, add_special_tokens=False).input_ids)  # the template has added them
        except (TemplateError, ValueError, TypeError) as error:
            reason = error
    name = tokenizer.name_or_path
    raise JobError(f"the chat template of {name} refuses the messages ({reason}): use another model")


def sample_answers(
    loaded: LanguageModel, prompts: Sequence[PromptTokens], temperature: float, top_p: float
) -> list[tuple[str, ...]]:
    """Return the cleaned answers to each prompt; all are generated in one batch."""
    rows = [(prompt, number) for prompt in prompts for number in range(prompt.answers)]
    config, longest = loaded.model.generation_config, max(prompt.longest for prompt in prompts)
    batch = loaded.tokenizer.pad(
        {"input_ids": [prompt.ids for prompt, _ in rows]},
        padding_side="right" if loaded.encoder_decoder else "left",  # the answer follows the prompt
        return_tensors="pt",
    ).to(loaded.model.device)
    start = 1 if loaded.encoder_decoder else batch["input_ids"].shape[1]
    processors = LogitsProcessorList()
    if temperature:
        random = [generator("token", prompt.seed, number) for prompt, number in rows]
        numbers = torch.tensor([[one.random() for _ in range(longest)] for one in random])
        processors.append(_TokenSampler(numbers.to(loaded.model.device), start, temperature, top_p))
    out = loaded.model.generate(**batch, max_new_tokens=longest, logits_processor=processors)
    ends, texts = config.eos_token_id or (), []
    for (prompt, _), row in zip(rows, out[:, start:].tolist(), strict=True):
        answer = row[: prompt.longest]
        end = next((place for place, token in enumerate(answer) if token in ends), None)
        text = loaded.tokenizer.decode(answer[:end], skip_special_tokens=True)
        texts.append(clean_answer(text, truncated=end is None))
    left = iter(texts)
    return [tuple(islice(left, prompt.answers)) for prompt in prompts]


class _TokenSampler(LogitsProcessor):  # type: ignore[misc]
    """Keeps of each row the one token drawn, from the likeliest tokens that have `top_p` together.

    Tokens share the range of the random number in the order of their ids: in that of their odds, the rounding
    of another batch would swap neighbours, and the text would change.
    """

    def __init__(self, numbers: Tensor, start: int, temperature: float, top_p: float) -> None:
        self._numbers, self._start, self._temperature, self._top_p = numbers, start, temperature, top_p

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        odds = torch.softmax(scores.float() / self._temperature, dim=-1)
        if odds.isnan().any():
            raise JobError("the model computes NaN in this precision: use dtype bfloat16 or float32")
        ranked = odds.sort(dim=-1, descending=True).values
        eligible = (ranked.cumsum(dim=-1) - ranked < self._top_p).sum(dim=-1, keepdim=True)
        kept = odds.where(odds >= ranked.gather(1, eligible - 1), 0.0)
        summed = kept.cumsum(dim=-1)
        number = self._numbers[:, input_ids.shape[1] - self._start].unsqueeze(1)
        reached = (summed > number * summed[:, -1:]) & (kept > 0)
        last = kept.shape[1] - 1 - (kept > 0).flip(1).int().argmax(dim=-1, keepdim=True)
        drawn = reached.int().argmax(dim=-1, keepdim=True).where(reached.any(dim=-1, keepdim=True), last)
        return torch.full_like(scores, -torch.inf).scatter_(1, drawn, 0.0)


def _one_line(error: BaseException) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:300]
