"""Variants of Whisper for training: from cached encoder states, with auxiliary heads; and the loss.

The saved model is a plain `WhisperForConditionalGeneration`.

- `WhisperFromStates` takes spectrograms, as the stock model does, or the output (states) of frozen encoder
  layers, which is computed once (`feature_cache`). Shorter clips of a batch are padded, and the padding is
  masked in all attention, so it does not change the loss. Whisper's decoder has no mask for encoder states,
  so a hook before each cross-attention sets one.
- `WhisperWithHeads` has auxiliary heads that predict emotions, bursts, gender, and the vocal cues of
  synthetic speech from the pooled output of the encoder. From scratch, the decoder spends the first thousands
  of steps learning to write, and its gradient teaches the encoder little; the heads give the encoder a useful
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
"""Added to the attention scores of padding, so that its attention is 0 in any precision."""
IGNORED = -100
"""Label of tokens that do not count in the loss."""
CUES = tuple(packaged_table("budew", "synthesis/cues")["cues"])
"""Names of the vocal cues of synthetic speech."""
LOGIT_COUNT = len(EMOTIONS) + len(BURSTS) + 1
"""Number of head labels that are predicted as probabilities: emotions, bursts, and a female voice."""
POOLS = 4
"""Number of weighted means over time from which the heads predict."""
RARE = -3.0
"""Initial logit of the heads, low because most labels are absent."""
CUE_SPREAD = 0.3
"""Standard deviation in the loss of a cue: an error of this share of its range costs half a nat."""


class WhisperFromStates(WhisperForConditionalGeneration):  # type: ignore[misc]  # transformers ships no types
    """A Whisper that takes spectrograms, or cached states: the output of its frozen encoder layers.

    Attributes:
        frozen_layers: number of frozen encoder layers, from the first on. If all are frozen, states are the
            output of the final layer norm.
    """

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__(config)
        self.frozen_layers = config.encoder_layers
        self.padding: Tensor | None = None
        for layer in self.model.decoder.layers:
            layer.encoder_attn.register_forward_pre_hook(self._hide_padding, with_kwargs=True)

    @classmethod
    def of(cls, model: Any, *, frozen_layers: int, seed: int) -> Self:
        """Return a copy of a stock Whisper as this class.

        Args:
            model: the stock model.
            frozen_layers: number of frozen encoder layers.
            seed: seed of the weights that the stock model lacks, such as those of heads. The state of torch's
                global generator is not changed.
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
        """Return the output of the stock model, from `input_features` or from `states` and `positions`.

        Args:
            states: cached states, padded, (batch, positions, width).
            positions: number of states of each clip that are not padding, (batch,).
            encoder_outputs: as in the stock model; `generate` needs it in the signature.
            **inputs: further arguments of the stock model.
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
        """Return a copy as a stock Whisper, on the CPU, with the cache for generation turned on."""
        config = copy.deepcopy(self.config)
        config.use_cache = True  # the trainer turns it off; without it, generating is much slower
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
    """A Whisper with auxiliary heads; the `loss` of its output is that of the heads, without captions."""

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__(config)
        # The order of these three layers decides their random weights: another gives another checkpoint.
        self.attention = nn.Linear(config.d_model, POOLS)
        answer = nn.Linear(config.d_model, LOGIT_COUNT + len(CUES))
        hidden = nn.Linear(POOLS * config.d_model, config.d_model)
        nn.init.constant_(answer.bias[:LOGIT_COUNT], RARE)
        nn.init.constant_(answer.bias[LOGIT_COUNT:], 0.0)
        self.heads = nn.Sequential(hidden, nn.GELU(), answer)

    def forward(
        self, *, heads: Tensor | None = None, encoder_outputs: Any = None, **inputs: Any
    ) -> Seq2SeqLMOutput:
        """Return the output of the stock model; its `loss` in training is that of the heads.

        It is summed over clips.

        Args:
            heads: labels of the heads (batch, 136), NaN if unknown, see `head_labels`; None: no loss.
            encoder_outputs, **inputs: arguments of `WhisperFromStates`, without `labels`.
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
    """Return the labels of the auxiliary heads for a clip, (136,); unknown labels are NaN.

    They are the intensities of 40 emotions, in [0, 1]; 82 bursts, 1 if present, else 0; 1 if the voice is
    female, else 0; and how far each vocal cue of synthetic speech was moved, as a share of its range.

    Args:
        profile: profile of the clip; None: all labels are NaN.
        cues: name of a vocal cue → how far it was moved; empty for recordings.
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
    """Return the sum of the losses of known labels: cross-entropies, and for cues half squared errors."""
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
    clips_per_step: int,
    heads_weight: float,
) -> Tensor:
    """Return the loss of a batch, of captions and auxiliary heads, as its part of the loss of a step.

    The loss of a step is the sum of the cross-entropies of all caption tokens divided by their number, over
    all devices and accumulated batches, so dividing a step into batches changes only rounding. (Whisper's own
    loss is a mean over each batch.)

    The trainer removes `labels` from a batch before the model gets it, and calls this function with the
    output of the model.

    Args:
        outputs: output of the model; its `loss`, if any, is that of the heads, summed over clips.
        labels: tokens of captions, (clips, tokens), with `IGNORED` where they do not count.
        num_items_in_batch: number of caption tokens in the step, on all devices. None, in validation: those
            of this batch.
        clips_per_step: number of clips in the step, on all devices.
        heads_weight: factor of the mean loss of the heads per clip, which is added to the loss per token.
    """
    logits = outputs.logits.float()
    total = cross_entropy(
        logits.flatten(0, 1), labels.flatten().to(logits.device), ignore_index=IGNORED, reduction="sum"
    )
    count = (labels != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
    loss = total / count
    return loss if outputs.loss is None else loss + heads_weight * outputs.loss / clips_per_step
