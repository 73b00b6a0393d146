"""Many heads of one shape, trained side by side: a matrix product a layer for all, each as if it were alone.

The loss is a sum over heads, AdamW works weight by weight, and each head keeps the weights of its own best
epoch: no head learns from the target of another, and 40 take little longer than one.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, relu

from budew.annotation.head_files import Head
from budew.randomness import derived_seed


@dataclass(frozen=True, slots=True)
class Fitting:
    """How heads are trained. Widths and dropout are those of the published heads.

    Attributes:
        widths: outputs of `proj` and of the layers behind it, before the one output.
        dropout: share of activations dropped behind each layer but `proj`.
        rate: of AdamW.
        decay: of its weights.
        batch: clips in a step.
        most_epochs: over the corpus.
        patience: epochs in which the heads together get better by less than `least_gain`, and training ends.
        least_gain: share of their squared errors.
        validation: share of the clips, by whole speakers.
        seed: decides the split, the first weights, the order and the dropout.
    """

    widths: tuple[int, ...] = (64, 64, 32, 16)
    dropout: float = 0.1
    rate: float = 1e-3
    decay: float = 0.01
    batch: int = 64
    most_epochs: int = 200
    patience: int = 10
    least_gain: float = 0.005
    validation: float = 0.15
    seed: int = 0


class HeadStack(nn.Module):
    """Heads (h) as one module: (batch, inputs) → (batch, h)."""

    def __init__(self, heads: int, inputs: int, fitting: Fitting) -> None:
        super().__init__()
        sizes = [inputs, *fitting.widths, 1]
        self.dropout = fitting.dropout
        self.weights = nn.ParameterList(
            nn.Parameter(torch.empty(heads, after, before).uniform_(-1, 1) * before**-0.5)
            for before, after in pairwise(sizes)
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(heads, after)) for after in sizes[1:])

    def forward(self, inputs: Tensor) -> Tensor:
        """Return scores (batch, heads) of inputs (batch, inputs)."""
        hidden = torch.einsum("bi,hoi->hbo", inputs, self.weights[0]) + self.biases[0].unsqueeze(1)
        for number, (weight, bias) in enumerate(zip(self.weights[1:], self.biases[1:], strict=True)):
            active = dropout(relu(hidden), self.dropout if number else 0.0, self.training)
            hidden = torch.baddbmm(bias.unsqueeze(1), active, weight.transpose(1, 2))
        scores: Tensor = hidden.squeeze(2).T
        return scores


def fit_stack(
    features: Tensor, targets: Tensor, validation: Tensor, fitting: Fitting
) -> tuple[list[Tensor], int]:
    """Return the weights of the best epoch of each head, as `HeadStack.parameters` has them, and the epochs.

    Args:
        features: (clips, inputs), standardized.
        targets: (clips, heads), standardized, NaN where unknown.
        validation: (clips,), True for clips that decide when to stop.
        fitting: how.
    """
    with torch.random.fork_rng():
        torch.manual_seed(derived_seed(fitting.seed, "heads"))
        stack = HeadStack(targets.shape[1], features.shape[1], fitting).to(features.device)
        adam = torch.optim.AdamW(stack.parameters(), lr=fitting.rate, weight_decay=fitting.decay)
        train, check = (~validation).nonzero().squeeze(1), validation.nonzero().squeeze(1)
        best = [weights.detach().clone() for weights in stack.parameters()]
        epochs, waited, reached = 0, 0, torch.inf
        least = torch.full((targets.shape[1],), torch.inf, device=features.device)
        while epochs < fitting.most_epochs and waited < fitting.patience:
            epochs += 1
            stack.train()
            order = train[torch.randperm(len(train)).to(train.device)]
            for chosen in torch.split(order, fitting.batch):
                adam.zero_grad(set_to_none=True)
                loss = _mean_errors(stack(features[chosen]), targets[chosen]).sum()
                torch.autograd.backward(loss)
                adam.step()
            stack.eval()
            with torch.no_grad():
                losses = _mean_errors(stack(features[check]), targets[check])
            better = losses < least
            least = torch.where(better, losses, least)
            for kept, now in zip(best, stack.parameters(), strict=True):
                kept[better] = now.detach()[better]
            waited += 1
            if (total := float(least.sum())) < (1 - fitting.least_gain) * reached:
                reached, waited = total, 0
    return best, epochs


def _mean_errors(scores: Tensor, targets: Tensor) -> Tensor:
    """Return the mean squared error of each head over the clips whose target is known."""
    known = ~targets.isnan()
    errors = (scores - targets.nan_to_num()).square() * known
    return errors.sum(dim=0) / known.sum(dim=0).clamp(min=1)


def unstacked(
    name: str, weights: list[Tensor], number: int, inputs: tuple[Tensor, Tensor], output: tuple[float, float]
) -> Head:
    """Return head `number` of the weights of a stack, for inputs and scores that are not standardized.

    `inputs` (two of shape (inputs,)) and `output` are the mean and spread that were taken out of features and
    target.
    """
    parts = [part[number].double().cpu() for part in weights]
    matrices, biases = parts[: len(parts) // 2], parts[len(parts) // 2 :]
    mean, spread = (part.double().cpu() for part in inputs)
    matrices[0] = matrices[0] / spread
    biases[0] = biases[0] - matrices[0] @ mean
    matrices[-1], biases[-1] = matrices[-1] * output[1], biases[-1] * output[1] + output[0]
    layers = zip(matrices, biases, strict=True)
    return Head(name, tuple((matrix.float().contiguous(), bias.float()) for matrix, bias in layers))
