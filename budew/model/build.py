"""Build a small Whisper from scratch, in stock classes of `transformers`, so any program can load it.

Most clips last 3-12 s, but Whisper always computes 30 s: here window and hop are settings. With a hop of 20
ms instead of 10 ms the encoder has half as many positions, a step costs less than half, and the pitch, tremor
and rhythm of speech (under 10 Hz) lose nothing; the longer Fourier window resolves the harmonics of a low
voice.

The tokenizer is a byte-level BPE trained on captions. With a vocabulary of a thousand, nearly every word of a
caption is one token, so a caption takes about 20 tokens instead of 30 and the embedding is 50 times smaller
than Whisper's. Any text can still be written, since all bytes are tokens. There are no tokens for timestamps,
so the model cannot write them.
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
# In Whisper's order: programs that read a Whisper take all tokens after <|notimestamps|> for timestamps.
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
"""Values of `trained_on` in a generation config: the kind of speech in all training data."""
Model = TypeVar("Model", bound=WhisperForConditionalGeneration)


class Features(Settings):
    """Settings of log-mel spectrograms of a fixed window; shorter audio is padded with silence."""

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
                f"a window of {self.window_seconds} s is not an even number of hops of {self.hop} samples: "
                "use 160 or 320"
            )
        if self.fourier < self.hop:
            raise ValueError(
                f"fourier is {self.fourier}, shorter than the hop of {self.hop} samples: give more"
            )
        return self

    def extractor(self) -> WhisperFeatureExtractor:
        """Make a stock feature extractor with these settings."""
        return WhisperFeatureExtractor(
            feature_size=self.mel_bins,
            hop_length=self.hop,
            n_fft=self.fourier,
            chunk_length=self.window_seconds,
        )

    @property
    def frames(self) -> int:
        """Number of frames in a window."""
        return self.window_seconds * SAMPLING_RATE // self.hop


class Size(Settings):
    """Settings of the size of a model. The limits are several times the sizes of the largest Whisper."""

    width: int = Field(default=256, ge=8, le=8192, description="width of every layer")
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
            raise ValueError(
                f"width is {self.width}, not a multiple of 2 · {self.heads} (twice the number of heads)"
            )
        return self


def build_tokenizer(captions: Iterable[str], *, vocabulary: int) -> WhisperTokenizer:
    """Train a tokenizer on captions.

    Args:
        captions: texts; a few thousand are enough.
        vocabulary: number of tokens, including 256 bytes and 9 special tokens.
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
    """Make a byte-level BPE tokenizer, with the special tokens of captions after the given tokens.

    Args:
        vocabulary: token to id, without special tokens.
        merges: pairs of tokens to merge, in order of priority.
    """
    return WhisperTokenizer(
        vocab=vocabulary,
        merges=list(merges),
        extra_special_tokens=list(SPECIAL[1:]),
        pad_token=END,
        language="en",
        task="transcribe",
    )


def whisper_config(size: Size, features: Features, tokenizer: WhisperTokenizer) -> WhisperConfig:
    """Make the stock configuration for a model of this size.

    Weights are initialized with a standard deviation of 1/√width, which preserves the scale of activations.
    Whisper's own 0.02 suits a width of 2,500, and is much too small for a small model.
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
    """Make the generation config with which `generate` writes Whisper's prefix and then a caption.

    It is not derived from the model's config, as a derived config loses `lang_to_id` when it is loaded.

    Args:
        tokenizer: tokenizer of the model.
        longest_caption: most tokens of a caption, with prefix and end token.
        num_beams: beam width.
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
    """Return the language tokens of a generation config to their ids; empty for an English-only model."""
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
    """Make a model with random weights; the same seed gives the same weights.

    The state of torch's global random generator does not change.

    Args:
        size: numbers of layers, width and other sizes.
        features: settings of the spectrograms.
        tokenizer: tokenizer, which determines the vocabulary.
        seed: random seed of the weights.
        num_beams: beam width for the generation config.
        kind: class of the model.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model: Any = kind(whisper_config(size, features, tokenizer))
    model.generation_config = generation_config(
        tokenizer, longest_caption=size.longest_caption, num_beams=num_beams
    )
    return cast(Model, model)


def token_ids(tokenizer: WhisperTokenizer) -> dict[str, int]:
    """Return the ids of the start, end and padding tokens, by their names in configs of transformers."""
    end = tokenizer.convert_tokens_to_ids(END)
    start = tokenizer.convert_tokens_to_ids(PREFIX[0])
    return {
        "decoder_start_token_id": start,
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
    }
