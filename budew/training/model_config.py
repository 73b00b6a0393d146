"""What is known of the model of a recipe before it is loaded: its configuration, and the default learning
rate."""

import copy
from functools import cache
from pathlib import Path
from typing import Any

from transformers import WhisperConfig, WhisperFeatureExtractor

from budew.audio.samples import SAMPLING_RATE
from budew.io.resources import packaged_table
from budew.model.build import ENCODER_STRIDE, SPECIAL, build_tokenizer, whisper_config
from budew.model.checkpoint import has_extractor
from budew.model.file_checks import check_features
from budew.model.reduce import reduce_layers
from budew.training.model_settings import ModelSettings
from budew.training.recipe import Recipe

CAPTION_VOCABULARY = 3000
"""Tokens of Whisper's that captions use, and the bytes."""


@cache
def whisper_sizes() -> dict[str, Any]:
    """Return the table of the published Whispers."""
    return dict(packaged_table(__package__, "whisper_sizes"))


def learning_rate(recipe: Recipe) -> float:
    """Return the learning rate of a recipe; without one, that of its size and method."""
    if recipe.optimizer.learning_rate is not None:
        return recipe.optimizer.learning_rate
    table, method = whisper_sizes(), recipe.model.method
    if method in ("scratch", "lora"):
        return float(table[f"{method}_rate"])
    config = config_of(recipe.model)
    width = 0 if config is None else config.d_model
    nearest = min(table["sizes"].values(), key=lambda size: abs(size["d_model"] - width))
    return float(table["full_share"] * nearest["pretrained_rate"])


def config_of(model: ModelSettings) -> WhisperConfig | None:
    """Return the config of the model that is trained; None for a base that is not here and not known.

    Raises:
        CheckpointError: the base has fewer layers than are to be kept.
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
    """Return the number of encoder positions a second; for an unknown base that of the published Whispers."""
    if model.base is None:
        return SAMPLING_RATE / (ENCODER_STRIDE * model.scratch.features.hop)
    folder, extractor = Path(model.base).expanduser(), WhisperFeatureExtractor()
    if has_extractor(folder):
        check_features(folder, model.base)
        extractor = WhisperFeatureExtractor.from_pretrained(folder, local_files_only=True)
    return float(extractor.sampling_rate / (ENCODER_STRIDE * extractor.hop_length))


def result_settings(model: Any, recipe: Recipe, *, has_prompts: bool) -> Any:
    """Return the generation config with which the result is saved, and validated before.

    Args:
        model: as it is trained.
        recipe: of the run.
        has_prompts: whether examples have prompts.
    """
    settings = copy.deepcopy(model.generation_config)
    settings.num_beams = recipe.model.num_beams
    vars(settings).pop("trained_on", None)  # of the base
    if recipe.trained_on:
        settings.trained_on = recipe.trained_on
    if has_prompts:
        settings.trained_with_prompts = True
    if recipe.data.short_windows == 1 or recipe.data.cache_states:  # else it ends with whole windows alone
        settings.short_windows = True
    return settings
