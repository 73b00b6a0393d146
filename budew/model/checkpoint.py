"""Load a checkpoint: a plain `WhisperForConditionalGeneration` with its processor, from a folder or the hub.

The files are checked before anything is built from them, because `transformers` is lenient where a
captioner must not be: it fills missing weights with random numbers, makes an empty tokenizer where the file
is missing, and drops `lang_to_id` from a generation config that says `_from_model_config`. Here each of
these is an error, or put right.
"""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import constants as hub_constants
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, StrictDataclassError
from safetensors import SafetensorError
from transformers import GenerationConfig, WhisperForConditionalGeneration, WhisperProcessor

from budew.errors import CheckpointError
from budew.model.checkpoint_files import check_files, read_json
from budew.quiet import quiet_transformers
from budew.resources import data_folder

EMBEDDED = "tiny-synthetic"
FALLBACK_PROCESSOR = "openai/whisper-small"
HUB_ID = re.compile(r"\w[\w.-]{0,95}/[\w.-]{1,96}")
DOWNLOADED = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "normalizer.json",
    "vocab.json",
    "merges.txt",
    "model.safetensors",
    "model.safetensors.index.json",
    "model-*-of-*.safetensors",
)
LOADING_ERRORS = (
    OSError,
    ValueError,
    RuntimeError,
    TypeError,
    KeyError,
    AttributeError,
    SafetensorError,
    StrictDataclassError,
)


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
    check_files(folder, name)
    with quiet_transformers():
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
            f"device {device!r} cannot be used here ({_first_line(error)}): try device='cpu'"
        ) from error
    return chosen


def _find(name_or_dir: str | Path | None) -> tuple[Path, str]:
    """Folder of the checkpoint and the name to show for it."""
    if name_or_dir is None:
        embedded = data_folder("checkpoints") / EMBEDDED
        if not embedded.is_dir():
            raise CheckpointError(
                "the embedded checkpoint is not in this installation of budew: reinstall it"
            )
        return embedded, EMBEDDED
    folder = Path(name_or_dir).expanduser()
    if folder.is_dir():
        return folder, folder.resolve().name
    if folder.exists():
        raise CheckpointError(f"{name_or_dir} is a file: give the folder of the checkpoint")
    if not is_on_hub(name_or_dir):
        raise CheckpointError(f"{name_or_dir}: no such folder, and not a hub id of the form owner/name")
    return _download(str(name_or_dir)), str(name_or_dir)


def is_on_hub(name_or_dir: str | Path) -> bool:
    """Tell whether this names a checkpoint on the hub, which may be downloaded first, and nothing here."""
    is_named = isinstance(name_or_dir, str) and HUB_ID.fullmatch(name_or_dir) is not None
    return is_named and not Path(name_or_dir).expanduser().exists()


def _download(name: str) -> Path:
    """Folder of the hub's `name` in the local cache, fetched if need be. Never fetches pickles or code."""
    try:
        return Path(snapshot_download(name, allow_patterns=list(DOWNLOADED)))
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        if hub_constants.HF_HUB_OFFLINE:
            reason, remedy = "HF_HUB_OFFLINE is set", "unset it, or give a local folder"
        else:
            reason, remedy = _first_line(error), "check the name and the connection, or give a local folder"
        raise CheckpointError(
            f"{name} is not in the local cache and cannot be fetched from the hub ({reason}): {remedy}"
        ) from error


def _load_model(folder: Path, name: str, device: torch.device) -> Any:
    whisper: Any = WhisperForConditionalGeneration
    dtype = torch.float16 if device.type == "cuda" else torch.float32
    try:
        model, report = whisper.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, local_files_only=True, output_loading_info=True
        )
    except LOADING_ERRORS as error:
        raise CheckpointError(
            f"{name} cannot be loaded ({_first_line(error)}): fetch or save it again"
        ) from error
    if report["missing_keys"]:
        example = min(report["missing_keys"])
        count = len(report["missing_keys"])
        raise CheckpointError(
            f"{name} lacks {count} weights, such as {example}: the checkpoint is incomplete"
        )
    broken = next((key for key, weight in model.named_parameters() if not weight.isfinite().all()), None)
    if broken:
        raise CheckpointError(
            f"{name}: not all of {broken} are numbers: the weights are spoilt, fetch them again"
        )
    model.generation_config = _generation_config(folder, name) or model.generation_config
    return model.to(device).eval().requires_grad_(False)


def _generation_config(folder: Path, name: str) -> GenerationConfig | None:
    """The generation config on disk, all of it: `_from_model_config` makes `transformers` ignore the most."""
    path = folder / "generation_config.json"
    if not path.is_file():
        return None
    settings = read_json(path, name)
    settings.pop("_from_model_config", None)
    try:
        return GenerationConfig.from_dict(settings)
    except LOADING_ERRORS as error:
        raise CheckpointError(
            f"{name}: generation_config.json is not valid ({_first_line(error)})"
        ) from error


def _load_processor(folder: Path, name: str) -> Any:
    if not _has_processor(folder):
        warnings.warn(f"{name} has no processor of its own: using {FALLBACK_PROCESSOR}'s", stacklevel=3)
        folder = _download(FALLBACK_PROCESSOR)
    try:
        return WhisperProcessor.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except LOADING_ERRORS as error:
        raise CheckpointError(f"{name}: its processor cannot be loaded ({_first_line(error)})") from error


def _has_processor(folder: Path) -> bool:
    """Both a feature extractor and a tokenizer: without the latter `transformers` makes an empty one."""
    extractor = any(
        (folder / file).is_file() for file in ("preprocessor_config.json", "processor_config.json")
    )
    tokenizer = (folder / "tokenizer.json").is_file() or (
        (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file()
    )
    return extractor and tokenizer


def _check_fit(config: Any, processor: Any, name: str) -> None:
    """The processor's mel bands, frames and end-of-text token are those of the model."""
    extractor = processor.feature_extractor
    if extractor.feature_size != config.num_mel_bins:
        raise CheckpointError(
            f"{name}: its feature extractor makes {extractor.feature_size} mel bands, its model takes "
            f"{config.num_mel_bins}: save the extractor that it was trained with"
        )
    frames = extractor.n_samples // extractor.hop_length
    if frames != 2 * config.max_source_positions:
        seconds = 2 * config.max_source_positions * extractor.hop_length / extractor.sampling_rate
        raise CheckpointError(
            f"{name}: its feature extractor makes {frames} frames, its encoder takes "
            f"{2 * config.max_source_positions}: save the extractor with chunk_length={seconds:g}"
        )
    ends = config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
    if processor.tokenizer.eos_token_id not in ends:
        raise CheckpointError(f"{name}: its tokenizer ends a text with another token than its model does")


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
