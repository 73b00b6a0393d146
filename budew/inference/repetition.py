"""Endless repetitions in generated texts, as small or partly trained models write: stop and remove them."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from budew.captions.tokens import words_of

_TOKENS, _TIMES = 20, 4
"""A text that repeats up to 20 tokens 4 times in a row is stopped; captions do not do this."""
_LONGEST_REPEAT = 8
"""Words of the longest repeated phrase."""


class RepetitionStop(StoppingCriteria):  # type: ignore[misc]  # transformers is taken as untyped
    """Stopping criterion that ends a text that repeats itself, while it is generated."""

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        """Return for each text of the batch `input_ids` (texts, tokens) whether it must end."""
        ended = torch.zeros(len(input_ids), dtype=torch.bool, device=input_ids.device)
        for size in range(1, min(_TOKENS, input_ids.shape[1] // _TIMES) + 1):
            last = input_ids[:, -size * _TIMES :]
            ended |= (last[:, size:] == last[:, :-size]).all(dim=1)
        return ended


def repetition_stop() -> StoppingCriteriaList:
    """Return `stopping_criteria` for `generate` of transformers that end texts that repeat themselves."""
    return StoppingCriteriaList([RepetitionStop()])


def cut_repetition(tokens: Sequence[int]) -> tuple[list[int], bool]:
    """Remove repetitions at the end of a text, as `RepetitionStop` defines them, except the first copy.

    Args:
        tokens: tokens of a text, without the end token.

    Returns:
        The tokens without the repetitions, and whether there were any.

    Example:
        >>> cut_repetition([5, 6, 7, 6, 7, 6, 7, 6, 7, 6])
        ([5, 6, 7], True)
        >>> cut_repetition([5, 6, 7, 8])
        ([5, 6, 7, 8], False)
    """
    found = list(tokens)
    for size in range(1, min(_TOKENS, len(found) // _TIMES) + 1):
        start = len(found) - size * _TIMES
        if found[start + size :] == found[start:-size]:
            while start > 0 and found[start - 1] == found[start - 1 + size]:
                start -= 1
            return found[: start + size], True
    return found, False


def without_repetition(text: str) -> str:
    """Remove repetitions at the end of a text, except the first copy.

    A repetition is a phrase of one to eight words that occurs three times or more in a row; the last time may
    be incomplete.

    Example:
        >>> without_repetition("A man sounds sad, sad, sad, sad")
        'A man sounds sad'
    """
    found = words_of(text)
    words = [word.word for word in found]
    ends = (
        found[start + size - 1].end
        for start in range(len(words))
        for size in range(1, min(_LONGEST_REPEAT, (len(words) - start) // 3) + 1)
        if words[start:-size] == words[start + size :]
    )
    return text[: next(ends, len(text))]
