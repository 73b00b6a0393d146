"""Training of heads on encoder states: choice of heads, groups that fit into memory, quality on new speakers.

States and targets are standardized for training; the weights of a trained head include the inverse, so that
it takes raw states. Heads are trained in parallel (`stack_training.py`), in groups that fit into memory: one
head of the published size takes 1.5 GB.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from budew.heads.encoder_states import LabeledStates
from budew.heads.networks import Head, HeadStack
from budew.heads.stack_training import COPIES, Batch, FittingOptions, Labels, fit_stack, initial_stack
from budew.randomness import derived_seed
from budew.taxonomy import EMOTIONS

FEWEST = 20
"""Fewest training clips of a head: clips that have its emotion, or whose attribute is known."""
FEWEST_TO_CHECK = 5
"""Fewest clips of other speakers to validate a head, with the emotion or a known value of the attribute."""


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a head predicts clips of unknown speakers.

    Attributes:
        clips: number of training clips that have the emotion, or whose attribute is known.
        r2: share of the variance explained: 0 for the mean of the training clips as prediction, 1 if perfect.
        error: mean absolute error on the scale of the target.
        error_of_mean: the same error if the mean of the training clips is always predicted.
        epochs: number of epochs of training.

    Example:
        >>> states = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
        >>> speakers = tuple(f"speaker {number}" for number in range(60))
        >>> data = LabeledStates(states, 2 * states[:, :1], speakers, names=("Arousal",))
        >>> [(head, quality)] = fit_heads(data, FittingOptions(widths=(8,), rate=0.01))
        >>> head.name, quality.clips, quality.r2 > 0.9
        ('Arousal', 51, True)
    """

    clips: int
    r2: float
    error: float
    error_of_mean: float
    epochs: int


def split_by_speaker(speakers: Sequence[str], *, share: float, seed: int) -> NDArray[np.bool_]:
    """Choose clips for validation: all clips of randomly drawn speakers, until `share` is reached.

    Example:
        >>> split_by_speaker(["a", "a", "b", "b", "c", "c"], share=0.3, seed=0).tolist()
        [False, False, True, True, False, False]
    """
    order = sorted(set(speakers), key=lambda speaker: (derived_seed(seed, "validation", speaker), speaker))
    names, chosen = np.array(speakers), np.zeros(len(speakers), bool)
    for speaker in order[:-1]:  # at least one speaker is left for training
        if chosen.mean() >= share:
            break
        chosen |= names == speaker
    return chosen


def fit_heads(
    data: LabeledStates,
    options: FittingOptions,
    *,
    device: torch.device | None = None,
    start: Sequence[Head] = (),
) -> Iterator[tuple[Head, Quality]]:
    """Train heads on encoder states, and yield each with its quality.

    Args:
        data: states and targets; a head is trained for each target that is known often enough.
        options: settings of the training.
        device: device to train on; None for the CPU.
        start: heads of an earlier stage, of one shape: they are trained further, without standardization and
            at a tenth of the learning rate; all other heads are trained from random weights.
    """
    held_out = split_by_speaker(data.speakers, share=options.validation, seed=options.seed)
    is_emotion = np.array([name in EMOTIONS for name in data.names])
    known = np.where(is_emotion, np.nan_to_num(data.targets) > 0, ~np.isnan(data.targets))
    enough = (known[~held_out].sum(axis=0) >= FEWEST) & (known[held_out].sum(axis=0) >= FEWEST_TO_CHECK)
    if not enough.any():
        return
    moments = _moments(data, np.flatnonzero(~held_out))
    fitter = _Fitter(data, options, device or torch.device("cpu"), held_out, *moments)
    at_once = max(1, int(options.memory * 1e9 / (COPIES * 4 * options.weights(data.states.shape[1]))))
    earlier = {head.name: head for head in start}
    is_known = np.array([name in earlier for name in data.names])
    for further in (True, False):
        columns = np.flatnonzero(enough & (is_known == further)).tolist()
        for first in range(0, len(columns), at_once):
            group = columns[first : first + at_once]
            heads = [earlier[data.names[column]] for column in group] if further else []
            for column, (head, epochs) in zip(group, fitter.fit(group, heads), strict=True):
                clips = int(known[~held_out, column].sum())
                yield head, _quality(fitter.scores(head), data.targets[:, column], held_out, clips, epochs)


@dataclass(frozen=True, slots=True)
class _Fitter:
    """Data for training, with the mean and standard deviation of each channel of its states."""

    data: LabeledStates
    options: FittingOptions
    device: torch.device
    held_out: NDArray[np.bool_]
    mean: Tensor
    spread: Tensor

    def fit(self, columns: Sequence[int], start: Sequence[Head]) -> Iterator[tuple[Head, int]]:
        """Train the heads of these targets side by side; yield each with its epochs.

        If `start`, the heads to train further, is empty, weights are random, and inputs and targets are
        standardized.
        """
        names, options = [self.data.names[column] for column in columns], self.options
        mean, spread = self.mean, self.spread
        targets = torch.from_numpy(self.data.targets[:, columns]).double()
        training = targets[torch.from_numpy(~self.held_out)]
        center = training.nanmean(dim=0)
        width = (training - center).square().nanmean(dim=0).sqrt().clamp(min=1e-3)
        if start:
            options = replace(options, rate=options.rate / 10)
            mean, center = torch.zeros_like(mean), torch.zeros_like(center)
            spread, width = torch.ones_like(spread), torch.ones_like(width)
            stack = HeadStack.of_heads(start)
        else:
            stack = initial_stack(names, self.data.states.shape[1], options)
        scaled = ((targets - center) / width).T.float().contiguous().to(self.device)
        given = self.data.weights
        labels = Labels(
            scaled,
            torch.from_numpy(np.ones(len(targets), np.float32) if given is None else given).to(self.device),
        )
        validation = torch.from_numpy(self.held_out)
        inputs = self._standardized_states(mean, spread)
        weights, epochs = fit_stack(stack.to(self.device), inputs, labels, validation, options)
        for place, name in enumerate(names):
            moments = float(center[place]), float(width[place])
            yield unstandardized_head(name, weights, place, (mean, spread), moments), epochs[place]

    def states(self, clips: Tensor) -> Tensor:
        return torch.from_numpy(self.data.states[clips.numpy()]).to(self.device).float()

    def _standardized_states(self, *moments: Tensor) -> Batch:
        mean, spread = (part.repeat(self.data.positions).to(self.device) for part in moments)
        return lambda clips: self.states(clips).sub_(mean).div_(spread)

    @torch.inference_mode()
    def scores(self, head: Head) -> NDArray[np.float32]:
        """Return the scores of the validation clips."""
        placed, clips = head.to(self.device, torch.float32), torch.from_numpy(np.flatnonzero(self.held_out))
        scores = [placed(self.states(batch)).cpu() for batch in torch.split(clips, self.options.batch)]
        return np.asarray(torch.cat(scores))


def _moments(data: LabeledStates, clips: NDArray[np.intp]) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each channel over clips and positions, (width,) each.

    They are not computed for each input, as inputs after the end of most clips hardly vary.
    """
    total, squares, count = 0.0, 0.0, len(clips) * data.positions
    for chosen in np.array_split(clips, len(clips) // 64 + 1):
        states = data.states[chosen].astype(np.float64).reshape(len(chosen) * data.positions, -1)
        total, squares = total + states.sum(axis=0), squares + np.square(states).sum(axis=0)
    mean = np.asarray(total) / count
    variance = np.asarray(squares) / count - np.square(mean)
    return torch.from_numpy(mean).float(), torch.from_numpy(variance.clip(min=1e-12) ** 0.5).float()


def unstandardized_head(
    name: str, weights: list[Tensor], number: int, inputs: tuple[Tensor, Tensor], target: tuple[float, float]
) -> Head:
    """Return one head of a stack, with weights changed so that it takes and returns unstandardized values.

    Args:
        name: emotion or attribute that the head scores.
        weights: parameters of the stack: all weights, then all biases.
        number: index of the head in the stack.
        inputs: mean and standard deviation of the states, (width,) each, the same for all positions.
        target: mean and standard deviation of the target.
    """
    parts = [part[number].cpu() for part in weights]
    matrices = parts[: len(parts) // 2]
    biases = [bias.double() for bias in parts[len(parts) // 2 :]]
    mean, spread = (part.double().cpu() for part in inputs)
    by_position = matrices[0].view(matrices[0].shape[0], -1, len(mean))
    biases[0] = biases[0] - by_position.sum(dim=1, dtype=torch.float64) / spread @ mean
    matrices[0] = (by_position / spread.float()).flatten(1)
    matrices[-1] = matrices[-1] * target[1]
    biases[-1] = biases[-1] * target[1] + target[0]
    # Copies, because a view would be saved with the whole stack.
    layers = [(matrix.clone(), bias.float()) for matrix, bias in zip(matrices, biases, strict=True)]
    return Head.of_layers(name, layers)


def _quality(
    scores: NDArray[np.float32],
    target: NDArray[np.float32],
    held_out: NDArray[np.bool_],
    clips: int,
    epochs: int,
) -> Quality:
    """Compare the scores of the validation clips with their targets."""
    known = ~np.isnan(target)
    checked = known & held_out
    mean = float(target[known & ~held_out].mean())
    error = scores[known[held_out]] - target[checked]
    error_of_mean = mean - target[checked]
    variance = max(float(np.square(error_of_mean).mean()), 1e-12)
    return Quality(
        clips,
        r2=round(1 - float(np.square(error).mean()) / variance, 4),
        error=round(float(np.abs(error).mean()), 4),
        error_of_mean=round(float(np.abs(error_of_mean).mean()), 4),
        epochs=epochs,
    )
