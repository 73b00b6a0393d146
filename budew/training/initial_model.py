"""Make the model of a run before its first step: configuration, weights (of a base or random), processor."""

import logging
from functools import cache
from pathlib import Path
from typing import Any

from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperProcessor, WhisperTokenizer

from budew.audio.samples import SAMPLING_RATE
from budew.io.files import whole_folder
from budew.io.resources import packaged_table
from budew.model.adapt import frozen_layers, set_prefix, set_window
from budew.model.build import ENCODER_STRIDE, SPECIAL, build_tokenizer, build_whisper, whisper_config
from budew.model.checkpoint import load_checkpoint
from budew.model.file_checks import check_features, has_extractor
from budew.model.reduce import caption_tokenizer, keep_layers, keep_vocabulary, reduce_layers
from budew.training.dataset import CaptionDataset, tokens_of
from budew.training.devices import accelerated
from budew.training.model_settings import ModelSettings
from budew.training.recipe import Recipe
from budew.training.training_model import WhisperFromStates, WhisperWithHeads

CAPTION_VOCABULARY = 3000
"""Assumed number of tokens with `vocabulary: captions`: Whisper's tokens that captions use, and the bytes."""
SHORT_WINDOW = 400
"""Largest window, in encoder positions, for which "eager" attention is used on CPUs."""

logger = logging.getLogger(__name__)


@cache
def whisper_sizes() -> dict[str, Any]:
    """Return the table of published Whispers: their sizes, and learning rates by method."""
    return dict(packaged_table(__package__, "whisper_sizes"))


def config_of(model: ModelSettings) -> WhisperConfig | None:
    """Return the config of the model that is trained, without loading the model.

    None if the base is neither a local folder nor a published Whisper.

    Raises:
        CheckpointError: the base has fewer layers than the recipe keeps.
    """
    if model.base is None:
        tokenizer = build_tokenizer([], vocabulary=256 + len(SPECIAL))
        config = whisper_config(model.scratch.size, model.scratch.features, tokenizer)
        config.vocab_size = model.scratch.size.vocabulary
        return config
    folder = Path(model.base).expanduser()
    if (folder / "config.json").is_file():
        config = WhisperConfig.from_pretrained(folder, local_files_only=True)
    elif size := whisper_sizes()["sizes"].get(model.base):
        config = WhisperConfig(
            **{name: size[name] for name in ("d_model", "encoder_layers", "decoder_layers")},
            **{name: size[name] for name in ("num_mel_bins", "vocab_size")},
            encoder_attention_heads=size["heads"],
            decoder_attention_heads=size["heads"],
            encoder_ffn_dim=4 * size["d_model"],
            decoder_ffn_dim=4 * size["d_model"],
        )
    else:
        return None
    reduce_layers(config, model.encoder_layers, model.decoder_layers)
    if model.vocabulary == "captions":
        ids = {f"{name}_token_id": 0 for name in ("pad", "bos", "eos", "decoder_start")}
        config.update({"vocab_size": min(CAPTION_VOCABULARY, config.vocab_size), **ids})
    if model.window_seconds:
        shorter = round(model.window_seconds * positions_a_second(model))
        config.max_source_positions = min(shorter, config.max_source_positions)
    return config


def positions_a_second(model: ModelSettings) -> float:
    """Return the number of encoder positions per second of audio; for an unknown base, Whisper's 50."""
    if model.base is None:
        return SAMPLING_RATE / (ENCODER_STRIDE * model.scratch.features.hop)
    folder, extractor = Path(model.base).expanduser(), WhisperFeatureExtractor()
    if has_extractor(folder):
        check_features(folder, model.base)
        extractor = WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True)
    return float(extractor.sampling_rate / (ENCODER_STRIDE * extractor.hop_length))


def learning_rate(recipe: Recipe) -> float:
    """Return the learning rate of a recipe, or if it has none, the default for its method and model size."""
    if recipe.optimizer.learning_rate is not None:
        return recipe.optimizer.learning_rate
    table, method = whisper_sizes(), recipe.model.method
    if method in ("scratch", "lora"):
        return float(table[f"{method}_rate"])
    config = config_of(recipe.model)
    width = 0 if config is None else config.d_model
    nearest = min(table["sizes"].values(), key=lambda size: abs(size["d_model"] - width))
    return float(table["full_share"] * nearest["pretrained_rate"])


def load_base(recipe: Recipe) -> tuple[Any, Any]:
    """Return the base, with the window and the layers of the recipe, and its processor.

    Both are None if the recipe trains from scratch.
    """
    settings = recipe.model
    if settings.base is None:
        return None, None
    loaded = load_checkpoint(settings.base, device="cpu")
    model, processor = loaded.model, loaded.processor
    keep_layers(model, settings.encoder_layers, settings.decoder_layers)
    frozen_layers(model.config, settings.trained_encoder_layers)  # raises errors before anything is computed
    if settings.window_seconds is not None and settings.window_seconds < loaded.window_seconds:
        processor = set_window(model, processor, settings.window_seconds)
    set_prefix(model, processor.tokenizer)
    warn_of_shorter_window(recipe, loaded.window_seconds)
    _set_attention(model)
    return model, processor


def warn_of_shorter_window(recipe: Recipe, seconds: float) -> None:
    """Log that the window of the base, in seconds, is shorter than that in the recipe, and is kept."""
    if seconds < (recipe.model.window_seconds or 0):
        logger.info(f"model.window_seconds: {recipe.model.base} has windows of {seconds:g} s, which are kept")


def complete_model(
    examples: CaptionDataset, model: Any, extractor: WhisperFeatureExtractor, folder: Path
) -> tuple[Any, WhisperProcessor]:
    """Return the model before its first step, and its processor.

    From scratch, or with `vocabulary: captions`, a tokenizer is made from the captions of the examples.

    Args:
        examples: training examples, with the processor from `load_base`.
        model: model from `load_base`; None from scratch.
        extractor: feature extractor of the model.
        folder: folder of the run, where the tokenizer is kept.
    """
    recipe, processor = examples.recipe, examples.processor
    settings = recipe.model
    if processor is None or settings.vocabulary == "captions":
        tokenizer = _caption_tokenizer(examples, folder / "tokenizer")
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


def _caption_tokenizer(examples: CaptionDataset, saved: Path) -> WhisperTokenizer:
    """Return a tokenizer made from the captions of the examples; it is saved in the folder `saved`.

    With a base it has the tokens that captions use, otherwise it is trained on the captions.
    """
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
    for name in ("is_local", "local_files_only"):  # only valid on this machine, so not saved
        tokenizer.init_kwargs.pop(name, None)
    return tokenizer


def _set_attention(model: Any) -> None:
    if not accelerated() and model.config.max_source_positions <= SHORT_WINDOW:
        model.set_attn_implementation("eager")  # a fifth faster on CPUs, see benchmarks/attention.py
