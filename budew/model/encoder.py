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

PUBLISHED = "laion/BUD-E-Whisper"
"""The encoder under the published heads, as their model card says."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder and what it takes.

    Attributes:
        module: of transformers.
        extractor: its feature extractor.
        name: of the checkpoint.
        window_seconds: of a window.
        sampling_rate: Hz.
        positions: hidden states of a window.
        width: of a hidden state.
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
        extracted = self.extractor(list(windows), sampling_rate=self.sampling_rate, return_tensors="pt")
        features = extracted.input_features.to(self.device, self.module.dtype)
        with torch.inference_mode():
            states: Tensor = self.module(features).last_hidden_state
        return states


def load_encoder(name_or_dir: str | Path | None = None, *, device: str | None = None) -> Encoder:
    """Load the encoder of a checkpoint and drop its decoder.

    Args:
        name_or_dir: folder, hub id, or None for the checkpoint in this package.
        device: as of `budew.model.checkpoint.load_checkpoint`.

    Raises:
        CheckpointError: there is no such checkpoint or device.
    """
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
