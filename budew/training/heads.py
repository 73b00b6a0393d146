"""Whisper with heads on its encoder while it trains: what is in the voice, asked of the encoder directly.

A caption's cross-entropy reaches the encoder only through the decoder, which for the first thousands of
steps is busy with learning to write. Heads that read the emotions, the bursts and the gender off the
pooled encoder, and the vocal cues that synthetic speech was made with, give it a gradient from the first
step on. They are thrown away when the model is saved: what is saved is a plain
`WhisperForConditionalGeneration`.
"""

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import WhisperConfig, WhisperForConditionalGeneration
from transformers.modeling_outputs import Seq2SeqLMOutput

from budew.synthesis.tables import cues as vocal_cues
from budew.training.short_window import short_window

CUES = tuple(vocal_cues())
HEADS = ("heads.", "attention.")
POOLS = 4  # weighted means over time that the heads read
RARE = -3.0  # logit that the heads start from: most of what they are asked is absent
TARGETS = 40 + 82 + 1  # emotions, bursts, gender
SPREAD = 0.3  # of a cue's range: how far off an answer is that costs half a nat


class WhisperWithHeads(WhisperForConditionalGeneration):  # type: ignore[misc]  # transformers ships no types
    """A Whisper whose loss is that of the caption plus `heads_weight` times that of the heads."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__(config)
        self.heads_weight = 0.0
        # The order of these three decides which random numbers each starts from, and so the checkpoint.
        self.attention = nn.Linear(config.d_model, POOLS)
        answer = nn.Linear(config.d_model, TARGETS + len(CUES))
        hidden = nn.Linear(POOLS * config.d_model, config.d_model)
        nn.init.constant_(answer.bias[:TARGETS], RARE)
        nn.init.constant_(answer.bias[TARGETS:], 0.0)
        self.heads = nn.Sequential(hidden, nn.GELU(), answer)

    def forward(
        self, *, heard: Tensor | None = None, cues: Tensor | None = None, **inputs: Any
    ) -> Seq2SeqLMOutput:
        """Return the stock output, for any even number of frames up to the window.

        Args:
            heard: (batch, 123), values in [0, 1], NaN where unknown. With it and `cues`, the loss in training
                is that of the heads too.
            cues: (batch, 13), NaN where unknown.
            **inputs: as of the stock model.
        """
        features = inputs.get("input_features")
        if features is None:  # in generation, after the encoder
            return super().forward(**inputs)
        with short_window(self.model.encoder, features.shape[-1]):
            output = super().forward(**inputs)
        if not self.training or not self.heads_weight or heard is None or cues is None or output.loss is None:
            return output
        answers = self._answers(output.encoder_last_hidden_state)
        output.loss = output.loss + self.heads_weight * _heads_loss(answers, heard, cues)
        return output

    def _answers(self, states: Tensor) -> Tensor:
        states = states.float()
        shares = self.attention(states).softmax(dim=1)
        pooled = torch.einsum("btd,btk->bkd", states, shares).flatten(1)
        answers: Tensor = self.heads(pooled).float()
        return answers

    def plain_parameters(self) -> Iterator[nn.Parameter]:
        """Iterate over the parameters that are saved."""
        return (value for name, value in self.named_parameters() if not name.startswith(HEADS))

    def plain(self) -> WhisperForConditionalGeneration:
        """Return a copy without the heads, in the stock class, on the CPU, ready to write captions."""
        config = copy.deepcopy(self.config)
        config.use_cache = True  # the trainer turns it off; without, each token costs all before it again
        model = WhisperForConditionalGeneration(config)
        weights = {name: value for name, value in self.state_dict().items() if not name.startswith(HEADS)}
        model.load_state_dict(weights)
        model.generation_config = copy.deepcopy(self.generation_config)
        return model


def _heads_loss(answers: Tensor, heard: Tensor, cues: Tensor) -> Tensor:
    """Return the mean over clips of the summed cross-entropies and squared misses of what is known."""
    losses = binary_cross_entropy_with_logits(answers[:, :TARGETS], heard.nan_to_num(), reduction="none")
    misses = (answers[:, TARGETS:] - cues.nan_to_num()) / SPREAD
    asked = (losses * ~heard.isnan()).sum(dim=1).mean()
    return asked + 0.5 * (misses.square() * ~cues.isnan()).sum(dim=1).mean()
