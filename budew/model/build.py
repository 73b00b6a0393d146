"""A small Whisper from scratch: stock classes of `transformers` all the way, so whatever loads a
Whisper loads it.

Most clips last 3-12 s and Whisper pays for 30: here the window is a setting, and so is the hop. At a
hop of 20 ms instead of 10 the encoder sees half as many positions, a step costs less than half, and the
pitch, tremor and rhythm of speech (under 10 Hz) lose nothing; the longer Fourier window that goes with
it resolves the harmonics of a low voice.
"""

from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizer,
)

from budew.model.tokenizer import END, LANGUAGE, NO_TIMESTAMPS, START, TASK

ENCODER_STRIDE = 2
SAMPLING_RATE = 16_000  # Hz, Whisper's

Model = TypeVar("Model", bound=WhisperForConditionalGeneration)


@dataclass(frozen=True, slots=True)
class Features:
    """What the encoder hears: log-mel spectrograms of a fixed window.

    Attributes:
        window_seconds: length of the window; shorter audio is padded with silence.
        mel_bins: bands of the spectrogram.
        hop: samples (at 16 kHz) from one frame to the next; 320 is 20 ms.
        fourier: samples of a frame's Fourier transform.
    """

    window_seconds: int = 8
    mel_bins: int = 128
    hop: int = 320
    fourier: int = 1024

    def extractor(self) -> WhisperFeatureExtractor:
        """Return the stock feature extractor with these settings."""
        return WhisperFeatureExtractor(
            feature_size=self.mel_bins,
            hop_length=self.hop,
            n_fft=self.fourier,
            chunk_length=self.window_seconds,
        )

    @property
    def frames(self) -> int:
        """Return how many spectra a window has."""
        return self.window_seconds * SAMPLING_RATE // self.hop


@dataclass(frozen=True, slots=True)
class Size:
    """How large the model is.

    Attributes:
        width: of every layer.
        encoder_layers: of the listening part.
        decoder_layers: of the writing part.
        heads: of attention, in each layer.
        vocabulary: tokens.
        longest_caption: tokens of a caption, with prefix and end.
        dropout: share of activations dropped in training.
    """

    width: int = 256
    encoder_layers: int = 4
    decoder_layers: int = 2
    heads: int = 4
    vocabulary: int = 1024
    longest_caption: int = 96
    dropout: float = 0.1


def whisper_config(size: Size, features: Features, tokenizer: WhisperTokenizer) -> WhisperConfig:
    """Return the stock configuration for a model of this size.

    Weights start at a spread of 1/√width, as is usual for a layer that keeps the size of what goes through
    it; Whisper's own 0.02 is that of width 2,500, and lets a small model start with next to no signal.
    """
    end = tokenizer.convert_tokens_to_ids(END)
    return WhisperConfig(
        vocab_size=len(tokenizer),
        num_mel_bins=features.mel_bins,
        d_model=size.width,
        encoder_layers=size.encoder_layers,
        decoder_layers=size.decoder_layers,
        encoder_attention_heads=size.heads,
        decoder_attention_heads=size.heads,
        encoder_ffn_dim=4 * size.width,
        decoder_ffn_dim=4 * size.width,
        max_source_positions=features.frames // ENCODER_STRIDE,
        max_target_positions=size.longest_caption,
        dropout=size.dropout,
        init_std=size.width**-0.5,
        decoder_start_token_id=tokenizer.convert_tokens_to_ids(START),
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )


def generation_config(tokenizer: WhisperTokenizer, *, longest_caption: int, beams: int) -> GenerationConfig:
    """Return what `generate` needs to write Whisper's prefix and a caption after it.

    Made afresh, not derived from the model's configuration: a derived one loses `lang_to_id` when it is
    loaded.
    """
    end = tokenizer.convert_tokens_to_ids(END)
    return GenerationConfig(
        decoder_start_token_id=tokenizer.convert_tokens_to_ids(START),
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
        max_length=longest_caption,
        num_beams=beams,
        is_multilingual=True,
        lang_to_id={LANGUAGE: tokenizer.convert_tokens_to_ids(LANGUAGE)},
        task_to_id={
            "transcribe": tokenizer.convert_tokens_to_ids(TASK),
            "translate": tokenizer.convert_tokens_to_ids("<|translate|>"),
        },
        language="en",
        task="transcribe",
        no_timestamps_token_id=tokenizer.convert_tokens_to_ids(NO_TIMESTAMPS),
        return_timestamps=False,
    )


def build_whisper(
    size: Size,
    features: Features,
    tokenizer: WhisperTokenizer,
    *,
    seed: int,
    beams: int = 1,
    kind: type[Model] = WhisperForConditionalGeneration,
) -> Model:
    """Return a model with random weights, the same for the same seed.

    Args:
        size: how large it is; its vocabulary is the tokenizer's.
        features: what it hears.
        tokenizer: what it writes with.
        seed: decides the weights; the global generator is left as it was.
        beams: of the search that it writes with by default.
        kind: `WhisperForConditionalGeneration` or a class derived from it.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model: Any = kind(whisper_config(size, features, tokenizer))
    model.generation_config = generation_config(tokenizer, longest_caption=size.longest_caption, beams=beams)
    return cast(Model, model)
