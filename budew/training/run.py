"""A training run: data, model, training, and a plain `transformers` checkpoint at the end.

Every stage leaves its result in the folder of the run and is skipped when it is there, so a run that was
stopped goes on where it was. With several processes (`torchrun`) the main one prepares the data.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import torch
from accelerate import PartialState
from torch.distributed import DistError

from budew.errors import InputError, JobError
from budew.io.disk import disk_errors
from budew.io.files import whole_file
from budew.model.adapt import set_trained
from budew.model.build import Features
from budew.model.quiet import quiet_transformers
from budew.training.data import (
    cached_states,
    check_corpora,
    fitted_listener,
    number_of_clips,
    prepare_corpora,
    training_examples,
    validation_examples,
)
from budew.training.devices import accelerated, peak_tflops, precision_of
from budew.training.estimate import (
    config_of,
    learning_rate,
    operations,
    positions_a_second,
)
from budew.training.progress import OpenBar, no_bar, say
from budew.training.recipe import Recipe, differences, load_recipe
from budew.training.saving import Run, named_disk_errors, save_result
from budew.training.selection import Selection
from budew.training.start import complete, load_base, say_window
from budew.training.state_cache import size_of
from budew.training.trainer import CaptionTrainer, last_checkpoint, reported_to

LONGEST_PREPARATION = timedelta(hours=24)
"""For which other processes wait while the main one prepares the data."""
RECIPE = "recipe.yaml"
PROCESSES, FINISHED = "processes", "finished"
"""Files in the folder of the training: the number of its processes, on which dropout and rounding depend, and
that of its steps when the result is saved.
"""


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

    Args:
        recipe: a recipe, its file, or the name of one that ships.
        out: folder of the run; runs/NAME when None.
        changes: `field=value` for the recipe's file, see `load_recipe`.
        resume: continue from what is in `out`; else start again (speech and indexes are kept).
        callbacks: `TrainerCallback`s of transformers.
        progress: called with the title of a stage, opens its progress bar; in the main process alone.

    Raises:
        SettingsError: the recipe is not valid.
        InputError: `out` holds a run of another recipe, or of another number of processes; this CPU cannot
            compute the precision; or changes are given for a `Recipe`.
        CorpusError: a corpus of the recipe cannot be read, or nothing in it can be learned.
        CheckpointError: the base cannot be loaded.
        MissingExtraError: a library of the extra `train`, or of `report_to`, is not installed.
        JobError: the disk is full, or refuses for another reason.
    """
    if isinstance(recipe, Recipe) and changes:
        raise InputError("changes are for the file of a recipe: use model_copy on a Recipe")
    recipe = recipe if isinstance(recipe, Recipe) else load_recipe(recipe, changes)
    folder = Path(out) if out else Path("runs") / recipe.name
    if not PartialState._shared_state:  # join the other processes of `torchrun`, once a process
        PartialState(cpu=not accelerated(), timeout=LONGEST_PREPARATION)
    with quiet_transformers(), disk_errors(folder), named_disk_errors(), _lost_process(folder):
        _run(recipe, folder, callbacks, resume=resume, progress=progress)
    return folder / "checkpoint"


def _run(recipe: Recipe, folder: Path, callbacks: Sequence[Any], *, resume: bool, progress: OpenBar) -> None:
    state = PartialState()
    progress = progress if state.is_main_process else no_bar
    recipe.optimizer.batches(state.num_processes)
    reported_to(recipe)
    check_corpora(recipe)
    with state.main_process_first():  # whose precision is then that of all, from the recorded recipe
        recipe = _with_precision(recipe, folder)
        _check_recipe(folder, recipe)
        if not resume and state.is_main_process:
            shutil.rmtree(folder / "training", ignore_errors=True)
        last = last_checkpoint(folder / "training")
        model, processor = load_base(recipe)
        extractor = processor.feature_extractor if processor else recipe.model.scratch.features.extractor()
        train_corpora = prepare_corpora(recipe, folder, "train", extractor, progress=progress)
        validation_corpora = prepare_corpora(recipe, folder, "validation", extractor, progress=progress)
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(folder / RECIPE) as file:  # not before: a wrong base may be corrected
            file.write(recipe.to_yaml())
        train_corpora = cached_states(recipe, folder, train_corpora, model, extractor, progress=progress)
        listener = fitted_listener(recipe, folder, train_corpora)
        drawn = training_examples(recipe, train_corpora, processor, longest=0, listener=listener)
        model, processor = complete(recipe, folder, model, extractor, drawn)
    if recipe.model.method != "scratch":
        torch.manual_seed(recipe.seed)  # of adapters
        learning = recipe.model.trained_encoder_layers
        model = set_trained(model, recipe.model.method, recipe.model.lora, encoder_layers=learning)
    if listener is not None:
        listener.seat(model)
    longest = model.config.max_target_positions
    prompts = _has_prompts(recipe, train_corpora)
    train_set = training_examples(recipe, train_corpora, processor, longest=longest, listener=listener)
    steps = len(train_set) // recipe.optimizer.batch_size
    done = _number(folder / "training" / FINISHED)
    if last and (folder / "checkpoint").is_dir() and done >= steps:
        say(f"{folder} is finished, {done:,} steps: --no-resume trains it again; --out starts another run")
        return
    if state.is_main_process:
        _check_processes(folder / "training", state.num_processes, resumed=last is not None)
    if last:
        say(f"resuming from {last}")
    with progress("training") as bar, _reproducible():
        trainer = CaptionTrainer(
            recipe,
            folder / "training",
            model=model,
            processor=processor,
            train=train_set,
            validation=validation_examples(recipe, validation_corpora, processor, longest=longest),
            rate=learning_rate(recipe),
            bar=bar,
            callbacks=callbacks,
            peak_share=_peak_share(recipe, state.num_processes),
        )
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    trained = trainer.whole_model()
    with state.main_process_first():
        if state.is_main_process:
            run = Run(
                recipe,
                processor,
                clips=number_of_clips(train_corpora),
                hours=sum(float(used.rows["seconds"].sum()) for used in train_corpora) / 3600,
                validation_clips=len(trainer.validation),
                steps=trainer.state.global_step,
                history=trainer.state.log_history,
                prompts=prompts,
            )
            save_result(trained, run, folder)
            with whole_file(folder / "training" / FINISHED) as file:
                file.write(str(steps))


def _has_prompts(recipe: Recipe, corpora: Sequence[Selection]) -> bool:
    """Return whether any example has a prompt; say so where the recipe wants it and none has."""
    if not recipe.target.prompts:
        return False
    rendered = recipe.target.renders and any(used.has_profiles for used in corpora)
    if not rendered:
        say("target.prompts: no example has a prompt, as only captions that are rendered from profiles do")
    return rendered


class Plan(NamedTuple):
    """Clips and steps of a run, and the bytes of its cached states."""

    clips: int
    steps: int
    states: int


def plan(recipe: Recipe, folder: Path, *, progress: OpenBar = no_bar) -> Plan:
    """Return the size of a run, and report what is left out; its indexes are kept for the run.

    Args:
        recipe: of the run.
        folder: of the run.
        progress: opens a progress bar for each stage.

    Raises:
        SettingsError: the recipe names no data.
        CorpusError: a corpus cannot be read, or nothing in it can be learned.
    """
    check_corpora(recipe)
    config = config_of(recipe)
    width = config.d_model if config and recipe.data.cache_states else 0
    if not recipe.data.train:
        clips = recipe.data.speech.train_clips
        whole = config.max_source_positions if config else 0
        states = 2 * width * whole * clips * recipe.data.state_copies
        return Plan(clips, recipe.optimizer.steps(clips), states)
    plain = recipe.model_copy(update={"data": recipe.data.model_copy(update={"cache_features": False})})
    seconds = 30 if config is None else round(config.max_source_positions / positions_a_second(recipe))
    say_window(recipe, seconds)
    features = Features(window_seconds=seconds, mel_bins=80, hop=160, fourier=400)
    extractor = (recipe.model.scratch.features if recipe.model.base is None else features).extractor()
    corpora = prepare_corpora(plain, folder, "train", extractor, progress=progress)
    prepare_corpora(plain, folder, "validation", extractor, progress=progress)
    clips = number_of_clips(corpora)
    states = sum(size_of(used, recipe, extractor, width) for used in corpora)
    return Plan(clips, recipe.optimizer.steps(clips), states)


def _peak_share(recipe: Recipe, devices: int) -> float | None:
    """Return the share of the peak of all devices that an example a second takes; None if it is unknown."""
    peak = peak_tflops()
    work = operations(recipe) if peak else None
    return work.flops / (peak * 1e12 * devices) if peak and work else None


def _with_precision(recipe: Recipe, folder: Path) -> Recipe:
    """Return the recipe with a precision that is computed here: for "auto" that of the run in the folder.

    Raises:
        InputError: this CPU cannot compute it.
    """
    wanted, recorded = recipe.optimizer.precision, folder / RECIPE
    if wanted == "auto" and recorded.exists():
        wanted = load_recipe(recorded).optimizer.precision
    given = _precise(recipe, wanted)
    return _precise(recipe, precision_of(given))


def _precise(recipe: Recipe, precision: str) -> Recipe:
    optimizer = recipe.optimizer.model_copy(update={"precision": precision})
    return recipe.model_copy(update={"optimizer": optimizer})


def _check_recipe(folder: Path, recipe: Recipe) -> None:
    """Refuse to continue a run with a recipe of another result."""
    path = folder / RECIPE
    if path.exists():
        recorded = load_recipe(path)
        if recorded.optimizer.precision == "auto":  # of a version that did not record it
            recorded = _precise(recorded, recipe.optimizer.precision)
        differing = differences(recorded, recipe)
        if differing:
            raise InputError(
                f"{folder} holds a run of a different recipe; its value / yours: {'; '.join(differing)}: "
                "choose another folder with --out"
            )


def _check_processes(training: Path, processes: int, *, resumed: bool) -> None:
    """Refuse to continue a run with another number of processes, or note it at the start."""
    path = training / PROCESSES
    before = _number(path)
    if resumed and before != processes:
        raise InputError(
            f"{training.parent} was started with {before} processes, not {processes}: continue it with as "
            "many, or train again with --no-resume"
        )
    training.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(str(processes))


def _number(path: Path) -> int:
    return int(path.read_text(encoding="utf-8")) if path.exists() else 0


@contextmanager
def _lost_process(folder: Path) -> Iterator[None]:
    """Say in one line that another process has ended; gloo and NCCL report what it is to the connection."""
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
    """Sum in one order, whatever the threads: without, two runs on two processors differ within 60 steps.

    Where an accelerator has no such kernel, the run continues with a warning. New memory is not filled, which
    takes 4 % of a step: nothing reads it before it is written.
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
