"""Many heads of one shape, trained side by side on the same mini-batches, each as if it were alone.

The loss is a sum over heads, AdamW works weight by weight, the first weights come from the name of the head,
and the heads share the order of the clips and the dropped activations: so a head is the same whatever it is
trained with, on a CPU bit for bit (tested). It stops by itself and keeps the weights of its own best epoch. A
layer of all heads is one matrix product: 40 small heads take little longer than one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, relu

from budew.annotation.head_files import Head, Layout
from budew.randomness import derived_seed

SMALL, LARGE = (64, 64, 32, 16), (128, 128, 64, 32)
"""Widths of Empathic Insight-Voice-Small and -Large."""
USUAL_INPUTS = 3072
"""Of a pooled head of the published size: with more, a step of AdamW on `proj` adds up over so many weights
that its rate is lowered in proportion."""
COPIES = 5
"""Of each weight, float32: itself, its gradient, two moments of AdamW, and that of the best epoch."""

Loss = Literal["squared", "absolute"]
Batch = Callable[[Tensor], Tensor]
"""Indices (n,) → inputs (n, inputs), standardized, float32."""


@dataclass(frozen=True, slots=True)
class Fitting:
    """How heads are trained. Widths and dropout are those of the published heads.

    Attributes:
        widths: outputs of `proj` and of the layers behind it, before the one output.
        dropout: share of activations dropped behind each layer but `proj`.
        rate: of AdamW; see `USUAL_INPUTS`.
        decay: of its weights.
        batch: clips in a step.
        most_epochs: over the corpus.
        patience: epochs in which a head gets better by less than `least_gain`, and its training ends.
        least_gain: share of its errors.
        validation: share of the clips, by whole speakers.
        seed: decides the split, the first weights, the order and the dropout.
        layout: what the heads take, see `budew.annotation.head_files`.
        loss: mean squared error, or mean absolute error; None is the first for pooled heads, and the second,
            that of the published ones, for flattened. The absolute error is least at the median: of an
            emotion that is absent from most clips that is 0.
    """

    widths: tuple[int, ...] = SMALL
    dropout: float = 0.1
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

    def __post_init__(self) -> None:
        if self.loss is None:
            object.__setattr__(self, "loss", "absolute" if self.layout == "flattened" else "squared")

    def weights(self, inputs: int) -> int:
        """Return how many weights a head has."""
        return sum(after * (before + 1) for before, after in pairwise([inputs, *self.widths, 1]))


class HeadStack(nn.Module):
    """Heads (h) as one module: (batch, inputs) → (h, batch).

    Its parameters are weights (h, outputs, inputs) of each layer, then biases (h, outputs).
    """

    def __init__(self, weights: Sequence[Tensor], biases: Sequence[Tensor]) -> None:
        super().__init__()
        self.weights, self.biases = nn.ParameterList(weights), nn.ParameterList(biases)

    @classmethod
    def new(cls, names: Sequence[str], inputs: int, fitting: Fitting) -> "HeadStack":
        """Return heads with first weights."""
        sizes = list(pairwise([inputs, *fitting.widths, 1]))
        weights = [torch.empty(len(names), after, before) for before, after in sizes]
        for number, name in enumerate(names):
            chance = _generator(fitting.seed, "weights", name)
            for weight in weights:
                weight[number].uniform_(-1, 1, generator=chance).mul_(weight.shape[2] ** -0.5)
        return cls(weights, [torch.zeros(len(names), after) for _, after in sizes])

    @classmethod
    def of(cls, heads: Sequence[Head]) -> "HeadStack":
        """Return heads of one shape, in their order."""
        layers = list(zip(*(head.layers for head in heads), strict=True))
        weights = [torch.stack([weight.float() for weight, _ in layer]) for layer in layers]
        return cls(weights, [torch.stack([bias for _, bias in layer]) for layer in layers])

    def forward(self, inputs: Tensor, masks: Sequence[Tensor] = ()) -> Tensor:
        """Return scores (heads, batch) of inputs (batch, inputs).

        `masks` (batch, outputs) scale the activations behind each layer but the first and the last.
        """
        (projection, *weights, last), (bias, *biases, offset) = self.weights, self.biases
        projected = linear(inputs, projection.flatten(0, 1), bias.flatten())  # one product, twice as fast
        active = relu(projected.view(-1, *bias.shape).transpose(0, 1))
        for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            active = relu(torch.baddbmm(bias.unsqueeze(1), active, weight.transpose(1, 2)))
            active = active * masks[number] if masks else active
        parts = zip(active.unbind(), last.unbind(), offset.unbind(), strict=True)
        # one by one, and a row a head: a product, or a sum down columns, rounds by the number of heads
        return torch.stack([linear(*part).squeeze(1) for part in parts])


def fit_stack(
    names: Sequence[str],
    batch: Batch,
    targets: Tensor,
    validation: Tensor,
    fitting: Fitting,
    start: HeadStack | None = None,
) -> tuple[list[Tensor], list[int]]:
    """Return the weights of the best epoch of each head, as `HeadStack.parameters` has them, and its epochs.

    Args:
        names: of the heads.
        batch: gives inputs of clips by their numbers.
        targets: (heads, clips), standardized, NaN where unknown.
        validation: (clips,), True for clips that decide when to stop. On the CPU.
        fitting: how.
        start: heads to train on; new ones when None.
    """
    train, check = (~validation).nonzero().squeeze(1), validation.nonzero().squeeze(1)
    inputs = batch(check[:1]).shape[1]
    stack = (start or HeadStack.new(names, inputs, fitting)).to(targets.device)
    projection, *others = stack.parameters()
    groups: list[dict[str, Any]] = [
        {"params": [projection], "lr": fitting.rate * min(1, USUAL_INPUTS / inputs)},
        {"params": others},
    ]
    adam = torch.optim.AdamW(groups, lr=fitting.rate, weight_decay=fitting.decay, fused=True)
    best = [weights.detach().clone() for weights in stack.parameters()]
    least, reached = (torch.full((len(names),), torch.inf) for _ in range(2))
    epochs, waited = (torch.zeros(len(names), dtype=torch.int64) for _ in range(2))
    for epoch in range(fitting.most_epochs):
        going = waited < fitting.patience
        if not going.any():
            break
        epochs += going
        _train_epoch(stack, adam, batch, targets, train, fitting, epoch)
        losses = _losses(stack, batch, targets, check, fitting)
        better = going & (losses < least)
        least = torch.where(better, losses, least)
        for kept, now in zip(best, stack.parameters(), strict=True):
            for number in better.nonzero().squeeze(1).tolist():
                kept[number].copy_(now[number].detach())
        gained = least < (1 - fitting.least_gain) * reached
        reached = torch.where(gained, least, reached)
        waited = torch.where(gained, 0, waited + 1)
    return best, epochs.tolist()


def _train_epoch(
    stack: HeadStack,
    adam: torch.optim.AdamW,
    batch: Batch,
    targets: Tensor,
    train: Tensor,
    fitting: Fitting,
    epoch: int,
) -> None:
    """Show each training clip once; all that is drawn depends on the seed and the epoch alone."""
    chance = _generator(fitting.seed, "epoch", epoch)
    order = train[torch.randperm(len(train), generator=chance)]
    for chosen in torch.split(order, fitting.batch):
        masks = [
            (torch.rand(len(chosen), width, generator=chance) >= fitting.dropout).to(targets.device)
            / (1 - fitting.dropout)
            for width in fitting.widths[1:]
        ]
        adam.zero_grad(set_to_none=True)
        errors, known = _errors(stack(batch(chosen), masks), targets[:, chosen.to(targets.device)], fitting)
        torch.autograd.backward((errors / known.clamp(min=1)).sum())
        adam.step()


@torch.no_grad()
def _losses(stack: HeadStack, batch: Batch, targets: Tensor, check: Tensor, fitting: Fitting) -> Tensor:
    """Return the mean error of each head over the validation clips whose target is known; on the CPU."""
    parts = [
        torch.stack(_errors(stack(batch(chosen)), targets[:, chosen.to(targets.device)], fitting))
        for chosen in torch.split(check, fitting.batch)
    ]
    errors, known = torch.stack(parts).sum(dim=0).cpu()
    losses: Tensor = (errors / known.clamp(min=1)).float()
    return losses


def _errors(scores: Tensor, targets: Tensor, fitting: Fitting) -> tuple[Tensor, Tensor]:
    """Return for each head the sum of its errors over the clips whose target is known, and their number."""
    known = ~targets.isnan()
    errors = (scores - targets.nan_to_num()) * known
    errors = errors.square() if fitting.loss == "squared" else errors.abs()
    return errors.double().sum(dim=1), known.double().sum(dim=1)


def _generator(*parts: str | int) -> torch.Generator:
    return torch.Generator().manual_seed(derived_seed(*parts))


def unstacked(
    name: str, weights: list[Tensor], number: int, inputs: tuple[Tensor, Tensor], output: tuple[float, float]
) -> Head:
    """Return head `number` of the weights of a stack, for inputs and scores that are not standardized.

    `inputs` (two of shape (width,), which repeat along the inputs) and `output` are the mean and spread that
    were taken out of features and target.
    """
    parts = [part[number].cpu() for part in weights]
    matrices, biases = parts[: len(parts) // 2], [bias.double() for bias in parts[len(parts) // 2 :]]
    mean, spread = (part.double().cpu() for part in inputs)
    each = matrices[0].view(matrices[0].shape[0], -1, len(mean))
    biases[0] = biases[0] - each.sum(dim=1, dtype=torch.float64) / spread @ mean
    matrices[0] = (each / spread.float()).flatten(1)
    matrices[-1], biases[-1] = matrices[-1] * output[1], biases[-1] * output[1] + output[0]
    layers = zip(matrices, biases, strict=True)
    return Head(
        name, tuple((matrix.clone(), bias.float()) for matrix, bias in layers)
    )  # a view saves all heads
