"""Whisper in training from states of its frozen encoder layers, which are computed once (`state_cache`).

Clips have states of their own number. In a batch the shorter ones are padded, and no attention sees the
padding: the loss is that of each clip alone. Whisper's decoder has no mask for the states of the encoder, so
a hook before each cross-attention sets one.
"""

import copy
from typing import Any, Self

import torch
from torch import Tensor
from transformers import WhisperConfig, WhisperForConditionalGeneration
from transformers.modeling_outputs import BaseModelOutput

HIDDEN = torch.finfo(torch.float16).min
"""Added to the attention scores of padding: no share of it is left, in any precision."""


class WhisperFromStates(WhisperForConditionalGeneration):  # type: ignore[misc]  # transformers ships no types
    """A Whisper that takes spectrograms, or states of its frozen encoder layers.

    Attributes:
        frozen_layers: of the encoder, from the first on; states are what they give, after the final layer
            norm if they are all.
    """

    def __init__(self, config: WhisperConfig) -> None:
        super().__init__(config)
        self.frozen_layers = config.encoder_layers
        self.padding: Tensor | None = None
        for layer in self.model.decoder.layers:
            layer.encoder_attn.register_forward_pre_hook(self._hide_padding, with_kwargs=True)

    @classmethod
    def of(cls, model: Any, *, frozen_layers: int, seed: int) -> Self:
        """Return a copy of a stock model; the seed decides weights that it has not.

        Args:
            model: a `WhisperForConditionalGeneration`.
            frozen_layers: of its encoder.
            seed: the global generator is left as it was.
        """
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            made = cls(copy.deepcopy(model.config))
        made.load_state_dict(model.state_dict(), strict=False)
        made.generation_config = copy.deepcopy(model.generation_config)
        made.frozen_layers = frozen_layers
        return made

    def forward(self, *, states: Tensor | None = None, positions: Tensor | None = None, **inputs: Any) -> Any:
        """Return the stock output.

        Args:
            states: (batch, positions, width), padded; in place of `input_features`.
            positions: (batch,), how many of each are not padding.
            **inputs: as of the stock model.
        """
        self.padding = None
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
