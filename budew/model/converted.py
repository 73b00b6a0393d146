"""Checkpoints in the format of CTranslate2: convert, load, write captions.

CTranslate2 runs Whisper on CPUs in 8-bit integers, faster than torch does in 32 bits, and rounds each
position on its own scale, so a caption does not depend on the other windows of the batch. faster-whisper can
read a converted folder. Sampling is not supported, as CTranslate2 cannot do it reproducibly.
"""

import hashlib
import shutil
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import GenerationConfig

from budew.errors import CheckpointError, InputError, first_line, require
from budew.io.disk import fingerprint, temporary_folder, user_cache
from budew.io.files import whole_folder
from budew.model.build import languages_of
from budew.model.card import write_export_card
from budew.model.checkpoint import (
    DTYPES,
    Checkpoint,
    choose_device,
    default_checkpoint,
    find_checkpoint,
    identity,
    load_checkpoint,
    load_processor,
)
from budew.model.cpu_precision import check_precision, fastest
from budew.model.file_checks import check_features, read_json
from budew.model.generate import generation_settings
from budew.model.quiet import quiet_transformers
from budew.model.saving import save_beside

WEIGHTS = "model.bin"
_STORED = {"float32": None, "float16": "float16", "bfloat16": "bfloat16", "int8": "int8"}
# On a CPU, a batch is split into parts, which is a third faster on two cores, as threads wait less.
_SIDE_BY_SIDE = 2
_COPIED = ("preprocessor_config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json")


def convert_to_ctranslate2(model: str | Path | None, out: Path, *, dtype: str = "float32") -> Path:
    """Convert a checkpoint to the format of CTranslate2; return the folder `out`.

    Args:
        model: folder or hub id of a checkpoint; None for the default. An adapter is merged.
        out: folder to create; it appears only when it is complete.
        dtype: precision of the weights, one of `DTYPES`.

    Raises:
        CheckpointError: the checkpoint cannot be loaded, or `out` exists.
        MissingExtraError: ctranslate2 is not installed.
    """
    library = _library()
    if out.exists():
        raise CheckpointError(f"{out} exists: remove it, or choose another folder")
    checkpoint = load_checkpoint(model, device="cpu", dtype="float32")
    with whole_folder(out) as made, temporary_folder(out.parent) as plain, quiet_transformers():
        checkpoint.model.save_pretrained(plain)
        settings = generation_settings(checkpoint)  # have language, task and the longest text
        settings.max_length = checkpoint.model.config.max_target_positions
        save_beside(plain, settings, checkpoint.processor)
        converter = library.converters.TransformersConverter(str(plain))
        converter.convert(str(made), quantization=_STORED[dtype], force=True)
        for file in _COPIED:
            shutil.copy(plain / file, made / file)
        write_export_card(made, model, "CTranslate2")
    return out


def is_converted(folder: Path) -> bool:
    """Return whether a folder has a checkpoint in the format of CTranslate2."""
    return (folder / WEIGHTS).is_file()


def load_converted(
    name_or_dir: str | Path | None = None, *, device: str | None = None, dtype: str | None = None
) -> Checkpoint:
    """Load a checkpoint with CTranslate2; another checkpoint is first converted, and cached for this user.

    Args:
        name_or_dir: folder of `convert_to_ctranslate2`; folder or hub id of another checkpoint; None for the
            default.
        device: `cpu`, `cuda` or `cuda:1`; None: cuda if available, else cpu.
        dtype: one of `DTYPES`; None: float16 on cuda, the fastest precision on a CPU (see
            `budew.model.cpu_precision`).

    Raises:
        CheckpointError: the checkpoint is missing or damaged, or the device does not support the dtype.
        InputError: unknown dtype, or it crashes on this CPU.
        MissingExtraError: ctranslate2 is not installed.
    """
    library = _library()
    target = choose_device(device or ("cuda" if library.get_cuda_device_count() else "cpu"))
    dtype = dtype or (fastest("ctranslate2") if target.type == "cpu" else "float16")
    if dtype not in DTYPES:
        raise InputError(f"{dtype!r} is not a dtype: use {', '.join(DTYPES)}")
    computed = _computed(library, target, dtype)
    folder = Path(default_checkpoint() if name_or_dir is None else name_or_dir).expanduser()
    name = folder.resolve().name
    if not is_converted(folder):
        name = find_checkpoint(name_or_dir)[1]
        folder = _kept(name_or_dir, dtype, library.__version__)
    check_features(folder, name)
    threads = torch.get_num_threads()
    side_by_side = min(_SIDE_BY_SIDE, threads) if target.type == "cpu" else 1
    try:
        model = library.models.Whisper(
            str(folder),
            device=target.type,
            device_index=target.index or 0,
            compute_type=computed,
            inter_threads=side_by_side,
            intra_threads=threads // side_by_side,
        )
    except (RuntimeError, ValueError) as error:
        raise CheckpointError(f"{name} cannot be loaded ({first_line(error)}): convert it again") from error
    with quiet_transformers():
        processor = load_processor(name, folder)
    settings = GenerationConfig.from_dict(read_json(folder / "generation_config.json", name))
    extractor = processor.feature_extractor
    window = extractor.n_samples / extractor.sampling_rate
    return Checkpoint(model, processor, name, window, extractor.sampling_rate, dtype, "ctranslate2", settings)


def _computed(library: Any, device: torch.device, dtype: str) -> str:
    """Return CTranslate2's name of a precision, after checking that it works on this device."""
    if device.type not in ("cpu", "cuda"):
        raise CheckpointError(f"CTranslate2 does not run on {device.type}: use backend transformers, or cpu")
    supported = library.get_supported_compute_types(device.type)
    computed = "int8_float32" if dtype == "int8" and device.type == "cpu" else dtype
    if computed not in supported:
        raise CheckpointError(
            f"CTranslate2 has no {dtype} on {device}: use {' or '.join(sorted({*DTYPES} & {*supported}))}"
        )
    if device.type == "cpu":
        check_precision("ctranslate2", dtype)
    return computed


def generate_converted(
    converted: Checkpoint, features: torch.Tensor, *, num_beams: int = 1, prompt: str = ""
) -> list[list[int]]:
    """Generate text for spectrograms (windows, mel bins, frames); return the tokens of each text."""
    tokenizer, settings = converted.processor.tokenizer, converted.settings
    before = tokenizer.get_prompt_ids(prompt).tolist() if prompt else []
    prefix = [*before, *_prefix(settings)]
    longest = min(settings.max_new_tokens, settings.max_length - len(prefix))

    def written(part: torch.Tensor) -> list[list[int]]:
        results = converted.model.generate(
            _encoded(converted, part),
            [prefix] * len(part),
            beam_size=num_beams,
            length_penalty=settings.length_penalty or 1.0,
            repetition_penalty=settings.repetition_penalty or 1.0,
            no_repeat_ngram_size=settings.no_repeat_ngram_size or 0,
            max_length=2 * longest,  # CTranslate2 halves max_length
            suppress_blank=bool(settings.begin_suppress_tokens),
            suppress_tokens=settings.suppress_tokens or [],
        )
        return [result.sequences_ids[0] for result in results]

    together = converted.model.num_workers
    with ThreadPoolExecutor(together) as threads:
        return list(chain(*threads.map(written, features.chunk(together))))


def logits_converted(
    converted: Checkpoint, features: torch.Tensor, tokens: torch.Tensor
) -> NDArray[np.float32]:
    """Return the logits (windows, tokens, vocabulary) after each token of a greedy search without a prompt.

    Args:
        converted: the model.
        features: spectrograms (windows, mel bins, frames).
        tokens: expected tokens (windows, tokens), with the prefix. Logits are NaN before the text, and after
            the first generated token that differs from `tokens`.
    """
    prefix = _prefix(converted.settings)
    results = converted.model.generate(
        _given(features),
        [prefix] * len(tokens),
        beam_size=1,
        max_length=2 * (tokens.shape[1] - len(prefix)),  # CTranslate2 halves max_length
        return_logits_vocab=True,
        suppress_blank=False,
        suppress_tokens=[],
    )
    logits = np.full((*tokens.shape, results[0].logits[0][0].shape[0]), np.nan, np.float32)
    for row, result in enumerate(results):
        ids = [*prefix, *result.sequences_ids[0]]
        for place, step in enumerate(result.logits[0], start=len(prefix) - 1):
            if place >= tokens.shape[1] or ids[: place + 1] != tokens[row, : place + 1].tolist():
                break
            logits[row, place] = np.array(step)
    return logits


def _encoded(converted: Checkpoint, features: torch.Tensor) -> Any:
    """Run the encoder. On a CPU, windows are encoded one by one, in 97 instead of 141 ms each.

    The output of a layer then stays in the cache of the CPU (measured on whisper-small, windows of 6 s, two
    cores). The decoder reads its weights for every token, so it runs on all windows together.
    """
    if converted.model.device != "cpu":
        return _given(features)
    states = [np.array(converted.model.encode(_given(window))) for window in torch.split(features, 1)]
    return _library().StorageView.from_array(np.concatenate(states))


def _given(features: torch.Tensor) -> Any:
    return _library().StorageView.from_array(features.float().contiguous().numpy())


def _prefix(settings: Any) -> list[int]:
    """Return the tokens before the text, the same as `generate` of transformers uses with these settings."""
    prefix, languages = [settings.decoder_start_token_id], languages_of(settings)
    if languages and getattr(settings, "language", None):
        language = settings.language if settings.language in languages else f"<|{settings.language}|>"
        prefix += [languages[language], settings.task_to_id[settings.task]]
    no_timestamps = getattr(settings, "no_timestamps_token_id", None)
    return prefix if no_timestamps is None else [*prefix, no_timestamps]


def _kept(model: str | Path | None, dtype: str, version: str) -> Path:
    """Return the cache folder with the converted checkpoint; convert it if it is missing or outdated."""
    found, _ = find_checkpoint(model)
    made_of = (
        f"{identity(found)} {fingerprint([*sorted(found.glob('*.json')), Path(__file__)])} {dtype} {version}"
    )
    folder = user_cache() / "ctranslate2" / hashlib.sha256(made_of.encode()).hexdigest()[:20]
    if not folder.exists():
        try:
            convert_to_ctranslate2(found, folder, dtype=dtype)
        except (CheckpointError, OSError):
            if not folder.exists():  # otherwise another process has just converted it
                raise
    return folder


def _library() -> Any:
    return require("ctranslate2", extra="fast", purpose="the backend ctranslate2")
