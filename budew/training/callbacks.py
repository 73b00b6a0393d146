"""What a run prints, all on stderr: bars in a terminal, and lines short enough for a log file.

step 500/8000  loss 4.107  learning rate 8.0e-04  26.4 examples/s

At each validation some clips are captioned and parsed as well, and the mean Spearman correlation with their
profiles goes into the history of the run: a falling loss alone does not show that the model uses the audio.
"""

import time
from collections.abc import Callable, Sequence
from math import nan
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback, WhisperProcessor

from budew.captions import parse
from budew.evaluation.metrics import score
from budew.profile import VoiceProfile
from budew.quiet import quiet_transformers
from budew.training.data import FeatureSet
from budew.training.recipe import Recipe

SHOWN = 3
"""Captions that are printed at each validation."""


def run_progress() -> Progress:
    """Return the bars of a run. Without a terminal only lines are printed; other processes print nothing."""
    console = Console(stderr=True, quiet=not PartialState().is_main_process)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, redirect_stdout=False)


def say(progress: Progress, line: str) -> None:
    """Print a line above the bars, without reading markup in it."""
    printable = "".join(letter if letter.isprintable() or letter == "\n" else "·" for letter in line)
    progress.console.print(printable, markup=False, highlight=False, soft_wrap=True)


def stage(progress: Progress, name: str, total: int | None = None) -> Callable[..., None]:
    """Start the bar of a stage and return what moves it: `move(done)` or `move(done, total)`."""
    task = progress.add_task(name, total=total)

    def move(done: int, total: int | None = None) -> None:
        progress.update(task, completed=done, total=total)

    return move


class TrainingLog(TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """Moves the bar at each step and prints one line for each log."""

    def __init__(self, progress: Progress, *, examples_a_step: int) -> None:
        self.progress = progress
        self.examples_a_step = examples_a_step

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clock and the bar."""
        self.move = stage(self.progress, "training", state.max_steps)
        self.move(state.global_step)
        self.since = (time.monotonic(), state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Move the bar."""
        self.move(state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **kwargs: Any) -> None:
        """Print the line of a training step; a validation prints its own, see `SampledCaptions`."""
        if "loss" not in logs:
            return
        now = (time.monotonic(), state.global_step)
        speed = self.examples_a_step * (now[1] - self.since[1]) / max(now[0] - self.since[0], 1e-9)
        self.since = now
        say(
            self.progress,
            f"step {state.global_step}/{state.max_steps}  loss {logs['loss']:.3f}  "
            f"learning rate {logs['learning_rate']:.1e}  {speed:.1f} examples/s",
        )


class SampledCaptions(TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """Captions the first clips of a corpus at each validation and logs `validation_spearman`: NaN in Python,
    null in JSON, where it is undefined. Clips whose emotions are unknown do not count.
    """

    def __init__(
        self, validation: FeatureSet, processor: WhisperProcessor, recipe: Recipe, progress: Progress
    ) -> None:
        self.validation = validation
        self.processor = processor
        self.recipe = recipe
        self.progress = progress

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
            without = "neutral" if profile.emotions_known else "unknown"
            lines += [f"  {caption}", f"    (reference: {emotions or without})"]
        say(self.progress, "\n".join(lines))

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
    number of clips that it is over: those whose emotions are known.
    """
    known = [
        (profile, text) for profile, text in zip(profiles, captions, strict=True) if profile.emotions_known
    ]
    if not known:
        return nan, 0
    reference = np.stack([profile.vector() for profile, _ in known]).astype(np.float64)
    predicted = np.stack([parse(text).vector() for _, text in known]).astype(np.float64)
    return float(score(reference, predicted).mean["spearman"][0]), len(known)
