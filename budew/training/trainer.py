"""The training loop: `Seq2SeqTrainer` of `transformers` over the examples of a recipe, and what it prints.

A run that is killed and resumed ends with the weights of an undisturbed one, bit for bit, because an
example depends on its number alone, the trainer keeps its generators beside each checkpoint, and the number
of steps is the same.

All is printed on stderr: bars in a terminal, and lines short enough for a log file.

step 500/8000  loss 4.107  learning rate 8.0e-04  26.4 examples/s

At each validation some clips are captioned and parsed as well, and the mean Spearman correlation with their
profiles goes into the history of the run: a falling loss alone does not show that the model uses the audio.
"""

import json
import sys
import time
from collections.abc import Sequence
from functools import partial
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
    WhisperProcessor,
)
from transformers.trainer import TRAINER_STATE_NAME

from budew.captions.parse import parse
from budew.evaluation.metrics import score_emotions
from budew.extras import quiet_transformers
from budew.model.build import PREFIX
from budew.profile import VoiceProfile, intensity_matrix
from budew.terminal import Bar, visible
from budew.training.data import CaptionDataset, FeatureSet, collate
from budew.training.recipe import Recipe

SHOWN = 3
"""Captions that are printed at each validation."""


def say(line: str) -> None:
    """Print a line above the bars; of several processes only the main one does."""
    if PartialState().is_main_process:
        print(visible(line), file=sys.stderr, flush=True)


def accelerated() -> bool:
    """Whether this machine has an accelerator to train on."""
    return torch.cuda.is_available() or torch.backends.mps.is_available()


def training_arguments(recipe: Recipe, folder: Path) -> Seq2SeqTrainingArguments:
    """Return the settings of a run as those of `transformers`."""
    optimizer, every = recipe.optimizer, recipe.evaluation.every_steps
    return Seq2SeqTrainingArguments(
        output_dir=str(folder),
        max_steps=optimizer.max_steps,
        per_device_train_batch_size=optimizer.batch_size,
        per_device_eval_batch_size=optimizer.batch_size,
        gradient_accumulation_steps=optimizer.gradient_accumulation,
        learning_rate=optimizer.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=optimizer.warmup_steps,
        weight_decay=optimizer.weight_decay,
        adam_beta2=0.98,
        max_grad_norm=1.0,
        bf16=optimizer.precision == "bf16",
        use_cpu=not accelerated(),
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        logging_steps=max(1, every // 10),
        disable_tqdm=True,  # see `TrainingLog`
        train_sampling_strategy="sequential",  # the examples come shuffled, see `CaptionDataset`
        dataloader_num_workers=recipe.data.workers,
        dataloader_pin_memory=torch.cuda.is_available(),
        remove_unused_columns=False,
        label_names=["labels"],
        report_to=[],
        seed=recipe.seed,
        data_seed=recipe.seed,
    )


def make_trainer(
    recipe: Recipe,
    folder: Path,
    *,
    model: PreTrainedModel,
    processor: WhisperProcessor,
    train: FeatureSet,
    validation: FeatureSet,
    bar: Bar,
) -> Seq2SeqTrainer:
    """Return a trainer, ready to start or to continue from a checkpoint in `folder`; it moves `bar`."""
    tokenizer = processor.tokenizer
    arguments = training_arguments(recipe, folder)
    step = arguments.train_batch_size * recipe.optimizer.gradient_accumulation * arguments.world_size
    trainer = Seq2SeqTrainer(
        model=model,
        args=arguments,
        train_dataset=CaptionDataset(train, tokenizer, recipe, length=recipe.optimizer.max_steps * step),
        eval_dataset=CaptionDataset(validation, tokenizer, recipe, length=None),
        data_collator=partial(collate, prefix=len(PREFIX), padding=tokenizer.pad_token_id),
        processing_class=processor,
        callbacks=[TrainingLog(bar, examples_a_step=step), SampledCaptions(validation, processor, recipe)],
    )
    trainer.remove_callback(PrinterCallback)
    # Whisper's loss is a mean over its own batch: with this the trainer divides by the number of accumulated
    # batches.
    trainer.model_accepts_loss_kwargs = False
    return trainer


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint in `folder` that was written to its end, None where there is none."""
    checkpoints = sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]))
    return next((path for path in reversed(checkpoints) if _is_complete(path)), None)


def _is_complete(checkpoint: Path) -> bool:
    """Return whether the trainer's state is there and whole: it is what the trainer writes last."""
    try:
        json.loads((checkpoint / TRAINER_STATE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


class TrainingLog(TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """Moves the bar at each step and prints one line for each log."""

    def __init__(self, bar: Bar, *, examples_a_step: int) -> None:
        self.bar = bar
        self.examples_a_step = examples_a_step

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clock."""
        self.since = (time.monotonic(), state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Move the bar."""
        self.bar(state.global_step, state.max_steps)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **kwargs: Any) -> None:
        """Print the line of a training step; a validation prints its own, see `SampledCaptions`."""
        if "loss" not in logs:
            return
        now = (time.monotonic(), state.global_step)
        speed = self.examples_a_step * (now[1] - self.since[1]) / max(now[0] - self.since[0], 1e-9)
        self.since = now
        say(
            f"step {state.global_step}/{state.max_steps}  loss {logs['loss']:.3f}  "
            f"learning rate {logs['learning_rate']:.1e}  {speed:.1f} examples/s"
        )


class SampledCaptions(TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """Captions the first clips of a corpus at each validation and logs `validation_spearman`: NaN in Python,
    null in JSON, where it is undefined. Unrated emotions do not count.
    """

    def __init__(self, validation: FeatureSet, processor: WhisperProcessor, recipe: Recipe) -> None:
        self.validation = validation
        self.processor = processor
        self.recipe = recipe

    def on_evaluate(
        self, args: Any, state: Any, control: Any, model: Any, metrics: dict[str, float], **kwargs: Any
    ) -> None:
        """Print captions of the model and how close they are to the profiles."""
        captions = self._captions(model)
        profiles = self.validation.profiles[: len(captions)]
        spearman, clips = agreement(profiles, captions)
        state.log_history.append({"step": state.global_step, "validation_spearman": spearman})
        lines = [
            f"step {state.global_step}/{state.max_steps}  validation loss {metrics['eval_loss']:.3f}  "
            f"mean Spearman {spearman:.3f} on {clips} clips"
        ]
        for caption, profile in list(zip(captions, profiles, strict=True))[:SHOWN]:
            emotions = ", ".join(f"{name} {intensity:g}" for name, intensity in profile.emotions.items())
            without = "neutral" if profile.fully_rated else "no rated emotion is present"
            lines += [f"  {caption}", f"    (reference: {emotions or without})"]
        say("\n".join(lines))

    def _captions(self, model: Any) -> list[str]:
        """Caption the first clips, greedily, and leave the model in the mode it was in."""
        count = min(self.recipe.evaluation.clips, len(self.validation.ids))
        size = self.recipe.optimizer.batch_size
        captions: list[str] = []
        training = model.training
        model.eval()
        for start in range(0, count, size):
            stop = min(start + size, count)
            features = torch.from_numpy(self.validation.features[start:stop].astype(np.float32))
            with torch.inference_mode(), quiet_transformers():
                tokens = model.generate(features.to(model.device), num_beams=1, use_cache=True)
            captions += self.processor.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        model.train(training)
        return captions


def agreement(profiles: Sequence[VoiceProfile], captions: Sequence[str]) -> tuple[float, int]:
    """Return the mean Spearman correlation of captions with profiles, NaN where it is undefined, and the
    number of clips that it is over: those with rated emotions.
    """
    known = [(profile, text) for profile, text in zip(profiles, captions, strict=True) if profile.rated]
    if not known:
        return nan, 0
    reference = intensity_matrix(profile for profile, _ in known)
    predicted = intensity_matrix(parse(text).profile for _, text in known)
    return float(score_emotions(reference, predicted).mean["spearman"][0]), len(known)
