"""A Whisper encoder that hears less than its window: the first positions of the same table, nothing else.

The stock encoder refuses any length but its own. A model made for the shorter window with the same weights
computes the same, bit for bit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from budew.model.build import ENCODER_STRIDE


@contextmanager
def short_window(encoder: Any, frames: int) -> Iterator[None]:
    """Let an encoder take spectrograms of so many frames, an even number, for a while."""
    positions, config = encoder.embed_positions, encoder.config
    whole = config.max_source_positions
    if frames == ENCODER_STRIDE * whole:
        yield
        return
    heard = frames // ENCODER_STRIDE
    encoder.embed_positions = nn.Embedding(heard, positions.embedding_dim, _weight=positions.weight[:heard])
    config.max_source_positions = heard
    try:
        yield
    finally:
        encoder.embed_positions = positions
        config.max_source_positions = whole
