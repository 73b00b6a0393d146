"""Generate text for windows of samples: features, encoder, and deterministic decoding of a batch.

The encoder runs once for a batch (`encode`); greedy search, beam search and sampling share its states.

All windows of a batch are padded to one length: the model's window, or a shorter length for a model that was
trained on shorter windows. The length depends only on the window itself (`Captioner`), so a caption does not
depend on the other windows of the batch. Whisper's loop over timestamps and its retries at higher temperature
are switched off: a caption has no timestamps, and a retry would draw random numbers.
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
"""Most tokens before the text: start of transcript, language, task, no timestamps."""
SHORTEST = 4.0
"""Seconds. Windows are not padded to less, as shorter batches are rare in training and cost accuracy."""
MAX_BEAMS = 64
"""Largest beam width: memory grows with it, and a checkpoint of others may state any number."""


@dataclass(frozen=True, slots=True)
class EncoderStates:
    """Windows of mono samples, (n,) each, and their encoder states (windows, positions, width)."""

    windows: Sequence[NDArray[np.float32]]
    states: torch.Tensor

    def outputs(self, copies: int = 1) -> Any:
        """Return the states in the form that `generate` of transformers needs, each window `copies` times."""
        states = self.states.repeat_interleave(copies, dim=0) if copies > 1 else self.states
        return BaseModelOutput(last_hidden_state=states)


def encode(
    checkpoint: Checkpoint, windows: Sequence[NDArray[np.float32]], features: torch.Tensor | None = None
) -> EncoderStates:
    """Run the encoder on a batch of windows.

    Args:
        checkpoint: the model.
        windows: mono samples (n,) each, at `checkpoint.sampling_rate`, at most `window_seconds` long.
        features: result of `features_of` for the windows; may have fewer frames than the model's window.
            None: computed here.
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
    """Generate tokens for a batch of windows.

    Args:
        checkpoint: the model.
        settings: result of `generation_settings` for the same prompt. They replace the model's settings
            during the call, because `generate` of transformers would fill a None in them from the model's
            settings.
        features: spectrograms of the windows; None if `inputs` have `encoder_outputs`.
        prompt: text before the prefix; "" for no prompt.
        inputs: other arguments of `generate` of transformers.

    Returns:
        Token ids (windows, longest): prefix, text and padding, without the prompt.
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
    """Decode token ids (windows, longest) to one text per window, without special tokens."""
    texts: list[str] = checkpoint.processor.tokenizer.batch_decode(tokens, skip_special_tokens=True)
    return texts


def features_of(
    checkpoint: Checkpoint, windows: Sequence[NDArray[np.float32]], *, seconds: float | None = None
) -> torch.Tensor:
    """Compute `spectrograms` of windows padded to `seconds`, on the device and in the type of the model."""
    model = checkpoint.model
    made = spectrograms(checkpoint.processor.feature_extractor, windows, seconds=seconds)
    return made.to(model.device, model.dtype)


def short_window_seconds(samples: int, *, rate: int, window: float) -> float:
    """Return the seconds to which a window is padded for a model that was trained on short windows.

    This is the length rounded up to whole seconds, at least `SHORTEST`, at most the model's window.

    Args:
        samples: number of samples of the window.
        rate: their sampling rate in Hz.
        window: seconds of the model's window.
    """
    return min(window, max(SHORTEST, math.ceil(samples / rate)))


def spectrograms(
    extractor: Any, windows: Sequence[NDArray[np.float32]], *, seconds: float | None = None
) -> torch.Tensor:
    """Compute log-mel spectrograms (windows, mel bins, frames).

    Args:
        extractor: a `WhisperFeatureExtractor`.
        windows: mono samples (n,) each, at the sampling rate of the extractor.
        seconds: length to which windows are padded; None: the window of the extractor.
    """
    whole, rate = extractor.n_samples, extractor.sampling_rate
    samples = whole if seconds is None else min(whole, round(seconds * rate))
    # Pad a little more: the Fourier windows of the last frames extend beyond `samples`, as in a whole window.
    longest = min(whole, samples + extractor.n_fft)
    made = extractor(
        list(windows), sampling_rate=rate, max_length=longest, padding="max_length", return_tensors="pt"
    )
    features: torch.Tensor = made.input_features[..., : frames_of(extractor, samples / rate)]
    return features


def frames_of(extractor: Any, seconds: float) -> int:
    """Return the number of frames of a window of `seconds`, rounded up to an even number for the encoder."""
    samples = round(seconds * extractor.sampling_rate)
    positions: int = -(-samples // (ENCODER_STRIDE * extractor.hop_length))
    return ENCODER_STRIDE * positions


def generation_settings(checkpoint: Checkpoint, *, num_beams: int | None = None, prompt: str = "") -> Any:
    """Return generation settings for deterministic captions of bounded length.

    If the checkpoint has a table of languages but no default, English and "transcribe" are set. An
    English-only checkpoint, or one without such a table, keeps the prefix of its config.

    Args:
        checkpoint: the model.
        num_beams: beam width; None: that of the checkpoint.
        prompt: prompt that will be used; it reduces the room for text.
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
    """Validate a beam width, and return it; 1 for None.

    Args:
        num_beams: beam width from an option or from the checkpoint.
        name: name of the checkpoint, for the error.

    Raises:
        InputError: the beam width is not an integer from 1 to `MAX_BEAMS`.
    """
    number = 1 if num_beams is None else num_beams
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MAX_BEAMS:
        raise InputError(
            f"num_beams (given, or in the checkpoint {name}) is {number!r}: use 1 to {MAX_BEAMS}"
        )
    return number
