"""Whisper with heads on its encoder during training, which predict the labels of a clip directly.

A caption's cross-entropy reaches the encoder only through the decoder, which for the first thousands of steps
learns to write. Heads that predict emotions, bursts, gender, and the vocal cues of synthetic speech from the
pooled encoder give it a gradient from the first step on. They are dropped when the model is saved: what is
saved is a plain `WhisperForConditionalGeneration`.
"""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import WhisperConfig, WhisperForConditionalGeneration
from transformers.modeling_outputs import Seq2SeqLMOutput

from budew.model.build import ENCODER_STRIDE
from budew.profile import VoiceProfile
from budew.synthesis.clip_plan import cues as vocal_cues
from budew.taxonomy import BURSTS

CUES = tuple(vocal_cues())
HEADS = ("heads.", "attention.")
POOLS = 4  # weighted means over time that the heads take
RARE = -3.0  # logit that the heads start from: most labels are absent
PRESENT = 40 + 82 + 1  # emotions, bursts, gender
SPREAD = 0.3  # of a cue's range: the error that costs half a nat


class WhisperWithHeads(WhisperForConditionalGeneration):  # type: ignore[misc]  # transformers ships no types
    """A Whisper whose loss is that of the caption plus `heads_weight` times that of the heads."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__(config)
        self.heads_weight = 0.0
        # The order of these three decides which random numbers each starts from, and so the checkpoint.
        self.attention = nn.Linear(config.d_model, POOLS)
        answer = nn.Linear(config.d_model, PRESENT + len(CUES))
        hidden = nn.Linear(POOLS * config.d_model, config.d_model)
        nn.init.constant_(answer.bias[:PRESENT], RARE)
        nn.init.constant_(answer.bias[PRESENT:], 0.0)
        self.heads = nn.Sequential(hidden, nn.GELU(), answer)

    def forward(self, *, heads: Tensor | None = None, **inputs: Any) -> Seq2SeqLMOutput:
        """Return the stock output, for any even number of frames up to the window.

        Args:
            heads: labels (batch, 136), NaN where unknown, see `head_labels`. With them the loss in training
                is that of the heads too.
            **inputs: as of the stock model.
        """
        features = inputs.get("input_features")
        if features is None:  # in generation, after the encoder
            return super().forward(**inputs)
        with short_window(self.model.encoder, features.shape[-1]):
            output = super().forward(**inputs)
        if not self.training or not self.heads_weight or heads is None or output.loss is None:
            return output
        predicted = self._predict(output.encoder_last_hidden_state)
        output.loss = output.loss + self.heads_weight * _heads_loss(predicted, heads)
        return output

    def _predict(self, states: Tensor) -> Tensor:
        states = states.float()
        shares = self.attention(states).softmax(dim=1)
        pooled = torch.einsum("btd,btk->bkd", states, shares).flatten(1)
        predicted: Tensor = self.heads(pooled).float()
        return predicted

    def plain(self) -> WhisperForConditionalGeneration:
        """Return a copy without the heads, in the stock class, on the CPU, ready to generate."""
        config = copy.deepcopy(self.config)
        config.use_cache = True  # the trainer turns it off; without, each token costs all before it again
        model = WhisperForConditionalGeneration(config)
        weights = {name: value for name, value in self.state_dict().items() if not name.startswith(HEADS)}
        model.load_state_dict(weights)
        model.generation_config = copy.deepcopy(self.generation_config)
        return model


def head_labels(profile: VoiceProfile, cues: Mapping[str, object]) -> npt.NDArray[np.float32]:
    """Return the labels of the heads (136,).

    They are 40 emotions in [0, 1], NaN where unknown; 82 bursts, 0 or 1; 1 where the voice is female; and how
    far each vocal cue of synthetic speech was moved, 1 is the whole range, NaN where unknown.
    """
    bursts = [name in profile.bursts for name in BURSTS]
    moved = [cues.get(name) for name in CUES]
    known = [float(value) if isinstance(value, int | float) else np.nan for value in moved]
    female = profile.traits.get("gender") == "female"
    return np.array([*profile.vector(), *bursts, female, *known], dtype=np.float32)


@contextmanager
def short_window(encoder: Any, frames: int) -> Iterator[None]:
    """Let an encoder take an even number of frames, fewer than its window, within a `with` block.

    The stock encoder accepts only whole windows. With the first positions of its table it computes, bit for
    bit, what a model made for the shorter window with the same weights does.
    """
    positions, config = encoder.embed_positions, encoder.config
    whole = config.max_source_positions
    if frames == ENCODER_STRIDE * whole:
        yield
        return
    length = frames // ENCODER_STRIDE
    encoder.embed_positions = nn.Embedding(length, positions.embedding_dim, _weight=positions.weight[:length])
    config.max_source_positions = length
    try:
        yield
    finally:
        encoder.embed_positions = positions
        config.max_source_positions = whole


def _heads_loss(predicted: Tensor, labels: Tensor) -> Tensor:
    """Return the mean over clips of the summed cross-entropies and squared errors of what is known."""
    present, cues = labels[:, :PRESENT], labels[:, PRESENT:]
    losses = binary_cross_entropy_with_logits(predicted[:, :PRESENT], present.nan_to_num(), reduction="none")
    errors = (predicted[:, PRESENT:] - cues.nan_to_num()) / SPREAD
    known = (losses * ~present.isnan()).sum(dim=1).mean()
    return known + 0.5 * (errors.square() * ~cues.isnan()).sum(dim=1).mean()
