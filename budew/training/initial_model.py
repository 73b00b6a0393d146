"""The model of a run before its first step, from a base or with random weights, and its processor."""

import logging
from pathlib import Path
from typing import Any

from transformers import WhisperFeatureExtractor, WhisperProcessor, WhisperTokenizer

from budew.io.files import whole_folder
from budew.model.adapt import frozen_layers, set_prefix, set_window
from budew.model.build import build_tokenizer, build_whisper
from budew.model.checkpoint import load_checkpoint
from budew.model.reduce import caption_tokenizer, keep_layers, keep_vocabulary
from budew.training.dataset import CaptionDataset, tokens_of
from budew.training.devices import accelerated
from budew.training.recipe import Recipe
from budew.training.training_model import WhisperFromStates, WhisperWithHeads

SHORT_WINDOW = 400
"""Positions of a window for which the whole attention matrix fits in memory."""

logger = logging.getLogger(__name__)


def load_base(recipe: Recipe) -> tuple[Any, Any]:
    """Return the pretrained model, with the window and the layers of the recipe, and its processor.

    From scratch both are None.
    """
    settings = recipe.model
    if settings.base is None:
        return None, None
    loaded = load_checkpoint(settings.base, device="cpu")
    model, processor = loaded.model, loaded.processor
    keep_layers(model, settings.encoder_layers, settings.decoder_layers)
    frozen_layers(model.config, settings.trained_encoder_layers)  # an error before anything is computed
    if settings.window_seconds is not None and settings.window_seconds < loaded.window_seconds:
        processor = set_window(model, processor, settings.window_seconds)
    warn_of_shorter_window(recipe, loaded.window_seconds)
    set_prefix(model, processor.tokenizer)
    _set_attention(model)
    return model, processor


def warn_of_shorter_window(recipe: Recipe, seconds: float) -> None:
    """Report that the base was trained on a shorter window than the recipe wants, and keeps it."""
    if seconds < (recipe.model.window_seconds or 0):
        logger.info(f"model.window_seconds: {recipe.model.base} has windows of {seconds:g} s, and keeps them")


def complete_model(
    examples: CaptionDataset, model: Any, extractor: WhisperFeatureExtractor, folder: Path
) -> tuple[Any, WhisperProcessor]:
    """Return the model that is trained and its processor, with a tokenizer of captions if the recipe has one.

    Args:
        examples: of the run; their processor is that of the base.
        model: of `load_base`.
        extractor: of the model.
        folder: of the run, where such a tokenizer is kept.
    """
    recipe, processor = examples.recipe, examples.processor
    settings = recipe.model
    if processor is None or settings.vocabulary == "captions":
        tokenizer = prepare_tokenizer(examples, folder)
        if processor is not None:
            keep_vocabulary(model, processor.tokenizer, tokenizer)
        processor = WhisperProcessor(extractor, tokenizer)
    if model is None:
        size, features = settings.scratch.size, settings.scratch.features
        options: dict[str, Any] = {"seed": recipe.seed, "num_beams": settings.num_beams}
        model = build_whisper(size, features, processor.tokenizer, kind=WhisperWithHeads, **options)
    elif recipe.data.cache_states or settings.has_heads:
        kind = WhisperWithHeads if settings.has_heads else WhisperFromStates
        frozen = frozen_layers(model.config, settings.trained_encoder_layers)
        model = kind.of(model, frozen_layers=frozen, seed=recipe.seed)
    _set_attention(model)
    return model, processor


def prepare_tokenizer(examples: CaptionDataset, folder: Path) -> WhisperTokenizer:
    """Return a tokenizer made from captions of the examples; it is kept in the folder of the run.

    It has the tokens of the base that they use, or is trained on them from scratch.
    """
    saved = folder / "tokenizer"
    if not saved.is_dir():
        targets = examples.vocabulary_targets()
        if examples.processor is None:
            captions = (f"{one.prompt} {one.text}" if one.prompt else one.text for one in targets)
            made = build_tokenizer(captions, vocabulary=examples.recipe.model.scratch.size.vocabulary)
        else:
            used = (token for target in targets for token in tokens_of(target, examples.processor)[0])
            made = caption_tokenizer(examples.processor.tokenizer, used)
        with whole_folder(saved) as written:
            made.save_pretrained(written)
    tokenizer = WhisperTokenizer.from_pretrained(saved)
    for name in ("is_local", "local_files_only"):  # of this machine, not to be saved
        tokenizer.init_kwargs.pop(name, None)
    return tokenizer


def _set_attention(model: Any) -> None:
    if not accelerated() and model.config.max_source_positions <= SHORT_WINDOW:
        model.set_attn_implementation("eager")  # a fifth faster on processors, see benchmarks/attention.py
