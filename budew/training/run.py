"""A training run: data, model, training, and a plain `transformers` checkpoint at the end.

Every stage leaves its result in the folder of the run and is skipped when it is there, so a run that was
stopped goes on where it was. With several processes (`torchrun`) the main one prepares the data.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from math import isfinite
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from transformers import WhisperForConditionalGeneration, WhisperProcessor

from budew.errors import InputError
from budew.extras import quiet_transformers
from budew.terminal import progress_bar
from budew.training.recipe import Recipe, differences, load_recipe
from budew.training.scratch.start import (
    build_model,
    number_of_parameters,
    prepare_features,
    prepare_processor,
)
from budew.training.trainer import accelerated, last_checkpoint, make_trainer, say
from budew.version import __version__

LONGEST_PREPARATION = timedelta(hours=24)
"""For which other processes wait while the main one prepares the data."""


def train(
    recipe: Recipe | str | Path,
    *,
    out: str | Path | None = None,
    changes: Sequence[str] = (),
    resume: bool = True,
) -> Path:
    """Train a model and return the folder of its checkpoint, `out`/checkpoint.

    Args:
        recipe: a recipe, its file, or the name of one that ships.
        out: folder of the run; runs/NAME when None.
        changes: `field=value` for the recipe's file, see `load_recipe`.
        resume: continue from what is in `out`; else start again (speech and features are kept).

    Raises:
        SettingsError: the recipe is not valid.
        InputError: `out` holds a run of another recipe; or changes are given for a `Recipe`.
        CorpusError: a corpus of the recipe cannot be read, or lacks profiles or captions.
        MissingExtraError: a library of the extra `train` is not installed.
    """
    if isinstance(recipe, Recipe) and changes:
        raise InputError("changes are for the file of a recipe: use model_copy on a Recipe")
    recipe = recipe if isinstance(recipe, Recipe) else load_recipe(recipe, changes)
    folder = Path(out) if out else Path("runs") / recipe.name
    if not PartialState._shared_state:  # join the other processes of `torchrun`, once a process
        PartialState(cpu=not accelerated(), timeout=LONGEST_PREPARATION)
    with quiet_transformers():
        _run(recipe, folder, resume=resume)
    return folder / "checkpoint"


def describe(recipe: Recipe) -> str:
    """Return what a run of the recipe would be: its data, its model and its length."""
    steps = recipe.optimizer.max_steps
    clips = steps * recipe.optimizer.batch_size * recipe.optimizer.gradient_accumulation
    speech = recipe.data.speech
    corpus = recipe.data.train or f"{speech.train_clips:,} synthetic clips (seed {speech.seed})"
    return (
        f"{recipe.name}: {number_of_parameters(recipe) / 1e6:.1f} M parameters, "
        f"windows of {recipe.model.features.window_seconds} s\n"
        f"trained on {corpus}\n"
        f"{steps:,} steps, {clips:,} examples\n\n{recipe.to_yaml()}"
    )


def _run(recipe: Recipe, folder: Path, *, resume: bool) -> None:
    with PartialState().main_process_first():
        _claim(folder, recipe)
        last = last_checkpoint(folder / "training") if resume else None
        steps = recipe.optimizer.max_steps
        if last and last.name == f"checkpoint-{steps}" and (folder / "checkpoint").is_dir():
            say(
                f"{folder} is finished, {steps:,} steps: --no-resume trains it again; for another "
                "run choose another folder with --out"
            )
            return
        if not resume:
            shutil.rmtree(folder / "training", ignore_errors=True)
        train_set = prepare_features(recipe, folder, "train")
        validation_set = prepare_features(recipe, folder, "validation")
        processor = prepare_processor(recipe, folder, train_set)
    model = build_model(recipe, processor.tokenizer)
    if not accelerated():
        model.set_attn_implementation("eager")  # a fifth faster on processors, see benchmarks/attention.py
    if last:
        say(f"resuming from {last}")
    with progress_bar("training", shown=PartialState().is_main_process) as bar, _reproducible():
        trainer = make_trainer(
            recipe,
            folder / "training",
            model=model,
            processor=processor,
            train=train_set,
            validation=validation_set,
            bar=bar,
        )
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    with PartialState().main_process_first():
        if PartialState().is_main_process:
            history = trainer.state.log_history
            save_checkpoint(trainer.model.plain(), processor, recipe, folder / "checkpoint", history)


def _claim(folder: Path, recipe: Recipe) -> None:
    """Write the recipe into the folder of the run, or check that it is the same."""
    path = folder / "recipe.yaml"
    if path.exists():
        differing = differences(load_recipe(path), recipe)
        if differing:
            raise InputError(
                f"{folder} holds a run of a different recipe; its value / yours: {'; '.join(differing)}: "
                "choose another folder with --out"
            )
        return
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / "recipe.unfinished"
    unfinished.write_text(recipe.to_yaml(), encoding="utf-8")
    unfinished.replace(path)


@contextmanager
def _reproducible() -> Iterator[None]:
    """Sum in one order, whatever the threads: without, two runs on two processors differ within 60 steps.

    Where an accelerator has no such kernel, the run continues with a warning.
    """
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True, warn_only=accelerated())
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def save_checkpoint(
    model: WhisperForConditionalGeneration,
    processor: WhisperProcessor,
    recipe: Recipe,
    folder: Path,
    history: Sequence[dict[str, Any]],
) -> None:
    """Save a model in half precision, with processor, recipe and the history of the run.

    An older checkpoint in `folder` is replaced when the new one is complete.
    """
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    model = model.to(torch.float16)
    model.save_pretrained(unfinished)
    model.config.dtype = torch.float32  # half on disk, computed in full: a CPU is slow in half precision
    model.config.save_pretrained(unfinished)
    processor.save_pretrained(unfinished)
    processor.feature_extractor.save_pretrained(unfinished)  # what CTranslate2 and faster-whisper read
    (unfinished / "recipe.yaml").write_text(recipe.to_yaml(), encoding="utf-8")
    entries = [  # JSON has no NaN and no infinity
        {
            name: None if isinstance(value, float) and not isfinite(value) else value
            for name, value in entry.items()
        }
        for entry in history
    ]
    made = {"made_by": f"budew {__version__}", "recipe": recipe.name, "history": entries}
    (unfinished / "training.json").write_text(
        json.dumps(made, indent=1, allow_nan=False) + "\n", encoding="utf-8"
    )
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.replace(folder)
