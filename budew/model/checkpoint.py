"""Load a checkpoint: a plain `WhisperForConditionalGeneration` with its processor, from a folder or the hub.

The files are checked before anything is built from them (`budew.model.file_checks`). Faults that
`transformers` ignores are errors here, or are corrected: it fills missing weights with random numbers, makes
an empty tokenizer if the file is missing, and drops `lang_to_id` from a generation config with
`_from_model_config`.

A folder may have a LoRA adapter instead of a model. The adapter is merged into its base, which is found and
checked in the same way.
"""

import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from transformers import (
    GenerationConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperProcessor,
    WhisperTokenizer,
)

from budew.errors import BudewError, CheckpointError, InputError, first_line
from budew.io.disk import fingerprint
from budew.io.resources import data_folder
from budew.model.adapt import set_window
from budew.model.build import LONGEST_WINDOW
from budew.model.cpu_precision import check_precision, fastest
from budew.model.file_checks import ADAPTER_CONFIG, check_features, check_files, has_extractor, read_json
from budew.model.lora_adapter import ADAPTER_WEIGHTS, is_adapter, merge, read_config
from budew.model.quiet import quiet_transformers
from budew.model.trained_clips import TRAINED_CLIPS

EMBEDDED = "budew-base"
"""Name of the checkpoint in this package."""
MODEL_VARIABLE = "BUDEW_MODEL"
"""Environment variable with the folder or hub id of the checkpoint to use if none is given."""
FALLBACK_PROCESSOR = "openai/whisper-small"
HUB_ID = re.compile(r"\w[\w.-]{0,95}/[\w.-]{1,96}")
DOWNLOADED = ("*.json", "merges.txt", "model*.safetensors", ADAPTER_WEIGHTS, TRAINED_CLIPS, "README.md")
"""Patterns of the files that are downloaded from the hub; no pickles or code."""
WEIGHT_FILES = ("*.safetensors", "model.bin", "*.onnx", "*.onnx.data", "openvino_*.bin")
"""Patterns of the files with weights, in checkpoints and in their exports."""
DTYPES = ("float32", "bfloat16", "float16", "int8")
"""Precisions in which models can run."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A loaded model with its processor.

    Attributes:
        model: a `WhisperForConditionalGeneration`, graphs with its interface, or a model of CTranslate2.
        processor: a `WhisperProcessor`: feature extractor and tokenizer.
        name: name to show for the checkpoint.
        window_seconds: length of the encoder's window in seconds.
        sampling_rate: sampling rate in Hz of the audio that the model needs.
        dtype: precision, one of `DTYPES`.
        library: name of the library that runs the model.
        settings: generation config, if it is not that of `model`.
    """

    model: Any  # WhisperForConditionalGeneration
    processor: Any  # WhisperProcessor
    name: str
    window_seconds: float
    sampling_rate: int
    dtype: str = "float32"
    library: str = "transformers"
    settings: Any = None  # GenerationConfig

    @property
    def generation_config(self) -> Any:
        """Generation config: defaults of decoding, and how the model was trained."""
        return self.model.generation_config if self.settings is None else self.settings

    @property
    def short_windows(self) -> bool:
        """Whether the model was also trained on windows shorter than its own, as short as the clips."""
        return getattr(self.generation_config, "short_windows", False) is True

    @property
    def trained_with_prompts(self) -> bool:
        """Whether the model was trained with prompts for style and parts (`captions.caption_prompt`)."""
        return getattr(self.generation_config, "trained_with_prompts", False) is True


def load_checkpoint(
    name_or_dir: str | Path | None = None, *, device: str | None = None, dtype: str | None = None
) -> Checkpoint:
    """Load a checkpoint from a folder, or from the Hugging Face hub.

    Window, tokenizer and generation config of an adapter are the files beside the adapter; files that are
    missing there are taken from its base.

    Args:
        name_or_dir: folder, hub id (`laion/BUD-E-Whisper`), or None for `default_checkpoint`.
        device: `cpu`, `cuda`, `cuda:1`, `xpu`, `mps`; None: the first available of cuda, xpu, mps, cpu.
        dtype: precision in which the model runs, one of `DTYPES`; None: float16 on cuda, else float32. With
            int8 (CPU only) the weights of linear layers are 8-bit integers, and their inputs are rounded to 8
            bits, scaled by the largest value of the batch.

    Raises:
        CheckpointError: the checkpoint is missing, is not a Whisper captioner, has no safetensors or has
            parts that do not fit each other; the hub or the device is not available; the base of an adapter
            is missing or another model; or int8 is requested on another device than a CPU.
        InputError: unknown dtype, or this CPU does not support it.
        MissingExtraError: the checkpoint is an adapter, and peft is not installed.
    """
    folder, name = find_checkpoint(name_or_dir)
    target = choose_device(device)
    precision = _precision(target, dtype)
    load = _load_adapted if is_adapter(folder) else _load_whole
    model, processor = load(folder, name, target, precision)
    loaded = fitted(model, processor, name)
    if dtype != "int8":
        return loaded
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, but its successor takes 3 times as long here
        quantize: Any = torch.ao.quantization.quantize_dynamic  # untyped in torch
        return replace(loaded, model=quantize(model, {torch.nn.Linear}, dtype=torch.qint8), dtype=dtype)


def checkpoint_of(model: Any, processor: Any = None) -> Checkpoint:
    """Make a checkpoint from a model that was loaded with transformers.

    Args:
        model: a `WhisperForConditionalGeneration`. Its generation config is read again from its folder or the
            hub.
        processor: its `WhisperProcessor`; None: read from the same folder or hub id.

    Raises:
        CheckpointError: the model has no folder or hub id, or model and processor do not fit each other.
    """
    folder, name = find_checkpoint(model.name_or_path)
    with quiet_transformers(), loading(name):
        processor = processor or load_processor(name, folder)
        return fitted(_ready(model, folder, name), processor, name)


def fitted(model: Any, processor: Any, name: str) -> Checkpoint:
    """Make a checkpoint from a model and a processor.

    Raises:
        CheckpointError: model and processor do not fit each other.
    """
    _check_fit(model.config, processor, name)
    extractor = processor.feature_extractor
    window = extractor.n_samples / extractor.sampling_rate
    dtype = str(model.dtype).removeprefix("torch.")
    return Checkpoint(model, processor, name, window, extractor.sampling_rate, dtype)


def choose_device(device: str | None) -> torch.device:
    """Return the torch device of this name; None: the first available of cuda, xpu (Intel), mps, cpu.

    Raises:
        CheckpointError: torch cannot use the device.
    """
    if device is None:
        gpus = {"cuda": torch.cuda, "xpu": torch.xpu, "mps": torch.backends.mps}
        return torch.device(next((name for name, gpu in gpus.items() if gpu.is_available()), "cpu"))
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise CheckpointError(
            f"device {device!r} cannot be used here ({first_line(error)}): try device='cpu'"
        ) from error
    return chosen


def preferred_dtype(device: torch.device) -> str:
    """Return the precision in which a captioner runs if none is given: on a CPU the fastest."""
    if device.type == "cpu":
        return fastest("torch")
    return "float16" if device.type == "cuda" else "float32"


def identity(name_or_dir: str | Path | None) -> str:
    """Return an identifier of a checkpoint for caches and provenance: hash of its weights, or its hub id.

    For an adapter it is a hash of its weights, its config and the identifier of its base.
    """
    name_or_dir = default_checkpoint() if name_or_dir is None else name_or_dir
    folder = Path(name_or_dir).expanduser()
    if not folder.is_dir():
        return str(name_or_dir)
    weights = sorted({file for kind in WEIGHT_FILES for file in folder.glob(kind)} - {folder / TRAINED_CLIPS})
    if not is_adapter(folder):
        return fingerprint(weights)
    base = read_config(folder, folder.name).base_in(folder)
    return f"{fingerprint([*weights, folder / ADAPTER_CONFIG])} on {identity(base)}"


def default_checkpoint() -> str:
    """Return the checkpoint to use if none is given: that of `BUDEW_MODEL`, else the one in this package."""
    return os.environ.get(MODEL_VARIABLE) or str(data_folder("checkpoints") / EMBEDDED)


def is_on_hub(name_or_dir: str | Path) -> bool:
    """Return whether a name is a hub id, and not a local folder. The checkpoint may not be downloaded yet."""
    is_named = isinstance(name_or_dir, str) and HUB_ID.fullmatch(name_or_dir) is not None
    return is_named and not Path(name_or_dir).expanduser().exists()


def folder_name(folder: Path) -> str:
    """Return the name to show for a checkpoint: that of its folder; RUN for the folder `RUN/checkpoint`."""
    whole = folder.resolve()
    return (whole.parent if whole.name == "checkpoint" else whole).name


def find_checkpoint(name_or_dir: str | Path | None) -> tuple[Path, str]:
    """Return the folder of a checkpoint, downloaded if necessary, and the name to show for it."""
    named = default_checkpoint() if name_or_dir is None else name_or_dir
    folder = Path(named).expanduser()
    if folder.is_dir():
        return folder, folder_name(folder)
    if not is_on_hub(named):
        variable = f"{MODEL_VARIABLE}=" if name_or_dir is None and os.environ.get(MODEL_VARIABLE) else ""
        raise CheckpointError(f"{variable}{named}: no such folder, and not a hub id of the form owner/name")
    return hub_folder(str(named)), str(named)


def hub_folder(name: str, files: Sequence[str] = DOWNLOADED) -> Path:
    """Return the folder of a hub repository in the local cache; download missing files.

    Args:
        name: hub id.
        files: patterns of the files.

    Raises:
        CheckpointError: the repository is not in the cache and cannot be downloaded.
    """
    try:
        return Path(snapshot_download(name, allow_patterns=list(files)))
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise CheckpointError(
            f"{name} is not in the local cache and cannot be fetched from the hub ({first_line(error)}): "
            "check the name, the connection and HF_HUB_OFFLINE, or give a local folder"
        ) from error


@contextmanager
def loading(name: str) -> Iterator[None]:
    """Context manager that turns any error of `transformers` into a `CheckpointError` of one sentence."""
    try:
        yield
    except BudewError:
        raise
    except Exception as error:
        raise CheckpointError(
            f"{name} cannot be loaded ({first_line(error)}): fetch or save it again"
        ) from error


def _load_whole(folder: Path, name: str, device: torch.device, dtype: torch.dtype) -> tuple[Any, Any]:
    """Load model and processor from a folder that has both."""
    check_files(folder, name)
    with quiet_transformers(), loading(name):
        model = _load_model(folder, name, dtype).to(device)
        return _ready(model, folder, name), load_processor(name, folder)


def _load_adapted(folder: Path, name: str, device: torch.device, dtype: torch.dtype) -> tuple[Any, Any]:
    """Load an adapter and merge it into its base; return model and processor."""
    config = read_config(folder, name)
    check_features(folder, name)
    try:
        base, base_name = find_checkpoint(config.base_in(folder))
    except CheckpointError as error:
        raise CheckpointError(f"{name} is an adapter, and its base is missing: {error}") from error
    check_files(base, base_name)
    with quiet_transformers(), loading(name):
        model = _load_model(base, base_name, torch.float32)  # merging needs single precision
        _ready(model, base, base_name)
        processor = load_processor(name, folder, base)
        seconds = processor.feature_extractor.chunk_length
        is_other = processor.feature_extractor.nb_max_frames != 2 * model.config.max_source_positions
        if is_other and has_extractor(folder) and seconds <= LONGEST_WINDOW:
            set_window(model, processor, seconds)
        model = _ready(merge(model, folder, config, name), folder, name)
        return model.to(device, dtype), processor


def _precision(device: torch.device, dtype: str | None) -> torch.dtype:
    """Return the torch type in which the weights are loaded."""
    if dtype not in (None, *DTYPES):
        raise InputError(f"{dtype!r} is not a dtype: use {', '.join(DTYPES)}")
    if dtype == "int8":
        if device.type != "cpu":
            raise CheckpointError(f"int8 works on a CPU only, not on {device}: use float16")
        check_precision("torch", dtype)
        return torch.float32
    if dtype is None:
        return torch.float16 if device.type == "cuda" else torch.float32
    if device.type == "cpu":
        check_precision("torch", dtype)
    chosen: torch.dtype = getattr(torch, dtype)
    return chosen


def _load_model(folder: Path, name: str, dtype: torch.dtype) -> Any:
    whisper: Any = WhisperForConditionalGeneration
    model, report = whisper.from_pretrained(
        folder,
        dtype=dtype,
        use_safetensors=True,
        local_files_only=True,
        output_loading_info=True,
    )
    missing = sorted(report["missing_keys"])
    if missing:
        raise CheckpointError(
            f"{name} lacks {len(missing)} weights, such as {missing[0]}: fetch or save the checkpoint again"
        )
    return model


def _ready(model: Any, folder: Path, name: str) -> Any:
    """Prepare a model for inference, with the generation config of the folder if there is one."""
    broken = next((key for key, weight in model.named_parameters() if not weight.isfinite().all()), None)
    if broken:
        raise CheckpointError(
            f"{name}: {broken} contain NaN or infinity: the weights are damaged, download them again"
        )
    if (folder / "generation_config.json").is_file():  # all of it, see the top of this module
        settings = read_json(folder / "generation_config.json", name)
        settings.pop("_from_model_config", None)
        model.generation_config = GenerationConfig.from_dict(settings)
    return model.eval().requires_grad_(False)


def _has_tokenizer(folder: Path) -> bool:
    vocabulary = (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file()
    return vocabulary or (folder / "tokenizer.json").is_file()


def load_processor(name: str, *folders: Path) -> Any:
    """Load feature extractor and tokenizer, each from the first of `folders` that has it.

    If no folder has one of them, the processor of Whisper is loaded.

    Args:
        name: name of the checkpoint, for errors.
        folders: folders to search.
    """
    extractor = next(filter(has_extractor, folders), None)
    tokenizer = next(filter(_has_tokenizer, folders), None)
    if extractor is None or tokenizer is None:
        warnings.warn(f"{name} has no processor of its own: using {FALLBACK_PROCESSOR}'s", stacklevel=4)
        extractor = tokenizer = hub_folder(FALLBACK_PROCESSOR)
    return WhisperProcessor(
        WhisperFeatureExtractor.from_pretrained(extractor, local_files_only=True),
        WhisperTokenizer.from_pretrained(tokenizer, local_files_only=True),
    )


def _check_fit(config: Any, processor: Any, name: str) -> None:
    """Require that processor and model have the same mel bands, frames and end-of-text token."""
    extractor = processor.feature_extractor
    made = extractor.feature_size, extractor.nb_max_frames
    taken = config.num_mel_bins, 2 * config.max_source_positions
    if made != taken:
        raise CheckpointError(
            f"{name}: its feature extractor makes {made[0]} mel bands and {made[1]} frames, its encoder "
            f"expects {taken[0]} and {taken[1]}: save the extractor that it was trained with"
        )
    ends = config.eos_token_id if isinstance(config.eos_token_id, list) else [config.eos_token_id]
    if processor.tokenizer.eos_token_id not in ends:
        raise CheckpointError(
            f"{name}: the tokenizer and the model end a text with different tokens: save the tokenizer "
            "that the model was trained with"
        )
