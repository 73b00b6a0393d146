"""Reduce a pretrained Whisper before fine-tuning: fewer layers, and the vocabulary of captions.

The first layers of the encoder are kept, since each works on the output of the one before it. Of the decoder,
the first and the last layer are kept, and layers at even distances between them, as in Distil-Whisper (Gandhi
et al. 2023). Whisper-base with 4 and 2 of its 6 layers has 45 % of the weights outside the embedding.

Captions need a few thousand of the 51,865 tokens, and a shallow decoder spends most of its time on the
product with the embedding. The remaining tokens keep their rows of the embedding. All bytes are among them,
so any text can still be written; timestamps are left out.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from tokenizers import pre_tokenizers
from transformers import WhisperConfig, WhisperTokenizer

from budew.errors import CheckpointError
from budew.model.build import SPECIAL, generation_config, stock_tokenizer, token_ids

FORMER = {"<|nospeech|>": "<|nocaptions|>"}
"""Special tokens to their names in the tokenizers of Whispers before large-v3."""


def reduce_layers(config: WhisperConfig, encoder: int | None, decoder: int | None) -> None:
    """Change the numbers of layers in a config, in place.

    Args:
        config: config of the base model.
        encoder, decoder: number of layers to keep; None for all.

    Raises:
        CheckpointError: the model has fewer layers.
    """
    for side, wanted in (("encoder", encoder), ("decoder", decoder)):
        name = f"{side}_layers"
        if wanted is None:
            continue
        if wanted > getattr(config, name):
            raise CheckpointError(
                f"model.{name} is {wanted}, but the {side} of the base model has only "
                f"{getattr(config, name)} layers: give fewer, or null for all"
            )
        setattr(config, name, wanted)


def keep_layers(model: Any, encoder: int | None, decoder: int | None) -> None:
    """Remove layers from a Whisper, in place: the last ones of the encoder, and inner ones of the decoder.

    Args:
        model: the Whisper.
        encoder, decoder: number of layers to keep; None for all. The last layer of the decoder is always
            kept.

    Raises:
        CheckpointError: the model has fewer layers.
    """
    layers = model.get_encoder().layers, model.get_decoder().layers
    reduce_layers(model.config, encoder, decoder)
    model.get_encoder().layers = layers[0][: model.config.encoder_layers]
    if model.config.decoder_layers < len(layers[1]):
        kept = decoder_layers(len(layers[1]), model.config.decoder_layers)
        model.get_decoder().layers = torch.nn.ModuleList(layers[1][number] for number in kept)
        for number, layer in enumerate(model.get_decoder().layers):
            layer.self_attn.layer_idx = layer.encoder_attn.layer_idx = number
        model.generation_config.alignment_heads = None  # for word times; their layers may be removed


def decoder_layers(number: int, kept: int) -> list[int]:
    """Return the numbers of the `kept` layers, of `number`: at even distances, including first and last."""
    chosen = np.linspace(0, number - 1, kept).astype(int).tolist()
    return [*chosen[:-1], number - 1]


def caption_tokenizer(base: WhisperTokenizer, used: Iterable[int]) -> WhisperTokenizer:
    """Make a smaller tokenizer from that of a base model.

    It has all bytes, the used tokens, the tokens from which these are merged, and the special tokens of
    captions. A text whose tokens in the base are all among the used ones is split into the same tokens.

    Args:
        base: tokenizer of the base model.
        used: ids of the tokens to keep.
    """
    bpe = json.loads(base.backend_tokenizer.to_str())["model"]
    names = {number: token for token, number in bpe["vocab"].items()}
    merges = [tuple(merge) for merge in bpe["merges"]]
    kept = {names[number] for number in set(used) & names.keys()} - set(SPECIAL)
    parts = defaultdict[str, set[str]](set)
    for merge in merges:
        parts["".join(merge)] |= set(merge)
    waiting = list(kept)
    while waiting:
        found = parts[waiting.pop()] - kept
        kept |= found
        waiting += found
    kept |= set(pre_tokenizers.ByteLevel.alphabet())
    ordered = sorted(kept, key=bpe["vocab"].__getitem__)
    return stock_tokenizer(
        {token: number for number, token in enumerate(ordered)},
        [merge for merge in merges if "".join(merge) in kept],
    )


def keep_vocabulary(model: Any, base: WhisperTokenizer, tokenizer: WhisperTokenizer) -> None:
    """Reduce the embedding of a Whisper, in place, to the tokens of a `caption_tokenizer`.

    The generation config is replaced, too.

    Args:
        model: the Whisper.
        base: its tokenizer.
        tokenizer: smaller tokenizer of `caption_tokenizer`.

    Raises:
        CheckpointError: the base lacks a token.
    """
    known = base.get_vocab()
    known = {name: known[former] for name, former in FORMER.items() if former in known} | known
    tokens: Sequence[str] = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    missing = [token for token in tokens if token not in known]
    if missing:
        raise CheckpointError(
            f"the tokenizer of the base model lacks {missing[0]}: set model.vocabulary to base, or use "
            "another base model"
        )
    rows = model.get_input_embeddings().weight.data[[known[token] for token in tokens]].clone()
    ends, width = token_ids(tokenizer), rows.shape[1]
    model.set_input_embeddings(torch.nn.Embedding(len(rows), width, ends["pad_token_id"], _weight=rows))
    model.set_output_embeddings(torch.nn.Linear(width, len(rows), bias=False))
    model.config.update({"vocab_size": len(rows), **ends})
    model.tie_weights()
    limit = model.config.max_target_positions
    model.generation_config = generation_config(tokenizer, longest_caption=limit, num_beams=1)
