"""The files of a checkpoint, validated before anything is built from them.

A checkpoint comes from anywhere: a config may set a million layers, an index may point out of its folder, a
pickle may run code.
"""

import json
import re
from collections.abc import Mapping
from json import JSONDecodeError
from pathlib import Path
from typing import Any

from transformers import WhisperForConditionalGeneration

from budew.errors import CheckpointError

LARGEST_JSON = 16 * 2**20
"""Bytes."""
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
"""Several times those of the largest Whisper (width 1,280, 32 layers)."""
LARGEST_FEATURES = {
    "feature_size": 512,
    "n_fft": 16_384,
    "hop_length": 16_384,
    "chunk_length": 600,
    "sampling_rate": 192_000,
}
"""Of a feature extractor; a window is 30 s at 16 kHz as a rule."""


def check_files(folder: Path, name: str) -> None:
    """Check config, feature extractor and weights of the checkpoint in `folder`, called `name` in errors.

    Raises:
        CheckpointError: they are missing, or not those of a Whisper captioner in safetensors.
    """
    config = _check_config(folder, name)
    _check_weights(folder, name)
    _check_parameters(config, folder, name)
    _check_extractor(folder, name)


def read_json(path: Path, name: str) -> dict[str, Any]:
    """Return the object in a JSON file of the checkpoint `name`.

    Raises:
        CheckpointError: too large, or no JSON object.
    """
    if path.stat().st_size > LARGEST_JSON:
        raise CheckpointError(
            f"{name}: {path.name} is larger than {LARGEST_JSON // 2**20} MB: not a checkpoint's"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        reason = f" ({error})" if isinstance(error, JSONDecodeError | UnicodeDecodeError) else ""
        raise CheckpointError(
            f"{name}: {path.name} is not valid JSON{reason}: fetch or save it again"
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{name}: {path.name} is not a JSON object: fetch or save it again")
    return content


def _check_config(folder: Path, name: str) -> dict[str, Any]:
    """Require a Whisper with a decoder, of a possible size."""
    if not (folder / "config.json").is_file():
        raise CheckpointError(
            f"{name}: there is no config.json in {folder}: is it the folder of a checkpoint?"
        )
    config = read_json(folder / "config.json", name)
    model_type = config.get("model_type")
    if model_type != "whisper":
        raise CheckpointError(f"{name} is a {model_type!r} model: only Whisper checkpoints can caption")
    expected = WhisperForConditionalGeneration.__name__
    architectures = config.get("architectures") or [expected]
    if not isinstance(architectures, list) or expected not in architectures:
        other = architectures[0] if isinstance(architectures, list) else architectures
        raise CheckpointError(f"{name} is a {other}, which writes no captions: use a {expected}")
    if config.get("quantization_config"):
        raise CheckpointError(
            f"{name} is quantized, which is not supported: use the checkpoint it was made of"
        )
    _check_sizes(config, LARGEST_SIZES, f"{name}: config.json")
    return config


def _check_sizes(settings: Mapping[str, Any], largest: Mapping[str, int], place: str) -> None:
    for setting, most in largest.items():
        value = settings.get(setting, 1)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise CheckpointError(
                f"{place} says {setting}: {repr(value)[:40]}, not a number from 1 to {most:,}: "
                "fetch or save the checkpoint again"
            )


def _check_weights(folder: Path, name: str) -> None:
    """Require safetensors in this folder: a pickle could run code and is never opened."""
    if (folder / "model.safetensors").is_file():
        return
    if (folder / INDEX).is_file():
        _check_index(folder, name)
        return
    if any(folder.glob("pytorch_model*.bin")):
        raise CheckpointError(
            f"{name} has only pickled weights (pytorch_model.bin), which can run code when opened: "
            "convert them to model.safetensors with save_pretrained, where they are trusted"
        )
    raise CheckpointError(f"{name} has no model.safetensors in {folder}: the checkpoint is incomplete")


def _check_index(folder: Path, name: str) -> None:
    """Require that the index names safetensors files beside it only."""
    listed = read_json(folder / INDEX, name).get("weight_map")
    if not isinstance(listed, dict) or not listed:
        raise CheckpointError(f"{name}: {INDEX} names no weights: fetch or save the checkpoint again")
    wrong = sorted(repr(part)[:80] for part in listed.values() if not SHARD.fullmatch(str(part)))
    if wrong:
        raise CheckpointError(
            f"{name}: {INDEX} names {wrong[0]} for weights, and only safetensors files beside it are opened: "
            "save the checkpoint again with save_pretrained"
        )


def _check_parameters(config: Mapping[str, Any], folder: Path, name: str) -> None:
    """Require weights on disk for the layers of the config, before memory is allocated for them."""
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
            f"{size / 1e6:,.1f} MB: the checkpoint is incomplete, or the config another's"
        )


def _check_extractor(folder: Path, name: str) -> None:
    for file in ("preprocessor_config.json", "processor_config.json"):
        if not (folder / file).is_file():
            continue
        settings = read_json(folder / file, name)
        nested = settings.get("feature_extractor")
        _check_sizes(nested if isinstance(nested, dict) else settings, LARGEST_FEATURES, f"{name}: {file}")
