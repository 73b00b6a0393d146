"""What a run shows, all on stderr: bars where a person watches, and lines short enough for a log file.

step 500/8000  loss 4.107  learning rate 8.0e-04  26.4 examples/s
"""

import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback


def run_progress() -> Progress:
    """Return the bars of a run; without a terminal they stay hidden, and only lines are written."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal, redirect_stdout=False)


def say(progress: Progress, line: str) -> None:
    """Write a line above the bars, as it is: a caption may hold what rich takes for markup."""
    printable = "".join(letter if letter.isprintable() or letter == "\n" else "·" for letter in line)
    progress.console.print(printable, markup=False, highlight=False, soft_wrap=True)


def stage(progress: Progress, name: str, total: int | None = None) -> Callable[..., None]:
    """Start the bar of a stage and return what moves it: `move(done)` or `move(done, total)`."""
    task = progress.add_task(name, total=total)

    def move(done: int, total: int | None = None) -> None:
        progress.update(task, completed=done, total=total)

    return move


class TrainingLog(TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """Moves the bar at each step and writes one line for each log."""

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
        """Write the line of a training step; an evaluation writes its own, see `SampledCaptions`."""
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
