"""Checks of the files of a checkpoint, before anything is built from them.

A checkpoint may be hostile: its config may state a million layers, its index may name files outside its
folder, and a pickle may run code.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import WhisperForConditionalGeneration

from budew.errors import CheckpointError, first_line

EXTRACTOR_FILES = ("preprocessor_config.json", "processor_config.json")
ADAPTER_CONFIG = "adapter_config.json"
WEIGHTS = "model.safetensors"
LARGEST_JSON = 16 * 2**20
"""Largest JSON file of a checkpoint in bytes."""
INDEX = "model.safetensors.index.json"
SHARD = re.compile(r"[\w-]{1,80}\.safetensors")
LARGEST_SIZES = {
    "d_model": 8_192,
    "encoder_layers": 256,
    "decoder_layers": 256,
    "encoder_attention_heads": 256,
    "decoder_attention_heads": 256,
    "encoder_ffn_dim": 65_536,
    "decoder_ffn_dim": 65_536,
    "vocab_size": 1_000_000,
    "num_mel_bins": 512,
    "max_source_positions": 32_768,
    "max_target_positions": 32_768,
}
"""Largest accepted sizes in a config: several times those of the largest Whisper (width 1,280, 32 layers)."""
LARGEST_FEATURES = {
    "feature_size": 512,
    "n_fft": 16_384,
    "hop_length": 16_384,
    "chunk_length": 600,
    "sampling_rate": 192_000,
}
"""Largest accepted settings of a feature extractor; the usual window is 30 s at 16 kHz."""


def check_files(folder: Path, name: str) -> None:
    """Require that a folder has config, feature extractor and safetensors weights of a Whisper captioner.

    An adapter in the same folder is an error: `transformers` would load its base instead of these files.

    Args:
        folder: folder of the checkpoint.
        name: name of the checkpoint, for errors.

    Raises:
        CheckpointError: a file is missing or invalid.
    """
    config = check_config(folder, name)
    _check_weights(folder, name)
    _check_parameters(config, folder, name)
    check_features(folder, name)


def check_config(folder: Path, name: str) -> dict[str, Any]:
    """Read the config of a Whisper captioner, and check that its sizes are within `LARGEST_SIZES`.

    Args:
        folder: folder of the checkpoint.
        name: name of the checkpoint, for errors.

    Raises:
        CheckpointError: the config is missing, invalid, or of another kind of model.
    """
    if (folder / ADAPTER_CONFIG).is_file():
        raise CheckpointError(
            f"{name}: {ADAPTER_CONFIG} belongs to a LoRA adapter, but this folder must hold a whole model: "
            "remove the file, or move the adapter to a folder of its own"
        )
    if not (folder / "config.json").is_file():
        raise CheckpointError(f"{name}: there is no config.json in {folder}: give the folder of a checkpoint")
    config = read_json(folder / "config.json", name)
    model_type, architectures = config.get("model_type"), config.get("architectures")
    if model_type != "whisper" or architectures not in (None, [], [WhisperForConditionalGeneration.__name__]):
        raise CheckpointError(
            f"{name} is a {model_type!r} model with the architectures {architectures!r}, which writes no "
            f"captions: use a {WhisperForConditionalGeneration.__name__}"
        )
    if config.get("quantization_config"):
        raise CheckpointError(f"{name} is quantized, which is not supported: use the original checkpoint")
    _check_sizes(config, LARGEST_SIZES, f"{name}: config.json")
    return config


def has_extractor(folder: Path) -> bool:
    """Return whether a folder has a file with the settings of a feature extractor."""
    return any((folder / file).is_file() for file in EXTRACTOR_FILES)


def check_features(folder: Path, name: str) -> None:
    """Require that the settings of a feature extractor, if there is one, are within `LARGEST_FEATURES`."""
    for file in EXTRACTOR_FILES:
        if (folder / file).is_file():
            settings = read_json(folder / file, name)
            nested = settings.get("feature_extractor")
            features = nested if isinstance(nested, dict) else settings
            _check_sizes(features, LARGEST_FEATURES, f"{name}: {file}")


def read_json(path: Path, name: str) -> dict[str, Any]:
    """Read the object in a JSON file of the checkpoint `name`.

    Raises:
        CheckpointError: the file cannot be read, is too large, or has no JSON object.
    """
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise ValueError(f"it is larger than {LARGEST_JSON // 2**20} MB")
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it contains no JSON object")
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{name}: {path.name} cannot be read ({first_line(error)}): download or save the checkpoint again"
        ) from error
    return content


def _check_sizes(settings: Mapping[str, Any], largest: Mapping[str, int], place: str) -> None:
    for setting, most in largest.items():
        value = settings.get(setting, 1)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise CheckpointError(
                f"{place}: {setting} is {repr(value)[:40]}, not a number from 1 to {most:,}: "
                "fetch or save the checkpoint again"
            )


def _check_weights(folder: Path, name: str) -> None:
    """Require safetensors in this folder, or an index that names only safetensors in it."""
    if (folder / WEIGHTS).is_file():
        return
    if not (folder / INDEX).is_file():
        raise CheckpointError(
            f"{name} has no model.safetensors in {folder}: pickled weights can run code when opened, so "
            "convert them with save_pretrained, where they are trusted"
        )
    listed = read_json(folder / INDEX, name).get("weight_map")
    parts = list(listed.values()) if isinstance(listed, dict) else []
    if not parts or not all(SHARD.fullmatch(str(part)) for part in parts):
        raise CheckpointError(
            f"{name}: {INDEX} names other files than safetensors in its folder: save the checkpoint again "
            "with save_pretrained"
        )


def _check_parameters(config: Mapping[str, Any], folder: Path, name: str) -> None:
    """Require that the weights on disk are large enough for the config, before memory is allocated."""
    width, vocabulary = config.get("d_model", 0), config.get("vocab_size", 0)
    per_encoder_layer = 4 * width**2 + 2 * width * config.get("encoder_ffn_dim", 0)
    per_decoder_layer = 8 * width**2 + 2 * width * config.get("decoder_ffn_dim", 0)
    parameters = (
        vocabulary * width
        + config.get("encoder_layers", 0) * per_encoder_layer
        + config.get("decoder_layers", 0) * per_decoder_layer
    )
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    if parameters > size:  # a parameter takes a byte at least
        raise CheckpointError(
            f"{name}: config.json describes {parameters / 1e6:,.1f} million parameters, its weights have "
            f"{size / 1e6:,.1f} MB: the checkpoint is incomplete, or config.json belongs to another"
        )
