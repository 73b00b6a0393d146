"""A training run, from the data to a plain `transformers` checkpoint.

Each stage saves its result in the folder of the run and is skipped if the result exists, so a run that was
stopped continues. With several processes (`torchrun`) the main one prepares the data.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch.distributed import DistError

from budew.errors import InputError, JobError
from budew.io.disk import disk_errors
from budew.model.adapt import set_trained
from budew.model.quiet import quiet_transformers
from budew.training.dataset import CaptionDataset, training_dataset, validation_dataset
from budew.training.devices import PartialState, accelerated
from budew.training.initial_model import complete_model, load_base
from budew.training.preparation import (
    OpenBar,
    check_corpora,
    check_disjoint,
    no_bar,
    prepare_corpora,
    prepare_states,
)
from budew.training.pseudo_labels import prepare_labeler
from budew.training.recipe import Recipe, load_recipe
from budew.training.run_folder import RunFolder
from budew.training.saving import FinishedRun, named_disk_errors, save_result
from budew.training.trainer import CaptionTrainer

LONGEST_PREPARATION = timedelta(hours=24)
"""How long the other processes wait at most while the main one prepares the data."""

logger = logging.getLogger(__name__)


def train(
    recipe: Recipe | str | Path,
    *,
    out: str | Path | None = None,
    changes: Sequence[str] = (),
    resume: bool = True,
    callbacks: Sequence[Any] = (),
    progress: OpenBar = no_bar,
) -> Path:
    """Train a model and return the folder of its checkpoint, `out`/checkpoint.

    Progress is logged to the logger "budew.training": `logging.basicConfig(level=logging.INFO)` shows it.

    Args:
        recipe: a recipe, the path of its file, or the name of a recipe that ships with budew.
        out: folder of the run; None: runs/NAME.
        changes: changed fields as "field=value", see `load_recipe`; not with a `Recipe` object.
        resume: True: continue a run in `out`, if there is one. False: train again from the start (indexes,
            features, states and synthetic speech are kept).
        callbacks: further `TrainerCallback`s of transformers.
        progress: opens the progress bar of a stage; only called in the main process.

    Raises:
        SettingsError: the recipe is invalid.
        InputError: `out` has a run of another recipe or with another number of processes; this CPU cannot
            compute in the precision; or `changes` are given with a `Recipe`.
        CorpusError: a corpus of the recipe cannot be read, or no target can be made from its clips.
        CheckpointError: the base cannot be loaded.
        MissingExtraError: a library of the extra `train`, or a tracker in `report_to`, is not installed.
        JobError: the disk is full or cannot be written, or another process of the run has ended.

    Example:
        >>> train("tiny-synthetic", out="runs/tiny", changes=["optimizer.max_steps=100"])  # doctest: +SKIP
        PosixPath('runs/tiny/checkpoint')
    """
    if isinstance(recipe, Recipe) and changes:
        raise InputError("changes are for the file of a recipe: use model_copy on a Recipe")
    recipe = recipe if isinstance(recipe, Recipe) else load_recipe(recipe, changes)
    folder = RunFolder(Path(out) if out else Path("runs") / recipe.name)
    state = PartialState(cpu=not accelerated(), timeout=LONGEST_PREPARATION)  # joins the others of `torchrun`
    if not state.is_main_process:
        logging.getLogger(__package__).setLevel(logging.WARNING)
        progress = no_bar
    with quiet_transformers(), disk_errors(folder.path), named_disk_errors(), _lost_process(folder.path):
        _run(recipe, folder, resume=resume, callbacks=callbacks, progress=progress)
    return folder.checkpoint


def _run(
    recipe: Recipe, folder: RunFolder, *, resume: bool, callbacks: Sequence[Any], progress: OpenBar
) -> None:
    state = PartialState()
    recipe.optimizer.batches(state.num_processes)  # this and the next two find errors before any work is done
    recipe.available_reports()
    check_corpora(recipe)
    with state.main_process_first():  # the others read its precision from the recorded recipe
        recipe = folder.continued(recipe)
        if not resume and state.is_main_process:
            folder.start_over()
        last = folder.last_checkpoint()
        model, train_set, validation_set = _model_and_examples(recipe, folder, progress)
    steps = len(train_set) // recipe.optimizer.batch_size
    if last and folder.is_finished(steps):
        logger.info(
            f"{folder.path} is finished, {steps:,} steps: --no-resume trains it again; --out starts another "
            "run"
        )
        return
    if state.is_main_process:
        folder.check_processes(state.num_processes, resumed=last is not None)
    if last:
        logger.info(f"resuming from {last}")
    with progress("training") as bar, _reproducible():
        trainer = CaptionTrainer(folder.training, model, train_set, validation_set, callbacks, bar)
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    trained = trainer.whole_model()
    with state.main_process_first():
        if state.is_main_process:
            entries = trainer.state.log_history
            run = FinishedRun(train_set, validation_set, trainer.state.global_step, entries)
            save_result(trained, run, folder.path)
            folder.finish(steps)


def _model_and_examples(
    recipe: Recipe, folder: RunFolder, progress: OpenBar
) -> tuple[Any, CaptionDataset, CaptionDataset]:
    """Return the model before its first step, and the training and validation examples.

    A tokenizer may be made from the captions of the examples, and its size decides the shape of the model. So
    the processor and the longest caption are set in the examples after the model is made.
    """
    model, processor = load_base(recipe)
    extractor = processor.feature_extractor if processor else recipe.model.scratch.features.extractor()
    clips = prepare_corpora(recipe, folder.path, "train", extractor, progress)
    held_out = prepare_corpora(recipe, folder.path, "validation", extractor, progress)
    check_disjoint(recipe, clips, held_out)
    folder.record(recipe)  # not earlier: a wrong base can be corrected in the same folder
    clips = prepare_states(recipe, folder.path, clips, model, extractor, progress)
    labeler = prepare_labeler(recipe.data.listener, folder.path, clips)
    train_set = training_dataset(recipe, clips, processor, max_tokens=0, labeler=labeler)
    validation_set = validation_dataset(recipe, held_out, processor, max_tokens=0)
    model, processor = complete_model(train_set, model, extractor, folder.path)
    if recipe.model.method != "scratch":
        torch.manual_seed(recipe.seed)  # decides the initial weights of adapters; others: `complete_model`
        trained = recipe.model.trained_encoder_layers
        model = set_trained(model, recipe.model.method, recipe.model.lora, encoder_layers=trained)
    if labeler is not None:
        labeler.set_head(model)
    known = {"processor": processor, "max_tokens": model.config.max_target_positions}
    return model, replace(train_set, **known), replace(validation_set, **known)


@contextmanager
def _lost_process(folder: Path) -> Iterator[None]:
    """Raise `JobError` if another process has ended, instead of the connection error of gloo or NCCL."""
    try:
        yield
    except RuntimeError as error:
        if PartialState().num_processes == 1 or not (isinstance(error, DistError) or "gloo" in str(error)):
            raise
        raise JobError(
            "another process of the run has ended, see the message of the launcher: when the same command is "
            f"run again, {folder} continues from its last checkpoint"
        ) from error


@contextmanager
def _reproducible() -> Iterator[None]:
    """Use deterministic algorithms: without them, two runs on two threads differ within 60 steps.

    If an accelerator has no deterministic kernel, the run continues with a warning. New memory is not filled
    with a fixed value, which would take 4 % of a step, because it is always written before it is read.
    """
    before = torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic
    filled = memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=accelerated())
    memory.fill_uninitialized_memory = False
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)
        memory.fill_uninitialized_memory = filled
