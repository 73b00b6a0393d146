"""Prepare a pretrained Whisper for fine-tuning on captions: prefix, shorter window, trainable layers.

Whisper always computes 30 s, but most clips last 3-12 s. Its encoder depends on the length only by a table of
sinusoids, which are added to the frames. The first positions of the table make an encoder for a shorter
window, and a longer table can be computed again, as the published table is the sinusoids rounded to half
precision. The window is saved in config and feature extractor, where stock classes read it.

Low-rank adapters (Hu et al. 2021, "LoRA") do not change the pretrained weights; they learn a difference of
small rank for the projections of the attention.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from pydantic import Field
from transformers import WhisperProcessor
from transformers.models.whisper.modeling_whisper import sinusoids

from budew.errors import CheckpointError, require
from budew.io.settings import Settings
from budew.model.build import ENCODER_STRIDE, Features, languages_of

Method = Literal["full", "encoder-frozen", "lora"]
ATTENTION = ("q_proj", "k_proj", "v_proj", "out_proj")
SINUSOID_ERROR = 2e-3
"""Largest difference between a table of positions and the sinusoids: half precision, with some margin."""


class Lora(Settings):
    """Settings of low-rank adapters (LoRA) of peft."""

    rank: int = Field(default=32, ge=1, le=1024, description="rank of the learned difference")
    alpha: int = Field(default=64, ge=1, le=4096, description="the difference is scaled by alpha / rank")
    dropout: float = Field(default=0.05, ge=0, le=0.99, description="dropout of the adapter's input")
    targets: tuple[str, ...] = Field(
        default=ATTENTION, description="layers that get an adapter, by the end of their name"
    )


def set_prefix(model: Any, tokenizer: Any) -> None:
    """Change the generation config of a Whisper, in place, for English captions without timestamps.

    Published configs suppress tokens that a transcript should not contain, such as brackets and quotation
    marks, and force tokens by position. Both are removed, as captions may have any character. A model without
    a table of languages (English-only) keeps its own prefix.
    """
    settings = model.generation_config
    settings.forced_decoder_ids = None
    settings.suppress_tokens = None
    settings.begin_suppress_tokens = None
    settings.return_timestamps = False
    settings.num_beams = settings.num_beams or 1  # for None, the pipeline of transformers uses 5
    settings.no_timestamps_token_id = tokenizer.convert_tokens_to_ids("<|notimestamps|>")
    if languages_of(settings):
        settings.language, settings.task = "en", "transcribe"
        tokenizer.set_prefix_tokens(language="en", task="transcribe", predict_timestamps=False)
    for name in ("forced_decoder_ids", "suppress_tokens", "begin_suppress_tokens"):
        setattr(model.config, name, None)


def set_window(model: Any, processor: WhisperProcessor, seconds: int) -> WhisperProcessor:
    """Change the window of a Whisper's encoder, in place; return a processor for the new window.

    Args:
        model: the Whisper.
        processor: its processor.
        seconds: new window, 1 to 30.

    Raises:
        CheckpointError: the new window is longer, and the model's table of positions is not Whisper's
            sinusoids.
    """
    extractor, encoder = processor.feature_extractor, model.get_encoder()
    features = Features(
        window_seconds=seconds,
        mel_bins=extractor.feature_size,
        hop=extractor.hop_length,
        fourier=extractor.n_fft,
    )
    table = encoder.embed_positions.weight.data
    length, width = features.frames // ENCODER_STRIDE, table.shape[1]
    if length <= len(table):
        positions = table[:length].clone()
    else:
        positions = sinusoids(length, width).to(table)
        if not torch.allclose(positions[: len(table)], table, atol=SINUSOID_ERROR):
            raise CheckpointError(
                f"the window cannot be {seconds} s: the model has only {len(table)} positions, which are not "
                "Whisper's sinusoids and cannot be extended: use a shorter window"
            )
    encoder.embed_positions = torch.nn.Embedding(length, width, _weight=positions)
    encoder.embed_positions.requires_grad_(False)
    encoder.max_source_positions = model.config.max_source_positions = length
    return WhisperProcessor(features.extractor(), processor.tokenizer)


@contextmanager
def short_window(encoder: Any, frames: int) -> Iterator[None]:
    """Context manager in which an encoder accepts windows of `frames` frames (an even number).

    The stock encoder accepts only whole windows. Here it uses the first positions of its table, so its output
    is the same, bit for bit, as that of a model for the shorter window with the same weights.
    """
    positions, config = encoder.embed_positions, encoder.config
    whole = config.max_source_positions
    positions.num_embeddings = config.max_source_positions = frames // ENCODER_STRIDE
    try:
        yield
    finally:
        positions.num_embeddings = config.max_source_positions = whole


def frozen_layers(config: Any, trained: int) -> int:
    """Return the number of frozen layers of the encoder, given the number of trained layers.

    Raises:
        CheckpointError: the encoder has fewer layers.
    """
    if trained > config.encoder_layers:
        raise CheckpointError(
            f"model.trained_encoder_layers is {trained}, but the encoder has only {config.encoder_layers} "
            "layers: give fewer, or method full"
        )
    return int(config.encoder_layers - trained)


def set_trained(model: Any, method: Method, lora: Lora, *, encoder_layers: int = 0) -> Any:
    """Freeze the weights of a Whisper that the training method does not train; return the model to train.

    The embedding of positions is always frozen.

    Args:
        model: the Whisper, which is changed.
        method: "full" trains all weights; "encoder-frozen" trains the decoder; "lora" trains adapters only,
            and returns a peft model.
        lora: settings of the adapters.
        encoder_layers: with "encoder-frozen", number of last encoder layers that are trained as well; if it
            is above 0, so is the final layer norm of the encoder.

    Raises:
        CheckpointError: the model has no layer named in `lora.targets`, or too few encoder layers.
        MissingExtraError: peft is not installed.
    """
    encoder = model.get_encoder()
    model.requires_grad_(method != "lora")
    encoder.embed_positions.requires_grad_(False)
    if method == "encoder-frozen":
        encoder.requires_grad_(False)
        encoder.layer_norm.requires_grad_(encoder_layers > 0)
        encoder.layers[frozen_layers(model.config, encoder_layers) :].requires_grad_(True)
    if method != "lora":
        return model
    peft: Any = require("peft", extra="train", purpose="low-rank adapters")
    ends = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    missing = [target for target in lora.targets if target.rpartition(".")[2] not in ends]
    if missing:
        raise CheckpointError(
            f"the model has no layer named {', '.join(missing)}: correct model.lora.targets"
        )
    # Without `task_type`: the wrapper of peft for sequence models has no `input_features`.
    settings = peft.LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=list(lora.targets)
    )
    with warnings.catch_warnings():  # peft uses a deprecated name of transformers
        warnings.simplefilter("ignore", FutureWarning)
        return peft.get_peft_model(model, settings)
