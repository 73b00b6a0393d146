"""Windows of samples → what the model writes: one padded batch, greedy, one call of the decoder.

Each window is padded to the full length that the encoder takes, so its caption does not depend on its
neighbours in the batch. Whisper's loop over timestamps and its retries at higher temperature are switched
off: a caption has no timestamps, and a retry would draw random numbers.
"""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from budew.model.checkpoint import Checkpoint, quiet_transformers

PREFIX = 4
"""Tokens before the text at most: start of transcript, language, task, no timestamps."""


def write_captions(checkpoint: Checkpoint, windows: Sequence[NDArray[np.float32]]) -> list[str]:
    """Return what the model writes for each window, in order, as it comes.

    Args:
        checkpoint: the model.
        windows: mono samples (n,) each, at `checkpoint.sampling_rate`, at most `window_seconds` long.
    """
    tokens = generate_tokens(checkpoint, windows)
    texts: list[str] = checkpoint.processor.tokenizer.batch_decode(tokens, skip_special_tokens=True)
    return texts


def generate_tokens(checkpoint: Checkpoint, windows: Sequence[NDArray[np.float32]]) -> torch.Tensor:
    """Return token ids (windows, longest): prefix, text, padding. Arguments as for `write_captions`."""
    model, extractor = checkpoint.model, checkpoint.processor.feature_extractor
    heard = extractor(list(windows), sampling_rate=checkpoint.sampling_rate, return_tensors="pt")
    features = heard.input_features.to(model.device, model.dtype)
    with torch.inference_mode(), quiet_transformers(), _settled(model, generation_settings(checkpoint)):
        tokens: torch.Tensor = model.generate(features, force_unique_generate_call=True)
    return tokens


def generation_settings(checkpoint: Checkpoint) -> Any:
    """Return the checkpoint's `GenerationConfig`, made greedy, bounded, and told what to write.

    English and "transcribe" are asked for where the checkpoint knows of languages and does not choose by
    itself; an English-only one, and one without a table of languages, gets the prefix that its config makes.
    """
    model = checkpoint.model
    settings = copy.deepcopy(model.generation_config)
    settings.max_new_tokens = _longest(settings, model.config.max_target_positions)
    settings.max_length = None
    settings.num_beams = 1
    settings.do_sample = False
    settings.return_timestamps = False
    settings.return_dict_in_generate = False
    for threshold in ("no_speech_threshold", "logprob_threshold", "compression_ratio_threshold"):
        setattr(settings, threshold, None)
    if _asks_for_language(settings):
        settings.language, settings.task = "en", "transcribe"
    return settings


@contextmanager
def _settled(model: Any, settings: Any) -> Iterator[None]:
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
