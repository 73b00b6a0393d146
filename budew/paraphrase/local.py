"""Rewriting by a language model in this process: `transformers` (decoder-only or T5-like) or vLLM.

With transformers a text depends on its own request only: `generate(do_sample=True)` would draw a batch from
one global generator, so here each answer has its own numbers in [0, 1), one a token, each looked up in the
distribution (inverse transform sampling). The rest of the batch only decides the rounding of sums, which
changes a token now and then in half precision. vLLM (0.33) brings its own torch, so it is no dependency.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import lru_cache
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, NamedTuple, Self

import torch
import transformers
from jinja2 import TemplateError
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList

from budew.cpu_precision import check_precision
from budew.errors import InputError, JobError
from budew.extras import quiet_transformers, require
from budew.files import fingerprint
from budew.paraphrase.backend import Candidates, Request
from budew.paraphrase.prompts import Prompts, load_prompts
from budew.paraphrase.tidy import tidied
from budew.randomness import derived_seed, generator

_UNLIMITED = 10**9  # tokenizers without a limit give 1e30
_KINDS = ("AutoModelForCausalLM", "AutoModelForSeq2SeqLM")
_LOCK = Lock()  # one batch at a time in a process


class Prompt(NamedTuple):
    """Tokens of a prompt, how many answers of at most how many tokens, and the seed of the sampling."""

    tokens: list[int]
    answers: int
    longest: int
    seed: int


class LocalModel(NamedTuple):
    """A model of transformers or an engine of vLLM; `context`: tokens of prompt and answer (T5: of each)."""

    model: Any
    tokenizer: Any
    context: int
    encoder_decoder: bool = False


@dataclass(frozen=True, slots=True)
class TransformersBackend:
    """A model run by transformers; loaded when first opened in a process, and kept.

    Attributes:
        model: folder, or hub id (`Qwen/Qwen2.5-1.5B-Instruct`); safetensors only, without code of its own.
        revision: branch, tag or commit on the hub; name a commit where results must stay the same.
        device: `cpu`, `cuda`, `cuda:1`, `mps`; None takes the first of cuda, mps, cpu that is there.
        dtype: `auto` (as stored), `float32`, `bfloat16`, `float16`; None is float32 on a CPU, else `auto`.
        batch: requests generated together.
        temperature: 0 gives the likeliest text, and one candidate.
        top_p: share of the probability of the tokens that are sampled from, the likeliest first.
        prompts: those of this installation by default.

    Raises:
        InputError: a number is out of range.
    """

    model: str | Path
    _: KW_ONLY
    revision: str | None = None
    device: str | None = None
    dtype: str | None = None
    batch: int = 16
    temperature: float = 0.9
    top_p: float = 0.95
    prompts: Prompts = field(default_factory=load_prompts)
    ahead: int = field(default=1, init=False)
    library: ClassVar[str] = "transformers"

    def __post_init__(self) -> None:
        if self.batch < 1 or not 0 <= self.temperature <= 2 or not 0 < self.top_p <= 1:
            limits = "batch at least 1, temperature from 0 to 2, top_p above 0 and at most 1"
            raise InputError(f"a number is out of range: {limits}")

    def settings(self) -> Mapping[str, Any]:
        """Return the settings that determine the candidates, local weights by their fingerprint."""
        require(self.library, extra=self.library, purpose=f"--backend {self.library}")
        sampling = {"temperature": self.temperature, "top_p": self.top_p}
        source = {"revision": self.revision, "dtype": self.dtype, "content": content_of(self.model)}
        return {**self._made_by(), **source, **sampling, self.library: version(self.library)}

    async def __aenter__(self) -> Self:
        """Load the model; JobError or MissingExtraError if that fails."""
        self._load()
        return self

    async def __aexit__(self, *ended: object) -> None:
        """Keep the model for the next shard."""

    async def rewrite(self, requests: Sequence[Request]) -> list[Candidates]:
        """Return candidates for each request, in order; `failure` where the prompt is too long.

        Raises:
            JobError: memory does not suffice, or the model cannot take such prompts.
        """
        return await asyncio.to_thread(self._rewritten, list(requests))

    def prompt(self, local: LocalModel, request: Request) -> Prompt | str:
        """Return the prompt of a request, or why it does not fit the context."""
        tokens = prompt_tokens(local.tokenizer, self.prompts.messages(request, structured=False))
        longest = min(self.prompts.answer_tokens(request), local.context)
        if (needed := len(tokens) + (0 if local.encoder_decoder else longest)) > local.context:
            fault = (
                f"prompt and answer take {needed} tokens, more than the model's context of {local.context}"
            )
            return f"{fault}: use a model with a longer context, or shorter prompts"
        answers = request.n if self.temperature else 1
        return Prompt(tokens, answers, longest, derived_seed(self.library, request.seed))

    def _rewritten(self, requests: Sequence[Request]) -> list[Candidates]:
        local = self._load()
        prompts = [self.prompt(local, request) for request in requests]
        fitting = [prompt for prompt in prompts if not isinstance(prompt, str)]
        try:
            with _LOCK:
                answers = iter(self._generate(local, fitting) if fitting else ())
        except RuntimeError as error:
            remedy = "if memory is short, use a smaller batch or fewer candidates"
            raise JobError(f"{self.library} cannot continue ({_one_line(error)}): {remedy}") from error
        return [
            Candidates(
                () if isinstance(prompt, str) else next(answers),
                {**self._made_by(request.style), "seed": request.seed},
                failure=prompt if isinstance(prompt, str) else "",
            )
            for request, prompt in zip(requests, prompts, strict=True)
        ]

    def _load(self) -> LocalModel:
        return load_model(self.model, self.revision, self.device, self.dtype, content_of(self.model))

    def _generate(self, local: LocalModel, prompts: Sequence[Prompt]) -> list[tuple[str, ...]]:
        texts: list[tuple[str, ...]] = []
        with quiet_transformers(), torch.inference_mode():
            for start in range(0, len(prompts), self.batch):
                texts += generate(local, prompts[start : start + self.batch], self.temperature, self.top_p)
        return texts

    def _made_by(self, style: str | None = None) -> dict[str, str | int | float]:
        folder = Path(self.model).expanduser()
        name = folder.resolve().name if folder.is_dir() else str(self.model)
        return self.prompts.made_by(self.library, name, style)


@dataclass(frozen=True, slots=True)
class VLLMBackend(TransformersBackend):
    """A model run by vLLM, which chooses the device and how much of a `batch` is generated at a time.

    Attributes:
        engine: further arguments of `vllm.LLM`, such as `tensor_parallel_size` or `max_model_len`.
    """

    batch: int = field(default=256, kw_only=True)
    engine: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    library: ClassVar[str] = "vllm"

    def sampling(self, prompt: Prompt) -> dict[str, Any]:
        """Return the arguments of `vllm.SamplingParams`; vLLM draws candidate number i by the seed + i."""
        sizes = {"n": prompt.answers, "max_tokens": prompt.longest}
        return {**sizes, "temperature": self.temperature, "top_p": self.top_p, "seed": prompt.seed}

    def _load(self) -> LocalModel:
        given = {"revision": self.revision, "dtype": self.dtype or "auto", **self.engine}
        return _load_vllm(str(self.model), **given)

    def _generate(self, local: LocalModel, prompts: Sequence[Prompt]) -> list[tuple[str, ...]]:
        sampling = require("vllm", extra="vllm", purpose="--backend vllm").SamplingParams
        tokens = [{"prompt_token_ids": prompt.tokens} for prompt in prompts]
        drawn = [sampling(**self.sampling(prompt)) for prompt in prompts]
        outputs = local.model.generate(tokens, drawn, use_tqdm=False)
        return [
            tuple(tidied(text.text, cut=text.finish_reason == "length") for text in output.outputs)
            for output in outputs
        ]


def content_of(name_or_dir: str | Path) -> str:
    """Return a fingerprint of the files of a local model (under a second); "" for one on the hub."""
    folder = Path(name_or_dir).expanduser()
    kinds = ("*.json", "*.jinja", "*.model", "*.safetensors", "*.txt")
    files = sorted(file for kind in kinds for file in folder.glob(kind))
    return fingerprint(files) if folder.is_dir() else ""


@lru_cache(maxsize=1)
def load_model(
    name_or_dir: str | Path, revision: str | None, device: str | None, dtype: str | None, content: str = ""
) -> LocalModel:
    """Load a model with transformers, or return the last one if nothing changed, `content_of` it included.

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
            kind: Any = getattr(transformers, _KINDS[bool(config.is_encoder_decoder)])
            model, report = kind.from_pretrained(
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
    return LocalModel(model, tokenizer, context, bool(config.is_encoder_decoder))


@lru_cache(maxsize=1)
def _load_vllm(model: str, **options: Any) -> LocalModel:
    vllm: Any = require("vllm", extra="vllm", purpose="--backend vllm")
    try:
        engine = vllm.LLM(model=model, load_format="safetensors", trust_remote_code=False, **options)
    except Exception as error:
        raise _unusable(model, f"{_one_line(error)}; vLLM needs a GPU with enough free memory") from error
    return LocalModel(engine, engine.get_tokenizer(), engine.llm_engine.model_config.max_model_len)


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


def prompt_tokens(tokenizer: Any, messages: Sequence[Mapping[str, str]]) -> list[int]:
    """Return the tokens of a prompt: by the chat template, with thinking switched off, or of the plain texts.

    Raises:
        JobError: the template refuses the messages, also with the system message joined to the user's.
    """
    if not tokenizer.chat_template:
        return list(tokenizer("\n\n".join(said["content"].strip() for said in messages) + "\n").input_ids)
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


def generate(
    local: LocalModel, prompts: Sequence[Prompt], temperature: float, top_p: float
) -> list[tuple[str, ...]]:
    """Return the answers to each prompt, tidied; all in one batch."""
    rows = [(prompt, number) for prompt in prompts for number in range(prompt.answers)]
    config, longest = local.model.generation_config, max(prompt.longest for prompt in prompts)
    batch = local.tokenizer.pad(
        {"input_ids": [prompt.tokens for prompt, _ in rows]},
        padding_side="right" if local.encoder_decoder else "left",  # the answer follows the prompt
        return_tensors="pt",
    ).to(local.model.device)
    start = 1 if local.encoder_decoder else batch["input_ids"].shape[1]
    random = [generator("token", prompt.seed, number) for prompt, number in rows]
    numbers = torch.tensor([[one.random() for _ in range(longest)] for one in random])
    draw = [_Draw(numbers.to(local.model.device), start, temperature, top_p)] if temperature else []
    out = local.model.generate(**batch, max_new_tokens=longest, logits_processor=LogitsProcessorList(draw))
    ends, texts = config.eos_token_id or (), []
    for (prompt, _), row in zip(rows, out[:, start:].tolist(), strict=True):
        answer = row[: prompt.longest]
        end = next((place for place, token in enumerate(answer) if token in ends), None)
        text = local.tokenizer.decode(answer[:end], skip_special_tokens=True)
        texts.append(tidied(text, cut=end is None))
    left = iter(texts)
    return [tuple(islice(left, prompt.answers)) for prompt in prompts]


class _Draw(LogitsProcessor):  # type: ignore[misc]
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
