"""Windows of samples → text: one padded batch, one beam search, no random numbers.

The encoder runs once for a batch (`encode`); greedy search, beam search and sampling share its states.

All windows of a batch are padded to one length: that which the encoder takes, or a shorter one for a model
that was trained on such. Which one is decided by the window alone (`Captioner`), so its caption does not
depend on its neighbours. Whisper's loop over timestamps and its retries at higher temperature are switched
off: a caption has no timestamps, and a retry would draw random numbers.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.modeling_outputs import BaseModelOutput

from budew.errors import InputError
from budew.model.adapt import short_window
from budew.model.build import ENCODER_STRIDE, languages_of
from budew.model.checkpoint import Checkpoint
from budew.model.quiet import quiet_transformers

PREFIX = 4
"""Tokens before the text at most: start of transcript, language, task, no timestamps."""
SHORTEST = 4.0
"""Seconds. Batches of training are as long as their longest clip, seldom less; shorter ones cost accuracy."""
MAX_BEAMS = 64
"""Memory grows with the beam width, and a checkpoint from elsewhere may set any."""


@dataclass(frozen=True, slots=True)
class EncoderStates:
    """Windows of mono samples, (n,) each, and their states of the encoder (windows, positions, width)."""

    windows: Sequence[NDArray[np.float32]]
    states: torch.Tensor

    def outputs(self, copies: int = 1) -> Any:
        """Return the states as `generate` of transformers takes them, those of a window `copies` times."""
        states = self.states.repeat_interleave(copies, dim=0) if copies > 1 else self.states
        return BaseModelOutput(last_hidden_state=states)


def encode(
    checkpoint: Checkpoint, windows: Sequence[NDArray[np.float32]], features: torch.Tensor | None = None
) -> EncoderStates:
    """Run the encoder on windows at `checkpoint.sampling_rate`, each at most `window_seconds` long.

    `features` are those of `features_of`, if they are there already; fewer frames than the window has are
    encoded as they are.
    """
    features = features_of(checkpoint, windows) if features is None else features
    encoder = checkpoint.model.get_encoder()
    with torch.inference_mode(), short_window(encoder, features.shape[-1]):
        states = encoder(features).last_hidden_state
    return EncoderStates(windows, states)


def generate(
    checkpoint: Checkpoint,
    settings: Any,
    features: torch.Tensor | None = None,
    *,
    prompt: str = "",
    **inputs: Any,
) -> torch.Tensor:
    """Return token ids (windows, longest): prefix, text, padding; the prompt is not among them.

    The settings of `generation_settings` replace those of the model for this call: passed to `generate` of
    transformers, a None in them would be filled from the model's, thresholds included. They must leave room
    for the prompt, a text before the prefix. Without `features`, `inputs` have the encoder's outputs.
    """
    model = checkpoint.model
    before = _prompt_ids(checkpoint, prompt)
    if before:
        inputs["prompt_ids"] = torch.tensor(before, device=model.device)
    own, model.generation_config = model.generation_config, settings
    try:
        with torch.inference_mode(), quiet_transformers():
            tokens: torch.Tensor = model.generate(features, force_unique_generate_call=True, **inputs)
    finally:
        model.generation_config = own
    return tokens[:, len(before) :]


def _prompt_ids(checkpoint: Checkpoint, prompt: str) -> list[int]:
    if not prompt:
        return []
    ids: list[int] = checkpoint.processor.tokenizer.get_prompt_ids(prompt).tolist()
    return ids


def texts_of(checkpoint: Checkpoint, tokens: torch.Tensor) -> list[str]:
    """Return token ids (windows, longest) as texts without special tokens."""
    texts: list[str] = checkpoint.processor.tokenizer.batch_decode(tokens, skip_special_tokens=True)
    return texts


def features_of(
    checkpoint: Checkpoint, windows: Sequence[NDArray[np.float32]], *, seconds: float | None = None
) -> torch.Tensor:
    """Return `spectrograms` on the device and in the type of the model."""
    model = checkpoint.model
    made = spectrograms(checkpoint.processor.feature_extractor, windows, seconds=seconds)
    return made.to(model.device, model.dtype)


def short_window_seconds(samples: int, *, rate: int, window: float) -> float:
    """Return the seconds to which samples are padded for a model that was trained on short windows.

    That is the next whole second from `SHORTEST` on, and at most the window of the model.
    """
    return min(window, max(SHORTEST, math.ceil(samples / rate)))


def spectrograms(
    extractor: Any, windows: Sequence[NDArray[np.float32]], *, seconds: float | None = None
) -> torch.Tensor:
    """Return log-mel spectrograms (windows, mel bins, frames).

    Args:
        extractor: a `WhisperFeatureExtractor`.
        windows: mono samples (n,) each, at its rate.
        seconds: what they are padded to; None for its whole window.
    """
    whole, rate = extractor.n_samples, extractor.sampling_rate
    samples = whole if seconds is None else min(whole, round(seconds * rate))
    # Some padding more, on which the last frames look out, so that they are what they are in a whole window.
    longest = min(whole, samples + extractor.n_fft)
    made = extractor(
        list(windows), sampling_rate=rate, max_length=longest, padding="max_length", return_tensors="pt"
    )
    features: torch.Tensor = made.input_features[..., : frames_of(extractor, samples / rate)]
    return features


def frames_of(extractor: Any, seconds: float) -> int:
    """Return the frames of a window: an even number, as the encoder takes them."""
    samples = round(seconds * extractor.sampling_rate)
    positions: int = -(-samples // (ENCODER_STRIDE * extractor.hop_length))
    return ENCODER_STRIDE * positions


def generation_settings(checkpoint: Checkpoint, *, num_beams: int | None = None, prompt: str = "") -> Any:
    """Return the checkpoint's `GenerationConfig`, deterministic, bounded, and with language and task.

    English and "transcribe" are set where the checkpoint has a table of languages and no default; an
    English-only one, and one without such a table, gets the prefix that its config makes.
    """
    model = checkpoint.model
    settings = copy.deepcopy(model.generation_config)
    prefix = max(PREFIX, 1 + len(getattr(settings, "forced_decoder_ids", None) or ()))
    room = model.config.max_target_positions - prefix - len(_prompt_ids(checkpoint, prompt))
    limits = [limit for limit in (settings.max_new_tokens, settings.max_length) if limit]
    settings.max_new_tokens = max(1, min([room, *limits]))
    settings.max_length = None
    settings.num_beams = checked_beams(
        settings.num_beams if num_beams is None else num_beams, checkpoint.name
    )
    settings.num_return_sequences = 1
    settings.do_sample = False
    settings.return_timestamps = False
    settings.return_dict_in_generate = False
    for threshold in ("no_speech_threshold", "logprob_threshold", "compression_ratio_threshold"):
        setattr(settings, threshold, None)
    languages, tasks = languages_of(settings), getattr(settings, "task_to_id", None) or {}
    if not getattr(settings, "language", None) and "<|en|>" in languages and "transcribe" in tasks:
        settings.language, settings.task = "en", "transcribe"
    return settings


def checked_beams(num_beams: Any, name: str) -> int:
    """Return a beam width that was given or is of the checkpoint `name`; None is one.

    Raises:
        InputError: not a number from 1 to `MAX_BEAMS`.
    """
    number = 1 if num_beams is None else num_beams
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MAX_BEAMS:
        raise InputError(
            f"{number!r} is out of range for num_beams, given or of {name}: use 1 to {MAX_BEAMS}"
        )
    return number
