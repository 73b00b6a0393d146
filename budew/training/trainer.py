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
from transformers import PrinterCallback, Seq2SeqTrainer, Seq2SeqTrainingArguments, WhisperProcessor
from transformers.trainer import TRAINER_STATE_NAME

from budew.model.tokenizer import PREFIX
from budew.training.console import TrainingLog
from budew.training.dataset import CaptionDataset, collate
from budew.training.features import FeatureSet
from budew.training.heads import WhisperWithHeads
from budew.training.recipe import Recipe
from budew.training.sampled_captions import SampledCaptions


def accelerated() -> bool:
    """Tell whether this machine has something better than its processors to train on."""
    return torch.cuda.is_available() or torch.backends.mps.is_available()


def training_arguments(recipe: Recipe, folder: Path) -> Seq2SeqTrainingArguments:
    """Return the settings of a run, in the words of `transformers`."""
    return Seq2SeqTrainingArguments(
        output_dir=str(folder),
        max_steps=recipe.max_steps,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=recipe.batch_size,
        gradient_accumulation_steps=recipe.gradient_accumulation,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=recipe.warmup_steps,
        weight_decay=recipe.weight_decay,
        adam_beta2=0.98,
        max_grad_norm=1.0,
        bf16=recipe.precision == "bf16",
        use_cpu=not accelerated(),
        eval_strategy="steps",
        eval_steps=recipe.evaluate_every,
        save_strategy="steps",
        save_steps=recipe.evaluate_every,
        save_total_limit=2,
        logging_steps=max(1, recipe.evaluate_every // 10),
        disable_tqdm=True,  # see `TrainingLog`
        train_sampling_strategy="sequential",  # the examples come shuffled, see `CaptionDataset`
        dataloader_num_workers=recipe.workers,
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
    model: WhisperWithHeads,
    processor: WhisperProcessor,
    train: FeatureSet,
    validation: FeatureSet,
    progress: Progress,
) -> Seq2SeqTrainer:
    """Return a trainer that is ready to start, or to go on from a checkpoint in `folder`."""
    tokenizer = processor.tokenizer
    arguments = training_arguments(recipe, folder)
    step = arguments.train_batch_size * recipe.gradient_accumulation * arguments.world_size
    trainer = Seq2SeqTrainer(
        model=model,
        args=arguments,
        train_dataset=CaptionDataset(train, tokenizer, recipe, length=recipe.max_steps * step),
        eval_dataset=CaptionDataset(validation, tokenizer, recipe, length=None),
        data_collator=partial(collate, prefix=len(PREFIX), padding=tokenizer.pad_token_id),
        processing_class=processor,
        callbacks=[
            TrainingLog(progress, examples_a_step=step),
            SampledCaptions(validation, processor, recipe, progress),
        ],
    )
    trainer.remove_callback(PrinterCallback)
    # Whisper's loss is a mean over its own batch; told so, the trainer divides by the number of
    # accumulated batches.
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
