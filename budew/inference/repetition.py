"""Texts that repeat themselves without end, as small and half-trained models write: stopped, and cut."""

import re
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from budew.captions.tokens import words_of

_TOKENS, _TIMES = 20, 4
"""Tokens that are repeated, and how often: no caption does that."""
_REPEATED_LETTERS = re.compile(r"([^\W\d_]{1,8}?)\1{3,}$")
_LONGEST_REPEAT = 8
"""Words that are repeated."""


class RepetitionStop(StoppingCriteria):  # type: ignore[misc]  # transformers is taken as untyped
    """Ends a text while it is written."""

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Return which of the texts (texts, tokens) are to end."""
        ended = torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
        for size in range(1, min(_TOKENS, input_ids.shape[1] // _TIMES) + 1):
            last = input_ids[:, -size * _TIMES :]
            ended |= (last[:, size:] == last[:, :-size]).all(dim=1)
        return ended


def repetition_stop() -> StoppingCriteriaList:
    """Return the argument of `generate` that ends texts that repeat themselves."""
    return StoppingCriteriaList([RepetitionStop()])


def without_repetition(text: str) -> str:
    """Return the text without repetitions at its end, the last of which may be unfinished.

    That is one to eight words three times or more in a row, or up to eight letters four times or more.

    Example:
        >>> without_repetition("A man sounds sad, sad, sad, sad")
        'A man sounds sad'
        >>> without_repetition("A man inininin")
        'A man in'
    """
    found = words_of(text)
    words = [word.word for word in found]
    ends = (
        found[start + size - 1].end
        for start in range(len(words))
        for size in range(1, min(_LONGEST_REPEAT, (len(words) - start) // 3) + 1)
        if words[start:-size] == words[start + size :]
    )
    kept = text[: next(ends, len(text))]
    return _REPEATED_LETTERS.sub(r"\1", kept)
