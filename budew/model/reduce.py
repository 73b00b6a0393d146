"""Reduce a pretrained Whisper before fine-tuning: fewer layers, and the vocabulary of captions.

The first layers of an encoder are kept, since each works on what the one before it has made. Of a decoder the
first and the last layer are kept, and between them layers at even distances, as in distilled Whispers (Gandhi
et al. 2023, "Distil-Whisper"). Of whisper-base, 4 and 2 layers of 6 leave 45 % of the weights outside the
embedding.

Captions need a few thousand of the 51,865 tokens, and the product with the embedding is most of the time that
a shallow decoder takes. The tokens that remain keep their rows of the embedding. All bytes are among them, so
any text can still be written; timestamps are left out.
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
"""Special tokens that the tokenizers of Whispers before large-v3 have under other names."""


def reduce_layers(config: WhisperConfig, encoder: int | None, decoder: int | None) -> None:
    """Change the numbers of layers in a config; None for those that it has.

    Raises:
        CheckpointError: the model has fewer.
    """
    for side, wanted in (("encoder", encoder), ("decoder", decoder)):
        name = f"{side}_layers"
        if wanted is None:
            continue
        if wanted > getattr(config, name):
            raise CheckpointError(
                f"model.{name}: {wanted} layers cannot be kept of {getattr(config, name)} in the {side} of "
                "the base: give fewer, or null for all"
            )
        setattr(config, name, wanted)


def keep_layers(model: Any, encoder: int | None, decoder: int | None) -> None:
    """Remove layers from a Whisper: all but the first of the encoder, and all but some of the decoder.

    `encoder` and `decoder` layers remain, None for all. Of the decoder, the last remains in any case.

    Raises:
        CheckpointError: the model has fewer.
    """
    layers = model.get_encoder().layers, model.get_decoder().layers
    reduce_layers(model.config, encoder, decoder)
    model.get_encoder().layers = layers[0][: model.config.encoder_layers]
    if model.config.decoder_layers < len(layers[1]):
        kept = decoder_layers(len(layers[1]), model.config.decoder_layers)
        model.get_decoder().layers = torch.nn.ModuleList(layers[1][number] for number in kept)
        for number, layer in enumerate(model.get_decoder().layers):
            layer.self_attn.layer_idx = layer.encoder_attn.layer_idx = number
        model.generation_config.alignment_heads = None  # of layers that may be gone, for times of words


def decoder_layers(number: int, kept: int) -> list[int]:
    """Return the layers that stay: at even distances, with the first and the last."""
    chosen = np.linspace(0, number - 1, kept).astype(int).tolist()
    return [*chosen[:-1], number - 1]


def caption_tokenizer(base: WhisperTokenizer, used: Iterable[int]) -> WhisperTokenizer:
    """Return a tokenizer with all bytes, used tokens, what these are merged from, and the special tokens of
    captions.

    A text whose tokens in the base are all among the used ones has the same tokens in both: each merge on the
    way to them is there, and no other comes before it.
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
    """Leave a Whisper the rows of its embedding for the tokens of a `caption_tokenizer`.

    Its generation config is replaced.

    Raises:
        CheckpointError: the model has no such token.
    """
    known = base.get_vocab()
    known = {name: known[former] for name, former in FORMER.items() if former in known} | known
    tokens: Sequence[str] = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    missing = [token for token in tokens if token not in known]
    if missing:
        raise CheckpointError(
            f"model.vocabulary: the tokenizer of the base has no {missing[0]}: give base, or another base"
        )
    rows = model.get_input_embeddings().weight.data[[known[token] for token in tokens]].clone()
    ends, width = token_ids(tokenizer), rows.shape[1]
    model.set_input_embeddings(torch.nn.Embedding(len(rows), width, ends["pad_token_id"], _weight=rows))
    model.set_output_embeddings(torch.nn.Linear(width, len(rows), bias=False))
    model.config.update({"vocab_size": len(rows), **ends})
    model.tie_weights()
    limit = model.config.max_target_positions
    model.generation_config = generation_config(tokenizer, longest_caption=limit, num_beams=1)
