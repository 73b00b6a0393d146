"""The training loop: `Seq2SeqTrainer` of `transformers` over the examples of a recipe, with sampled
captions while it runs.
"""

import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from transformers import Seq2SeqTrainer, Seq2SeqTrainingArguments, TrainerCallback, WhisperProcessor

from budew.captions import parse
from budew.training.dataset import CaptionDataset, collate
from budew.training.features import FeatureSet
from budew.training.heads import WhisperWithHeads
from budew.training.recipe import Recipe

PREFIX_TOKENS = 4
SHOWN = 3


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
        use_cpu=not (torch.cuda.is_available() or torch.backends.mps.is_available()),
        eval_strategy="steps",
        eval_steps=recipe.evaluate_every,
        save_strategy="steps",
        save_steps=recipe.evaluate_every,
        save_total_limit=2,
        logging_steps=max(1, recipe.evaluate_every // 10),
        train_sampling_strategy="sequential",  # the examples come shuffled, see `CaptionDataset`
        dataloader_num_workers=recipe.workers,
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
) -> Seq2SeqTrainer:
    """Return a trainer that is ready to start, or to go on from a checkpoint in `folder`."""
    tokenizer = processor.tokenizer
    arguments = training_arguments(recipe, folder)
    examples = recipe.max_steps * recipe.batch_size * recipe.gradient_accumulation * arguments.world_size
    trainer = Seq2SeqTrainer(
        model=model,
        args=arguments,
        train_dataset=CaptionDataset(train, tokenizer, recipe, length=examples),
        eval_dataset=CaptionDataset(validation, tokenizer, recipe, length=None),
        data_collator=partial(collate, prefix=PREFIX_TOKENS, padding=tokenizer.pad_token_id),
        processing_class=processor,
        callbacks=[SampledCaptions(validation, processor, recipe)],
    )
    # Whisper's loss is a mean over its own batch; told so, the trainer divides by the number of
    # accumulated batches.
    trainer.model_accepts_loss_kwargs = False
    return trainer


class SampledCaptions(TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """At each evaluation, captions some validation clips, shows three and logs the mean Spearman
    correlation.
    """

    def __init__(self, validation: FeatureSet, processor: WhisperProcessor, recipe: Recipe) -> None:
        self.validation = validation
        self.processor = processor
        self.recipe = recipe

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Write what the model now says."""
        model = kwargs["model"]
        captions = self._captions(model)
        said = np.stack([parse(caption).vector() for caption in captions])
        meant = np.stack([profile.vector() for profile in self.validation.profiles[: len(captions)]])
        spearman = mean_spearman(meant, said)
        state.log_history.append({"step": state.global_step, "validation_spearman": spearman})
        print(f"\nstep {state.global_step}: mean Spearman on {len(captions)} validation clips {spearman:.3f}")
        for caption, profile in zip(captions[:SHOWN], self.validation.profiles, strict=False):
            truth = ", ".join(f"{name} {intensity:g}" for name, intensity in profile.emotions.items())
            print(f"  {caption}\n    (in truth: {truth or 'neutral'})", flush=True)

    def _captions(self, model: Any) -> list[str]:
        count = min(self.recipe.evaluate_clips, len(self.validation.ids))
        captions: list[str] = []
        training, model.training = model.training, False
        model.eval()
        for start in range(0, count, self.recipe.batch_size):
            stop = min(start + self.recipe.batch_size, count)
            features = torch.from_numpy(self.validation.features[start:stop].astype(np.float32))
            with torch.inference_mode(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tokens = model.generate(features.to(model.device), num_beams=1)
            captions += self.processor.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        model.train(training)
        return captions


def mean_spearman(meant: np.ndarray, said: np.ndarray) -> float:
    """Return the mean over emotions of Spearman's correlation; 0 for one that is never or always
    said alike.
    """
    values = []
    for column in range(meant.shape[1]):
        if np.ptp(meant[:, column]) == 0:
            continue
        constant = np.ptp(said[:, column]) == 0
        values.append(0.0 if constant else float(spearmanr(meant[:, column], said[:, column]).statistic))
    return float(np.mean(values)) if values else float("nan")
