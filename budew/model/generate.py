"""Windows of samples → what the model writes: one padded batch, one call of the decoder, no random numbers.

Each window is padded to the full length that the encoder takes, so its caption does not depend on its
neighbours in the batch. The search has as many beams as the checkpoint asks for, else one. Whisper's loop
over timestamps and its retries at higher temperature are switched off: a caption has no timestamps, and a
retry would draw random numbers.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from budew.model.checkpoint import Checkpoint
from budew.quiet import quiet_transformers

PREFIX = 4
"""Tokens before the text at most: start of transcript, language, task, no timestamps."""
MOST_BEAMS = 64
"""Memory grows with the beams, and a checkpoint from elsewhere may ask for any number."""


class BeamsError(ValueError):
    """A number of beams that cannot be searched."""


def write_captions(
    checkpoint: Checkpoint, windows: Sequence[NDArray[np.float32]], *, beams: int | None = None
) -> list[str]:
    """Return what the model writes for each window, in order, as it comes.

    Args:
        checkpoint: the model.
        windows: mono samples (n,) each, at `checkpoint.sampling_rate`, at most `window_seconds` long.
        beams: captions that are followed side by side; as many as the checkpoint asks for when None.

    Raises:
        BeamsError: there cannot be so many beams.
    """
    tokens = generate_tokens(checkpoint, windows, beams=beams)
    texts: list[str] = checkpoint.processor.tokenizer.batch_decode(tokens, skip_special_tokens=True)
    return texts


def generate_tokens(
    checkpoint: Checkpoint, windows: Sequence[NDArray[np.float32]], *, beams: int | None = None
) -> torch.Tensor:
    """Return token ids (windows, longest): prefix, text, padding. Arguments as for `write_captions`."""
    model, features = checkpoint.model, features_of(checkpoint, windows)
    settings = generation_settings(checkpoint, beams=beams)
    with torch.inference_mode(), quiet_transformers(), settled(model, settings):
        tokens: torch.Tensor = model.generate(features, force_unique_generate_call=True)
    return tokens


def features_of(checkpoint: Checkpoint, windows: Sequence[NDArray[np.float32]]) -> torch.Tensor:
    """Return what the encoder takes (windows, mel bins, frames), where the model is and as it computes."""
    model, extractor = checkpoint.model, checkpoint.processor.feature_extractor
    heard = extractor(list(windows), sampling_rate=checkpoint.sampling_rate, return_tensors="pt")
    features: torch.Tensor = heard.input_features.to(model.device, model.dtype)
    return features


def generation_settings(checkpoint: Checkpoint, *, beams: int | None = None) -> Any:
    """Return the checkpoint's `GenerationConfig`, without chance, bounded, and told what to write.

    English and "transcribe" are asked for where the checkpoint knows of languages and does not choose by
    itself; an English-only one, and one without a table of languages, gets the prefix that its config makes.
    """
    model = checkpoint.model
    settings = copy.deepcopy(model.generation_config)
    settings.max_new_tokens = _longest(settings, model.config.max_target_positions)
    settings.max_length = None
    settings.num_beams = number_of_beams(checkpoint, beams)
    settings.num_return_sequences = 1
    settings.do_sample = False
    settings.return_timestamps = False
    settings.return_dict_in_generate = False
    for threshold in ("no_speech_threshold", "logprob_threshold", "compression_ratio_threshold"):
        setattr(settings, threshold, None)
    if _asks_for_language(settings):
        settings.language, settings.task = "en", "transcribe"
    return settings


def number_of_beams(checkpoint: Checkpoint, beams: int | None = None) -> int:
    """Return how many beams a search has: `beams`, or what the checkpoint asks for, or one.

    Raises:
        BeamsError: not a number from 1 to `MOST_BEAMS`.
    """
    asked = checkpoint.model.generation_config.num_beams if beams is None else beams
    number = 1 if asked is None else asked
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MOST_BEAMS:
        by = f"the generation config of {checkpoint.name} asks for " if beams is None else ""
        raise BeamsError(f"{by}{number!r} beams, which cannot be searched: use 1 to {MOST_BEAMS}")
    return number


@contextmanager
def settled(model: Any, settings: Any) -> Iterator[None]:
    """Make `settings` the model's own for a while.

    Passed to `generate` instead, a None in them would be filled from the model's, thresholds included.
    """
    own, model.generation_config = model.generation_config, settings
    try:
        yield
    finally:
        model.generation_config = own


def _longest(settings: Any, positions: int) -> int:
    """Tokens of the longest caption: what the checkpoint allows, and the decoder has positions for."""
    prefix = max(PREFIX, 1 + len(getattr(settings, "forced_decoder_ids", None) or ()))
    allowed: list[int] = [limit for limit in (settings.max_new_tokens, settings.max_length) if limit]
    return max(1, min([positions - prefix, *allowed]))


def _asks_for_language(settings: Any) -> bool:
    if getattr(settings, "language", None) or getattr(settings, "is_multilingual", None) is False:
        return False
    languages, tasks = getattr(settings, "lang_to_id", None), getattr(settings, "task_to_id", None)
    return "<|en|>" in (languages or {}) and "transcribe" in (tasks or {})
