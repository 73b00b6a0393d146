"""A small Whisper from scratch, in stock classes of `transformers`, so whatever loads a Whisper loads it.

Most clips last 3-12 s and Whisper always computes 30: here the window is a setting, and so is the hop. At a
hop of 20 ms instead of 10 the encoder has half as many positions, a step costs less than half, and the
pitch, tremor and rhythm of speech (under 10 Hz) lose nothing; the longer Fourier window that goes with it
resolves the harmonics of a low voice.

The tokenizer is a byte-level BPE trained on captions. With a vocabulary of a thousand nearly every word of a
caption is one token, so a caption takes about 20 tokens instead of 30 and the embedding is 50 times smaller
than Whisper's. Any text can still be written, since the bytes are in it. Timestamps are left out: a model
cannot emit what it does not have.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Self, TypeVar, cast

import torch
from pydantic import Field, model_validator
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GenerationConfig,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTokenizer,
)

from budew.io.settings import Settings

ENCODER_STRIDE = 2
SAMPLING_RATE = 16_000  # Hz, Whisper's
LONGEST_WINDOW = 30  # seconds
PREFIX = ("<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>")
END = "<|endoftext|>"
# In Whisper's order: what comes after <|notimestamps|> is taken for a timestamp by everything that
# reads such a model.
SPECIAL = (
    END,
    *PREFIX[:2],
    "<|translate|>",
    PREFIX[2],
    "<|startoflm|>",
    "<|startofprev|>",
    "<|nospeech|>",
    PREFIX[3],
)

TrainedOn = Literal["synthetic speech", "recordings of people"]
"""`trained_on` in a generation config: what the speech of all training was."""
Model = TypeVar("Model", bound=WhisperForConditionalGeneration)


class Features(Settings):
    """Log-mel spectrograms of a fixed window; shorter audio is padded with silence."""

    window_seconds: int = Field(
        default=8, ge=1, le=LONGEST_WINDOW, description="window of the encoder, in seconds"
    )
    mel_bins: int = Field(default=128, ge=8, le=512, description="mel bands of the spectrogram")
    hop: int = Field(
        default=320, ge=1, description="samples (at 16 kHz) from one frame to the next; 320 is 20 ms"
    )
    fourier: int = Field(default=1024, ge=64, le=16_384, description="samples of a frame's Fourier transform")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.window_seconds * SAMPLING_RATE % (ENCODER_STRIDE * self.hop):
            raise ValueError(
                f"a hop of {self.hop} samples does not go into a window of {self.window_seconds} s an even "
                "number of times: use 160 or 320"
            )
        if self.fourier < self.hop:
            raise ValueError(
                f"a Fourier transform of {self.fourier} samples leaves gaps at a hop of {self.hop}"
            )
        return self

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
        """Return the number of frames of a window."""
        return self.window_seconds * SAMPLING_RATE // self.hop


class Size(Settings):
    """The size of a model. The limits are several times those of the largest Whisper."""

    width: int = Field(default=256, ge=8, le=8192, description="of every layer")
    encoder_layers: int = Field(default=4, ge=1, le=100, description="number of encoder layers")
    decoder_layers: int = Field(default=2, ge=1, le=100, description="number of decoder layers")
    heads: int = Field(default=4, ge=1, description="attention heads of each layer")
    vocabulary: int = Field(
        default=1024,
        ge=256 + len(SPECIAL),
        le=200_000,
        description="vocabulary size of the tokenizer, which is trained on the captions",
    )
    longest_caption: int = Field(
        default=96, ge=16, le=448, description="most tokens of a caption, with prefix and end token"
    )
    dropout: float = Field(default=0.1, ge=0, le=0.99, description="dropout")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.width % (2 * self.heads):
            raise ValueError(f"a width of {self.width} is not a multiple of twice the {self.heads} heads")
        return self


def build_tokenizer(captions: Iterable[str], *, vocabulary: int) -> WhisperTokenizer:
    """Learn a tokenizer from captions, a few thousand of them.

    `vocabulary` is the number of its tokens, 256 bytes and 9 special ones among them.
    """
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    bpe.train_from_iterator(captions, trainer)
    learnt = json.loads(bpe.to_str())["model"]
    return stock_tokenizer(learnt["vocab"], [tuple(merge) for merge in learnt["merges"]])


def stock_tokenizer(vocabulary: dict[str, int], merges: Sequence[tuple[str, ...]]) -> WhisperTokenizer:
    """Return a tokenizer with these tokens of bytes and the special ones of captions after them."""
    return WhisperTokenizer(
        vocab=vocabulary,
        merges=list(merges),
        extra_special_tokens=list(SPECIAL[1:]),
        pad_token=END,
        language="en",
        task="transcribe",
    )


def whisper_config(size: Size, features: Features, tokenizer: WhisperTokenizer) -> WhisperConfig:
    """Return the stock configuration for a model of this size.

    Weights start with a standard deviation of 1/√width, which keeps the size of activations; Whisper's own
    0.02 is that of width 2,500, and gives a small model next to no signal.
    """
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
        suppress_tokens=None,
        begin_suppress_tokens=None,
        **token_ids(tokenizer),
    )


def generation_config(
    tokenizer: WhisperTokenizer, *, longest_caption: int, num_beams: int
) -> GenerationConfig:
    """Return the config with which `generate` writes Whisper's prefix and a caption after it.

    It is not derived from the model's config: a derived one loses `lang_to_id` when it is loaded.
    """
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIAL}
    return GenerationConfig(
        max_length=longest_caption,
        num_beams=num_beams,
        is_multilingual=True,
        lang_to_id={"<|en|>": ids["<|en|>"]},
        task_to_id={task: ids[f"<|{task}|>"] for task in ("transcribe", "translate")},
        language="en",
        task="transcribe",
        no_timestamps_token_id=ids["<|notimestamps|>"],
        return_timestamps=False,
        **token_ids(tokenizer),
    )


def languages_of(settings: Any) -> dict[str, int]:
    """Return the language tokens of a generation config and their ids; none for an English-only model."""
    if getattr(settings, "is_multilingual", None) is False:
        return {}
    return getattr(settings, "lang_to_id", None) or {}


def build_whisper(
    size: Size,
    features: Features,
    tokenizer: WhisperTokenizer,
    *,
    seed: int,
    num_beams: int = 1,
    kind: type[Model] = WhisperForConditionalGeneration,
) -> Model:
    """Return a model with random weights, the same for the same seed; the global generator is left as it was.

    The vocabulary is that of the tokenizer, `num_beams` the beam width saved in the generation config.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model: Any = kind(whisper_config(size, features, tokenizer))
    model.generation_config = generation_config(
        tokenizer, longest_caption=size.longest_caption, num_beams=num_beams
    )
    return cast(Model, model)


def token_ids(tokenizer: WhisperTokenizer) -> dict[str, int]:
    """Return the ids of start, end and padding, by their names in the configs of transformers."""
    end = tokenizer.convert_tokens_to_ids(END)
    start = tokenizer.convert_tokens_to_ids(PREFIX[0])
    return {
        "decoder_start_token_id": start,
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
    }
