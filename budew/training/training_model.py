"""Whisper as it is trained: from cached encoder states, with heads on its encoder, and with the loss of
captions.

What is saved is a plain `WhisperForConditionalGeneration`.

- `WhisperFromStates` takes spectrograms, as the stock model does, or the states of frozen encoder layers,
  which are computed once (`feature_cache`). In a batch shorter clips are padded, and no attention sees the
  padding: the loss is that of each clip alone. Whisper's decoder has no mask for encoder states, so a hook
  before each cross-attention sets one.
- `WhisperWithHeads` has auxiliary heads that predict emotions, bursts, gender, and the vocal cues of
  synthetic speech from the pooled encoder. A caption's cross-entropy reaches the encoder only through the
  decoder, which from scratch learns to write for the first thousands of steps; heads give the encoder a
  gradient from the first step on.
"""

import copy
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from transformers import WhisperConfig, WhisperForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput, Seq2SeqLMOutput

from budew.io.resources import packaged_table
from budew.profile import VoiceProfile
from budew.taxonomy import BURSTS, EMOTIONS

HIDDEN = torch.finfo(torch.float16).min
"""Added to the attention scores of padding: no share of it is left, in any precision."""
IGNORED = -100
"""Label of a token that the loss leaves out."""
CUES = tuple(packaged_table("budew", "synthesis/cues")["cues"])
"""Vocal cues of synthetic speech."""
LOGIT_COUNT = len(EMOTIONS) + len(BURSTS) + 1
"""Targets that are present or not: emotions, bursts, and whether the voice is female."""
POOLS = 4
"""Weighted means over time that the heads take."""
RARE = -3.0
"""Logit that the heads start from: most labels are absent."""
CUE_SPREAD = 0.3
"""Share of a cue's range: the error that costs half a nat."""


class WhisperFromStates(WhisperForConditionalGeneration):  # type: ignore[misc]  # transformers ships no types
    """A Whisper that takes spectrograms, or states of its frozen encoder layers.

    Attributes:
        frozen_layers: number of encoder layers, from the first, whose output the states are; after the final
            layer norm if all are frozen.
    """

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__(config)
        self.frozen_layers = config.encoder_layers
        self.padding: Tensor | None = None
        for layer in self.model.decoder.layers:
            layer.encoder_attn.register_forward_pre_hook(self._hide_padding, with_kwargs=True)

    @classmethod
    def of(cls, model: Any, *, frozen_layers: int, seed: int) -> Self:
        """Return a copy of a stock model; the seed decides weights that it does not have.

        The global generator is left as it was.
        """
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            made = cls(copy.deepcopy(model.config))
        made.load_state_dict(model.state_dict(), strict=False)
        made.generation_config = copy.deepcopy(model.generation_config)
        made.frozen_layers = frozen_layers
        return made

    def forward(
        self,
        *,
        states: Tensor | None = None,
        positions: Tensor | None = None,
        encoder_outputs: Any = None,
        **inputs: Any,
    ) -> Any:
        """Return the stock output; arguments are those of the stock model, or instead of `input_features`:

        Args:
            states: (batch, positions, width), padded.
            positions: (batch,), how many of each are not padding.
            encoder_outputs: of the stock model; named here because `generate` looks for it.
            **inputs: of the stock model.
        """
        self.padding = None
        inputs["encoder_outputs"] = encoder_outputs
        if states is not None and positions is not None:
            places = torch.arange(states.shape[1], device=states.device)
            hidden = places >= positions[:, None]
            self.padding = torch.zeros(hidden.shape, device=states.device).masked_fill(hidden, HIDDEN)
            inputs["encoder_outputs"] = BaseModelOutput(last_hidden_state=self._encoded(states))
        return super().forward(**inputs)

    def plain(self) -> WhisperForConditionalGeneration:
        """Return a copy in the stock class, on the CPU, ready to generate."""
        config = copy.deepcopy(self.config)
        config.use_cache = True  # the trainer turns it off; without, each token costs all before it again
        model = WhisperForConditionalGeneration(config)
        names = model.state_dict().keys()
        model.load_state_dict({name: value for name, value in self.state_dict().items() if name in names})
        model.generation_config = copy.deepcopy(self.generation_config)
        return model

    def _encoded(self, states: Tensor) -> Tensor:
        encoder = self.model.encoder
        learning = encoder.layers[self.frozen_layers :]
        for layer in learning:
            states = layer(states, self._mask())
        return encoder.layer_norm(states) if len(learning) else states

    def _mask(self) -> Tensor | None:
        return None if self.padding is None else self.padding[:, None, None]

    def _hide_padding(self, _: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        return args, {**named, "attention_mask": self._mask()}


class WhisperWithHeads(WhisperFromStates):
    """A Whisper whose loss is that of its auxiliary heads; `caption_loss` adds that of the captions."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__(config)
        # The order of these three decides which random numbers each starts from, and so the checkpoint.
        self.attention = nn.Linear(config.d_model, POOLS)
        answer = nn.Linear(config.d_model, LOGIT_COUNT + len(CUES))
        hidden = nn.Linear(POOLS * config.d_model, config.d_model)
        nn.init.constant_(answer.bias[:LOGIT_COUNT], RARE)
        nn.init.constant_(answer.bias[LOGIT_COUNT:], 0.0)
        self.heads = nn.Sequential(hidden, nn.GELU(), answer)

    def forward(
        self, *, heads: Tensor | None = None, encoder_outputs: Any = None, **inputs: Any
    ) -> Seq2SeqLMOutput:
        """Return the stock output; its `loss` is that of the heads in training, summed over clips.

        Args:
            heads: labels (batch, 136), NaN where unknown, see `head_labels`.
            encoder_outputs, **inputs: of `WhisperFromStates`, without `labels`.
        """
        output = super().forward(encoder_outputs=encoder_outputs, **inputs)
        if self.training and heads is not None:
            states = output.encoder_last_hidden_state.float()
            scores = self.attention(states)
            if self.padding is not None:
                scores = scores + self.padding[:, :, None]
            pooled = torch.einsum("btd,btk->bkd", states, scores.softmax(dim=1)).flatten(1)
            output.loss = _heads_loss(self.heads(pooled).float(), heads)
        return output


def head_labels(profile: VoiceProfile | None, cues: Mapping[str, object]) -> npt.NDArray[np.float32]:
    """Return the labels of the heads (136,), NaN without a profile.

    They are 40 emotions in [0, 1]; 82 bursts, 0 or 1; 1 where the voice is female; and how far each vocal cue
    of synthetic speech was moved, 1 is the whole range. What is unknown is NaN.
    """
    if profile is None:
        return np.full(LOGIT_COUNT + len(CUES), np.nan, dtype=np.float32)
    bursts = [name in profile.bursts for name in BURSTS]
    moved = [cues.get(name) for name in CUES]
    known = [float(value) if isinstance(value, int | float) else np.nan for value in moved]
    gender = profile.traits.get("gender")
    female = np.nan if gender is None else float(gender == "female")
    return np.array([*profile.vector(), *bursts, female, *known], dtype=np.float32)


def _heads_loss(predicted: Tensor, labels: Tensor) -> Tensor:
    """Return the sum over clips of the cross-entropies and squared errors of what is known."""
    present, cues = labels[:, :LOGIT_COUNT], labels[:, LOGIT_COUNT:]
    losses = binary_cross_entropy_with_logits(
        predicted[:, :LOGIT_COUNT], present.nan_to_num(), reduction="none"
    )
    errors = (predicted[:, LOGIT_COUNT:] - cues.nan_to_num()) / CUE_SPREAD
    return (losses * ~present.isnan()).sum() + 0.5 * (errors.square() * ~cues.isnan()).sum()


def caption_loss(
    outputs: Any,
    labels: Tensor,
    num_items_in_batch: Tensor | int | None = None,
    *,
    clips: int,
    heads_weight: float,
) -> Tensor:
    """Return the share of a batch in the loss of its step, of captions and auxiliary heads.

    The trainer takes `labels` out of a batch before the model sees it, and calls this with what the model
    returns and with the number of tokens of the step. A validation counts those of each batch instead, and
    has no loss of heads.

    The loss of a step is the sum over the tokens of its captions divided by their number, over all devices
    and accumulated batches, so dividing a step into batches changes only rounding. (Whisper's own loss is a
    mean over each batch.)

    Args:
        outputs: of the model; their loss, if any, is that of the heads, summed over clips.
        labels: (clips, tokens).
        num_items_in_batch: tokens of captions in the step, over all devices.
        clips: in the step, over all devices.
        heads_weight: of the loss of the heads, by clip, against that of the captions, by token.
    """
    logits = outputs.logits.float()
    total = cross_entropy(
        logits.flatten(0, 1), labels.flatten().to(logits.device), ignore_index=IGNORED, reduction="sum"
    )
    count = (labels != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
    loss = total / count
    return loss if outputs.loss is None else loss + heads_weight * outputs.loss / clips
