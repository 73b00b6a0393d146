"""The training loop: `Seq2SeqTrainer` of `transformers` over the examples of a recipe.

A run that is killed and resumed ends with the weights of an undisturbed one, bit for bit, because an
example depends on its number alone, the trainer keeps its generators beside each checkpoint, and the number
of steps is the same. Each log is a line, and an update of the progress:

step 500/8000  loss 4.107  learning rate 8.0e-04  26.4 examples/s  0:47:20 left
"""

import copy
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from importlib.util import find_spec
from itertools import zip_longest
from math import isnan
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import gather_object
from torch import Tensor
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    TrainerCallback,
)

from budew.errors import MissingExtraError
from budew.inference.captioned_recording import REPETITION
from budew.inference.captioner import Captioner
from budew.inference.options import WritingOptions
from budew.inference.recordings import Recording, from_audio
from budew.model.adapt import short_window
from budew.model.checkpoint import fitted
from budew.profile import VoiceProfile
from budew.training.clip_index import ClipRecord
from budew.training.dataset import CaptionDataset, collate
from budew.training.devices import accelerated, precision_for
from budew.training.estimate import peak_share
from budew.training.model_config import learning_rate, result_settings
from budew.training.recipe import Recipe
from budew.training.training_model import caption_loss
from budew.training.validation import (
    ValidationCaptions,
    caption_metrics,
    correlations,
    mean_spearman,
    predicted_profile,
)

SHOWN = 3
"""Captions that are logged at each validation."""

logger = logging.getLogger(__name__)


def training_arguments(recipe: Recipe, folder: Path, *, steps: int) -> Seq2SeqTrainingArguments:
    """Return the settings of a run as those of `transformers`."""
    optimizer, evaluation, model = recipe.optimizer, recipe.evaluation, recipe.model
    at_once, times = optimizer.batches(PartialState().num_processes)
    precision = precision_for(optimizer.precision)
    return Seq2SeqTrainingArguments(
        output_dir=str(folder),
        run_name=recipe.name,
        max_steps=steps,
        per_device_train_batch_size=at_once,
        per_device_eval_batch_size=at_once,
        gradient_accumulation_steps=times,
        activation_checkpointing=model.gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False},  # else a frozen encoder gives no gradient
        torch_compile=model.compile,
        learning_rate=learning_rate(recipe),
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
        report_to=reported_to(recipe),
        seed=recipe.seed,
        data_seed=recipe.seed,
    )


def reported_to(recipe: Recipe) -> list[str]:
    """Return where curves go: what the recipe names, without TensorBoard where it is not installed.

    Raises:
        MissingExtraError: another of them is not installed.
    """
    missing = [name for name in recipe.report_to if find_spec(name) is None]
    wanted = [name for name in missing if name != "tensorboard"]
    if wanted:
        raise MissingExtraError(f"{wanted[0]} is not installed: pip install {wanted[0]}, or change report_to")
    return [name for name in recipe.report_to if name not in missing]


class TrainingLog(TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """Reports the progress of each step and logs one line for each log of the trainer.

    Args:
        progress: called with the number of steps that are done and that of all.
        examples_a_step: over all devices.
        peak_share: share of the device's peak speed that one example a second takes; None if it is unknown.
    """

    def __init__(
        self, progress: Callable[[int, int], None], *, examples_a_step: int, peak_share: float | None = None
    ) -> None:
        self.progress, self.examples_a_step, self.peak_share = progress, examples_a_step, peak_share

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clock."""
        self.since = (time.monotonic(), state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Report the progress."""
        self.progress(state.global_step, state.max_steps)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **kwargs: Any) -> None:
        """Log the line of training steps."""
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
        """Leave the time of a validation out of the speed."""
        self.since = (time.monotonic(), state.global_step)


class _Resumption(TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """Corrects what a checkpoint has of another run: one in another folder, or of fewer steps."""

    def on_train_begin(
        self, args: Any, state: Any, control: Any, optimizer: Any, lr_scheduler: Any, **kwargs: Any
    ) -> None:
        """Find the best checkpoint where the folder was moved, and set the learning rate of this schedule.

        A shorter run, which is extended, ended with a rate of 0.
        """
        if state.best_model_checkpoint:
            state.best_model_checkpoint = str(Path(args.output_dir) / Path(state.best_model_checkpoint).name)
        if state.global_step:
            shares = [share(lr_scheduler.last_epoch) for share in lr_scheduler.lr_lambdas]
            rates = [rate * share for rate, share in zip(lr_scheduler.base_lrs, shares, strict=True)]
            lr_scheduler._last_lr = rates  # which is logged for the first step
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate


class CaptionTrainer(Seq2SeqTrainer):  # type: ignore[misc]  # transformers ships no types
    """A trainer whose batches may be shorter than the window, and whose validation writes captions.

    Args:
        folder: for checkpoints.
        model: with the weights that learn.
        train: its examples; they have the recipe of the run, and the processor of the model.
        validation: examples.
        callbacks: of transformers.
        progress: called with the number of steps that are done and that of all.
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
        clips, settings = recipe.optimizer.batch_size, recipe.model
        heads_weight = settings.scratch.heads_weight if settings.base is None else settings.heads_weight
        peak = peak_share(recipe, PartialState().num_processes)
        own: list[Any] = [_Resumption(), TrainingLog(progress, examples_a_step=clips, peak_share=peak)]
        if recipe.evaluation.patience:
            own.append(EarlyStoppingCallback(recipe.evaluation.patience))
        super().__init__(
            model=model,
            args=training_arguments(recipe, folder, steps=len(train) // clips),
            train_dataset=train,
            eval_dataset=validation,
            data_collator=partial(collate, padding=self.processor.tokenizer.eos_token_id),
            processing_class=self.processor,
            callbacks=[*own, *callbacks],
            compute_loss_func=partial(caption_loss, clips=clips, heads_weight=heads_weight),
        )
        self.remove_callback(PrinterCallback)
        self._whole = copy.deepcopy(model) if self.is_fsdp_enabled else None
        profiles = [_profile(validation.record(number)) for number in range(len(validation))]
        if isnan(mean_spearman(profiles, profiles)):
            logger.info("validation: no emotion is rated differently in two clips: the last weights are kept")
            self.args.load_best_model_at_end = False

    def whole_model(self) -> Any:
        """Return the model; where each process has a shard of it (FSDP), a copy put together from all."""
        model = self.accelerator.unwrap_model(self.model)
        if self._whole is None:
            return model
        options = StateDictOptions(full_state_dict=True)
        self._whole.load_state_dict(get_model_state_dict(model, options=options))
        return self._whole.to(self.args.device)

    def compute_loss(self, model: Any, inputs: dict[str, Tensor], *args: Any, **more: Any) -> Any:
        """Return the loss; the encoder takes batches that are shorter than its window, or cached states."""
        if "states" in inputs:
            return super().compute_loss(model, inputs, *args, **more)
        encoder = self.accelerator.unwrap_model(model).get_encoder()
        with short_window(encoder, inputs["input_features"].shape[-1]):
            return super().compute_loss(model, inputs, *args, **more)

    def evaluation_loop(self, *args: Any, metric_key_prefix: str = "eval", **more: Any) -> Any:
        """Add the metrics of captions to the loss, and print some captions."""
        output = super().evaluation_loop(*args, metric_key_prefix=metric_key_prefix, **more)
        captions, profiles = self._captions()
        metrics = caption_metrics(captions, profiles, self.recipe.target.kind)
        output.metrics.update({f"{metric_key_prefix}_{name}": value for name, value in metrics.items()})
        lines = [
            f"step {self.state.global_step}/{self.state.max_steps}  "
            f"validation loss {output.metrics[f'{metric_key_prefix}_loss']:.3f}  "
            f"mean Spearman {metrics['spearman']:.3f}  unparsed {100 * metrics['unparsed']:.0f} %  "
            f"looping {100 * metrics['looping']:.0f} %  distinct-2 {metrics['distinct_2']:.2f}"
        ]
        for name, value in self._correlations(captions, profiles).items():
            output.metrics[f"{metric_key_prefix}_spearman_{name}"] = value
            lines.append(f"  mean Spearman {value:.3f} of {name}")
        for text, profile in list(zip(captions.texts, profiles, strict=True))[:SHOWN]:
            emotions = ", ".join(f"{name} {intensity:g}" for name, intensity in profile.emotions.items())
            without = "neutral" if profile.fully_rated else "no rated emotion is present"
            lines += [f"  {text}", f"    (reference: {emotions or without})"]
        logger.info("\n".join(lines))
        return output

    def _correlations(self, captions: ValidationCaptions, profiles: list[VoiceProfile]) -> dict[str, float]:
        """Return the correlation of each corpus, where there are several."""
        names, order = self.recipe.data.validation, self.validation.order
        if len(names) < 2:
            return {}
        corpora = [names[order[number].corpus] for number in range(len(self.validation))]
        return correlations(captions, profiles, corpora, self.recipe.target.kind)

    def _captions(self) -> tuple[ValidationCaptions, list[VoiceProfile]]:
        """Caption the validation clips, greedily, as the result will; each process takes its share."""
        model, state = self.whole_model(), PartialState()
        base = model.get_base_model() if hasattr(model, "get_base_model") else model  # of an adapter
        records: list[ClipRecord] = []

        def recordings() -> Iterator[Recording]:
            for number in range(state.process_index, len(self.validation), state.num_processes):
                record, samples = self.validation.audio(number)
                records.append(record)
                yield from_audio(samples, self.processor.feature_extractor.sampling_rate)

        training, settings = model.training, base.generation_config
        model.eval()
        prompts = self.train_dataset.has_prompts
        base.generation_config = result_settings(base, self.recipe, has_prompts=prompts)
        base.generation_config.use_cache = True  # the trainer turns it off
        try:
            writing = WritingOptions(num_beams=1, batch_size=self.args.per_device_eval_batch_size)
            captioner = Captioner(fitted(base, self.processor, self.recipe.name), writing)
            # absent emotions are a row of equal numbers
            decoding = replace(captioner.decoding, stop_repetition=self.recipe.target.kind != "scalars")
            windows = [one.windows[0] for one in captioner.caption_recordings(recordings(), decoding)]
        finally:
            base.generation_config = settings
            model.train(training)
        found = [
            (window.text, REPETITION in (window.removed or ""), _profile(record))
            for window, record in zip(windows, records, strict=True)
        ]
        shares = [found]
        if state.num_processes > 1:
            shares = gather_object([found])
        in_order = [one for row in zip_longest(*shares) for one in row if one is not None]
        texts, repetitive, profiles = zip(*in_order, strict=True)
        return ValidationCaptions(texts, repetitive), list(profiles)


def _profile(record: ClipRecord) -> VoiceProfile:
    """Return the profile of a clip, or that of its first caption."""
    if record.profile is not None:
        return record.profile
    captions = [*record.captions.get("original", ()), *record.captions.get("paraphrase", ())]
    parsed = predicted_profile(captions[0], "template") if captions else None
    return parsed or VoiceProfile(None)
