"""What a run reports: lines through the logger `budew.training`, and progress through a callback.

step 500/8000  loss 4.107  learning rate 8.0e-04  26.4 examples/s  0:47:20 left

The command `budew train` shows both on stderr; elsewhere
`logging.basicConfig(level=logging.INFO)` shows the lines.
"""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

from accelerate import PartialState
from transformers import TrainerCallback

_log = logging.getLogger(__name__)
Bar = Callable[..., None]
"""Called with the number of items done and, if known, the number of all and further text."""
OpenBar = Callable[[str], AbstractContextManager[Bar]]
"""Called with the title of a stage, opens its progress bar."""


def no_bar(title: str) -> AbstractContextManager[Bar]:
    """Show no progress."""
    return nullcontext(lambda *_, **__: None)


def say(line: str) -> None:
    """Log a line; of several processes only the main one does."""
    if PartialState().is_main_process:
        _log.info(line)


class TrainingLog(TrainerCallback):  # type: ignore[misc]  # transformers ships no types
    """Moves the bar at each step and prints one line for each log.

    Args:
        bar: is moved.
        examples_a_step: over all devices.
        peak_share: share of the device's peak that one example a second takes; None where it is unknown.
    """

    def __init__(self, bar: Bar, *, examples_a_step: int, peak_share: float | None = None) -> None:
        self.bar, self.examples_a_step, self.peak_share = bar, examples_a_step, peak_share

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the clock; find the best checkpoint where the folder of the run was moved."""
        if state.best_model_checkpoint:
            state.best_model_checkpoint = str(Path(args.output_dir) / Path(state.best_model_checkpoint).name)
        self.since = (time.monotonic(), state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Move the bar."""
        self.bar(state.global_step, state.max_steps)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **kwargs: Any) -> None:
        """Print the line of training steps."""
        if "loss" not in logs:
            return
        now = (time.monotonic(), state.global_step)
        steps_a_second = (now[1] - self.since[1]) / max(now[0] - self.since[0], 1e-9)
        self.since = now
        speed = self.examples_a_step * steps_a_second
        left = (state.max_steps - state.global_step) / max(steps_a_second, 1e-9)
        peak = "" if self.peak_share is None else f"  {100 * self.peak_share * speed:.0f} % of peak"
        say(
            f"step {state.global_step}/{state.max_steps}  loss {logs['loss']:.3f}  "
            f"learning rate {logs['learning_rate']:.1e}  {speed:.1f} examples/s{peak}  "
            f"{timedelta(seconds=round(left))} left"
        )

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Leave the time of a validation out of the speed."""
        self.since = (time.monotonic(), state.global_step)
