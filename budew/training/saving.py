"""Save the result of a run: a stock checkpoint with its model card, and the adapter if one was trained.

Both folders appear when they are complete.
"""

import copy
import errno
import json
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import HfApi
from safetensors import SafetensorError

from budew.errors import CheckpointError, first_line
from budew.io.files import whole_folder
from budew.model.card import write_card
from budew.model.checkpoint import find_checkpoint, is_on_hub
from budew.model.saving import add_pipeline, save_beside
from budew.model.trained_clips import joined_clips, read_trained_clips, write_trained_clips
from budew.training.dataset import CaptionDataset
from budew.training.recipe import Recipe
from budew.training.training_model import WhisperFromStates
from budew.version import __version__


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run whose training has ended.

    Attributes:
        train, validation: its examples.
        steps: number of optimizer steps.
        history: losses and metrics that were logged, a dictionary for each log.
    """

    train: CaptionDataset
    validation: CaptionDataset
    steps: int
    history: Sequence[dict[str, Any]]


def save_result(model: Any, run: FinishedRun, folder: Path) -> None:
    """Save the folder `checkpoint`, and with the method "lora" also `adapter`, in the folder of a run.

    Args:
        model: trained model; it is changed and cannot be used afterwards.
        run: the finished run.
        folder: folder of the run.
    """
    recipe = run.train.recipe
    settings = result_settings(model, recipe, has_prompts=run.train.has_prompts)
    if recipe.model.method == "lora":
        base = Path(str(recipe.model.base))
        for adapter in model.peft_config.values():
            adapter.base_model_name_or_path = str(base.resolve() if base.is_dir() else recipe.model.base)
        with whole_folder(folder / "adapter") as made:
            model.save_pretrained(made)
            _save_beside(made, settings, run, adapter=True)
        model = model.merge_and_unload()
    model = model.plain() if isinstance(model, WhisperFromStates) else model.to("cpu")
    model.generation_config = settings
    model.config.use_cache = True  # the trainer turns it off; without it, generating is much slower
    with whole_folder(folder / "checkpoint") as made:
        model.to(torch.float16).save_pretrained(made)
        model.config.dtype = torch.float32  # saved in half precision, but a CPU computes faster in float32
        model.config.save_pretrained(made)
        add_pipeline(made)
        _save_beside(made, settings, run, adapter=False)


def push(folder: Path, repository: str) -> str:
    """Upload a checkpoint or an adapter to the Hugging Face hub and return its address.

    The token is that of `hf auth login`, or the environment variable HF_TOKEN.

    Args:
        folder: folder of the checkpoint or adapter, from `save_result`.
        repository: "owner/name"; created as a private repository if it does not exist.

    Raises:
        CheckpointError: the hub refuses or cannot be reached; the message has the command to upload later.
    """
    hub = HfApi()
    try:
        address = hub.create_repo(repository, private=True, exist_ok=True)
        hub.upload_folder(repo_id=repository, folder_path=folder, commit_message="Upload by budew train")
    except Exception as error:  # the libraries of the hub may raise any error
        later = shlex.join(("hf", "upload", repository, str(folder)))
        raise CheckpointError(
            f"{folder} is complete, but cannot be uploaded to {repository} ({first_line(error)}): check the "
            f"name, the connection and the token (HF_TOKEN), and run the command again, or: {later}"
        ) from error
    return str(address)


def result_settings(model: Any, recipe: Recipe, *, has_prompts: bool) -> Any:
    """Return the generation config that is saved in the checkpoint, and used for validation.

    Args:
        model: trained model, with the generation config of its base.
        recipe: recipe of the run.
        has_prompts: whether examples had prompts.
    """
    settings = copy.deepcopy(model.generation_config)
    settings.num_beams = recipe.model.num_beams
    vars(settings).pop("trained_on", None)  # describes the base
    if recipe.trained_on:
        settings.trained_on = recipe.trained_on
    if has_prompts:
        settings.trained_with_prompts = True
    if recipe.data.short_windows == 1 or recipe.data.cache_states:  # else training ends with whole windows
        settings.short_windows = True
    return settings


@contextmanager
def named_disk_errors() -> Iterator[None]:
    """Turn errors of torch and safetensors from a failed write into OSError.

    Raises:
        OSError: a file cannot be written. For torch, which hides the reason, it says that the disk is full.
    """
    try:
        yield
    except SafetensorError as error:
        number = re.search(r"\(os error (\d+)\)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from error
    except RuntimeError as error:
        if "inline_container.cc" not in str(error):  # the writer of torch.save
            raise
        raise OSError(errno.ENOSPC, "a checkpoint cannot be written") from error


def _save_beside(folder: Path, settings: Any, run: FinishedRun, *, adapter: bool) -> None:
    """Save generation config, processor, recipe, logged history and model card beside the weights."""
    recipe = run.train.recipe
    save_beside(folder, settings, run.train.processor)
    base = read_trained_clips(find_checkpoint(recipe.model.base)[0]) if recipe.model.base else None
    known = joined_clips([*([base] if base else []), *(clips.known for clips in run.train.corpora)])
    if known is not None:
        write_trained_clips(folder, known)
    (folder / "recipe.yaml").write_text(recipe.to_yaml(), encoding="utf-8")
    _write_card(folder, run, adapter=adapter)
    entries = [  # JSON has no NaN and no infinity
        {
            name: None if isinstance(value, float) and not isfinite(value) else value
            for name, value in entry.items()
        }
        for entry in run.history
    ]
    made = {
        "made_by": f"budew {__version__}",
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),  # the weights depend on it, through the rounding of sums
        "recipe": recipe.name,
        "history": entries,
    }
    (folder / "training.json").write_text(
        json.dumps(made, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8"
    )


def _write_card(folder: Path, run: FinishedRun, *, adapter: bool) -> None:
    """Write the model card."""
    recipe, extractor = run.train.recipe, run.train.processor.feature_extractor
    data, corpora = recipe.data, run.train.corpora
    synthetic = "synthetic speech of this package"
    names = ("loss", "spearman", "unparsed", "looping", "distinct_2")
    validations = [
        {"step": entry["step"]} | {name: f"{entry.get(f'eval_{name}', nan):.3f}" for name in names}
        for entry in run.history
        if "eval_loss" in entry
    ]
    write_card(
        folder,
        "trained",
        name=recipe.name,
        license=recipe.license,
        trained_on=recipe.trained_on,
        base=recipe.model.base,
        base_on_hub=recipe.model.base is not None and is_on_hub(recipe.model.base),
        adapter=adapter,
        prompts=run.train.has_prompts,
        window=extractor.n_samples // extractor.sampling_rate,
        sampling_rate=extractor.sampling_rate,
        examples=f"{run.steps * recipe.optimizer.batch_size:,}",
        steps=f"{run.steps:,}",
        batch_size=recipe.optimizer.batch_size,
        clips=f"{sum(map(len, corpora)):,}",
        hours=f"{sum(float(clips.used_seconds.sum()) for clips in corpora) / 3600:,.1f}",
        corpora=[given.corpus for given in data.train] or [f"{synthetic}, seed {data.speech.seed}"],
        target=recipe.target.kind,
        validation_clips=len(run.validation),
        validation=", ".join(data.validation) or synthetic,
        validations=validations,
    )
