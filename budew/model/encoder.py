"""A Whisper encoder alone: windows of samples → its last hidden states, the input of regression heads.

Each window is padded to the full length that the encoder takes, as Empathic Insight-Voice does it, so the
states depend on the neighbours in a batch by rounding only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from budew.model.checkpoint import load_checkpoint
from budew.model.generate import spectrograms

PUBLISHED = "laion/BUD-E-Whisper"
"""The encoder under the published heads, as their model card says."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder of transformers, its feature extractor, and what they take: `window_seconds` of audio at
    `sampling_rate` (Hz). A window has `positions` hidden states of `width` numbers.
    """

    module: Any
    extractor: Any
    name: str
    window_seconds: float
    sampling_rate: int
    positions: int
    width: int

    @property
    def device(self) -> torch.device:
        """Return where it computes."""
        device: torch.device = self.module.device
        return device

    def states(self, windows: Sequence[NDArray[np.float32]]) -> Tensor:
        """Return the hidden states (windows, positions, width), float32, or float16 on a GPU.

        Args:
            windows: mono samples (n,) each, at `sampling_rate`, at most `window_seconds` long.
        """
        features = spectrograms(self.extractor, windows).to(self.device, self.module.dtype)
        with torch.inference_mode():
            states: Tensor = self.module(features).last_hidden_state
        return states


def load_encoder(name_or_dir: str | Path | None = None, *, device: str | None = None) -> Encoder:
    """Load the encoder of a checkpoint and drop its decoder; see `load_checkpoint`."""
    checkpoint = load_checkpoint(name_or_dir, device=device)
    config = checkpoint.model.config
    return Encoder(
        checkpoint.model.get_encoder(),
        checkpoint.processor.feature_extractor,
        checkpoint.name,
        checkpoint.window_seconds,
        checkpoint.sampling_rate,
        config.max_source_positions,
        config.d_model,
    )
