"""Whisper with heads on its encoder during training, which predict the labels of a clip directly.

A caption's cross-entropy reaches the encoder only through the decoder, which from scratch learns to write for
the first thousands of steps. Heads that predict emotions, bursts, gender, and the vocal cues of synthetic
speech from the pooled encoder give it a gradient from the first step on. They are dropped when the model is
saved: what is saved is a plain `WhisperForConditionalGeneration`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import WhisperConfig
from transformers.modeling_outputs import Seq2SeqLMOutput

from budew.profile import VoiceProfile
from budew.synthesis.clip_plan import cues as vocal_cues
from budew.taxonomy import BURSTS
from budew.training.from_states import WhisperFromStates

CUES = tuple(vocal_cues())
POOLS = 4  # weighted means over time that the heads take
RARE = -3.0  # logit that the heads start from: most labels are absent
PRESENT = 40 + 82 + 1  # emotions, bursts, gender
SPREAD = 0.3  # of a cue's range: the error that costs half a nat


class WhisperWithHeads(WhisperFromStates):
    """A Whisper whose loss is that of the heads; that of the caption is the trainer's."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__(config)
        # The order of these three decides which random numbers each starts from, and so the checkpoint.
        self.attention = nn.Linear(config.d_model, POOLS)
        answer = nn.Linear(config.d_model, PRESENT + len(CUES))
        hidden = nn.Linear(POOLS * config.d_model, config.d_model)
        nn.init.constant_(answer.bias[:PRESENT], RARE)
        nn.init.constant_(answer.bias[PRESENT:], 0.0)
        self.heads = nn.Sequential(hidden, nn.GELU(), answer)

    def forward(self, *, heads: Tensor | None = None, **inputs: Any) -> Seq2SeqLMOutput:
        """Return the stock output; its `loss` is that of the heads in training, summed over clips.

        Args:
            heads: labels (batch, 136), NaN where unknown, see `head_labels`.
            **inputs: as of `WhisperFromStates`, without `labels`.
        """
        output = super().forward(**inputs)
        if self.training and heads is not None:
            output.loss = _heads_loss(self._predict(output.encoder_last_hidden_state), heads)
        return output

    def _predict(self, states: Tensor) -> Tensor:
        states = states.float()
        scores = self.attention(states)
        if self.padding is not None:
            scores = scores + self.padding[:, :, None]
        shares = scores.softmax(dim=1)
        pooled = torch.einsum("btd,btk->bkd", states, shares).flatten(1)
        predicted: Tensor = self.heads(pooled).float()
        return predicted


def head_labels(profile: VoiceProfile | None, cues: Mapping[str, object]) -> npt.NDArray[np.float32]:
    """Return the labels of the heads (136,), NaN without a profile.

    They are 40 emotions in [0, 1]; 82 bursts, 0 or 1; 1 where the voice is female; and how far each vocal cue
    of synthetic speech was moved, 1 is the whole range. What is unknown is NaN.
    """
    if profile is None:
        return np.full(PRESENT + len(CUES), np.nan, dtype=np.float32)
    bursts = [name in profile.bursts for name in BURSTS]
    moved = [cues.get(name) for name in CUES]
    known = [float(value) if isinstance(value, int | float) else np.nan for value in moved]
    gender = profile.traits.get("gender")
    female = np.nan if gender is None else float(gender == "female")
    return np.array([*profile.vector(), *bursts, female, *known], dtype=np.float32)


def _heads_loss(predicted: Tensor, labels: Tensor) -> Tensor:
    """Return the sum over clips of the cross-entropies and squared errors of what is known."""
    present, cues = labels[:, :PRESENT], labels[:, PRESENT:]
    losses = binary_cross_entropy_with_logits(predicted[:, :PRESENT], present.nan_to_num(), reduction="none")
    errors = (predicted[:, PRESENT:] - cues.nan_to_num()) / SPREAD
    return (losses * ~present.isnan()).sum() + 0.5 * (errors.square() * ~cues.isnan()).sum()
