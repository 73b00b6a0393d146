"""Training of many heads side by side on encoder states, each as if it were alone.

The loss is a sum over heads, AdamW works weight by weight, the first weights come from the name of the head,
and the heads share the order of the clips and the dropped activations: so a head is the same whatever it is
trained with, on a CPU bit for bit (tested). It stops by itself and keeps the weights of its own best epoch.
Heads are trained in groups that fit into memory, as one of the published size takes 1.5 GB.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from budew.heads.encoder_states import LabeledStates, Layout
from budew.heads.networks import DROPOUT, Head, HeadStack
from budew.io.disk import check_space
from budew.randomness import derived_seed
from budew.taxonomy import EMOTIONS

SMALL, LARGE = (64, 64, 32, 16), (128, 128, 64, 32)
"""Widths of Empathic Insight-Voice-Small and -Large."""
FEWEST = 20
"""Clips to train a head on: with the emotion, or whose attribute is known."""
FEWEST_TO_CHECK = 5
"""Such clips of other speakers to validate it."""
USUAL_INPUTS = 3072
"""Inputs of a pooled head of the published size: with more, the steps of AdamW on the first weights add up,
and their rate is lowered in proportion."""
COPIES = 5
"""Copies of each weight, float32: itself, its gradient, two moments of AdamW, and that of the best epoch."""

Loss = Literal["squared", "absolute"]
Batch = Callable[[Tensor], Tensor]
"""Clip numbers (n,) → standardized inputs (n, inputs), float32."""


@dataclass(frozen=True, slots=True)
class FittingOptions:
    """How heads are trained. Widths and dropout are those of the published heads.

    Attributes:
        widths: outputs of the layers before the last, which has one output.
        dropout: share of activations dropped after each layer but the first and the last.
        rate: learning rate of AdamW; see `USUAL_INPUTS`.
        decay: weight decay.
        batch: clips in a step.
        most_epochs: over the corpus.
        patience: epochs in which a head gets better by less than `least_gain`, and its training ends.
        least_gain: share of its errors.
        validation: share of the clips, by whole speakers.
        seed: decides the split, the first weights, the order and the dropout.
        layout: which encoder states the heads take, see `budew.heads.encoder_states`.
        loss: mean squared error, or mean absolute error; None is the first for pooled heads, and the second,
            that of the published ones, for flattened. The absolute error is least at the median: of an
            emotion that is absent from most clips that is 0.
        memory: GB for the heads that are trained at once, with gradients and optimizer; one head is trained
            whatever it takes. Changes no head.

    Example:
        >>> FittingOptions(layout="flattened").loss
        'absolute'
    """

    widths: tuple[int, ...] = SMALL
    dropout: float = DROPOUT
    rate: float = 1e-3
    decay: float = 0.01
    batch: int = 64
    most_epochs: int = 200
    patience: int = 10
    least_gain: float = 0.005
    validation: float = 0.15
    seed: int = 0
    layout: Layout = "pooled"
    loss: Loss | None = None
    memory: float = 4.0

    def __post_init__(self) -> None:
        if self.loss is None:
            object.__setattr__(self, "loss", "absolute" if self.layout == "flattened" else "squared")

    def weights(self, inputs: int) -> int:
        """Return how many weights a head has.

        Example:
            >>> FittingOptions().weights(3072)
            203457
        """
        return sum(after * (before + 1) for before, after in pairwise([inputs, *self.widths, 1]))

    def to_dict(self) -> dict[str, Any]:
        """Return what determines the heads."""
        return {name: value for name, value in asdict(self).items() if name != "memory"}


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a head predicts clips of unknown speakers.

    Attributes:
        clips: clips of the training part that have the emotion, or whose attribute is known.
        r2: share of the variance explained; 0 is the mean of the training clips, 1 is all.
        error: mean absolute error on the scale of the target.
        error_of_mean: that of the mean of the training clips.
        epochs: for which it was trained.

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
    """Return which clips are for validation: those of whole speakers, drawn until `share` is reached.

    Example:
        >>> split_by_speaker(["a", "a", "b", "b", "c", "c"], share=0.3, seed=0).tolist()
        [False, False, True, True, False, False]
    """
    order = sorted(set(speakers), key=lambda speaker: (derived_seed(seed, "validation", speaker), speaker))
    names, chosen = np.array(speakers), np.zeros(len(speakers), bool)
    for speaker in order[:-1]:  # at least one is left for training
        if chosen.mean() >= share:
            break
        chosen |= names == speaker
    return chosen


def fit_heads(
    data: LabeledStates,
    options: FittingOptions,
    *,
    device: torch.device | None = None,
    folder: Path | None = None,
    start: Sequence[Head] = (),
) -> Iterator[tuple[Head, Quality]]:
    """Train heads on encoder states, and give each with its quality.

    Args:
        data: states and targets; a head is trained for each target that is known often enough.
        options: how.
        device: where; None for the CPU.
        folder: where the heads are to be saved, whose disk is checked.
        start: heads of one shape to train further, in the units of states and targets; then no others are.

    Raises:
        JobError: there is not room enough.
    """
    device = device or torch.device("cpu")
    held_out = split_by_speaker(data.speakers, share=options.validation, seed=options.seed)
    is_emotion = np.array([name in EMOTIONS for name in data.names])
    known = np.where(is_emotion, np.nan_to_num(data.targets) > 0, ~np.isnan(data.targets))
    enough = (known[~held_out].sum(axis=0) >= FEWEST) & (known[held_out].sum(axis=0) >= FEWEST_TO_CHECK)
    initial = {head.name: head for head in start}
    columns = [
        column for column in np.flatnonzero(enough).tolist() if not start or data.names[column] in initial
    ]
    if not columns:
        return
    bytes_each = 4 * options.weights(data.states.shape[1])
    if folder:
        check_space(folder, 2 * bytes_each * len(columns), f"{len(columns)} heads in two formats")
    mean, spread = _moments(data, np.flatnonzero(~held_out))
    if start:
        mean, spread = torch.zeros_like(mean), torch.ones_like(spread)
    means, spreads = (part.repeat(data.positions).to(device) for part in (mean, spread))

    def states(clips: Tensor) -> Tensor:
        return torch.from_numpy(data.states[clips.numpy()]).to(device).float()

    def standardized(clips: Tensor) -> Tensor:
        return states(clips).sub_(means).div_(spreads)

    training, validation = torch.from_numpy(~held_out), torch.from_numpy(held_out)
    at_once = max(1, int(options.memory * 1e9 / (COPIES * bytes_each)))
    for first in range(0, len(columns), at_once):
        group = columns[first : first + at_once]
        names = [data.names[column] for column in group]
        targets = torch.from_numpy(data.targets[:, group]).double()
        center = targets[training].nanmean(dim=0)
        width = (targets[training] - center).square().nanmean(dim=0).sqrt().clamp(min=1e-3)
        if start:
            center, width = torch.zeros_like(center), torch.ones_like(width)
            stack = HeadStack.of_heads([initial[name] for name in names])
        else:
            stack = initial_stack(names, data.states.shape[1], options)
        scaled = ((targets - center) / width).T.float().contiguous().to(device)
        weights, epochs = _fit_stack(stack.to(device), standardized, scaled, validation, options)
        for place, (column, name) in enumerate(zip(group, names, strict=True)):
            target_moments = float(center[place]), float(width[place])
            head = unstandardized_head(name, weights, place, (mean, spread), target_moments)
            scores = _scores(
                head.to(device, torch.float32), states, validation.nonzero()[:, 0], options.batch
            )
            clips = int(known[~held_out, column].sum())
            yield head, _quality(scores, data.targets[:, column], held_out, clips, epochs[place])


def _moments(data: LabeledStates, clips: NDArray[np.intp]) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each channel over clips and positions, (width,) each.

    Not of each input: those after the end of most clips hardly vary.
    """
    total, squares, count = 0.0, 0.0, len(clips) * data.positions
    for chosen in np.array_split(clips, len(clips) // 64 + 1):
        states = data.states[chosen].astype(np.float64).reshape(len(chosen) * data.positions, -1)
        total, squares = total + states.sum(axis=0), squares + np.square(states).sum(axis=0)
    mean = np.asarray(total) / count
    variance = np.asarray(squares) / count - np.square(mean)
    return torch.from_numpy(mean).float(), torch.from_numpy(variance.clip(min=1e-12) ** 0.5).float()


def initial_stack(names: Sequence[str], inputs: int, options: FittingOptions) -> HeadStack:
    """Return heads with random weights, which depend on the seed and the name of each head."""
    sizes = list(pairwise([inputs, *options.widths, 1]))
    weights = [torch.empty(len(names), after, before) for before, after in sizes]
    for number, name in enumerate(names):
        generator = _generator(options.seed, "weights", name)
        for weight in weights:
            weight[number].uniform_(-1, 1, generator=generator).mul_(weight.shape[2] ** -0.5)
    return HeadStack(weights, [torch.zeros(len(names), after) for _, after in sizes])


def _generator(*parts: str | int) -> torch.Generator:
    return torch.Generator().manual_seed(derived_seed(*parts))


def _fit_stack(
    stack: HeadStack, batch: Batch, targets: Tensor, validation: Tensor, options: FittingOptions
) -> tuple[list[Tensor], list[int]]:
    """Train a stack, and return the weights of the best epoch of each head, and its epochs.

    Args:
        stack: first weights, on the device of `targets`.
        batch: gives inputs of clips by their numbers.
        targets: (heads, clips), standardized, NaN where unknown.
        validation: (clips,), True for clips that decide when to stop. On the CPU.
        options: how.
    """
    train, check = (~validation).nonzero().squeeze(1), validation.nonzero().squeeze(1)
    first, *others = stack.parameters()
    groups: list[dict[str, Any]] = [
        {"params": [first], "lr": options.rate * min(1, USUAL_INPUTS / first.shape[2])},
        {"params": others},
    ]
    adam = torch.optim.AdamW(groups, lr=options.rate, weight_decay=options.decay, fused=True)
    best = [weights.detach().clone() for weights in stack.parameters()]
    least = torch.full((len(targets),), torch.inf)
    reached = least.clone()
    epochs = torch.zeros(len(targets), dtype=torch.int64)
    waited = epochs.clone()
    for epoch in range(options.most_epochs):
        active = waited < options.patience
        if not active.any():
            break
        epochs += active
        _train_epoch(stack, adam, batch, targets, train, options, epoch)
        losses = _losses(stack, batch, targets, check, options)
        better = active & (losses < least)
        least = torch.where(better, losses, least)
        for kept, now in zip(best, stack.parameters(), strict=True):
            for number in better.nonzero().squeeze(1).tolist():
                kept[number].copy_(now[number].detach())
        gained = least < (1 - options.least_gain) * reached
        reached = torch.where(gained, least, reached)
        waited = torch.where(gained, 0, waited + 1)
    return best, epochs.tolist()


def _train_epoch(
    stack: HeadStack,
    adam: torch.optim.AdamW,
    batch: Batch,
    targets: Tensor,
    train: Tensor,
    options: FittingOptions,
    epoch: int,
) -> None:
    """Train on each clip once; order and dropout depend on the seed and the epoch alone."""
    generator = _generator(options.seed, "epoch", epoch)
    order = train[torch.randperm(len(train), generator=generator)]
    for clips in torch.split(order, options.batch):
        masks = [
            (torch.rand(len(clips), width, generator=generator) >= options.dropout).to(targets.device)
            / (1 - options.dropout)
            for width in options.widths[1:]
        ]
        adam.zero_grad(set_to_none=True)
        errors, known = _errors(stack(batch(clips), masks), targets[:, clips.to(targets.device)], options)
        torch.autograd.backward((errors / known.clamp(min=1)).sum())
        adam.step()


@torch.no_grad()
def _losses(
    stack: HeadStack, batch: Batch, targets: Tensor, check: Tensor, options: FittingOptions
) -> Tensor:
    """Return the mean error of each head over the validation clips whose target is known; on the CPU."""
    parts = [
        torch.stack(_errors(stack(batch(clips)), targets[:, clips.to(targets.device)], options))
        for clips in torch.split(check, options.batch)
    ]
    errors, known = torch.stack(parts).sum(dim=0).cpu()
    losses: Tensor = (errors / known.clamp(min=1)).float()
    return losses


def _errors(scores: Tensor, targets: Tensor, options: FittingOptions) -> tuple[Tensor, Tensor]:
    """Return for each head the sum of its errors over the clips whose target is known, and their number."""
    known = ~targets.isnan()
    errors = (scores - targets.nan_to_num()) * known
    errors = errors.square() if options.loss == "squared" else errors.abs()
    return errors.double().sum(dim=1), known.double().sum(dim=1)


def unstandardized_head(
    name: str, weights: list[Tensor], number: int, inputs: tuple[Tensor, Tensor], target: tuple[float, float]
) -> Head:
    """Return a head of a stack for states and scores that are not standardized.

    Args:
        name: what it scores.
        weights: parameters of the stack.
        number: of the head in the stack.
        inputs: mean and standard deviation, (width,) each, which repeat along the inputs.
        target: mean and standard deviation.
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
    # Copies: a view of the stack would be saved with all heads of it.
    layers = [(matrix.clone(), bias.float()) for matrix, bias in zip(matrices, biases, strict=True)]
    return Head.of_layers(name, layers)


@torch.inference_mode()
def _scores(head: Head, states: Batch, clips: Tensor, batch: int) -> NDArray[np.float32]:
    scores: NDArray[np.float32] = torch.cat(
        [head(states(chosen)).cpu() for chosen in torch.split(clips, batch)]
    ).numpy()
    return scores


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
