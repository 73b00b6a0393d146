"""Training of a stack of heads on the same mini-batches; each head gets the weights that it would get alone.

The loss is a sum over heads, AdamW updates each weight separately, the initial weights depend on the name of
the head, and all heads share the order of the clips and the dropout masks. So the other heads of a stack do
not change a head; on a CPU the weights are equal bit for bit (tested). Each head stops separately and keeps
the weights of its best epoch.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from budew.heads.encoder_states import Layout
from budew.heads.networks import DROPOUT, HeadStack
from budew.randomness import derived_seed

SMALL, LARGE = (64, 64, 32, 16), (128, 128, 64, 32)
"""Widths of Empathic Insight-Voice-Small and -Large."""
USUAL_INPUTS = 3072
"""Number of inputs of a pooled head of the published size. With more inputs, the steps of AdamW on the first
weights add up; their learning rate is therefore lowered in proportion."""
COPIES = 5
"""Number of float32 copies of each weight: weight, gradient, two moments of AdamW, weight of the best
epoch."""

Loss = Literal["squared", "absolute"]


class Labels(NamedTuple):
    """Standardized targets (heads, clips), NaN where unknown, and weights of clips in the loss (clips,)."""

    targets: Tensor
    weights: Tensor

    def of(self, clips: Tensor) -> "Labels":
        """Return the labels of some clips by their numbers."""
        placed = clips.to(self.targets.device)
        return Labels(self.targets[:, placed], self.weights[placed])


Batch = Callable[[Tensor], Tensor]
"""Function: numbers of clips (n,) → standardized inputs (n, inputs), float32."""


@dataclass(frozen=True, slots=True)
class FittingOptions:
    """Settings of the training of heads. The defaults of widths and dropout are those of the published heads.

    Attributes:
        widths: number of outputs of each layer except the last, which has one output.
        dropout: dropout rate after each layer except the first and the last.
        rate: learning rate of AdamW; for many inputs see `USUAL_INPUTS`.
        decay: weight decay.
        batch: number of clips in a training step.
        most_epochs: largest number of epochs.
        patience: training of a head ends after this many epochs with a gain of less than `least_gain`.
        least_gain: smallest decrease of the validation loss that counts as a gain, as a share of this loss.
        validation: share of the clips that are held out for validation; whole speakers are held out.
        seed: seed of the split, the initial weights, the order of the clips and the dropout.
        layout: which encoder states the heads take, see `budew.heads.encoder_states`.
        loss: "squared" or "absolute" error; None for squared if the layout is pooled, and absolute, as for
            the published heads, if it is flattened. The absolute error is least at the median, which is 0 for
            an emotion that is absent from most clips.
        memory: GB for the heads that are trained at once, with gradients and optimizer. At least one head is
            trained at a time, even if it takes more. Does not change the heads.

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
        """Return the number of parameters of a head with this number of inputs.

        Example:
            >>> FittingOptions().weights(3072)
            203457
        """
        return sum(after * (before + 1) for before, after in pairwise([inputs, *self.widths, 1]))

    def to_dict(self) -> dict[str, Any]:
        """Return the options that determine the heads: all except `memory`."""
        return {name: value for name, value in asdict(self).items() if name != "memory"}


def initial_stack(names: Sequence[str], inputs: int, options: FittingOptions) -> HeadStack:
    """Create heads with random weights, which depend only on the seed and the name of each head."""
    sizes = list(pairwise([inputs, *options.widths, 1]))
    weights = [torch.empty(len(names), after, before) for before, after in sizes]
    for number, name in enumerate(names):
        generator = _generator(options.seed, "weights", name)
        for weight in weights:
            weight[number].uniform_(-1, 1, generator=generator).mul_(weight.shape[2] ** -0.5)
    return HeadStack(weights, [torch.zeros(len(names), after) for _, after in sizes])


def _generator(*parts: str | int) -> torch.Generator:
    return torch.Generator().manual_seed(derived_seed(*parts))


def fit_stack(
    stack: HeadStack, batch: Batch, labels: Labels, validation: Tensor, options: FittingOptions
) -> tuple[list[Tensor], list[int]]:
    """Train a stack; return its weights, for each head from its best epoch, and the number of epochs by head.

    Args:
        stack: heads with initial weights, on the device of the labels.
        batch: returns the inputs of clips by their numbers.
        labels: targets and weights of the clips.
        validation: (clips,), True for clips that decide when to stop. On the CPU.
        options: settings of the training.
    """
    train, check = (~validation).nonzero().squeeze(1), validation.nonzero().squeeze(1)
    first, *others = stack.parameters()
    groups: list[dict[str, Any]] = [
        {"params": [first], "lr": options.rate * min(1, USUAL_INPUTS / first.shape[2])},
        {"params": others},
    ]
    adam = torch.optim.AdamW(groups, lr=options.rate, weight_decay=options.decay, fused=True)
    best = [weights.detach().clone() for weights in stack.parameters()]
    least = torch.full((len(labels.targets),), torch.inf)
    reached = least.clone()
    epochs = torch.zeros(len(labels.targets), dtype=torch.int64)
    waited = epochs.clone()
    for epoch in range(options.most_epochs):
        active = waited < options.patience
        if not active.any():
            break
        epochs += active
        _train_epoch(stack, adam, batch, labels, train, options, epoch)
        losses = _losses(stack, batch, labels, check, options)
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
    labels: Labels,
    train: Tensor,
    options: FittingOptions,
    epoch: int,
) -> None:
    """Train on each clip once; order and dropout depend on the seed and the epoch alone."""
    generator = _generator(options.seed, "epoch", epoch)
    order = train[torch.randperm(len(train), generator=generator)]
    for clips in torch.split(order, options.batch):
        masks = [
            (torch.rand(len(clips), width, generator=generator) >= options.dropout).to(labels.targets.device)
            / (1 - options.dropout)
            for width in options.widths[1:]
        ]
        adam.zero_grad(set_to_none=True)
        errors, known = _errors(stack(batch(clips), masks), labels.of(clips), options)
        torch.autograd.backward((errors / known.clamp(min=1)).sum())
        adam.step()


@torch.no_grad()
def _losses(stack: HeadStack, batch: Batch, labels: Labels, check: Tensor, options: FittingOptions) -> Tensor:
    """Return the mean error of each head over the validation clips whose target is known; on the CPU."""
    parts = [
        torch.stack(_errors(stack(batch(clips)), labels.of(clips), options))
        for clips in torch.split(check, options.batch)
    ]
    errors, known = torch.stack(parts).sum(dim=0).cpu()
    losses: Tensor = (errors / known.clamp(min=1)).float()
    return losses


def _errors(scores: Tensor, labels: Labels, options: FittingOptions) -> tuple[Tensor, Tensor]:
    """Return for each head the weighted errors over the clips whose target is known, and their number."""
    known = ~labels.targets.isnan()
    errors = (scores - labels.targets.nan_to_num()) * known
    errors = labels.weights * (errors.square() if options.loss == "squared" else errors.abs())
    return errors.double().sum(dim=1), known.double().sum(dim=1)
