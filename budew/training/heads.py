"""Whisper with heads on its encoder while it trains: what is in the voice, asked of the encoder directly.

A caption's cross-entropy reaches the encoder only through the decoder, which for the first thousands of
steps is busy with learning to write. Heads that read the emotions, the bursts and the gender off the
pooled encoder give it a gradient from the first step on. They are thrown away when the model is saved:
what is saved is a plain `WhisperForConditionalGeneration`.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import WhisperConfig, WhisperForConditionalGeneration
from transformers.modeling_outputs import Seq2SeqLMOutput

HEADS = ("heads.", "attention.")
RARE = -3.0  # logit that the heads start from: most of what they are asked is absent
TARGETS = 40 + 82 + 1  # emotions, bursts, gender


class WhisperWithHeads(WhisperForConditionalGeneration):  # type: ignore[misc]  # transformers ships no types
    """A Whisper whose loss is that of the caption plus `heads_weight` times that of the heads."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__(config)
        self.heads_weight = 0.0
        self.attention = nn.Linear(config.d_model, 4)
        answer = nn.Linear(config.d_model, TARGETS)
        nn.init.constant_(answer.bias, RARE)
        self.heads = nn.Sequential(nn.Linear(4 * config.d_model, config.d_model), nn.GELU(), answer)

    def forward(self, *, heard: Tensor | None = None, **inputs: Any) -> Seq2SeqLMOutput:
        """Return the stock output; with `heard` (batch, 123), values in [0, 1], its loss in
        training includes the heads'.
        """
        output = super().forward(**inputs)
        if self.training and heard is not None and output.loss is not None and self.heads_weight:
            output.loss = output.loss + self.heads_weight * self._heads_loss(
                output.encoder_last_hidden_state, heard
            )
        return output

    def _heads_loss(self, states: Tensor, heard: Tensor) -> Tensor:
        states = states.float()
        shares = self.attention(states).softmax(dim=1)
        pooled = torch.einsum("btd,btk->bkd", states, shares).flatten(1)
        losses = binary_cross_entropy_with_logits(self.heads(pooled), heard, reduction="none")
        return losses.sum(dim=1).mean()

    def plain_parameters(self) -> Iterator[nn.Parameter]:
        """Return the parameters that are saved."""
        return (value for name, value in self.named_parameters() if not name.startswith(HEADS))

    def plain(self) -> WhisperForConditionalGeneration:
        """Return the model without its heads, in the stock class."""
        model = WhisperForConditionalGeneration(self.config)
        weights = {name: value for name, value in self.state_dict().items() if not name.startswith(HEADS)}
        model.load_state_dict(weights)
        model.generation_config = self.generation_config
        return model
