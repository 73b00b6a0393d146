"""The training loop: `Seq2SeqTrainer` of `transformers` over the examples of a recipe.

A run that is killed and resumed ends with the same weights as an uninterrupted run, bit for bit on a CPU: an
example depends only on the seed and its number, the trainer saves the state of its random generators with
each checkpoint, and the number of steps is the same. Each log of training steps is a line:

step 500/8000  loss 4.107  learning rate 8.0e-04  26.4 examples/s  0:47:20 left
"""

import copy
import logging
import os
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from math import isnan
from pathlib import Path
from typing import Any

import torch
import transformers  # its trainer needs libraries of the extra `train`; `devices` raises the error
from torch import Tensor
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from budew.model.adapt import short_window
from budew.training.dataset import CaptionDataset, collate
from budew.training.devices import PartialState, accelerated, precision_for
from budew.training.estimate import peak_share
from budew.training.initial_model import learning_rate
from budew.training.recipe import Recipe
from budew.training.saving import result_settings
from budew.training.training_model import caption_loss
from budew.training.validation import (
    caption_metrics,
    correlations,
    mean_spearman,
    reference_profile,
    validation_captions,
)

SHOWN = 3
"""Number of captions that are logged at each validation."""

logger = logging.getLogger(__name__)


def training_arguments(recipe: Recipe, folder: Path, *, steps: int) -> transformers.Seq2SeqTrainingArguments:
    """Convert a recipe to the training arguments of `transformers`.

    Args:
        recipe: recipe of the run.
        folder: folder of training checkpoints.
        steps: number of optimizer steps.
    """
    optimizer, evaluation, model = recipe.optimizer, recipe.evaluation, recipe.model
    at_once, times = optimizer.batches(PartialState().num_processes)
    precision = precision_for(optimizer.precision)
    return transformers.Seq2SeqTrainingArguments(
        output_dir=str(folder),
        run_name=recipe.name,
        max_steps=steps,
        per_device_train_batch_size=at_once,
        per_device_eval_batch_size=at_once,
        gradient_accumulation_steps=times,
        activation_checkpointing=model.gradient_checkpointing,
        # With use_reentrant, no gradient passes through a frozen encoder.
        activation_checkpointing_kwargs={"use_reentrant": False},
        torch_compile=model.compile,
        learning_rate=learning_rate(recipe),
        # Resumption needs a schedule that is a LambdaLR, see `_Resumption`.
        lr_scheduler_type="constant_with_warmup" if optimizer.schedule == "constant" else optimizer.schedule,
        warmup_steps=round(optimizer.warmup * steps),
        weight_decay=optimizer.weight_decay,
        adam_beta2=0.98,  # as Whisper itself was trained: Radford et al. 2023, table 17
        max_grad_norm=1.0,
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        use_cpu=not accelerated(),
        eval_strategy="steps",
        eval_steps=evaluation.every_steps,
        save_strategy="steps",
        save_steps=evaluation.every_steps,
        save_total_limit=2,
        metric_for_best_model="eval_spearman",
        greater_is_better=True,
        load_best_model_at_end=evaluation.keep == "best",
        restore_callback_states_from_checkpoint=evaluation.patience is not None,
        logging_steps=max(1, evaluation.every_steps // 10),
        logging_nan_inf_filter=False,
        disable_tqdm=True,  # see `TrainingLog`
        train_sampling_strategy="sequential",  # the examples come in the order of `ClipOrder`
        dataloader_num_workers=min(recipe.data.workers, os.cpu_count() or 1),
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=False,
        remove_unused_columns=False,
        label_names=["labels"],
        report_to=recipe.available_reports(),
        seed=recipe.seed,
        data_seed=recipe.seed,
    )


class TrainingLog(transformers.TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """Callback that reports the progress of each step, and logs loss and speed in one line.

    Attributes:
        progress: called after each step with the number of steps done and their total number.
        examples_a_step: clips per step, on all devices.
        peak_share: share of the devices' peak speed that is used at one example per second; None if unknown.
    """

    def __init__(
        self, progress: Callable[[int, int], None], *, examples_a_step: int, peak_share: float | None = None
    ) -> None:
        self.progress, self.examples_a_step, self.peak_share = progress, examples_a_step, peak_share

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start to measure the speed."""
        self.since = (time.monotonic(), state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Call `progress` with the number of steps done and their total number."""
        self.progress(state.global_step, state.max_steps)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **kwargs: Any) -> None:
        """Log loss, learning rate, speed and remaining time; logs of validations are ignored."""
        if "loss" not in logs:
            return
        now = (time.monotonic(), state.global_step)
        steps_a_second = (now[1] - self.since[1]) / max(now[0] - self.since[0], 1e-9)
        self.since = now
        speed = self.examples_a_step * steps_a_second
        left = (state.max_steps - state.global_step) / max(steps_a_second, 1e-9)
        peak = "" if self.peak_share is None else f"  {100 * self.peak_share * speed:.0f} % of peak"
        logger.info(
            f"step {state.global_step}/{state.max_steps}  loss {logs['loss']:.3f}  "
            f"learning rate {logs['learning_rate']:.1e}  {speed:.1f} examples/s{peak}  "
            f"{timedelta(seconds=round(left))} left"
        )

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Restart the measurement of speed, so that it does not include the validation."""
        self.since = (time.monotonic(), state.global_step)


class _Resumption(transformers.TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """Corrects the state of a resumed run whose folder was moved or whose number of steps was increased."""

    def on_train_begin(
        self, args: Any, state: Any, control: Any, optimizer: Any, lr_scheduler: Any, **kwargs: Any
    ) -> None:
        """Find the best checkpoint in a moved folder, and set the learning rate of the new schedule.

        transformers 5.23 drops the path of a best checkpoint that no longer exists. A finished run ended with
        a learning rate of 0, from which a run with more steps must not continue.
        """
        if state.best_global_step:
            best = Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.best_global_step}"
            state.best_model_checkpoint = str(best) if best.is_dir() else None
        if state.global_step:
            rates = lr_scheduler.get_last_lr()  # the list that is logged for the first step
            for number, group in enumerate(optimizer.param_groups):
                share = lr_scheduler.lr_lambdas[number](lr_scheduler.last_epoch)
                rates[number] = group["lr"] = lr_scheduler.base_lrs[number] * share


class CaptionTrainer(transformers.Seq2SeqTrainer):  # type: ignore[misc]  # transformers ships no types
    """Trainer that allows batches shorter than the window, and generates captions in validation.

    Args:
        folder: folder of training checkpoints.
        model: model before its first step.
        train: training examples, with the recipe and the processor.
        validation: validation examples.
        callbacks: further callbacks of transformers.
        progress: called after each step with the number of steps done and their total number.
    """

    def __init__(
        self,
        folder: Path,
        model: Any,
        train: CaptionDataset,
        validation: CaptionDataset,
        callbacks: Sequence[Any] = (),
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        recipe = train.recipe
        self.recipe, self.processor, self.validation = recipe, train.processor, validation
        clips_per_step = recipe.optimizer.batch_size
        peak = peak_share(recipe, PartialState().num_processes)
        own: list[Any] = [
            _Resumption(),
            TrainingLog(progress, examples_a_step=clips_per_step, peak_share=peak),
        ]
        profiles = [reference_profile(validation.record(number)) for number in range(len(validation))]
        can_be_scored = not isnan(mean_spearman(profiles, profiles))
        if recipe.evaluation.patience and can_be_scored:
            own.append(transformers.EarlyStoppingCallback(recipe.evaluation.patience))
        super().__init__(
            model=model,
            args=training_arguments(recipe, folder, steps=len(train) // clips_per_step),
            train_dataset=train,
            eval_dataset=validation,
            data_collator=partial(collate, padding=self.processor.tokenizer.eos_token_id),
            processing_class=self.processor,
            callbacks=[*own, *callbacks],
            compute_loss_func=partial(
                caption_loss, clips_per_step=clips_per_step, heads_weight=recipe.model.heads_weight_in_loss
            ),
        )
        self.remove_callback(transformers.PrinterCallback)
        self._whole = copy.deepcopy(model) if self.is_fsdp_enabled else None
        if not can_be_scored:
            logger.info("validation: no emotion is rated differently in two clips: the last weights are kept")
            self.args.load_best_model_at_end = False

    def whole_model(self) -> Any:
        """Return the model; with FSDP, a complete copy that is joined from the shards of all processes."""
        model = self.accelerator.unwrap_model(self.model)
        if self._whole is None:
            return model
        options = StateDictOptions(full_state_dict=True)
        self._whole.load_state_dict(get_model_state_dict(model, options=options))
        return self._whole.to(self.args.device)

    def compute_loss(self, model: Any, inputs: dict[str, Tensor], *args: Any, **more: Any) -> Any:
        """Return the loss of a batch of cached states, or of features that may be shorter than the window."""
        if "states" in inputs:
            return super().compute_loss(model, inputs, *args, **more)
        encoder = self.accelerator.unwrap_model(model).get_encoder()
        with short_window(encoder, inputs["input_features"].shape[-1]):
            return super().compute_loss(model, inputs, *args, **more)

    def evaluation_loop(self, *args: Any, metric_key_prefix: str = "eval", **more: Any) -> Any:
        """Compute the validation loss, caption all validation clips, add their metrics and log some captions.

        Metrics are those of `caption_metrics`, and `spearman_CORPUS` if there are several corpora.
        """
        output = super().evaluation_loop(*args, metric_key_prefix=metric_key_prefix, **more)
        model, recipe = self.whole_model(), self.recipe
        settings = result_settings(model, recipe, has_prompts=self.train_dataset.has_prompts)
        captions, profiles = validation_captions(
            model, self.validation, settings, batch_size=self.args.per_device_eval_batch_size
        )
        metrics = caption_metrics(captions, profiles, recipe.target.kind)
        lines = [
            f"step {self.state.global_step}/{self.state.max_steps}  "
            f"validation loss {output.metrics[f'{metric_key_prefix}_loss']:.3f}  "
            f"mean Spearman {metrics['spearman']:.3f}  unparsed {100 * metrics['unparsed']:.0f} %  "
            f"looping {100 * metrics['looping']:.0f} %  distinct-2 {metrics['distinct_2']:.2f}"
        ]
        names = recipe.data.validation
        if len(names) > 1:
            corpora = [names[self.validation.order[number].corpus] for number in range(len(profiles))]
            for name, value in correlations(captions, profiles, corpora, recipe.target.kind).items():
                metrics[f"spearman_{name}"] = value
                lines.append(f"  mean Spearman {value:.3f} of {name}")
        output.metrics.update({f"{metric_key_prefix}_{name}": value for name, value in metrics.items()})
        for text, profile in list(zip(captions.texts, profiles, strict=True))[:SHOWN]:
            emotions = ", ".join(f"{name} {intensity:g}" for name, intensity in profile.emotions.items())
            without = "neutral" if profile.fully_rated else "no rated emotion is present"
            lines += [f"  {text}", f"    (reference: {emotions or without})"]
        logger.info("\n".join(lines))
        return output
