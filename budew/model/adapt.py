"""Prepare a pretrained Whisper for fine-tuning on captions: prefix, shorter window, trainable layers.

Whisper computes 30 s whatever the length of the clip, and most clips last 3-12 s. Its encoder adds
sinusoids to the frames and has no other notion of length, so the first positions of the table make an
encoder for a shorter window; the published table is the sinusoids rounded to half precision, so a longer one
can be made again. The window is saved in config and feature extractor, where stock classes find it.

Low-rank adapters (Hu et al. 2021, "LoRA") leave the pretrained weights as they are and learn a difference
of small rank for the projections of the attention.
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
"""Largest difference of a table of positions from the sinusoids: half precision, and some to spare."""


class Lora(Settings):
    """Low-rank adapters of peft."""

    rank: int = Field(default=32, ge=1, le=1024, description="rank of the learned difference")
    alpha: int = Field(default=64, ge=1, le=4096, description="its scale is alpha / rank")
    dropout: float = Field(default=0.05, ge=0, le=0.99, description="dropout before it")
    targets: tuple[str, ...] = Field(
        default=ATTENTION, description="layers that get one, by the end of their name"
    )


def set_prefix(model: Any, tokenizer: Any) -> None:
    """Let `generate` write English captions without timestamps, of any characters.

    The published configs suppress what a transcript should not begin with or contain, brackets and quotation
    marks among them, and force tokens by position; a caption needs none of it. A model without a table of
    languages (the English-only ones) keeps its own prefix.
    """
    settings = model.generation_config
    settings.forced_decoder_ids = None
    settings.suppress_tokens = None
    settings.begin_suppress_tokens = None
    settings.return_timestamps = False
    settings.num_beams = settings.num_beams or 1  # the pipeline of transformers takes 5 where there is none
    settings.no_timestamps_token_id = tokenizer.convert_tokens_to_ids("<|notimestamps|>")
    if languages_of(settings):
        settings.language, settings.task = "en", "transcribe"
        tokenizer.set_prefix_tokens(language="en", task="transcribe", predict_timestamps=False)
    for name in ("forced_decoder_ids", "suppress_tokens", "begin_suppress_tokens"):
        setattr(model.config, name, None)


def set_window(model: Any, processor: WhisperProcessor, seconds: int) -> WhisperProcessor:
    """Change the encoder of a Whisper to windows of 1 to 30 `seconds`; return a processor that makes them.

    Raises:
        CheckpointError: the window is longer than the model's, whose positions are no sinusoids.
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
                f"the window cannot be {seconds} s: the model has {len(table)} positions that are not "
                "Whisper's sinusoids, so no more can be computed: use a shorter window"
            )
    encoder.embed_positions = torch.nn.Embedding(length, width, _weight=positions)
    encoder.embed_positions.requires_grad_(False)
    encoder.max_source_positions = model.config.max_source_positions = length
    return WhisperProcessor(features.extractor(), processor.tokenizer)


@contextmanager
def short_window(encoder: Any, frames: int) -> Iterator[None]:
    """Let an encoder take an even number of frames, fewer than its window, within a `with` block.

    The stock encoder accepts only whole windows. With the first positions of its table it computes, bit for
    bit, what a model made for the shorter window with the same weights does.
    """
    positions, config = encoder.embed_positions, encoder.config
    whole = config.max_source_positions
    positions.num_embeddings = config.max_source_positions = frames // ENCODER_STRIDE
    try:
        yield
    finally:
        positions.num_embeddings = config.max_source_positions = whole


def frozen_layers(config: Any, trained: int) -> int:
    """Return how many layers of the encoder do not learn, given how many do.

    Raises:
        CheckpointError: it has fewer.
    """
    if trained > config.encoder_layers:
        raise CheckpointError(
            f"model.trained_encoder_layers: {trained} layers cannot learn of {config.encoder_layers} in the "
            "encoder: give fewer, or method full"
        )
    return int(config.encoder_layers - trained)


def set_trained(model: Any, method: Method, lora: Lora, *, encoder_layers: int = 0) -> Any:
    """Return a Whisper, which is changed, with the weights that learn, ready for a trainer.

    The method "lora" gives a peft model. With "encoder-frozen" the last `encoder_layers` of the encoder learn
    too, and with any its final layer norm. The embedding of positions never learns.

    Raises:
        CheckpointError: no layer of the model has a name that adapters are for, or it has fewer layers.
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
    with warnings.catch_warnings():  # peft asks transformers by a name that is going out of use
        warnings.simplefilter("ignore", FutureWarning)
        return peft.get_peft_model(model, settings)
