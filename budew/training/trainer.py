"""The training loop: `Seq2SeqTrainer` of `transformers` over the examples of a recipe.

A run that is killed and resumed ends with the weights of an undisturbed one, bit for bit, because an
example depends on its number alone, the trainer keeps its generators beside each checkpoint, and the number
of steps is the same.
"""

import json
from functools import partial
from pathlib import Path

import torch
from rich.progress import Progress
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    WhisperProcessor,
)
from transformers.trainer import TRAINER_STATE_NAME

from budew.model.build import PREFIX
from budew.training.callbacks import SampledCaptions, TrainingLog
from budew.training.data import CaptionDataset, FeatureSet, collate
from budew.training.recipe import Recipe


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
    progress: Progress,
) -> Seq2SeqTrainer:
    """Return a trainer that is ready to start, or to go on from a checkpoint in `folder`."""
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
        callbacks=[
            TrainingLog(progress, examples_a_step=step),
            SampledCaptions(validation, processor, recipe, progress),
        ],
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
    """Tell whether the trainer's state is there and whole: it is what the trainer writes last."""
    try:
        json.loads((checkpoint / TRAINER_STATE_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
