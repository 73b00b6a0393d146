"""Start of a run: its model before the first step, from a base or with random weights, and its processor."""

from pathlib import Path
from typing import Any

from transformers import WhisperFeatureExtractor, WhisperProcessor, WhisperTokenizer

from budew.io.files import whole_folder
from budew.model.adapt import frozen_layers, set_prefix, set_window
from budew.model.build import build_tokenizer, build_whisper
from budew.model.checkpoint import load_checkpoint
from budew.model.reduce import caption_tokenizer, keep_layers, keep_vocabulary
from budew.randomness import generator
from budew.training.devices import accelerated
from budew.training.examples import Examples, tokens_of
from budew.training.from_states import WhisperFromStates
from budew.training.heads import WhisperWithHeads
from budew.training.progress import say
from budew.training.recipe import Recipe
from budew.training.targets import Target

TOKENIZER_CAPTIONS = (2_000, 20_000)
"""From which a tokenizer is made: as many as the run has, but at least and at most these."""
SHORT = 400
"""Positions of a short window, of which each may look at each in memory."""


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
    say_window(recipe, loaded.window_seconds)
    set_prefix(model, processor.tokenizer)
    _set_attention(model)
    return model, processor


def say_window(recipe: Recipe, seconds: float) -> None:
    """Say so where the window of the base is shorter than the one asked for: it was trained on no other."""
    if seconds < (recipe.model.window_seconds or 0):
        say(f"model.window_seconds: {recipe.model.base} has windows of {seconds:g} s, and keeps them")


def complete(
    recipe: Recipe, folder: Path, model: Any, extractor: WhisperFeatureExtractor, examples: Examples
) -> tuple[Any, WhisperProcessor]:
    """Return the model that is trained and its processor, with a tokenizer of captions if the recipe has one.

    Args:
        recipe: of the run.
        folder: of the run, where such a tokenizer is kept.
        model: of `load_base`.
        extractor: of the model.
        examples: of the run; their processor is that of the base.
    """
    processor = examples.processor
    if processor is None or recipe.model.vocabulary == "captions":
        tokenizer = prepare_tokenizer(recipe, folder, examples)
        if processor is not None:
            keep_vocabulary(model, processor.tokenizer, tokenizer)
        processor = WhisperProcessor(extractor, tokenizer)
    if model is None:
        model = build_model(recipe, processor)
    elif recipe.data.cache_states or recipe.model.has_heads:
        frozen = frozen_layers(model.config, recipe.model.trained_encoder_layers)
        kind = WhisperWithHeads if recipe.model.has_heads else WhisperFromStates
        model = kind.of(model, frozen_layers=frozen, seed=recipe.seed)
    _set_attention(model)
    return model, processor


def prepare_tokenizer(recipe: Recipe, folder: Path, examples: Examples) -> WhisperTokenizer:
    """Return a tokenizer made of captions of the examples; it is kept in the folder of the run.

    It has the tokens of the base that they use, or is trained on them from scratch.
    """
    saved = folder / "tokenizer"
    if not saved.is_dir():
        fewest, most = TOKENIZER_CAPTIONS
        numbers = range(min(max(fewest, len(examples)), most))
        targets = (_target(recipe, examples, number) for number in numbers)
        if examples.processor is None:
            captions = (" ".join(filter(None, (target.prompt, target.text))) for target in targets)
            made = build_tokenizer(captions, vocabulary=recipe.model.scratch.size.vocabulary)
        else:
            used = (token for target in targets for token in tokens_of(target, examples.processor)[0])
            made = caption_tokenizer(examples.processor.tokenizer, used)
        with whole_folder(saved) as written:
            made.save_pretrained(written)
    tokenizer = WhisperTokenizer.from_pretrained(saved)
    for note in ("is_local", "local_files_only"):  # of this machine, not to be saved
        tokenizer.init_kwargs.pop(note, None)
    return tokenizer


def build_model(recipe: Recipe, processor: WhisperProcessor) -> WhisperWithHeads:
    """Return a model with random weights, decided by the seed of the recipe."""
    scratch = recipe.model.scratch
    return build_whisper(
        scratch.size,
        scratch.features,
        processor.tokenizer,
        seed=recipe.seed,
        num_beams=recipe.model.num_beams,
        kind=WhisperWithHeads,
    )


def _target(recipe: Recipe, examples: Examples, number: int) -> Target:
    rng = generator(recipe.seed, -1 - number, "tokenizer")
    return examples.any_target(number % len(examples), rng)


def _set_attention(model: Any) -> None:
    if not accelerated() and model.config.max_source_positions <= SHORT:
        model.set_attn_implementation("eager")  # a fifth faster on processors, see benchmarks/attention.py
