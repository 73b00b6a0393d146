"""Batched generation in which every answer has chance of its own: what is drawn depends on its request alone.

`generate(do_sample=True)` draws a batch from the one generator of the process, so that each text would depend
on all that was drawn before it. Here each answer brings its own numbers in [0, 1), one a token, and the token
is looked up with it in the distribution (inverse transform sampling). The neighbours in a batch still decide
how sums are rounded, which now and then decides a token in half precision, hardly ever in float32.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList, StoppingCriteria, StoppingCriteriaList

from budew.errors import JobError
from budew.paraphrase.local.model import LocalModel
from budew.randomness import generator

T = TypeVar("T")
R = TypeVar("R")
_SHORT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt: its tokens, how many answers of how many tokens are wanted, and the seed of its chance."""

    tokens: Sequence[int]
    answers: int
    longest: int
    seed: int


@dataclass(frozen=True, slots=True)
class Written:
    """An answer. `cut`: it had not ended by itself when it was as long as it may be."""

    text: str
    cut: bool


@dataclass(frozen=True, slots=True)
class Sampling:
    """Temperature (0: the likeliest token, always), and the share of probability from which is drawn."""

    temperature: float
    top_p: float


def write(local: LocalModel, asked: Sequence[Asked], sampling: Sampling) -> list[list[Written]]:
    """Return the answers to each prompt, all prompts in one batch; in halves where memory does not suffice.

    Raises:
        JobError: memory does not suffice for a single prompt, or the model computes no numbers.
    """
    with local.lock, torch.inference_mode():
        return in_halves(lambda part: _written(local, part, sampling), asked, name=local.name)


def in_halves(work: Callable[[Sequence[T]], list[R]], items: Sequence[T], *, name: str) -> list[R]:
    """Return `work(items)`, done in ever smaller parts while that is too much for the memory.

    Raises:
        JobError: a single one is.
    """
    if not items:
        return []
    try:
        return work(items)
    except RuntimeError as error:
        if not any(words in str(error) for words in _SHORT_OF_MEMORY):
            raise
        if len(items) == 1:
            raise JobError(
                f"memory does not suffice for one request to {name}: ask for fewer candidates at a time, or "
                "take a smaller model"
            ) from error
    # Outside of the handler, where nothing holds the tensors of the attempt any more.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    half = len(items) // 2
    return in_halves(work, items[:half], name=name) + in_halves(work, items[half:], name=name)


def _written(local: LocalModel, asked: Sequence[Asked], sampling: Sampling) -> list[list[Written]]:
    rows = [(one, number) for one in asked for number in range(one.answers)]
    tokens, mask = _padded([one.tokens for one, _ in rows], local)
    start = 1 if local.encoder_decoder else tokens.shape[1]
    longest = torch.tensor([one.longest for one, _ in rows], device=tokens.device)
    draws = (
        [_Draw(_numbers(rows).to(tokens.device), sampling, start, local.name)] if sampling.temperature else []
    )
    out = local.model.generate(
        input_ids=tokens,
        attention_mask=mask,
        max_new_tokens=int(longest.max()),
        logits_processor=LogitsProcessorList(draws),
        stopping_criteria=StoppingCriteriaList([_LongEnough(longest, start)]),
    )
    texts = iter(
        [_read(local, row, one.longest) for row, (one, _) in zip(out[:, start:].tolist(), rows, strict=True)]
    )
    return [[next(texts) for _ in range(one.answers)] for one in asked]


def _padded(prompts: Sequence[Sequence[int]], local: LocalModel) -> tuple[Tensor, Tensor]:
    """Return tokens and mask (rows, longest), filled up on the left where the answer follows."""
    width = max(map(len, prompts))
    tokens, mask = [], []
    for prompt in prompts:
        gap = width - len(prompt)
        filling, unseen = [local.pad] * gap, [0] * gap
        seen = [1] * len(prompt)
        tokens.append([*prompt, *filling] if local.encoder_decoder else [*filling, *prompt])
        mask.append([*seen, *unseen] if local.encoder_decoder else [*unseen, *seen])
    return torch.tensor(tokens, device=local.model.device), torch.tensor(mask, device=local.model.device)


def _numbers(rows: Sequence[tuple[Asked, int]]) -> Tensor:
    """Return the chance of each row (rows, tokens): numbers in [0, 1) from its own seed."""
    steps = max(one.longest for one, _ in rows)
    drawn = []
    for one, number in rows:
        chance = generator("token", one.seed, number)
        drawn.append([chance.random() for _ in range(steps)])
    return torch.tensor(drawn, dtype=torch.float32)


def _read(local: LocalModel, row: list[int], longest: int) -> Written:
    answer = row[:longest]
    end = next((place for place, token in enumerate(answer) if token in local.ends), None)
    return Written(local.tokenizer.decode(answer[:end], skip_special_tokens=True), end is None)


class _Draw(LogitsProcessor):  # type: ignore[misc]
    """Leaves of each row the one token that is drawn: from the likeliest that have `top_p` together."""

    def __init__(self, numbers: Tensor, sampling: Sampling, start: int, name: str) -> None:
        self._numbers, self._sampling, self._start, self._name = numbers, sampling, start, name

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        odds = torch.softmax(scores.float() / self._sampling.temperature, dim=-1)
        if odds.isnan().any():
            raise JobError(
                f"{self._name} computes no numbers in the precision that it is loaded in: give bfloat16 "
                "or float32"
            )
        odds, order = odds.sort(dim=-1, descending=True, stable=True)
        summed = odds.cumsum(dim=-1)
        eligible = (summed - odds < self._sampling.top_p).sum(dim=-1, keepdim=True)
        share = summed.gather(1, eligible - 1)
        number = self._numbers[:, input_ids.shape[1] - self._start].unsqueeze(1)
        place = (summed <= number * share).sum(dim=-1, keepdim=True).minimum(eligible - 1)
        return torch.full_like(scores, -torch.inf).scatter_(1, order.gather(1, place), 0.0)


class _LongEnough(StoppingCriteria):  # type: ignore[misc]
    """Ends each row when its answer is as long as it may be."""

    def __init__(self, longest: Tensor, start: int) -> None:
        self._longest, self._start = longest, start

    def __call__(self, input_ids: Tensor, scores: Any, **_: Any) -> Tensor:
        return input_ids.shape[1] - self._start >= self._longest
