"""Load a checkpoint: a plain `WhisperForConditionalGeneration` with its processor, from a folder or the hub.

A checkpoint comes from anywhere: its config may set a million layers, its index may point out of its folder,
a pickle may run code. The files are checked before anything is built from them. What `transformers` is
lenient about is an error too, or put right: it fills missing weights with random numbers, makes an empty
tokenizer where the file is missing, and drops `lang_to_id` from a generation config that says
`_from_model_config`.
"""

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from transformers import GenerationConfig, WhisperForConditionalGeneration, WhisperProcessor

from budew.errors import CheckpointError, first_line
from budew.extras import quiet_transformers
from budew.files import fingerprint
from budew.resources import data_folder

EMBEDDED = "tiny-synthetic"
FALLBACK_PROCESSOR = "openai/whisper-small"
HUB_ID = re.compile(r"\w[\w.-]{0,95}/[\w.-]{1,96}")
DOWNLOADED = ("*.json", "merges.txt", "model*.safetensors")
"""Never pickles or code."""
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


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model ready to caption.

    `window_seconds` is the length of audio that the encoder takes, `sampling_rate` (Hz) the rate it wants.
    """

    model: Any  # WhisperForConditionalGeneration
    processor: Any  # WhisperProcessor
    name: str
    window_seconds: float
    sampling_rate: int

    @property
    def trained_with_prompts(self) -> bool:
        """Whether it was trained to follow prompts for style and parts (`budew.captions.caption_prompt`)."""
        return getattr(self.model.generation_config, "trained_with_prompts", False) is True


def load_checkpoint(name_or_dir: str | Path | None = None, *, device: str | None = None) -> Checkpoint:
    """Load the checkpoint in the folder `name_or_dir`, or of that name on the Hugging Face hub.

    Args:
        name_or_dir: folder, hub id (`laion/BUD-E-Whisper`), or None for the checkpoint in this package.
        device: `cpu`, `cuda`, `cuda:1`, `mps`; None takes the first of cuda, mps, cpu that is there.
            Weights are float16 on cuda and float32 elsewhere, whatever they are stored in.

    Raises:
        CheckpointError: no such checkpoint, not a Whisper captioner, no safetensors, parts that do not
            fit each other, hub out of reach, or no such device.
    """
    folder, name = _find(name_or_dir)
    target = choose_device(device)
    _check_files(folder, name)
    with quiet_transformers(), _loading(name):
        model = _load_model(folder, name, target)
        processor = _load_processor(folder, name)
    _check_fit(model.config, processor, name)
    extractor = processor.feature_extractor
    window = extractor.n_samples / extractor.sampling_rate
    return Checkpoint(model, processor, name, window, extractor.sampling_rate)


def choose_device(device: str | None) -> torch.device:
    """Return the device named, or the best one here.

    Raises:
        CheckpointError: torch cannot compute on it.
    """
    if device is None:
        mps = torch.backends.mps.is_available()
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if mps else "cpu")
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise CheckpointError(
            f"device {device!r} cannot be used here ({first_line(error)}): try device='cpu'"
        ) from error
    return chosen


def identity(name_or_dir: str | Path | None) -> str:
    """Return the identity of a checkpoint for notes and caches: the hash of its weights, or its hub id."""
    folder = data_folder("checkpoints") / EMBEDDED if name_or_dir is None else Path(name_or_dir).expanduser()
    return fingerprint(sorted(folder.glob("*.safetensors"))) if folder.is_dir() else str(name_or_dir)


def is_on_hub(name_or_dir: str | Path) -> bool:
    """Return whether this names a checkpoint on the hub, which may be downloaded first, and nothing here."""
    is_named = isinstance(name_or_dir, str) and HUB_ID.fullmatch(name_or_dir) is not None
    return is_named and not Path(name_or_dir).expanduser().exists()


def _find(name_or_dir: str | Path | None) -> tuple[Path, str]:
    """Return the folder of the checkpoint and the name to show for it."""
    if name_or_dir is None:
        return data_folder("checkpoints") / EMBEDDED, EMBEDDED
    folder = Path(name_or_dir).expanduser()
    if folder.is_dir():
        return folder, folder.resolve().name
    if not is_on_hub(name_or_dir):
        raise CheckpointError(f"{name_or_dir}: no such folder, and not a hub id of the form owner/name")
    return _download(str(name_or_dir)), str(name_or_dir)


def _download(name: str) -> Path:
    """Return the folder of the hub's `name` in the local cache, fetched if need be."""
    try:
        return Path(snapshot_download(name, allow_patterns=list(DOWNLOADED)))
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise CheckpointError(
            f"{name} is not in the local cache and cannot be fetched from the hub ({first_line(error)}): "
            "check the name, the connection and HF_HUB_OFFLINE, or give a local folder"
        ) from error


@contextmanager
def _loading(name: str) -> Iterator[None]:
    """Make one sentence of whatever `transformers` raises for damaged files."""
    try:
        yield
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(
            f"{name} cannot be loaded ({first_line(error)}): fetch or save it again"
        ) from error


def _load_model(folder: Path, name: str, device: torch.device) -> Any:
    whisper: Any = WhisperForConditionalGeneration
    dtype = torch.float16 if device.type == "cuda" else torch.float32
    model, report = whisper.from_pretrained(
        folder, dtype=dtype, use_safetensors=True, local_files_only=True, output_loading_info=True
    )
    missing = sorted(report["missing_keys"])
    if missing:
        raise CheckpointError(
            f"{name} lacks {len(missing)} weights, such as {missing[0]}: the checkpoint is incomplete"
        )
    broken = next((key for key, weight in model.named_parameters() if not weight.isfinite().all()), None)
    if broken:
        raise CheckpointError(
            f"{name}: {broken} contain NaN or infinity: the weights are damaged, download them again"
        )
    if (folder / "generation_config.json").is_file():  # all of it, see the top of this module
        settings = _read_json(folder / "generation_config.json", name)
        settings.pop("_from_model_config", None)
        model.generation_config = GenerationConfig.from_dict(settings)
    return model.to(device).eval().requires_grad_(False)


def _load_processor(folder: Path, name: str) -> Any:
    """Return its own processor, or Whisper's where feature extractor or tokenizer is missing."""
    there = {file.name for file in folder.iterdir()}
    extractor = there & {"preprocessor_config.json", "processor_config.json"}
    if not extractor or not ("tokenizer.json" in there or there >= {"vocab.json", "merges.txt"}):
        warnings.warn(f"{name} has no processor of its own: using {FALLBACK_PROCESSOR}'s", stacklevel=3)
        folder = _download(FALLBACK_PROCESSOR)
    return WhisperProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _check_fit(config: Any, processor: Any, name: str) -> None:
    """Require that the processor's mel bands, frames and end-of-text token are those of the model."""
    extractor = processor.feature_extractor
    made = extractor.feature_size, extractor.n_samples // extractor.hop_length
    taken = config.num_mel_bins, 2 * config.max_source_positions
    if made != taken:
        raise CheckpointError(
            f"{name}: its feature extractor makes {made[0]} mel bands and {made[1]} frames, its encoder "
            f"expects {taken[0]} and {taken[1]}: save the extractor that it was trained with"
        )
    ends = config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
    if processor.tokenizer.eos_token_id not in ends:
        raise CheckpointError(f"{name}: its tokenizer ends a text with another token than its model does")


def _check_files(folder: Path, name: str) -> None:
    """Require config, feature extractor and weights of a Whisper captioner in safetensors."""
    if not (folder / "config.json").is_file():
        raise CheckpointError(
            f"{name}: there is no config.json in {folder}: is it the folder of a checkpoint?"
        )
    config = _read_json(folder / "config.json", name)
    model_type, architectures = config.get("model_type"), config.get("architectures")
    if model_type != "whisper" or architectures not in (None, [], [WhisperForConditionalGeneration.__name__]):
        raise CheckpointError(
            f"{name} is a {model_type!r} model with the architectures {architectures!r}, which writes no "
            f"captions: use a {WhisperForConditionalGeneration.__name__}"
        )
    if config.get("quantization_config"):
        raise CheckpointError(
            f"{name} is quantized, which is not supported: use the checkpoint it was made of"
        )
    _check_sizes(config, LARGEST_SIZES, f"{name}: config.json")
    _check_weights(folder, name)
    _check_parameters(config, folder, name)
    for file in ("preprocessor_config.json", "processor_config.json"):
        if (folder / file).is_file():
            settings = _read_json(folder / file, name)
            nested = settings.get("feature_extractor")
            _check_sizes(
                nested if isinstance(nested, dict) else settings, LARGEST_FEATURES, f"{name}: {file}"
            )


def _read_json(path: Path, name: str) -> dict[str, Any]:
    """Return the object in a JSON file of the checkpoint `name`."""
    try:
        if path.stat().st_size > LARGEST_JSON:
            raise ValueError(f"larger than {LARGEST_JSON // 2**20} MB")
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("no object")
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{name}: {path.name} is not a JSON object ({first_line(error)}): fetch or save it again"
        ) from error
    return content


def _check_sizes(settings: Mapping[str, Any], largest: Mapping[str, int], place: str) -> None:
    for setting, most in largest.items():
        value = settings.get(setting, 1)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise CheckpointError(
                f"{place} says {setting}: {repr(value)[:40]}, not a number from 1 to {most:,}: "
                "fetch or save the checkpoint again"
            )


def _check_weights(folder: Path, name: str) -> None:
    """Require safetensors in this folder, or an index that names nothing else."""
    if (folder / "model.safetensors").is_file():
        return
    if not (folder / INDEX).is_file():
        raise CheckpointError(
            f"{name} has no model.safetensors in {folder}: pickled weights can run code when opened, so "
            "convert them with save_pretrained, where they are trusted"
        )
    listed = _read_json(folder / INDEX, name).get("weight_map")
    parts = list(listed.values()) if isinstance(listed, dict) else []
    if not parts or not all(SHARD.fullmatch(str(part)) for part in parts):
        raise CheckpointError(
            f"{name}: {INDEX} does not name safetensors files beside it only: save the checkpoint again with "
            "save_pretrained"
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
            f"{size / 1e6:,.1f} MB: the checkpoint is incomplete, or config.json belongs to another"
        )
